//! The contract of event streams.

use super::{at, end, entry, registered};
use counterfoil::store::{Client, ClientProof, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::ssf::stream::{Delivery, Note, Settings, Status, Stream, StreamId, Subjects, What};
use counterfoil_core::user::Role;
use counterfoil_core::{Sid, UserId};
use std::sync::Arc;

fn stream(id: u8, client: &str) -> Stream {
    let settings = Settings {
        delivery: Delivery::Push("https://receiver.example.com/?a='b\"".into()),
        requested: Some(vec!["https://example.com/ä".into()]),
        description: Some("of the hub".into()),
        subjects: Subjects::None,
    };
    Stream {
        id: StreamId::from_bytes([id; 16]),
        client: client.parse().unwrap(),
        created_at: at(1),
        status: Status::Paused,
        reason: Some("night".into()),
        settings,
        sealed: Some(vec![0, 1, 255]),
        verified_at: Some(at(2)),
        position: 7,
        acknowledged: ["a.8.x".to_owned()].into(),
        notes: vec![Note { jti: "n".into(), at: 3, what: What::Updated(Status::Paused, None) }],
        version: 0,
    }
}

/// The service whose stream it is.
async fn client(store: &Arc<dyn Store>, name: &str) {
    let proof = ClientProof::Secret([u8::try_from(name.len()).unwrap(); 32]);
    let new = Client {
        name: name.parse().unwrap(),
        sid: Sid::from_bytes([u8::try_from(name.len()).unwrap(); 16]),
        proof,
        created_at: at(0),
    };
    assert_eq!(store.add_client(new, entry(Event::ClientAdded, 0)).await, Ok(true));
}

async fn events(store: &Arc<dyn Store>) -> Vec<&'static str> {
    store.following(0, 100).await.unwrap().into_iter().map(|(_, entry)| entry.event.as_str()).collect()
}

pub(super) async fn a_stream_is_kept_as_it_is_and_replaced_only_by_who_has_seen_it(store: Arc<dyn Store>) {
    let new = stream(1, "hub");
    assert_eq!(store.add_stream(new.clone(), 2, entry(Event::StreamAdded, 1)).await, Ok(false), "nobody's");
    client(&store, "hub").await;
    assert_eq!(store.add_stream(new.clone(), 2, entry(Event::StreamAdded, 1)).await, Ok(true));
    assert_eq!(store.stream(new.id).await, Ok(Some(new.clone())));
    assert_eq!(store.stream(StreamId::from_bytes([9; 16])).await, Ok(None));
    let mut next = Stream { status: Status::Enabled, reason: None, sealed: None, position: 9, ..new.clone() };
    next.notes.clear();
    assert_eq!(store.replace_stream(next.clone(), None).await, Ok(true));
    next.version = 1;
    assert_eq!(store.streams().await.unwrap(), [next.clone()]);
    let late = Stream { position: 100, ..new.clone() };
    assert_eq!(
        store.replace_stream(late, Some(entry(Event::StreamChanged, 2))).await,
        Ok(false),
        "it has changed since"
    );
    assert_eq!(store.streams().await.unwrap(), [next.clone()]);
    // Its place never goes back, whoever moves it.
    store.move_stream(new.id, 20).await.unwrap();
    store.move_stream(new.id, 15).await.unwrap();
    assert_eq!(store.replace_stream(next.clone(), Some(entry(Event::StreamChanged, 3))).await, Ok(true));
    let kept = store.stream(new.id).await.unwrap().unwrap();
    assert_eq!((kept.position, kept.version), (20, 2));
    assert_eq!(store.remove_stream(new.id, entry(Event::StreamRemoved, 4)).await, Ok(true));
    assert_eq!(store.remove_stream(new.id, entry(Event::StreamRemoved, 5)).await, Ok(false));
    assert_eq!(store.replace_stream(kept, None).await, Ok(false), "what is gone does not come back");
    store.move_stream(new.id, 30).await.unwrap();
    assert_eq!(store.streams().await.unwrap(), []);
    assert_eq!(events(&store).await, ["client_added", "stream_added", "stream_changed", "stream_removed"]);
}

pub(super) async fn there_are_no_more_streams_than_there_may_be_even_in_a_race(store: Arc<dyn Store>) {
    client(&store, "hub").await;
    client(&store, "other").await;
    let attempts = (0..12).map(|number| {
        let store = Arc::clone(&store);
        async move { store.add_stream(stream(number, "hub"), 3, entry(Event::StreamAdded, 1)).await.unwrap() }
    });
    let outcomes = crate::support::all(attempts).await;
    assert_eq!(outcomes.iter().filter(|added| **added).count(), 3);
    assert_eq!(store.add_stream(stream(90, "other"), 3, entry(Event::StreamAdded, 1)).await, Ok(true), "another's");
    assert_eq!(events(&store).await.len(), 2 + 4);
}

pub(super) async fn exceptions_of_a_stream_go_with_it_and_only_late_with_their_account(store: Arc<dyn Store>) {
    let (ada, bob) = (registered(&store, "ada@example.com").await.id, registered(&store, "bob@example.com").await.id);
    client(&store, "hub").await;
    let (one, other) = (stream(1, "hub"), stream(2, "hub"));
    for new in [&one, &other] {
        store.add_stream(new.clone(), 9, entry(Event::StreamAdded, 1)).await.unwrap();
    }
    let nobody = UserId::from_bytes([9; 16]);
    let among = |id| store.excepted_subjects(id, vec![ada, bob, nobody]);
    store.except_subject(one.id, ada).await.unwrap();
    store.except_subject(one.id, ada).await.unwrap();
    store.except_subject(other.id, bob).await.unwrap();
    assert_eq!(among(one.id).await, Ok(vec![ada]));
    assert_eq!(among(other.id).await, Ok(vec![bob]));
    store.include_subject(one.id, ada).await.unwrap();
    assert_eq!(among(one.id).await, Ok(vec![]));
    store.except_subject(one.id, ada).await.unwrap();
    store.remove_stream(one.id, entry(Event::StreamRemoved, 2)).await.unwrap();
    store.except_subject(one.id, bob).await.unwrap();
    assert_eq!(among(one.id).await, Ok(vec![]), "a stream that is gone has none, and gets none");
    assert_eq!(among(other.id).await, Ok(vec![bob]));
    // Of an account that is deleted it is still to be told that it is.
    let deletion = Revocation::Deletion { user: bob, unless_last: Role::parse("admin").unwrap() };
    assert!(end(&store, deletion).await.found);
    assert_eq!(among(other.id).await, Ok(vec![bob]));
    while !store.purge(at(4), 100).await.unwrap().at_end {}
    assert_eq!(among(other.id).await, Ok(vec![bob]));
    while !store.purge(at(5), 100).await.unwrap().at_end {}
    assert_eq!(among(other.id).await, Ok(vec![]), "its row is gone");
    store.except_subject(other.id, ada).await.unwrap();
    assert!(end(&store, Revocation::Client { name: "hub".parse().unwrap() }).await.found);
    assert_eq!((store.streams().await, among(other.id).await), (Ok(vec![]), Ok(vec![])), "with their service");
}
