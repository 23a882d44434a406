//! One test per row of the table, then the edges between rows.

use super::{Decision, Parent, Policy, Proof, Rotation, decide};
use crate::device::DeviceKey;
use crate::profile::Profile;
use crate::refresh::token::{Nonce, Presented};
use crate::session::{Assurance, Binding, EndReason, Ended, Handle, Session};
use counterfoil_guard::{Sid, Timestamp, UserId};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(30);
const POLICY: Policy = Policy { grace: GRACE, forgive_lost_answer: false };
const STRICT: Policy = Policy { grace: Duration::ZERO, forgive_lost_answer: false };
const FORGIVING: Policy = Policy { grace: GRACE, forgive_lost_answer: true };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(10_000 + seconds)
}

fn nonce(n: u8) -> Nonce {
    Nonce::from_bytes([n; 8])
}

fn session() -> Session {
    Session {
        sid: Sid::from_bytes([1; 16]),
        handle: Handle::from_bytes([2; 16]),
        user: UserId::from_bytes([3; 16]),
        application: "web".to_owned(),
        profile: Profile::Cookie,
        persistent: true,
        created_at: at(0),
        auth_time: at(0),
        last_seen_at: at(0),
        idle: Duration::from_hours(168),
        expires_at: at(30 * 86_400),
        acr: Assurance::Aal1,
        amr: vec!["pwd".to_owned()],
        device: String::new(),
        network: String::new(),
        ended: None,
        binding: Binding::None,
        copy_refused_at: None,
        rotation: Rotation::first(at(0)),
    }
}

fn presented(generation: u32, n: u8) -> Presented {
    Presented { handle: Handle::from_bytes([2; 16]), generation, nonce: nonce(n) }
}

/// Presents and applies: what a compare-and-swap that wins leaves behind.
fn step(session: &mut Session, generation: u32, n: u8, seconds: i64, policy: Policy) -> Decision {
    let decision = decide(session, &presented(generation, n), at(seconds), Proof::Absent, policy);
    if let Decision::Rotate(next) | Decision::Repeat(next) | Decision::FastForward(next) | Decision::Hold(Some(next)) =
        decision
    {
        session.rotation = next;
    }
    decision
}

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Ended(_) => "ended",
        Decision::Unproven => "unproven",
        Decision::Hold(_) => "hold",
        Decision::Rotate(_) => "rotate",
        Decision::Repeat(_) => "repeat",
        Decision::Late => "late",
        Decision::Reuse => "reuse",
        Decision::FastForward(_) => "fast-forward",
    }
}

/// Runs a story of (seconds, generation, nonce, expected decision).
fn story(policy: Policy, steps: &[(i64, u32, u8, &str)]) {
    let mut session = session();
    for (index, (seconds, generation, n, expected)) in steps.iter().enumerate() {
        let decision = step(&mut session, *generation, *n, *seconds, policy);
        assert_eq!(word(&decision), *expected, "step {index}: {steps:?}");
    }
}

#[test]
fn the_first_refresh_after_sign_in_always_rotates() {
    story(POLICY, &[(0, 0, 1, "rotate")]);
}

#[test]
fn an_ended_session_is_refused_with_its_reason_whatever_the_token() {
    let mut over = session();
    over.ended = Some(Ended { at: at(1), reason: EndReason::EndedByYou });
    assert_eq!(decide(&over, &presented(0, 1), at(2), Proof::Absent, POLICY), Decision::Ended(EndReason::EndedByYou));
    let idle = decide(&session(), &presented(0, 1), at(7 * 86_400), Proof::Absent, POLICY);
    assert_eq!(idle, Decision::Ended(EndReason::Expired));
    let mut busy = session();
    busy.last_seen_at = at(30 * 86_400 - 1);
    let absolute = decide(&busy, &presented(0, 1), at(30 * 86_400), Proof::Absent, POLICY);
    assert_eq!(absolute, Decision::Ended(EndReason::Expired), "rotation does not slide past the absolute limit");
}

#[test]
fn a_bound_session_needs_its_proof_and_then_any_past_generation_repeats() {
    let mut bound = session();
    bound.binding = Binding::Dpop([7; 32]);
    bound.rotation.generation = 9;
    for generation in [3, 9, 12] {
        let without = decide(&bound, &presented(generation, 1), at(1), Proof::Absent, POLICY);
        assert_eq!(without, Decision::Unproven);
    }
    let far_behind = decide(&bound, &presented(2, 1), at(86_400), Proof::Valid, POLICY);
    assert!(matches!(far_behind, Decision::Repeat(next) if next.generation == 9 && next.handed_twice));
    assert!(matches!(decide(&bound, &presented(9, 1), at(1), Proof::Valid, POLICY), Decision::Rotate(_)));
}

#[test]
fn a_browsers_key_is_asked_for_once_it_has_been_shown_and_not_before() {
    let key = DeviceKey::from_bytes(&[4; 65]).expect("the shape of a key");
    let mut session = session();
    session.rotation.generation = 9;
    session.binding = Binding::Device(key);
    assert_eq!(decide(&session, &presented(9, 1), at(1), Proof::Absent, POLICY), Decision::Unproven);
    session.binding = Binding::Registered(key);
    assert!(matches!(decide(&session, &presented(9, 1), at(1), Proof::Absent, POLICY), Decision::Rotate(_)));
    let copy = decide(&session, &presented(2, 1), at(86_400), Proof::Absent, POLICY);
    assert_eq!(copy, Decision::Reuse, "until then it is a session like any other");
}

#[test]
fn s3_a_lost_answer_is_repeated_within_the_grace() {
    story(POLICY, &[(0, 0, 1, "rotate"), (30, 0, 1, "repeat")]);
}

#[test]
fn s4_after_the_grace_the_old_token_is_reuse() {
    story(POLICY, &[(0, 0, 1, "rotate"), (31, 0, 1, "reuse")]);
}

#[test]
fn the_grace_is_counted_from_the_rotation_and_never_restarted() {
    story(POLICY, &[(0, 0, 1, "rotate"), (25, 0, 1, "repeat"), (31, 0, 1, "reuse")]);
}

#[test]
fn s4_another_sibling_of_the_parent_generation_is_reuse_even_inside_the_grace() {
    story(POLICY, &[(0, 0, 1, "rotate"), (40, 1, 2, "rotate"), (41, 1, 3, "reuse")]);
}

#[test]
fn after_a_repeat_the_current_token_is_held_for_the_grace() {
    story(
        POLICY,
        &[(0, 0, 1, "rotate"), (10, 0, 1, "repeat"), (12, 1, 2, "hold"), (40, 1, 2, "hold"), (41, 1, 2, "rotate")],
    );
}

#[test]
fn a_fourth_rotation_within_the_grace_is_held() {
    story(
        POLICY,
        &[
            (0, 0, 1, "rotate"),
            (1, 1, 2, "rotate"),
            (2, 2, 3, "rotate"),
            (3, 3, 4, "hold"),
            (30, 3, 4, "hold"),
            (31, 3, 4, "rotate"),
        ],
    );
}

#[test]
fn an_older_generation_is_late_while_its_supersession_is_recent_then_reuse() {
    let rotations = [(0, 0, 1, "rotate"), (1, 1, 2, "rotate"), (2, 2, 3, "rotate")];
    story(POLICY, &[rotations.as_slice(), &[(30, 0, 1, "late"), (31, 1, 9, "late")]].concat());
    story(POLICY, &[rotations.as_slice(), &[(31, 0, 1, "reuse")]].concat());
    story(POLICY, &[rotations.as_slice(), &[(32, 1, 2, "reuse")]].concat());
}

#[test]
fn strict_mode_takes_every_past_generation_for_reuse_at_once_and_never_holds() {
    story(STRICT, &[(0, 0, 1, "rotate"), (0, 0, 1, "reuse")]);
    let rotations: Vec<_> = (0..10).map(|n| (0, n, 1, "rotate")).collect();
    story(STRICT, &rotations);
}

#[test]
fn a_newer_generation_is_adopted_and_held_for_the_grace() {
    let mut restored = session();
    let decision = step(&mut restored, 5, 1, 0, POLICY);
    let Decision::FastForward(next) = decision else { panic!("{decision:?}") };
    assert_eq!((next.generation, next.parent, next.handed_twice), (5, Parent::Any, true));
    assert_eq!(word(&step(&mut restored, 5, 1, 30, POLICY)), "hold");
    assert_eq!(word(&step(&mut restored, 4, 7, 30, POLICY)), "repeat");
    assert_eq!(word(&step(&mut restored, 3, 7, 30, POLICY)), "late");
    assert_eq!(word(&step(&mut restored, 4, 7, 31, POLICY)), "reuse");
}

#[test]
fn forgive_lost_answer_repeats_for_the_parent_until_a_current_token_has_been_seen() {
    story(FORGIVING, &[(0, 0, 1, "rotate"), (50_000, 0, 1, "repeat"), (50_010, 1, 2, "hold"), (90_000, 0, 1, "reuse")]);
    story(FORGIVING, &[(0, 0, 1, "rotate"), (50_000, 0, 2, "reuse")]);
}

#[test]
fn a_clock_that_steps_back_does_not_panic_and_counts_as_within_the_grace() {
    story(POLICY, &[(100, 0, 1, "rotate"), (-1_000, 0, 1, "repeat")]);
}

#[test]
fn the_generation_counter_does_not_overflow() {
    let mut old = session();
    old.rotation.generation = u32::MAX;
    assert!(matches!(step(&mut old, u32::MAX, 1, 0, POLICY), Decision::Rotate(next) if next.generation == u32::MAX));
}
