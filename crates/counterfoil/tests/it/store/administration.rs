//! The contract of invitations as they are listed, of API keys, of an end to accounts, and of what is counted.

use super::{at, entry, registered, user};
use counterfoil::store::activity::{Count, KEPT_HOURS};
use counterfoil::store::api_keys::ApiKey;
use counterfoil::store::invites::Invite;
use counterfoil::store::{ImportOutcome, ImportedAccount, NewAccount, Registered, Store};
use counterfoil_core::UserId;
use counterfoil_core::activity::Activity;
use counterfoil_core::audit::Event;
use counterfoil_core::duty::Duty;
use counterfoil_core::user::Role;
use std::sync::Arc;

fn invite(n: u8, until: i64) -> Invite {
    let (role, note) = (Role::parse("editor"), format!("for {n}"));
    let issuer = Some(UserId::from_bytes([n; 16]));
    Invite { hash: [n; 32], role, note, issuer, bootstrap: false, expires_at: at(until) }
}

fn key(n: u8, name: &str) -> ApiKey {
    ApiKey {
        name: name.into(),
        id: UserId::from_bytes([n; 16]),
        hash: [n; 32],
        duty: Duty::Support,
        issuer: None,
        created_at: at(0),
        expires_at: at(100),
        used_at: None,
    }
}

pub(super) async fn open_invitations_are_listed_and_withdrawn_once(store: Arc<dyn Store>) {
    for one in [invite(1, 20), invite(2, 10), invite(3, 5)] {
        store.invite(one, entry(Event::Invited, 0)).await.unwrap();
    }
    store.invite(Invite { bootstrap: true, ..invite(4, 20) }, entry(Event::Invited, 0)).await.unwrap();
    let open = [invite(2, 10), invite(1, 20)];
    assert_eq!(store.invites(at(5)).await.unwrap(), open, "the third is over, the fourth is the first administrator's");
    let withdraw = |n| store.withdraw_invite([n; 32], entry(Event::InviteWithdrawn, 1));
    assert_eq!((withdraw(2).await, withdraw(2).await), (Ok(true), Ok(false)));
    assert_eq!(store.invites(at(5)).await.unwrap(), [invite(1, 20)]);
    let log = store.page(None, 10).await.unwrap();
    assert_eq!(log.iter().filter(|(_, entry)| entry.event == Event::InviteWithdrawn).count(), 1);
}

pub(super) async fn an_api_key_is_found_with_who_made_it_and_goes_with_its_invitations(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    let made = ApiKey { issuer: Some(ada.id), ..key(1, "b") };
    let add = |key: &ApiKey| store.add_api_key(key.clone(), entry(Event::ApiKeyAdded, 1));
    assert_eq!(add(&made).await, Ok(true));
    assert_eq!(add(&key(2, "b")).await, Ok(false), "the name is taken");
    assert_eq!(add(&key(3, "a")).await, Ok(true));
    assert_eq!(store.api_keys().await.unwrap(), [key(3, "a"), made.clone()]);
    assert_eq!(store.api_key([1; 32]).await.unwrap(), Some((made.clone(), Some(ada))));
    assert_eq!(store.api_key([3; 32]).await.unwrap(), Some((key(3, "a"), None)));
    assert_eq!(store.api_key([2; 32]).await.unwrap(), None);
    for when in [9, 7] {
        store.note_api_key(made.id, at(when)).await.unwrap();
    }
    assert_eq!(store.api_key([1; 32]).await.unwrap().unwrap().0.used_at, Some(at(9)), "never backwards");
    store.invite(invite(1, 20), entry(Event::Invited, 0)).await.unwrap();
    store.invite(invite(9, 20), entry(Event::Invited, 0)).await.unwrap();
    let remove = |name: &str| store.remove_api_key(name.into(), entry(Event::ApiKeyRemoved, 2));
    assert_eq!((remove("b").await, remove("b").await), (Ok(true), Ok(false)));
    assert_eq!(store.invites(at(5)).await.unwrap(), [invite(9, 20)], "what it has made goes with it");
    assert_eq!(store.api_key([1; 32]).await.unwrap(), None);
    let log = store.page(None, 20).await.unwrap();
    let count = |event| log.iter().filter(|(_, entry)| entry.event == event).count();
    assert_eq!((count(Event::ApiKeyAdded), count(Event::ApiKeyRemoved)), (2, 1));
}

pub(super) async fn there_is_no_account_beyond_the_last_even_in_a_race(store: Arc<dyn Store>) {
    store.invite(Invite { issuer: None, ..invite(1, 20) }, entry(Event::Invited, 0)).await.unwrap();
    let new = |email: &str, invite| {
        let (user, hash) = (user(email), "h".to_owned());
        NewAccount { user, hash, passkey: None, invite, most: Some(3) }
    };
    let attempts = (0..8).map(|n| {
        let (store, new) = (Arc::clone(&store), new(&format!("{n}@example.com"), None));
        async move { store.register(new, entry(Event::Registered, 0)).await.unwrap() }
    });
    let outcomes = crate::support::all(attempts).await;
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(Registered::Done), count(Registered::Full)), (3, 5));
    assert_eq!(store.count_users(10).await, Ok(3));
    assert_eq!(store.count_users(2).await, Ok(2), "and no further");
    let invited = store.register(new("x@example.com", Some([1; 32])), entry(Event::Registered, 0)).await;
    assert_eq!(invited, Ok(Registered::Full));
    assert_eq!(store.invites(at(5)).await.unwrap().len(), 1, "it has not been spent");
    let accounts = ["there@example.com", "a@example.com", "A@example.com", "b@example.com", "c@example.com"];
    let batch: Vec<_> = accounts
        .iter()
        .map(|email| ImportedAccount { user: user(email), hash: "imported$h".into(), external_id: None })
        .collect();
    let there = NewAccount { most: None, ..new("there@example.com", None) };
    assert_eq!(store.register(there, entry(Event::Registered, 0)).await, Ok(Registered::Done));
    let outcomes = store.import(batch.clone(), Some(6), entry(Event::AccountsImported, 1)).await.unwrap();
    let (done, taken, full) = (ImportOutcome::Done, ImportOutcome::AlreadyThere, ImportOutcome::Full);
    assert_eq!(outcomes, [taken, done, taken, done, full]);
    let again = store.import(batch, Some(6), entry(Event::AccountsImported, 1)).await.unwrap();
    assert_eq!(again, [taken, taken, taken, taken, full]);
}

pub(super) async fn what_is_counted_is_counted_once(store: Arc<dyn Store>) {
    let one = |hour, what, count| Count { hour, what, count };
    let (signed_in, failed) = (Activity::SignedIn, Activity::SignInFailed);
    for n in 1..=3 {
        store.append(entry(Event::SignedIn, n)).await.unwrap();
    }
    store.following(0, 10).await.unwrap();
    assert_eq!(store.counted_to().await, Ok(0), "all of it is counted, from its beginning");
    assert_eq!(store.count(vec![one(5, signed_in, 2), one(5, failed, 1)], Some((0, 2))).await, Ok(true));
    assert_eq!(store.count(vec![one(5, signed_in, 2)], Some((0, 2))).await, Ok(false), "another has come before");
    assert_eq!(store.count(vec![one(5, signed_in, 1), one(6, signed_in, 4)], Some((2, 3))).await, Ok(true));
    assert_eq!(store.counted_to().await, Ok(3));
    assert_eq!(store.count(vec![one(6, signed_in, 1)], None).await, Ok(true));
    let (both, all) = ([one(5, failed, 1), one(5, signed_in, 3)], store.counts(5, 7).await.unwrap());
    let sorted = |mut counts: Vec<Count>| {
        counts.sort();
        counts
    };
    assert_eq!(sorted(all), sorted([both.as_slice(), &[one(6, signed_in, 5)]].concat()));
    assert_eq!(sorted(store.counts(0, 6).await.unwrap()), sorted(both.to_vec()));
    // What is too old goes with what is new.
    store.count(vec![one(6 + KEPT_HOURS, failed, 1)], None).await.unwrap();
    assert_eq!(store.counts(0, 7).await.unwrap(), [one(6, signed_in, 5)]);
    assert_eq!(store.count(Vec::new(), Some((3, 9))).await, Ok(true), "nothing to count, and further on");
}
