//! A rule taken out is a counterexample found. `Atomic` (granting and reading in one step) tells the story in fewer
//! steps where their interleaving has no part in it.

use crate::check::{ONE, TWO, breaks, holds};
use crate::model::{Feature, Feed};
use crate::rules::Mutation;
use crate::world::{OTHER, SESSION};

const ONE_TOLD: Feed = Feed { with: &[Feature::Atomic], rates: &[0], ..ONE };
const TWO_TOLD: Feed = Feed { with: &[Feature::Copies, Feature::Atomic], rates: &[0], ..TWO };

#[test]
fn a_guard_that_ignores_its_lease_accepts_for_ever() {
    breaks(&Feed { rules: Mutation::NoLeaseCheck, ..ONE_TOLD }, 10);
}

#[test]
fn a_lease_counted_from_the_receiving_is_as_long_as_the_network_likes() {
    breaks(&Feed { rules: Mutation::LeaseFromReceiving, ..ONE_TOLD }, 10);
}

#[test]
fn the_answer_to_an_earlier_poll_brings_an_earlier_lease() {
    let with = &[Feature::Atomic, Feature::Delayed];
    breaks(&Feed { rules: Mutation::NonceNotChecked, with, in_flight: 2, ..ONE_TOLD }, 11);
}

#[test]
fn leases_by_credential_forget_the_second_instance() {
    breaks(&Feed { rules: Mutation::PerCredential, guards: 2, ..ONE_TOLD }, 11);
}

#[test]
fn a_restarted_authority_knows_nothing_of_its_leases() {
    breaks(&Feed { rules: Mutation::TrustAfterRestart, restarts: 1, ..ONE_TOLD }, 6);
}

#[test]
fn a_shorter_bound_does_not_shorten_what_was_promised() {
    let with = &[Feature::Atomic, Feature::Shortens];
    breaks(&Feed { rules: Mutation::PromisedIgnored, with, shorter: 1, restarts: 1, ..ONE_TOLD }, 8);
    holds(&Feed { with, shorter: 1, restarts: 1, rates: &[-1], ..ONE_TOLD });
}

#[test]
fn what_is_acknowledged_must_be_in_force() {
    breaks(&Feed { rules: Mutation::AcknowledgesFirst, ..ONE_TOLD }, 11);
    breaks(&Feed { rules: Mutation::TrustsFirst, ..ONE_TOLD }, 5);
}

#[test]
fn a_cursor_of_another_log_acknowledges_nothing() {
    let run = Feed { revoked: &[OTHER, SESSION], restores: 1, ..ONE_TOLD };
    breaks(&Feed { rules: Mutation::ForeignAcknowledges, ..run }, 16);
}

#[test]
fn a_lease_is_in_the_table_before_the_log_is_read() {
    breaks(&Feed { rules: Mutation::ReadsFirst, with: &[], ..ONE_TOLD }, 6);
}

#[test]
fn without_the_margin_a_slow_clock_outlives_its_lease() {
    breaks(&Feed { margin: 0, rates: &[-1], ..ONE_TOLD }, 9);
    holds(&Feed { margin: 0, ..ONE_TOLD });
}

#[test]
fn an_answer_from_a_copy_is_as_old_as_the_copy() {
    breaks(&Feed { rules: Mutation::CopyIsFresh, replicas: 1, ..TWO_TOLD }, 10);
}

#[test]
fn a_grant_from_an_older_copy_takes_no_lease_back() {
    let with = &[Feature::Copies, Feature::Fresh, Feature::Atomic];
    breaks(&Feed { rules: Mutation::UntilGoesBack, replicas: 1, with, ..TWO_TOLD }, 14);
}

#[test]
fn one_replica_does_not_know_the_others_leases() {
    breaks(&Feed { rules: Mutation::NoFloor, ..TWO_TOLD }, 6);
}

#[test]
fn a_replica_does_not_report_what_its_copy_lacks() {
    breaks(&Feed { rules: Mutation::OwnHeadIgnored, ..TWO_TOLD }, 6);
}

#[test]
fn a_restarted_replica_publishes_no_floor() {
    breaks(&Feed { rules: Mutation::FloorAfterRestart, restarts: 1, ..TWO_TOLD }, 8);
}

#[test]
fn a_replica_reads_the_log_once_it_is_in_the_registry() {
    let with = &[Feature::Copies, Feature::SecondJoins, Feature::Atomic];
    breaks(&Feed { rules: Mutation::ReadsBeforeRegistering, with, ..TWO_TOLD }, 8);
}

#[test]
fn a_replica_stays_in_the_registry_as_long_as_its_leases() {
    let with = &[Feature::Copies, Feature::SecondJoins, Feature::Atomic];
    breaks(&Feed { rules: Mutation::LeavesEarly, with, ..TWO_TOLD }, 9);
}

/// An older state reaches a guard only from a replica that lags. Its answer counts from the reading behind it, and
/// what it lacks is not reported while its floor is below: so S2 does not rest on this rule, nor on entries being
/// only added. They spare a guard that goes from replica to replica a flapping index.
#[test]
fn a_cursor_that_goes_back_breaks_nothing_by_itself() {
    let run = Feed { staleness: 3, ..TWO_TOLD };
    holds(&Feed { rules: Mutation::CursorGoesBack, ..run });
    holds(&Feed { rules: Mutation::OlderReplaces, ..run });
}

/// The digest in the cursor tells what was put back from what was there, as the new log id does.
#[test]
fn a_restored_log_that_keeps_its_id_is_told_by_the_digest() {
    let run = Feed { revoked: &[OTHER, SESSION], restores: 1, staleness: 3, ..ONE_TOLD };
    holds(&Feed { rules: Mutation::KeepsLogId, ..run });
}

/// Where the claim ends: `promised` is what this installation may *have* granted by. While one replica still grants by
/// the longer S, another that has restarted with a shorter one reports too early by time. S must be the same at all
/// replicas, or the registry must carry it.
#[test]
fn a_bound_shortened_at_one_replica_alone_breaks_s2() {
    let with = &[Feature::Copies, Feature::Atomic, Feature::Shortens];
    breaks(&Feed { with, shorter: 1, restarts: 1, wait: 0, ..TWO_TOLD }, 13);
}
