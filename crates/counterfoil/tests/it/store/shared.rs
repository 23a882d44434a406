//! What replicas need of a store that they share.

use super::{Arc, Revocation, at, end, opened, registered};
use crate::support::Postgres;
use counterfoil::store::{Beat, Beaten, ReplicaId, Shared, Store};
use counterfoil_core::limit::Rate;
use counterfoil_core::session::EndReason;
use std::time::Duration;

fn beat(id: u8, after: u64) -> Beat {
    let (name, max_staleness) = (format!("replica {id}"), Duration::from_secs(5));
    let id = ReplicaId([id; 16]);
    Beat { id, name, grants_leases: true, floor: None, max_staleness, verifiers: 0, after }
}

async fn beaten(shared: &dyn Shared, beat: Beat) -> Beaten {
    shared.beat(beat).await.unwrap()
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
