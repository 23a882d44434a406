//! The claims hold for the real machines, and what they speak of does happen.

use crate::check::{ONE, TWO, holds, reached};
use crate::model::{Claim, Feature, Feed};
use crate::world::{KEY, OTHER, SESSION, Sight};

/// Slow clocks are the dangerous ones, and most runs have no others.
const SLOW: &[i8] = &[-1];
const COPIES: &[Feature] = &[Feature::Copies, Feature::Atomic];

#[test]
fn s2_whatever_the_clock() {
    holds(&ONE);
}

#[test]
fn s2_when_polls_and_answers_are_repeated_and_come_late() {
    let with = &[Feature::Delayed, Feature::Repeats];
    holds(&Feed { with, in_flight: 2, rates: SLOW, staleness: 3, ..ONE });
}

#[test]
fn s2_when_guard_and_authority_restart() {
    holds(&Feed { guard_restarts: 1, restarts: 1, rates: SLOW, ..ONE });
}

#[test]
fn s2_when_a_restart_shortens_the_bound() {
    holds(&Feed { with: &[Feature::Shortens], shorter: 2, restarts: 2, rates: SLOW, ..ONE });
}

#[test]
fn s2_through_a_restore() {
    let run = Feed { with: &[Feature::Atomic], rates: SLOW, staleness: 3, restores: 1, ..ONE };
    holds(&Feed { revoked: &[OTHER, SESSION], ..run });
}

#[test]
fn s2_k2_through_a_restore_that_changes_the_order() {
    let run = Feed { with: &[Feature::Atomic], rates: SLOW, restores: 1, guard_restarts: 1, ..ONE };
    holds(&Feed { staleness: 3, revoked: &[SESSION, KEY], ..run });
}

#[test]
fn s2_instances_of_one_credential() {
    holds(&Feed { guards: 2, rates: SLOW, staleness: 2, with: &[Feature::Atomic], ..ONE });
}

#[test]
fn s2_instances_of_one_credential_step_by_step() {
    holds(&Feed { guards: 2, rates: SLOW, staleness: 3, ..ONE });
}

#[test]
fn s2_instances_that_restart() {
    let run = Feed { guards: 2, guard_restarts: 1, restarts: 1, ..ONE };
    holds(&Feed { with: &[Feature::Atomic], rates: SLOW, staleness: 2, ..run });
}

#[test]
fn s2_three_instances() {
    holds(&Feed { guards: 3, rates: SLOW, staleness: 2, with: &[Feature::Atomic], ..ONE });
}

#[test]
fn k2_a_key_stays_revoked_when_all_else_is_forgotten() {
    let run = Feed { with: &[Feature::Forgets], rates: SLOW, staleness: 3, ..ONE };
    holds(&Feed { claim: Claim::KeyStaysRevoked, revoked: &[KEY, SESSION], ..run });
}

#[test]
fn s2_answers_from_the_log_and_from_a_copy_mixed() {
    holds(&Feed { replicas: 1, rates: SLOW, with: &[Feature::Copies, Feature::Fresh], ..TWO });
}

#[test]
fn s2_answers_from_the_log_and_from_copies_mixed_at_two_replicas() {
    holds(&Feed { rates: SLOW, staleness: 3, with: &[Feature::Copies, Feature::Fresh], ..TWO });
}

#[test]
fn s2_two_replicas() {
    holds(&Feed { rates: SLOW, staleness: 2, with: COPIES, ..TWO });
}

#[test]
fn s2_two_replicas_step_by_step() {
    holds(&Feed { rates: SLOW, staleness: 3, ..TWO });
}

#[test]
fn s2_two_replicas_that_restart() {
    holds(&Feed { rates: SLOW, staleness: 3, restarts: 1, with: COPIES, ..TWO });
}

#[test]
fn s2_a_replica_that_joins_and_leaves() {
    let with = &[Feature::Copies, Feature::Atomic, Feature::SecondJoins];
    holds(&Feed { rates: SLOW, staleness: 3, with, ..TWO });
}

#[test]
fn s2_two_replicas_through_a_restore() {
    holds(&Feed { rates: SLOW, staleness: 2, restores: 1, with: COPIES, ..TWO });
}

/// With slow clocks and a margin this is more than 60 million states.
#[test]
fn s2_two_replicas_and_two_instances_with_clocks_alike() {
    holds(&Feed { guards: 2, rates: &[0], staleness: 2, margin: 0, wait: 0, with: COPIES, ..TWO });
}

#[test]
fn receipts_are_given_early_and_by_time_and_guards_accept() {
    reached(&Feed { claim: Claim::Sees(Sight::Accepts), ..ONE });
    reached(&Feed { claim: Claim::Sees(Sight::Early), ..ONE });
    reached(&Feed { claim: Claim::Sees(Sight::EarlyAmongTwo), ..TWO });
    reached(&Feed { claim: Claim::Sees(Sight::ByTime), ..ONE });
}
