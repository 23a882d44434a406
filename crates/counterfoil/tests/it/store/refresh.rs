//! The contract of refreshes: what the rule sees, and what is left.

use super::{at, end, next, opened, refresh, registered};
use counterfoil::store::{Refreshed, Rule, Store, StoreError};
use counterfoil_core::refresh::rotation::Decision;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::{EndReason, Handle};
use std::sync::Arc;

pub(super) async fn of_many_refreshes_of_one_state_exactly_one_rotates(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let attempts = (0..50).map(|n| {
        let (store, handle) = (Arc::clone(&store), session.handle);
        let rule: Rule = Box::new(move |session| match session.rotation.generation {
            0 => Some(Decision::Rotate(next(session, n))),
            _ => Some(Decision::Late),
        });
        async move { refresh(&store, handle, rule).await.unwrap().unwrap().decision.unwrap() }
    });
    let decisions = crate::support::all(attempts).await;
    let rotated: Vec<_> = decisions.iter().filter_map(Decision::next).collect();
    let stored = store.by_handle(session.handle).await.unwrap().unwrap().0.rotation;
    assert_eq!(rotated, [stored]);
}

pub(super) async fn every_refresh_sees_what_the_one_before_it_left(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let attempts = (0..50).map(|n| {
        let (store, handle) = (Arc::clone(&store), session.handle);
        async move { refresh(&store, handle, Box::new(move |session| Some(Decision::Rotate(next(session, n))))).await }
    });
    let generations = crate::support::all(attempts).await.into_iter().map(|refreshed| {
        let refreshed = refreshed.unwrap().unwrap();
        refreshed.session.rotation.generation
    });
    let mut generations: Vec<_> = generations.collect();
    generations.sort_unstable();
    assert_eq!(generations, (1..=50).collect::<Vec<_>>());
}

pub(super) async fn an_ended_session_never_advances(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::SignedOut }).await;
    let refused = refresh(&store, session.handle, Box::new(|session| Some(Decision::Rotate(next(session, 1))))).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    let (stored, _) = store.by_sid(session.sid).await.unwrap().unwrap();
    assert_eq!(stored.end_reason(at(6)), Some(EndReason::SignedOut));
    assert_eq!((stored.rotation, stored.last_seen_at), (session.rotation, session.last_seen_at));
}

pub(super) async fn a_refresh_that_changes_nothing_leaves_the_session_alone(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    for decision in [None, Some(Decision::Late), Some(Decision::Hold(None)), Some(Decision::Reuse)] {
        let refreshed = refresh(&store, session.handle, Box::new(move |_| decision)).await.unwrap().unwrap();
        assert_eq!(refreshed, Refreshed { session: session.clone(), user: user.clone(), decision });
        assert_eq!(store.by_handle(session.handle).await.unwrap().unwrap().0, session);
    }
    let unknown = refresh(&store, Handle::from_bytes([0; 16]), Box::new(|_| panic!("there is nothing to show"))).await;
    assert_eq!(unknown, Ok(None));
}
