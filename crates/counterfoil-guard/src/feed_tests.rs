use super::{Follower, Ignored};
use crate::cursor::{Cursor, Instance, LogId};
use crate::id::Sid;
use crate::refusal::Refusal;
use crate::revocation::{Entry, Target};
use crate::time::{Clocks, Tick, Timestamp};
use crate::wire::{Answer, Flat};
use std::time::Duration;

const LOG: LogId = LogId::from_bytes([1; 16]);

fn at(millis: i64) -> Clocks {
    Clocks { boot: Tick::from_millis(millis), wall: Timestamp::from_millis(1_800_000_000_000 + millis) }
}

fn guard() -> Follower {
    Follower::new(Instance::from_bytes([9; 16]))
}

fn answer(nonce: &str, seq: u64) -> Answer {
    Answer {
        instance: Instance::from_bytes([9; 16]),
        nonce: nonce.into(),
        cursor: Cursor { log: LOG, seq, hash: seq },
        snapshot: seq == 0,
        held_ms: 0,
        now: 1_800_000_000_000,
        max_staleness_ms: 5000,
        margin_ms: 50,
        keys_etag: "\"k\"".into(),
        sessions: Flat::default(),
        tokens: Flat::default(),
        stale: Flat::default(),
        keys: Vec::new(),
    }
}

#[test]
fn nothing_is_accepted_before_the_first_answer() {
    let mut guard = guard();
    assert_eq!(guard.check_lease(at(0)), Err(Refusal::VerifierStale));
    guard.poll("a".into(), at(0));
    assert_eq!(guard.check_lease(at(1)), Err(Refusal::VerifierStale));
    assert!(guard.receive(&answer("a", 0), at(10)).unwrap().keys_changed);
    assert_eq!(guard.check_lease(at(10)), Ok(()));
}

#[test]
fn s2_the_lease_runs_from_the_sending_and_ends_on_either_clock() {
    let mut guard = guard();
    guard.poll("a".into(), at(1000));
    // However late the answer comes, the lease is counted from the sending: 1000 + 200 + 5000 − 50.
    let held = Answer { held_ms: 200, ..answer("a", 0) };
    guard.receive(&held, at(5900)).unwrap();
    assert_eq!(guard.check_lease(at(6149)), Ok(()));
    assert_eq!(guard.check_lease(at(6150)), Err(Refusal::VerifierStale));
    let (early, late) = (at(6149), at(6150));
    let suspended = Clocks { boot: late.boot, wall: early.wall };
    let stepped = Clocks { boot: early.boot, wall: late.wall };
    assert_eq!(guard.check_lease(suspended), Err(Refusal::VerifierStale));
    assert_eq!(guard.check_lease(stepped), Err(Refusal::VerifierStale));
}

#[test]
fn only_the_answer_to_the_poll_under_way_counts() {
    let mut guard = guard();
    guard.poll("a".into(), at(0));
    guard.poll("b".into(), at(100));
    assert_eq!(guard.receive(&answer("a", 0), at(150)), Err(Ignored::Foreign));
    let other = Answer { instance: Instance::from_bytes([8; 16]), ..answer("b", 0) };
    assert_eq!(guard.receive(&other, at(150)), Err(Ignored::Foreign));
    assert!(guard.receive(&answer("b", 0), at(150)).is_ok());
    assert_eq!(guard.receive(&answer("b", 0), at(160)), Err(Ignored::Foreign), "answered already");
}

#[test]
fn entries_are_only_added_and_the_cursor_never_goes_back() {
    let mut guard = guard();
    guard.poll("a".into(), at(0));
    let mut first = Answer { snapshot: true, ..answer("a", 7) };
    first.push(&Entry {
        seq: 7,
        until: Timestamp::from_seconds(1_800_000_960),
        what: Target::Session(Sid::from_bytes([3; 16])),
    });
    assert!(guard.receive(&first, at(1)).unwrap().news);
    guard.poll("b".into(), at(2));
    assert_eq!(guard.receive(&Answer { snapshot: true, ..answer("b", 6) }, at(3)), Err(Ignored::Older));
    let other_log = Cursor { log: LogId::from_bytes([2; 16]), seq: 1, hash: 1 };
    assert_eq!(guard.receive(&Answer { cursor: other_log, ..answer("b", 1) }, at(3)), Err(Ignored::Gap));
    guard.receive(&Answer { cursor: other_log, snapshot: true, ..answer("b", 1) }, at(3)).unwrap();
    assert_eq!((guard.cursor(), guard.index().len()), (Some(other_log), 1), "what was revoked stays so");
    assert_eq!(guard.poll("c".into(), at(4)).after, Some(other_log));
}

#[test]
fn expiry_is_judged_by_the_authoritys_clock() {
    let mut guard = guard();
    guard.poll("a".into(), at(0));
    let ahead = Answer { now: 1_800_000_100_000, ..answer("a", 0) };
    guard.receive(&ahead, at(10)).unwrap();
    assert_eq!(guard.authority_time(at(2010)), Timestamp::from_millis(1_800_000_102_000));
}

#[test]
fn two_lost_answers_in_a_row_are_survived() {
    let mut guard = guard();
    guard.poll("a".into(), at(0));
    guard.receive(&answer("a", 0), at(1)).unwrap();
    let poll = guard.poll("b".into(), at(1));
    assert_eq!((poll.wait, guard.time_out()), (Duration::from_secs(1), Duration::from_millis(1500)));
    // The worst case: the authority waits, the answer is lost, twice; then one arrives just before its time-out.
    let third = 1 + 2 * 1500;
    assert_eq!(guard.check_lease(at(third + 1500)), Ok(()));
}

#[test]
fn a_million_entries_fit_into_forty_megabytes() {
    let mut all = answer("a", 0);
    for n in 0..1_000_000_u128 {
        let what = Target::Session(Sid::from_bytes(n.to_be_bytes()));
        all.push(&Entry { seq: 1, until: Timestamp::from_millis(1_800_000_960_001), what });
    }
    let text = serde_json::to_string(&all).unwrap();
    assert!(text.len() <= 40_000_000, "{}", text.len());
    let read: Answer = serde_json::from_str(&text).unwrap();
    assert_eq!(read.sessions.0.len(), 1_000_000);
    assert_eq!(read.sessions.0[5].1, 1_800_000_961, "rounded up");
}
