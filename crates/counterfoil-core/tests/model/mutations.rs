//! A rule taken out is a counterexample found. `Atomic` (load and swap in one step) tells the story in fewer steps
//! where their interleaving has no part in it.

use crate::check::{S1, S3, S3_RESTORED, S4, S4_OVERDUE, S5, breaks, holds};
use crate::model::{Claim, Feature, Rotations};
use crate::rules::Mutation;

const S3_TOLD: Rotations = Rotations {
    with: &[Feature::Timed, Feature::AnswerArrives, Feature::Relative, Feature::Atomic],
    in_flight: 2,
    ..S3
};
const S3_RESTORED_TOLD: Rotations =
    Rotations { with: &[Feature::Timed, Feature::AnswerArrives, Feature::Atomic], in_flight: 3, ..S3_RESTORED };
const S4_TOLD: Rotations = Rotations { with: &[Feature::Thief, Feature::Relative, Feature::Atomic], ..S4 };
const S4_OVERDUE_TOLD: Rotations =
    Rotations { with: &[Feature::Thief, Feature::Relative, Feature::History, Feature::Atomic], ..S4_OVERDUE };

#[test]
fn without_hold_a_late_set_cookie_signs_an_honest_client_out() {
    breaks(&Rotations { rules: Mutation::NoHold, claim: Claim::JarIsGood, ..S3_TOLD }, 7);
    breaks(&Rotations { rules: Mutation::NoHold, ..S3 }, 12);
}

#[test]
fn a_hold_that_sets_the_cookie_without_remembering_it_does_not_help() {
    breaks(&Rotations { rules: Mutation::HoldSetsTheCookie, claim: Claim::JarIsGood, ..S3_TOLD }, 13);
}

#[test]
fn a_hold_that_sets_the_cookie_and_remembers_it_never_ends_while_a_thief_comes() {
    breaks(&Rotations { rules: Mutation::HoldRepeats, claim: Claim::ThreeRefreshes, ..S4_TOLD }, 11);
}

#[test]
fn without_the_parents_nonce_a_thief_who_comes_within_the_grace_is_not_seen() {
    breaks(&Rotations { rules: Mutation::NoParent, ..S4_TOLD }, 11);
}

#[test]
fn a_swap_that_ignores_the_end_of_the_session_breaks_s1() {
    breaks(&Rotations { rules: Mutation::SwapIgnoresActive, ..S1 }, 4);
}

#[test]
fn a_swap_that_ignores_the_row_breaks_s3() {
    let with = &[Feature::Timed, Feature::AnswerArrives];
    breaks(&Rotations { rules: Mutation::SwapIgnoresTheRow, with, in_flight: 2, generations: 4, ..S3 }, 12);
}

#[test]
fn refresh_that_opens_at_once_after_a_restore_breaks_s3() {
    breaks(&Rotations { rules: Mutation::OpenAfterRestore, claim: Claim::JarIsGood, ..S3_RESTORED_TOLD }, 9);
}

#[test]
fn a_restore_that_forgets_revocations_breaks_s1() {
    let with = &[Feature::Revocation];
    let run = Rotations { with, grace: 1, restores: 1, generations: 3, ..S1 };
    breaks(&Rotations { rules: Mutation::RestoreForgetsRevocations, ..run }, 8);
}

#[test]
fn a_grace_that_restarts_a_late_that_lasts_and_a_reuse_that_rolls_back_break_s4() {
    breaks(&Rotations { rules: Mutation::GraceRestarts, ..S4_OVERDUE_TOLD }, 7);
    breaks(&Rotations { rules: Mutation::LateForever, ..S4_OVERDUE_TOLD }, 7);
    breaks(&Rotations { rules: Mutation::ReuseRollsBack, ..S4_OVERDUE_TOLD }, 6);
}

#[test]
fn without_the_mac_a_stranger_ends_the_session() {
    breaks(&Rotations { rules: Mutation::NoMac, ..S5 }, 1);
}

/// The rules are independent: what S4 needs, S3 does not.
#[test]
fn s3_does_not_need_the_parents_nonce() {
    holds(&Rotations { rules: Mutation::NoParent, in_flight: 2, ..S3 });
}

/// With two replicas, a slow one that writes after a fast one would end a hold early, and bring back a row that a still
/// slower request has decided on.
#[test]
fn a_last_hand_out_that_goes_back_breaks_s3() {
    let run = Rotations { grace: 5, skew: 1, in_flight: 2, ..S3 };
    breaks(&Rotations { rules: Mutation::HandOutsGoBack, ..run }, 22);
    holds(&run);
}
