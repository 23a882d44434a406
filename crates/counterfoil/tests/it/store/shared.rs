//! What replicas need of a store that they share.

use super::{Arc, Revocation, at, end, entry, next, opened, registered};
use crate::support::Postgres;
use counterfoil::store::{Beat, Beaten, ReplicaId, Rule, Seen, Shared, Store, StoreError};
use counterfoil_core::Sid;
use counterfoil_core::audit::Event;
use counterfoil_core::limit::Rate;
use counterfoil_core::refresh::rotation::Decision;
use counterfoil_core::revocation::RevocationOrder;
use counterfoil_core::session::EndReason;
use std::time::Duration;

fn beat(id: u8, after: u64) -> Beat {
    let (name, max_staleness) = (format!("replica {id}"), Duration::from_secs(5));
    let id = ReplicaId([id; 16]);
    Beat { id, name, grants_leases: true, floor: None, max_staleness, verifiers: 0, after }
}

async fn beaten(shared: &dyn Shared, beat: Beat) -> Beaten {
    shared.beat(beat, Duration::from_secs(5)).await.unwrap()
}

async fn store() -> (Arc<dyn Store>, Postgres) {
    let server = Postgres::start();
    let store: Arc<dyn Store> = Arc::new(server.open().await);
    (store, server)
}

#[tokio::test]
async fn a_beat_shows_what_has_come_since_and_who_else_there_is() {
    let (store, _server) = store().await;
    let shared = store.shared().unwrap();
    let first = beaten(shared, beat(1, 0)).await;
    assert_eq!((first.head, first.entries.len(), first.peers.len()), (0, 0, 0));
    let user = registered(&store, "a@example.com").await;
    for _ in 0..3 {
        let session = opened(&store, &user).await;
        end(&store, Revocation::Session { sid: session.sid, reason: EndReason::SignedOut }).await;
    }
    let second = beaten(shared, Beat { floor: Some(1), ..beat(2, 1) }).await;
    let seqs: Vec<u64> = second.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!((second.head, seqs, second.log), (3, vec![2, 3], first.log));
    assert_eq!(second.peers.iter().map(|peer| (peer.id.0[0], peer.floor)).collect::<Vec<_>>(), [(1, None)]);
    let third = beaten(shared, beat(1, 3)).await;
    assert_eq!(third.peers.iter().map(|peer| (peer.id.0[0], peer.floor)).collect::<Vec<_>>(), [(2, Some(1))]);
    let looked = beaten(shared, Beat { grants_leases: false, ..beat(3, 3) }).await;
    assert_eq!(looked.peers.len(), 2);
    assert_eq!(beaten(shared, beat(1, 3)).await.peers.len(), 1, "who only looks is not waited for");
}

#[tokio::test]
async fn a_replica_is_taken_out_only_if_it_has_given_no_sign_since() {
    let (store, _server) = store().await;
    let shared = store.shared().unwrap();
    beaten(shared, beat(1, 0)).await;
    let seen = beaten(shared, beat(2, 0)).await.peers[0].clone();
    beaten(shared, beat(1, 0)).await;
    shared.take_out(seen.id, seen.beat).await.unwrap();
    let seen = beaten(shared, beat(2, 0)).await.peers;
    assert_eq!(seen.len(), 1, "it lives");
    shared.take_out(seen[0].id, seen[0].beat).await.unwrap();
    assert_eq!(beaten(shared, beat(2, 0)).await.peers, []);
    beaten(shared, beat(1, 0)).await;
    assert_eq!(beaten(shared, beat(2, 0)).await.peers.len(), 1, "and one that was not gone after all comes back");
}

#[tokio::test]
async fn news_come_to_whoever_follows() {
    let (store, server) = store().await;
    let other: Arc<dyn Store> = Arc::new(server.open().await);
    let shared = store.shared().unwrap();
    beaten(shared, beat(1, 0)).await;
    let mut news = shared.news();
    let user = registered(&other, "a@example.com").await;
    let session = opened(&other, &user).await;
    end(&other, Revocation::Session { sid: session.sid, reason: EndReason::SignedOut }).await;
    tokio::time::timeout(Duration::from_secs(10), news.changed()).await.expect("word of it").unwrap();
    assert_eq!(beaten(shared, beat(1, 0)).await.entries.len(), 1);
}

#[tokio::test]
async fn one_leads_until_its_time_is_over() {
    let (store, _server) = store().await;
    let shared = store.shared().unwrap();
    let lead = |id: u8, now: i64, until: i64| shared.lead("purge", ReplicaId([id; 16]), at(now), at(until));
    assert_eq!(lead(1, 0, 10).await, Ok(true));
    assert_eq!(lead(2, 9, 20).await, Ok(false));
    assert_eq!(lead(1, 9, 20).await, Ok(true), "it goes on");
    assert_eq!(lead(2, 19, 30).await, Ok(false));
    assert_eq!(lead(2, 20, 30).await, Ok(true));
    assert_eq!(lead(1, 21, 30).await, Ok(false));
}

#[tokio::test]
async fn replicas_count_together_and_as_one_does_alone() {
    let (store, _server) = store().await;
    let shared = store.shared().unwrap();
    let rate = Rate { burst: 3, interval: Duration::from_secs(10) };
    let take = |now: i64| shared.take_rate([7; 32], rate, at(now));
    let attempts = futures_util::future::join_all((0..8).map(|_| take(0))).await;
    assert_eq!(attempts.iter().filter(|taken| **taken == Ok(Ok(()))).count(), 3, "{attempts:?}");
    assert_eq!(take(0).await, Ok(Err(Duration::from_secs(10))));
    assert_eq!(take(9).await, Ok(Err(Duration::from_secs(1))));
    assert_eq!(take(10).await, Ok(Ok(())));
    shared.give_rate_back([7; 32], Some(rate)).await.unwrap();
    assert_eq!(take(10).await, Ok(Ok(())));
    assert!(matches!(take(10).await, Ok(Err(_))));
    shared.give_rate_back([7; 32], None).await.unwrap();
    assert_eq!(take(10).await, Ok(Ok(())));
    shared.tidy(at(21)).await.unwrap();
    assert_eq!(take(10).await, Ok(Ok(())));
}

/// An old primary that has been cut off: it answers questions, and no commit of it is ever confirmed. Nothing that anybody would
/// take for an acknowledgement may come from it.
#[tokio::test]
async fn s1_a_primary_that_cannot_commit_acknowledges_nothing_not_even_what_was_so_already() {
    let (store, server) = store().await;
    let user = registered(&store, "a@example.com").await;
    let (ended, live) = (opened(&store, &user).await, opened(&store, &user).await);
    let end_it = |sid| {
        let what = Revocation::Session { sid, reason: EndReason::SignedOut };
        store.revoke(RevocationOrder { what, at: at(5), audit: entry(Event::SessionEnded, 5) })
    };
    end_it(ended.sid).await.unwrap();
    server.confirm_nothing();
    assert!(store.by_sid(live.sid).await.unwrap().is_some(), "it answers questions");
    let unknown = Sid::from_bytes([1; 16]);
    let late = || -> Rule { Box::new(|_| Some(Decision::Late)) };
    let seen = Seen { at: at(9), network: "x".into() };
    let (head, again, nothing, refreshed, beaten, ready) = tokio::join!(
        store.head(),
        end_it(ended.sid),
        end_it(unknown),
        store.refresh(live.handle, late(), seen),
        store.shared().unwrap().beat(beat(1, 0), Duration::from_secs(2)),
        store.check(),
    );
    assert_eq!((head, ready), (Err(StoreError::Unavailable), Err(StoreError::Unavailable)));
    assert_eq!((again.err(), nothing.err()), (Some(StoreError::Unavailable), Some(StoreError::Unavailable)));
    assert_eq!((refreshed.err(), beaten.err()), (Some(StoreError::Unavailable), Some(StoreError::Unavailable)));
}

#[tokio::test]
async fn connections_that_break_are_replaced_and_nobody_is_told() {
    let (store, server) = store().await;
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let rotate = || -> Rule { Box::new(|session| Some(Decision::Rotate(next(session, 1)))) };
    for n in 1..=3 {
        let seen = Seen { at: at(9), network: "x".into() };
        let refreshed = store.refresh(session.handle, rotate(), seen).await.unwrap().unwrap();
        assert_eq!(refreshed.session.rotation.generation, n);
        assert!(store.by_sid(session.sid).await.unwrap().is_some());
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
        server.psql("counterfoil", others);
    }
}

/// Between loading and committing, somebody else changes the row: what was decided on it must not be answered.
#[tokio::test]
async fn a_refresh_whose_session_has_changed_meanwhile_is_decided_again() {
    let (store, server) = store().await;
    let server = Arc::new(server);
    let user = registered(&store, "a@example.com").await;
    for (change, commits) in [("handed_at = handed_at + 1", true), ("handed_twice = true", false)] {
        let session = opened(&store, &user).await;
        let seen_by_rule = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (elsewhere, calls) = (Arc::clone(&server), Arc::clone(&seen_by_rule));
        let sql = format!("UPDATE session SET {change} WHERE ended_at IS NULL");
        let rule: Rule = Box::new(move |session| {
            let mut calls = calls.lock().unwrap();
            calls.push(session.rotation);
            if calls.len() == 1 {
                elsewhere.psql("counterfoil", &sql);
            }
            Some(if commits { Decision::Rotate(next(session, 1)) } else { Decision::Late })
        });
        let seen = Seen { at: at(9), network: "x".into() };
        store.refresh(session.handle, rule, seen).await.unwrap().unwrap();
        let calls = seen_by_rule.lock().unwrap();
        assert_eq!(calls.len(), 2, "{change}");
        assert_ne!(calls[0], calls[1], "and on what the row has become");
    }
}
