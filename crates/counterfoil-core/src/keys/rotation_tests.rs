use super::{KeyChange, Policy, Reason, TooEarly, plan, revoke, revoke_all, rotate_now};
use crate::keys::ring::{KeyState, StoredKey};
use counterfoil_guard::{Algorithm, Kid, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

const POLICY: Policy = Policy {
    rotate_every: Duration::from_secs(10_000),
    publish_ahead: Duration::from_mins(10),
    longest_life: Duration::from_mins(16),
};
const EDDSA: &[Algorithm] = &[Algorithm::EdDsa];

/// A ring that carries out what it is told, and its clock.
struct World {
    keys: Vec<StoredKey>,
    now: Timestamp,
}

impl World {
    fn new(in_use: &[Algorithm]) -> Self {
        let mut world = Self { keys: Vec::new(), now: Timestamp::from_seconds(1_000_000) };
        world.tend(in_use);
        world
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    fn tend(&mut self, in_use: &[Algorithm]) -> Vec<KeyChange> {
        let changes = plan(&self.keys, in_use, self.now, POLICY);
        self.carry_out(&changes);
        changes
    }

    fn carry_out(&mut self, changes: &[KeyChange]) {
        for change in changes {
            match change {
                KeyChange::Create { algorithm, state, .. } => {
                    let kid = format!("k{}", self.keys.len()).parse().expect("a kid");
                    let (public, sealed) = Default::default();
                    let (algorithm, state) = (*algorithm, *state);
                    let (created_at, since) = (self.now, self.now);
                    self.keys.push(StoredKey { kid, algorithm, state, created_at, since, public, sealed });
                }
                KeyChange::Move { kid, from, to, .. } => {
                    let key = self.keys.iter_mut().find(|key| key.kid == *kid).expect("a key that exists");
                    assert_eq!(key.state, *from);
                    (key.state, key.since) = (*to, self.now);
                }
            }
        }
    }

    fn in_state(&self, algorithm: Algorithm, state: KeyState) -> Vec<&str> {
        let found = self.keys.iter().filter(|key| key.algorithm == algorithm && key.state == state);
        found.map(|key| key.kid.as_str()).collect()
    }

    fn states(&self) -> Vec<(&str, &'static str)> {
        self.keys.iter().map(|key| (key.kid.as_str(), key.state.as_str())).collect()
    }
}

fn kid(name: &str) -> Kid {
    name.parse().expect("a kid")
}

#[test]
fn an_empty_ring_gets_a_key_that_signs_and_the_next_one() {
    let world = World::new(EDDSA);
    assert_eq!(world.states(), [("k0", "active"), ("k1", "next")]);
}

#[test]
fn k1_a_rotation_goes_through_its_states_in_time() {
    let mut world = World::new(EDDSA);
    world.pass(9_999);
    assert_eq!(world.tend(EDDSA), [], "not due");
    world.pass(1);
    world.tend(EDDSA);
    assert_eq!(world.states(), [("k0", "retiring"), ("k1", "active"), ("k2", "next")]);
    world.pass(959);
    assert_eq!(world.tend(EDDSA), [], "a token of k0 may still live");
    world.pass(1);
    world.tend(EDDSA);
    assert_eq!(world.states(), [("k0", "retired"), ("k1", "active"), ("k2", "next")]);
}

#[test]
fn k1_a_key_that_is_due_waits_for_the_next_one_to_be_known() {
    let mut world = World::new(EDDSA);
    world.pass(9_700);
    let changes = revoke(&world.keys, &kid("k1")).expect("exists");
    world.carry_out(&changes);
    world.pass(300);
    assert_eq!(world.tend(EDDSA), [], "due, but k2 has been published for five minutes only");
    world.pass(300);
    world.tend(EDDSA);
    assert_eq!(world.in_state(Algorithm::EdDsa, KeyState::Active), ["k2"]);
}

#[test]
fn k1_another_algorithm_signs_only_once_its_key_is_known() {
    let mut world = World::new(EDDSA);
    let both = [Algorithm::Es256];
    world.tend(&both);
    assert_eq!(world.states(), [("k0", "active"), ("k1", "next"), ("k2", "next")], "the old one signs on");
    world.pass(599);
    assert_eq!(world.tend(&both), []);
    world.pass(1);
    world.tend(&both);
    assert_eq!(world.states(), [("k0", "retiring"), ("k1", "retired"), ("k2", "active"), ("k3", "next")]);
}

#[test]
fn a_server_that_was_off_for_long_rotates_at_once() {
    let mut world = World::new(EDDSA);
    world.pass(1_000_000);
    world.tend(EDDSA);
    assert_eq!(world.states(), [("k0", "retiring"), ("k1", "active"), ("k2", "next")]);
}

#[test]
fn an_operator_can_rotate_early_but_not_so_early_that_somebody_is_locked_out() {
    let mut world = World::new(EDDSA);
    world.pass(599);
    let ready = world.now.plus(Duration::from_secs(1));
    assert_eq!(rotate_now(&world.keys, Algorithm::EdDsa, world.now, POLICY), Err(TooEarly::NextAt(ready)));
    assert_eq!(rotate_now(&world.keys, Algorithm::Es256, world.now, POLICY), Err(TooEarly::NoNext));
    world.pass(1);
    let changes = rotate_now(&world.keys, Algorithm::EdDsa, world.now, POLICY).expect("may");
    world.carry_out(&changes);
    assert_eq!(world.states(), [("k0", "retiring"), ("k1", "active"), ("k2", "next")]);
}

#[test]
fn k2_a_revoked_key_is_replaced_in_the_same_breath() {
    let mut world = World::new(EDDSA);
    assert_eq!(revoke(&world.keys, &kid("k9")), None);
    world.carry_out(&revoke(&world.keys, &kid("k0")).expect("exists"));
    assert_eq!(world.states(), [("k0", "revoked"), ("k1", "active"), ("k2", "next")]);
    assert_eq!(revoke(&world.keys, &kid("k0")), Some(Vec::new()), "again changes nothing");
    world.carry_out(&revoke(&world.keys, &kid("k2")).expect("exists"));
    assert_eq!(world.states(), [("k0", "revoked"), ("k1", "active"), ("k2", "revoked"), ("k3", "next")]);
    world.carry_out(&revoke_all(&world.keys, EDDSA));
    let tail = [("k1", "revoked"), ("k2", "revoked"), ("k3", "revoked"), ("k4", "active"), ("k5", "next")];
    assert_eq!(world.states()[1..], tail);
    world.pass(1_000_000);
    world.tend(EDDSA);
    assert_eq!(world.in_state(Algorithm::EdDsa, KeyState::Revoked).len(), 4, "nothing leads out of it");
}

#[test]
fn every_change_says_why() {
    let mut world = World::new(EDDSA);
    world.pass(10_000);
    let reasons: Vec<Reason> = world.tend(EDDSA).iter().map(reason).collect();
    assert_eq!(reasons, [Reason::Due, Reason::Due, Reason::NextMissing]);
}

fn reason(change: &KeyChange) -> Reason {
    match change {
        KeyChange::Create { reason, .. } | KeyChange::Move { reason, .. } => *reason,
    }
}

#[derive(Clone, Debug)]
enum Act {
    Pass(u64),
    Rotate,
    Revoke(usize),
    RevokeAll,
    Use(Vec<Algorithm>),
}

fn act() -> impl Strategy<Value = Act> {
    let algorithms = prop_oneof![
        Just(vec![Algorithm::EdDsa]),
        Just(vec![Algorithm::Es256]),
        Just(vec![Algorithm::EdDsa, Algorithm::Es256]),
        Just(vec![Algorithm::Ed25519])
    ];
    prop_oneof![
        6 => (0u64..2_000).prop_map(Act::Pass),
        1 => (0u64..50_000).prop_map(Act::Pass),
        1 => Just(Act::Rotate),
        1 => (0usize..6).prop_map(Act::Revoke),
        1 => Just(Act::RevokeAll),
        1 => algorithms.prop_map(Act::Use),
    ]
}

proptest! {
    /// Whatever is done and however irregularly the plan is asked: somebody signs, a next key is out, at most one key of an
    /// algorithm signs, and asking again at once brings nothing.
    #[test]
    fn k1_the_ring_is_always_able_to_sign_and_to_go_on(acts in proptest::collection::vec(act(), 1..60)) {
        let mut in_use = vec![Algorithm::EdDsa];
        let mut world = World::new(&in_use);
        for act in acts {
            match act {
                Act::Pass(seconds) => world.pass(seconds),
                Act::Rotate => {
                    if let Ok(changes) = rotate_now(&world.keys, in_use[0], world.now, POLICY) {
                        world.carry_out(&changes);
                    }
                }
                Act::Revoke(back) => {
                    let kid = world.keys[world.keys.len().saturating_sub(back + 1)].kid.clone();
                    let changes = revoke(&world.keys, &kid).expect("exists");
                    world.carry_out(&changes);
                }
                Act::RevokeAll => {
                    let changes = revoke_all(&world.keys, &in_use);
                    world.carry_out(&changes);
                }
                Act::Use(algorithms) => in_use = algorithms,
            }
            let before: Vec<StoredKey> = world.keys.clone();
            let nobody_signed = !before.iter().any(|key| key.state == KeyState::Active);
            for change in world.tend(&in_use) {
                if let KeyChange::Move { kid, from: KeyState::Next, to: KeyState::Active, .. } = change {
                    let next = before.iter().find(|key| key.kid == kid).expect("was there");
                    let known = world.now.since(next.since) >= POLICY.publish_ahead;
                    prop_assert!(known || nobody_signed, "{kid} signs before everybody knows it");
                }
            }
            prop_assert_eq!(plan(&world.keys, &in_use, world.now, POLICY), vec![]);
            prop_assert!(world.keys.iter().any(|key| key.state == KeyState::Active));
            for algorithm in Algorithm::ALL {
                prop_assert!(world.in_state(algorithm, KeyState::Active).len() <= 1);
                prop_assert!(world.in_state(algorithm, KeyState::Next).len() <= 1);
            }
            for algorithm in &in_use {
                prop_assert_eq!(world.in_state(*algorithm, KeyState::Next).len(), 1);
            }
        }
    }
}
