//! The contract of what browsers' keys need of a store.

use super::{at, end, entry, opened, registered, session};
use counterfoil::store::{NewSession, Opened, Store};
use counterfoil_core::Sid;
use counterfoil_core::audit::Event;
use counterfoil_core::device::DeviceKey;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::{Binding, EndReason};
use std::sync::Arc;

/// A public key that others have published (RFC 7515 appendix A.3).
fn key() -> DeviceKey {
    let [x, y] = ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"]
        .map(|text| counterfoil_guard::base64url_decode(text).unwrap());
    DeviceKey::from_bytes(&[vec![4], x, y].concat()).unwrap()
}

async fn binding(store: &Arc<dyn Store>, sid: Sid) -> Binding {
    store.by_sid(sid).await.unwrap().unwrap().0.binding
}

pub(super) async fn a_session_gets_one_key_which_is_asked_for_once_it_has_been_shown(store: Arc<dyn Store>) {
    let user = registered(&store, "ada@example.com").await;
    let mut unbound = session(&user);
    unbound.binding = Binding::None;
    let new = NewSession { session: unbound.clone(), proved_by: Vec::new(), limit: 10 };
    assert!(matches!(store.open(new, entry(Event::SignedIn, 0)).await, Ok(Opened::Done { .. })));
    let (sid, other) = (unbound.sid, DeviceKey::from_bytes(&[4; 65]).unwrap());
    let noted = |event| entry(event, 1);
    assert_eq!(store.bind_device(sid, key(), noted(Event::DeviceBound)).await, Ok(false), "none is registered");
    assert_eq!(store.register_device(sid, key(), noted(Event::DeviceRegistered)).await, Ok(true));
    assert_eq!(store.register_device(sid, other, noted(Event::DeviceRegistered)).await, Ok(false));
    assert_eq!(binding(&store, sid).await, Binding::Registered(key()));
    assert!(store.bind_device(sid, other, noted(Event::DeviceBound)).await.is_err(), "no point of the curve");
    assert_eq!(store.bind_device(sid, key(), noted(Event::DeviceBound)).await, Ok(true));
    assert_eq!(store.bind_device(sid, key(), noted(Event::DeviceBound)).await, Ok(false), "it has been");
    assert_eq!(binding(&store, sid).await, Binding::Device(key()));
    let events: Vec<Event> = store.page(None, 3).await.unwrap().into_iter().map(|(_, entry)| entry.event).collect();
    assert_eq!(
        events,
        [Event::DeviceBound, Event::DeviceRegistered, Event::SignedIn],
        "what changed nothing is not written"
    );
    let bound_otherwise = opened(&store, &user).await;
    assert_eq!(store.register_device(bound_otherwise.sid, key(), noted(Event::DeviceRegistered)).await, Ok(false));
}

pub(super) async fn a_copy_that_was_refused_is_noted_while_the_session_lives(store: Arc<dyn Store>) {
    let user = registered(&store, "ada@example.com").await;
    let mut bound = session(&user);
    bound.binding = Binding::Device(key());
    let new = NewSession { session: bound.clone(), proved_by: Vec::new(), limit: 10 };
    assert!(matches!(store.open(new, entry(Event::SignedIn, 0)).await, Ok(Opened::Done { .. })));
    let read = async || store.by_sid(bound.sid).await.unwrap().unwrap().0;
    assert_eq!(read().await, bound);
    assert_eq!(store.refuse_copy(bound.sid, entry(Event::DeviceProofMissing, 3)).await, Ok(true));
    assert_eq!(read().await.copy_refused_at, Some(at(3)));
    end(&store, Revocation::Session { sid: bound.sid, reason: EndReason::SignedOut }).await;
    assert_eq!(store.refuse_copy(bound.sid, entry(Event::DeviceProofMissing, 9)).await, Ok(false));
    assert_eq!(store.register_device(bound.sid, key(), entry(Event::DeviceRegistered, 9)).await, Ok(false));
    assert_eq!(read().await.copy_refused_at, Some(at(3)));
    let written = store.page(None, 100).await.unwrap();
    assert_eq!(written.iter().filter(|(_, entry)| entry.event == Event::DeviceProofMissing).count(), 1);
}
