//! The contract of places in status lists.

use super::{at, end, entry, opened, registered};
use counterfoil::store::status::{Given, Occupied, Place};
use counterfoil::store::{Client, ClientProof, Store};
use counterfoil_core::Sid;
use counterfoil_core::audit::Event;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::EndReason;
use std::sync::Arc;

fn place(list: u32, index: u32) -> Place {
    Place { list, index }
}

pub(super) async fn a_session_has_one_place_for_each_version_of_its_roles(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    let (one, other) = (opened(&store, &ada).await, opened(&store, &ada).await);
    assert_eq!(store.last_status_list().await, Ok(0));
    assert_eq!(store.status_place(one.sid, 0).await, Ok(None));
    let give = |sid, version, proposed: Vec<Place>| store.give_status_place(sid, version, proposed);
    assert_eq!(give(one.sid, 0, vec![place(1, 7), place(1, 8)]).await, Ok(Given::There(place(1, 7))));
    assert_eq!(give(one.sid, 0, vec![place(1, 9)]).await, Ok(Given::There(place(1, 7))), "it has one");
    assert_eq!(give(other.sid, 0, vec![place(1, 7)]).await, Ok(Given::Taken));
    assert_eq!(give(other.sid, 0, vec![place(1, 7), place(3, 7)]).await, Ok(Given::There(place(3, 7))));
    assert_eq!(give(other.sid, 1, vec![place(2, 1)]).await, Ok(Given::Over), "its roles are not of that version");
    assert_eq!(store.status_place(other.sid, 0).await, Ok(Some(place(3, 7))));
    assert_eq!(store.last_status_list().await, Ok(3));
    let unknown = Sid::from_bytes([9; 16]);
    assert_eq!(give(unknown, 0, vec![place(1, 1)]).await, Ok(Given::Over));
    let all = store.status_places_of(vec![one.sid, unknown]).await.unwrap();
    assert_eq!(all, [Occupied { sid: one.sid, version: 0, place: place(1, 7) }]);
}

pub(super) async fn a_place_is_given_once_and_never_after_the_end(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    let mut sessions = Vec::new();
    for _ in 0..8 {
        sessions.push(opened(&store, &ada).await);
    }
    let attempts = sessions.iter().map(|session| {
        let (store, sid) = (Arc::clone(&store), session.sid);
        async move { store.give_status_place(sid, 0, vec![place(1, 1), place(1, 2), place(1, 3)]).await.unwrap() }
    });
    let given = crate::support::all(attempts).await;
    for index in 1..=3 {
        let there = given.iter().filter(|given| **given == Given::There(place(1, index))).count();
        assert_eq!(there, 1, "{given:?}");
    }
    assert_eq!(given.iter().filter(|given| **given == Given::Taken).count(), 5);
    let without = sessions.iter().zip(&given).find(|(_, given)| **given == Given::Taken).unwrap().0;
    end(&store, Revocation::Session { sid: without.sid, reason: EndReason::SignedOut }).await;
    assert_eq!(store.give_status_place(without.sid, 0, vec![place(1, 4)]).await, Ok(Given::Over));
    // A week after the end it is free.
    let (with, _) = sessions.iter().zip(&given).find(|(_, given)| **given == Given::There(place(1, 2))).unwrap();
    end(&store, Revocation::Session { sid: with.sid, reason: EndReason::SignedOut }).await;
    store.purge(at(4), 100).await.unwrap();
    assert_eq!(store.status_place(with.sid, 0).await, Ok(Some(place(1, 2))));
    store.purge(at(6), 100).await.unwrap();
    assert_eq!(store.status_place(with.sid, 0).await, Ok(None));
}

pub(super) async fn a_service_has_a_place_too(store: Arc<dyn Store>) {
    let (name, sid) = ("reports".parse().unwrap(), Sid::from_bytes([5; 16]));
    let client = Client { name, sid, proof: ClientProof::Secret([1; 32]), created_at: at(0) };
    assert_eq!(store.add_client(client, entry(Event::ClientAdded, 0)).await, Ok(true));
    assert_eq!(store.give_status_place(sid, 1, vec![place(1, 1)]).await, Ok(Given::Over), "it has no roles");
    assert_eq!(store.give_status_place(sid, 0, vec![place(1, 1)]).await, Ok(Given::There(place(1, 1))));
}
