//! Where the claims of the design end. Each of these is a counterexample to the real rules once an assumption is
//! relaxed, or the design's words are taken further than they carry; and, where one is known, the change that carries
//! them there (a proposal, tried here and not made in `rotation`).

use crate::check::{S3, S3_RESTORED, S4, breaks, holds};
use crate::model::{Claim, Feature, Rotations};

/// "Every lost answer is retried within half the grace" must count from the first sending: the grace is never
/// restarted, so the retry of a lost retry may come too late.
#[test]
fn s3_does_not_carry_chains_of_retries() {
    let with = &[Feature::Timed, Feature::RetriesInChain, Feature::Relative, Feature::Atomic];
    breaks(&Rotations { with, in_flight: 2, ..S3 }, 10);
}

/// Nor does `forgive_lost_answer` quite: once a token of the current generation has been presented, a request with its
/// parent that is still under way is reuse. A time instead of the flag `presented`, and G from then, would close it.
#[test]
fn s3_a_forgiving_policy_does_not_forgive_what_is_still_under_way() {
    let with = &[Feature::Timed, Feature::RetriesInChain, Feature::Forgiving, Feature::Relative, Feature::Atomic];
    breaks(&Rotations { with, in_flight: 2, ..S3 }, 14);
}

/// A network that repeats answers puts an earlier token back into the jar. HTTP does not: one answer per request.
#[test]
fn s3_does_not_carry_repeated_answers() {
    let with = &[Feature::Timed, Feature::AnswerArrives, Feature::AnswersRepeat, Feature::Relative, Feature::Atomic];
    breaks(&Rotations { with, in_flight: 2, ..S3 }, 13);
}

/// Half the grace each way leaves nothing for clocks that differ: the retry comes a tick late by the other clock.
#[test]
fn s3_half_the_grace_each_way_leaves_no_room_for_clocks() {
    breaks(&Rotations { skew: 1, in_flight: 2, ..S3 }, 9);
}

/// An answer lost just before a restore cannot be asked for again in time: refresh is closed for longer than the grace.
/// Counting the grace of the row's last rotation from the reopening closes it.
#[test]
fn s3_an_answer_lost_before_a_restore_signs_out() {
    let with = &[Feature::Timed, Feature::AnswerArrives, Feature::ClosureDoesNotCount];
    breaks(&Rotations { with, ..S3_RESTORED }, 12);
    let with = &[Feature::Timed, Feature::AnswerArrives, Feature::ClosureDoesNotCount, Feature::GraceFromReopening];
    holds(&Rotations { with, ..S3_RESTORED });
}

/// "The thief's next attempt revokes" is not so when the victim has rotated twice since within the grace: the thief's
/// sibling is then two generations old and *late*: an access token, no alarm, until the grace is over. Keeping the
/// nonces of the last three parents, and asking of a late token that it be one of them, closes it.
#[test]
fn s4_a_cut_off_thief_may_still_be_late() {
    let with = &[Feature::Thief, Feature::Relative, Feature::Atomic];
    breaks(&Rotations { claim: Claim::NextAttemptRevokes, with, ..S4 }, 14);
    let with = &[Feature::Thief, Feature::Relative, Feature::LateByDescent];
    holds(&Rotations { claim: Claim::NextAttemptRevokes, with, ..S4 });
}

/// ... and costs an honest client nothing.
#[test]
fn s3_late_by_descent_signs_nobody_out() {
    let with = &[Feature::Timed, Feature::AnswerArrives, Feature::Relative, Feature::LateByDescent];
    holds(&Rotations { with, in_flight: 2, ..S3 });
}

/// ... up to the difference of the clocks, for which the stolen token itself may still be late.
#[test]
fn s4_late_by_descent_is_as_exact_as_the_clocks() {
    let with = &[Feature::Thief, Feature::Relative, Feature::LateByDescent];
    breaks(&Rotations { claim: Claim::NextAttemptRevokes, with, grace: 1, skew: 1, ..S4 }, 13);
}
