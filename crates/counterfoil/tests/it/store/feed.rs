//! The contract of what the feed needs of a store.

use super::{at, entry, opened, registered};
use counterfoil::store::{Ends, GuardCredential, Replayed, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::session::EndReason;
use counterfoil_core::{Jti, Sid};
use counterfoil_guard::Target;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn a_log_keeps_its_identity(store: Arc<dyn Store>) {
    let log = store.log(at(0)).await.unwrap();
    assert_ne!(*log.id.as_bytes(), [0; 16]);
    assert_eq!((log.head, log.in_force), (None, Vec::new()));
    assert_eq!(store.log(at(1)).await.unwrap().id, log.id);
}

pub(super) async fn s1_a_store_that_was_put_back_has_another_log_and_ends_what_it_is_told(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let (first, second) = (opened(&store, &user).await, opened(&store, &user).await);
    let before = store.log(at(0)).await.unwrap();
    let replay = |what| Replayed { at: at(1), what, reason: EndReason::SignedOut };
    let unknown = Target::Session(Sid::from_bytes([1; 16]));
    let these =
        vec![replay(Target::Session(first.sid)), replay(unknown), replay(Target::Token(Jti::from_bytes([3; 16])))];
    assert_eq!(store.restored(Ends::These(these), entry(Event::Restored, 9)).await, Ok(1));
    let after = store.log(at(10)).await.unwrap();
    assert_ne!(after.id, before.id);
    assert_eq!(after.restored_at, Some(at(9)));
    let targets: Vec<_> = after.in_force.iter().map(|entry| entry.what.clone()).collect();
    let unknown = Target::Session(Sid::from_bytes([1; 16]));
    let expected = [Target::Session(first.sid), unknown, Target::Token(Jti::from_bytes([3; 16]))];
    assert_eq!(targets, expected, "one that is not there may have tokens all the same");
    let reason = async |sid| store.by_sid(sid).await.unwrap().unwrap().0.end_reason(at(10));
    assert_eq!((reason(first.sid).await, reason(second.sid).await), (Some(EndReason::SignedOut), None));
    assert_eq!(store.restored(Ends::Nothing, entry(Event::Restored, 20)).await, Ok(0));
    assert_eq!(store.restored(Ends::All, entry(Event::Restored, 30)).await, Ok(1));
    assert_eq!(reason(second.sid).await, Some(EndReason::EndedByAdmin));
    assert_eq!(store.log(at(31)).await.unwrap().in_force.len(), 3, "keys stand for the sessions that nobody names");
}

pub(super) async fn the_longest_promise_is_kept_until_it_is_forgotten(store: Arc<dyn Store>) {
    let seconds = Duration::from_secs;
    assert_eq!(store.promise(seconds(60), false).await, Ok(seconds(0)));
    assert_eq!(store.promise(seconds(5), false).await, Ok(seconds(60)));
    assert_eq!(store.promise(seconds(5), true).await, Ok(seconds(60)), "the shorter one did not replace it");
    assert_eq!(store.promise(seconds(7), false).await, Ok(seconds(5)));
}

pub(super) async fn a_guards_name_is_taken_once_and_free_again(store: Arc<dyn Store>) {
    let guard = |hash| GuardCredential { name: "api".into(), hash: [hash; 32], created_at: at(1) };
    assert_eq!(store.add_guard(guard(1), entry(Event::GuardAdded, 1)).await, Ok(true));
    assert_eq!(store.add_guard(guard(2), entry(Event::GuardAdded, 1)).await, Ok(false));
    assert_eq!(store.guards().await.unwrap(), [guard(1)]);
    assert_eq!(store.remove_guard("api".into(), entry(Event::GuardRemoved, 2)).await, Ok(true));
    assert_eq!(store.remove_guard("api".into(), entry(Event::GuardRemoved, 2)).await, Ok(false));
    assert_eq!(store.guards().await.unwrap(), []);
    assert_eq!(store.page(None, 10).await.unwrap().len(), 2, "only what was done is written down");
}
