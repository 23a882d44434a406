//! The contract of what the feed needs of a store.

use super::{at, entry};
use counterfoil::store::{GuardCredential, Store};
use counterfoil_core::audit::Event;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn a_log_keeps_its_identity(store: Arc<dyn Store>) {
    let log = store.log(at(0)).await.unwrap();
    assert_ne!(*log.id.as_bytes(), [0; 16]);
    assert_eq!((log.head, log.in_force), (None, Vec::new()));
    assert_eq!(store.log(at(1)).await.unwrap().id, log.id);
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
