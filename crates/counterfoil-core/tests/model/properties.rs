//! The claims of the design hold for the real function, and what they speak of does happen.

use crate::check::{S1, S3, S3_RESTORED, S4, S4_OVERDUE, S5, holds, reached};
use crate::model::{Claim, Feature, Rotations};
use crate::world::Verdict;

#[test]
fn s1_an_ended_session_stays_ended() {
    holds(&S1);
}

#[test]
fn s1_reuse_ends_a_session_as_finally_as_its_user_does() {
    let with = &[Feature::Revocation, Feature::Thief, Feature::Relative];
    holds(&Rotations { with, grace: 1, in_flight: 1, ..S1 });
}

#[test]
fn s1_an_ended_session_stays_ended_after_a_restore() {
    holds(&Rotations { with: &[Feature::Revocation], grace: 1, restores: 1, generations: 3, ..S1 });
}

#[test]
fn s1_with_a_thief_and_two_messages_at_a_time() {
    holds(&Rotations { with: &[Feature::Revocation, Feature::Thief, Feature::Relative], in_flight: 2, ..S1 });
}

#[test]
fn s3_an_honest_client_is_never_signed_out() {
    holds(&S3);
}

#[test]
fn s3_what_is_in_the_jar_is_never_reuse() {
    holds(&Rotations { claim: Claim::JarIsGood, ..S3 });
}

#[test]
fn s3_with_clocks_that_differ() {
    holds(&Rotations { grace: 6, skew: 1, in_flight: 2, ..S3 });
}

#[test]
fn s3_with_four_messages_at_a_time() {
    holds(&Rotations { in_flight: 4, ..S3 });
}

#[test]
fn s3_with_clocks_that_differ_and_three_messages_at_a_time() {
    holds(&Rotations { grace: 5, skew: 1, at_work: 1, ..S3 });
}

#[test]
fn s3_through_a_restore() {
    holds(&S3_RESTORED);
}

#[test]
fn s3_what_is_in_the_jar_is_never_reuse_through_a_restore() {
    let with = &[Feature::Timed, Feature::AnswerArrives, Feature::Atomic];
    holds(&Rotations { claim: Claim::JarIsGood, with, in_flight: 3, ..S3_RESTORED });
}

#[test]
fn s3_a_bound_session_needs_no_limit() {
    holds(&Rotations { with: &[Feature::Bound, Feature::Relative], grace: 2, ..S3 });
}

#[test]
fn s4_outside_the_grace_the_other_holders_refresh_revokes() {
    holds(&S4_OVERDUE);
}

#[test]
fn s4_outside_the_grace_by_any_clock() {
    holds(&Rotations { grace: 1, skew: 1, at_work: 1, ..S4_OVERDUE });
}

#[test]
fn s4_the_thief_is_cut_off() {
    holds(&S4);
}

#[test]
fn s4_the_thief_is_cut_off_by_any_clock() {
    holds(&Rotations { skew: 1, at_work: 1, ..S4 });
}

#[test]
fn s4_the_thief_is_cut_off_under_a_forgiving_policy() {
    holds(&Rotations { with: &[Feature::Thief, Feature::Forgiving, Feature::Relative], grace: 1, ..S4 });
}

#[test]
fn s4_the_thief_gains_nothing_after_three_refreshes_in_a_row() {
    holds(&Rotations { claim: Claim::ThreeRefreshes, ..S4 });
}

#[test]
fn s4_once_cut_off_the_thiefs_next_attempt_revokes_or_is_late() {
    holds(&Rotations { claim: Claim::NextAttemptRevokesOrIsLate, ..S4 });
}

#[test]
fn s4_with_two_messages_at_a_time() {
    holds(&Rotations { in_flight: 2, ..S4 });
    holds(&Rotations { claim: Claim::ThreeRefreshes, in_flight: 2, ..S4 });
    holds(&Rotations { claim: Claim::NextAttemptRevokesOrIsLate, in_flight: 2, ..S4 });
}

#[test]
fn s4_with_two_replicas_whose_clocks_differ() {
    holds(&Rotations { skew: 1, ..S4 });
    holds(&Rotations { claim: Claim::NextAttemptRevokesOrIsLate, grace: 1, skew: 1, ..S4 });
}

#[test]
fn s5_a_forged_token_changes_nothing() {
    holds(&S5);
}

#[test]
fn every_decision_is_reached_by_an_honest_client_but_reuse() {
    for verdict in [Verdict::Rotate, Verdict::Hold, Verdict::Repeat, Verdict::Late] {
        reached(&Rotations { claim: Claim::Sees(verdict), in_flight: 2, ..S3 });
    }
    reached(&Rotations { claim: Claim::Sees(Verdict::FastForward), ..S3_RESTORED });
    holds(&Rotations { claim: Claim::Sees(Verdict::Reuse), in_flight: 2, ..S3 });
}

#[test]
fn a_thief_gains_is_cut_off_and_is_caught() {
    reached(&Rotations { claim: Claim::SeesCut, ..S4 });
    for verdict in [Verdict::Rotate, Verdict::Hold, Verdict::Repeat, Verdict::Late, Verdict::Reuse] {
        reached(&Rotations { claim: Claim::Sees(verdict), ..S4 });
    }
}
