//! K1, explored exhaustively: in a planned rotation no valid token is refused by a verifier whose key set is at most `max-age` old.
//! What is driven is the real [`plan`](counterfoil_core::keys::rotation::plan), with [`rotate_now`] and the configured algorithm
//! changing at any moment.
//!
//! The world: a tick is five minutes, say. The store's ring changes when somebody tends it, however seldom. A replica that signs
//! and serves the key set works on a copy of the ring that is at most a tick old. A verifier's key set is at most a tick
//! (`max-age`) older than what that replica served. Tokens live three ticks. Revocation is not in it: it is no planned rotation, and
//! K2 is the feed's (`feed_model`).

use counterfoil_core::keys::ring::{KeyState, StoredKey};
use counterfoil_core::keys::rotation::{KeyChange, Policy, plan, rotate_now};
use counterfoil_guard::{Algorithm, Timestamp};
use stateright::{Checker, Model, Property};
use std::time::Duration;

const MAX_AGE: u8 = 1;
const LIFE: u8 = 3;
/// Nothing that the plan compares is longer.
const LONGEST: u8 = 6;
/// How many keys are ever made.
const KEYS: u8 = 6;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    id: u8,
    algorithm: Algorithm,
    state: KeyState,
    /// Ticks in this state, at most [`LONGEST`].
    age: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    made: u8,
    in_use: Algorithm,
    store: Vec<Key>,
    /// The replica's copy, and how old it is.
    copy: (Vec<Key>, u8),
    /// The ids a verifier knows, and for how long it has kept them.
    known: (Vec<u8>, u8),
    /// The youngest token of each key: what is left of its life.
    tokens: Vec<(u8, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Tick,
    Tend,
    RotateNow,
    Reconfigure,
    Reload,
    Mint,
    Fetch,
}

#[derive(Clone, Copy, Debug)]
enum Claim {
    /// A verifier knows the key of every valid token.
    NobodyLockedOut,
    /// The negation of what the run wants to see.
    NeverInState(KeyState),
}

#[derive(Clone, Debug)]
struct Rotation {
    claim: Claim,
    publish_ahead: u8,
    longest_life: u8,
    reconfigure: bool,
}

const RIGHT: Rotation =
    Rotation { claim: Claim::NobodyLockedOut, publish_ahead: MAX_AGE + 2, longest_life: LIFE + 1, reconfigure: true };

fn ticks(count: u8) -> Duration {
    Duration::from_secs(u64::from(count))
}

/// Now, for the plan; ages are counted back from it.
const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn stored(key: &Key) -> StoredKey {
    let since = NOW.minus(ticks(key.age));
    let (kid, (public, sealed)) = (format!("k{}", key.id).parse().expect("a kid"), Default::default());
    StoredKey { kid, algorithm: key.algorithm, state: key.state, created_at: since, since, public, sealed }
}

impl Rotation {
    fn policy(&self) -> Policy {
        let (publish_ahead, longest_life) = (ticks(self.publish_ahead), ticks(self.longest_life));
        Policy { rotate_every: ticks(5), publish_ahead, longest_life }
    }

    fn plan(&self, world: &World) -> Vec<KeyChange> {
        let keys: Vec<StoredKey> = world.store.iter().map(stored).collect();
        plan(&keys, &[world.in_use], NOW, self.policy())
    }

    fn rotate_now(&self, world: &World) -> Vec<KeyChange> {
        let keys: Vec<StoredKey> = world.store.iter().map(stored).collect();
        rotate_now(&keys, world.in_use, NOW, self.policy()).unwrap_or_default()
    }
}

impl World {
    fn carry_out(&mut self, changes: &[KeyChange]) {
        for change in changes {
            match change {
                KeyChange::Create { algorithm, state, .. } => {
                    self.store.push(Key { id: self.made, algorithm: *algorithm, state: *state, age: 0 });
                    self.made += 1;
                }
                KeyChange::Move { kid, to, .. } => {
                    let id = |key: &&mut Key| format!("k{}", key.id) == kid.as_str();
                    let key = self.store.iter_mut().find(id).expect("a key that exists");
                    (key.state, key.age) = (*to, 0);
                }
            }
        }
        // What is retired is looked at by nobody any more.
        self.store.retain(|key| key.state != KeyState::Retired);
    }

    /// As the replica chooses what signs: its algorithm's active key, or else another's.
    fn signer(&self) -> Option<u8> {
        let active = || self.copy.0.iter().filter(|key| key.state == KeyState::Active);
        active().find(|key| key.algorithm == self.in_use).or_else(|| active().next()).map(|key| key.id)
    }

    fn fetch(&mut self) {
        let published = self.copy.0.iter().filter(|key| key.state.is_published());
        self.known = (published.map(|key| key.id).collect(), 0);
    }

    fn pass(&mut self) {
        for key in self.store.iter_mut().chain(&mut self.copy.0) {
            key.age = (key.age + 1).min(LONGEST);
        }
        self.copy.1 += 1;
        self.known.1 += 1;
        for token in &mut self.tokens {
            token.1 -= 1;
        }
        self.tokens.retain(|(_, left)| *left > 0);
    }
}

impl Model for Rotation {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let (store, copy, known, tokens) = Default::default();
        let mut world = World { made: 0, in_use: Algorithm::EdDsa, store, copy, known, tokens };
        let first = self.plan(&world);
        world.carry_out(&first);
        world.copy = (world.store.clone(), 0);
        world.fetch();
        vec![world]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        acts.extend([Act::Tend, Act::RotateNow, Act::Reload, Act::Mint, Act::Fetch]);
        if self.reconfigure {
            acts.push(Act::Reconfigure);
        }
        // Whoever may be no older has looked anew before time goes on.
        if world.copy.1 < 1 && world.known.1 < MAX_AGE {
            acts.push(Act::Tick);
        }
    }

    fn next_state(&self, last: &World, act: Act) -> Option<World> {
        let mut world = last.clone();
        match act {
            Act::Tick => world.pass(),
            Act::Tend => world.carry_out(&self.plan(last)),
            Act::RotateNow => world.carry_out(&self.rotate_now(last)),
            Act::Reconfigure => {
                let other = if last.in_use == Algorithm::EdDsa { Algorithm::Es256 } else { Algorithm::EdDsa };
                world.in_use = other;
            }
            Act::Reload => world.copy = (last.store.clone(), 0),
            Act::Mint => {
                let id = last.signer()?;
                world.tokens.retain(|(kid, _)| *kid != id);
                world.tokens.push((id, LIFE));
                world.tokens.sort_unstable();
            }
            Act::Fetch => world.fetch(),
        }
        (world != *last).then_some(world)
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.made <= KEYS
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("claim", |model: &Self, world: &World| match model.claim {
            Claim::NobodyLockedOut => world.tokens.iter().all(|(id, _)| world.known.0.contains(id)),
            Claim::NeverInState(state) => world.store.iter().all(|key| key.state != state || key.id == 0),
        })]
    }
}

/// The shortest way to a world in which the claim does not hold.
fn search(run: &Rotation) -> Option<Vec<Act>> {
    let checker = run.clone().checker().spawn_bfs().join();
    eprintln!("{run:?}: {} different states, depth {}", checker.unique_state_count(), checker.max_depth());
    checker.discoveries().into_values().next().map(stateright::Path::into_actions)
}

fn breaks(run: &Rotation, steps: usize) {
    let found = search(run).unwrap_or_else(|| panic!("{run:?} holds"));
    assert_eq!(found.len(), steps, "{found:?}");
}

#[test]
fn k1_nobody_is_locked_out() {
    assert_eq!(search(&RIGHT), None);
}

#[test]
fn k1_what_is_claimed_does_happen() {
    for state in [KeyState::Active, KeyState::Retiring] {
        assert!(
            search(&Rotation { claim: Claim::NeverInState(state), ..RIGHT }).is_some(),
            "{state:?} is never reached"
        );
    }
}

#[test]
fn a_key_that_signs_before_it_was_published_long_enough_locks_out() {
    breaks(&Rotation { publish_ahead: 0, ..RIGHT }, 4);
    breaks(&Rotation { publish_ahead: MAX_AGE, ..RIGHT }, 6);
    breaks(&Rotation { publish_ahead: MAX_AGE + 1, ..RIGHT }, 9);
}

#[test]
fn a_key_that_leaves_before_its_last_token_locks_out() {
    breaks(&Rotation { longest_life: LIFE, ..RIGHT }, 21);
    breaks(&Rotation { longest_life: 1, ..RIGHT }, 15);
}
