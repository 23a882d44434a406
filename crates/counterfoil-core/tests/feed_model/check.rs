//! Runs the checker, and says how far it went and how long it took.

use crate::model::{Action, Claim, Feature, Feed};
use crate::rules::Mutation;
use crate::world::SESSION;
use stateright::{Checker, Model};
use std::time::{Duration, Instant};

/// S2, one authority with its log at hand. A tick of 10 ms, clocks that are 1 ms in a tick off: 2ρ(S + wait) = m.
pub(crate) const ONE: Feed = Feed {
    claim: Claim::RevokedStaysRevoked,
    rules: Mutation::Nothing,
    with: &[],
    guards: 1,
    replicas: 1,
    staleness: 4,
    shorter: 4,
    margin: 1,
    wait: 1,
    rates: &[-1, 0, 1],
    revoked: &[SESSION],
    in_flight: 1,
    guard_restarts: 0,
    restarts: 0,
    restores: 0,
};

/// S2, two replicas that answer from copies.
pub(crate) const TWO: Feed = Feed { replicas: 2, with: &[Feature::Copies], ..ONE };

/// No run may take longer: a state space that has grown is to be cut down, not waited for.
const LIMIT: Duration = Duration::from_mins(10);
const STATES: usize = 60_000_000;

/// The shortest way to what the run asks for, if there is one.
#[expect(clippy::disallowed_methods, reason = "how long the checker takes is real time")]
fn search(run: &Feed) -> Option<Vec<Action>> {
    let start = Instant::now();
    let checker = run.clone().checker().timeout(LIMIT).target_state_count(STATES).spawn_bfs().join();
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
    let whole = checker.is_done() && start.elapsed() < LIMIT && checker.state_count() < STATES;
    assert!(found.is_some() || whole, "the whole of the state space was seen");
    found
}

/// The claim holds in every state.
pub(crate) fn holds(run: &Feed) {
    if let Some(actions) = search(run) {
        panic!("{:?} does not hold:\n{actions:#?}", run.claim);
    }
}

/// The claim does not hold, and the shortest way to see it has so many steps.
pub(crate) fn breaks(run: &Feed, steps: usize) {
    let actions = search(run).unwrap_or_else(|| panic!("{:?} holds under {:?}", run.claim, run.rules));
    eprintln!("  {actions:?}");
    assert_eq!(actions.len(), steps, "{actions:#?}");
}

/// What the run watches for is reached.
pub(crate) fn reached(run: &Feed) {
    assert!(search(run).is_some(), "{:?} is never reached", run.claim);
}
