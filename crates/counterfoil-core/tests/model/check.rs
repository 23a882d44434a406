//! Runs the checker, and says how far it went and how long it took.

use crate::model::{Action, Claim, Feature, Rotations};
use crate::rules::Mutation;
use stateright::{Checker, Model};
use std::time::Instant;

/// S1: the user ends the session. Messages live for ever.
pub(crate) const S1: Rotations = Rotations {
    claim: Claim::EndedStaysEnded,
    rules: Mutation::Nothing,
    with: &[Feature::Revocation, Feature::Relative],
    grace: 2,
    life: 0,
    retry: 0,
    skew: 0,
    in_flight: 2,
    at_work: 2,
    restores: 0,
    generations: 100,
};

/// S3: no thief, and what the claim takes for granted.
pub(crate) const S3: Rotations = Rotations {
    claim: Claim::NeverSignedOut,
    with: &[Feature::Timed, Feature::AnswerArrives, Feature::Relative],
    grace: 4,
    life: 2,
    retry: 2,
    in_flight: 3,
    ..S1
};

/// S3 through a restore: generations are absolute, and few.
pub(crate) const S3_RESTORED: Rotations =
    Rotations { with: &[Feature::Timed, Feature::AnswerArrives], in_flight: 2, restores: 1, generations: 4, ..S3 };

/// S4: a thief. Messages live for ever, and the victim need not retry.
pub(crate) const S4: Rotations =
    Rotations { claim: Claim::ThiefIsCutOff, with: &[Feature::Thief, Feature::Relative], in_flight: 1, ..S1 };

/// S4, with the true times of rotations.
pub(crate) const S4_OVERDUE: Rotations =
    Rotations { claim: Claim::OverdueRevokes, with: &[Feature::Thief, Feature::Relative, Feature::History], ..S4 };

/// S5: forged and garbled tokens at any moment.
pub(crate) const S5: Rotations =
    Rotations { claim: Claim::ForgeryChangesNothing, with: &[Feature::Forgery, Feature::Relative], ..S1 };

/// The shortest way to what the run asks for, if there is one.
#[expect(clippy::disallowed_methods, reason = "how long the checker takes is real time")]
fn search(run: &Rotations) -> Option<Vec<Action>> {
    let start = Instant::now();
    let checker = run.clone().checker().spawn_bfs().join();
    let found = checker.discoveries().into_values().next().map(stateright::Path::into_actions);
    let steps = found.as_ref().map_or("nothing found".to_owned(), |actions| format!("{} steps", actions.len()));
    eprintln!(
        "{:?}, {:?}: {steps}; {} states, {} of them different, depth {}, {:.1?}",
        run.claim,
        run.rules,
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        start.elapsed()
    );
    assert!(found.is_some() || checker.is_done(), "the whole of the state space was seen");
    found
}

/// The claim holds in every state.
pub(crate) fn holds(run: &Rotations) {
    if let Some(actions) = search(run) {
        panic!("{:?} does not hold:\n{actions:#?}", run.claim);
    }
}

/// The claim does not hold, and the shortest way to see it has so many steps.
pub(crate) fn breaks(run: &Rotations, steps: usize) {
    let actions = search(run).unwrap_or_else(|| panic!("{:?} holds under {:?}", run.claim, run.rules));
    eprintln!("  {actions:?}");
    assert_eq!(actions.len(), steps, "{actions:#?}");
}

/// What the run watches for is reached.
pub(crate) fn reached(run: &Rotations) {
    assert!(search(run).is_some(), "{:?} is never reached", run.claim);
}
