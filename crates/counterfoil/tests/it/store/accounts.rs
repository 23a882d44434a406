//! Accounts: found, made once, invited, locked.

use super::{Arc, at, entry, registered, user};
use counterfoil::store::invites::Invite;
use counterfoil::store::{NewAccount, Registered, Store};
use counterfoil_core::UserId;
use counterfoil_core::audit::Event;
use counterfoil_core::user::Role;

pub(super) async fn an_account_is_found_by_address_and_by_id(store: Arc<dyn Store>) {
    let user = registered(&store, "Ada@Example.com").await;
    let found = store.credential("ada@example.com").await.unwrap().unwrap();
    assert_eq!((found.user.clone(), found.hash.as_str(), found.failures), (user.clone(), "hash", 0));
    assert_eq!(store.credential_of(user.id).await.unwrap().unwrap().user, user);
    assert!(store.credential("Ada@Example.com").await.unwrap().is_none(), "the key is folded");
    assert_eq!(store.users(None, 10).await.unwrap(), std::slice::from_ref(&user));
    assert!(store.users(Some(user.id), 10).await.unwrap().is_empty());
    assert!(store.any_with_role(&Role::parse("reader").unwrap()).await.unwrap());
    assert!(!store.any_with_role(&Role::parse("read").unwrap()).await.unwrap());
}

pub(super) async fn an_address_is_taken_once_even_in_a_race(store: Arc<dyn Store>) {
    let attempts = (0..20).map(|_| {
        let store = Arc::clone(&store);
        let new = NewAccount { user: user("a@example.com"), hash: "h".into(), passkey: None, invite: None, most: None };
        async move { store.register(new, entry(Event::Registered, 0)).await.unwrap() }
    });
    let outcomes = crate::support::all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Registered::Done).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Registered::EmailTaken).count(), 19);
}

pub(super) async fn an_invitation_is_spent_once_and_grants_its_role(store: Arc<dyn Store>) {
    let invite = Invite {
        hash: [1; 32],
        role: Role::parse("editor"),
        note: String::new(),
        issuer: None,
        bootstrap: false,
        expires_at: at(100),
    };
    store.invite(invite, entry(Event::Invited, 0)).await.unwrap();
    let with = |email: &str, seconds| {
        let (store, new) = (
            Arc::clone(&store),
            NewAccount { user: user(email), hash: "h".into(), passkey: None, invite: Some([1; 32]), most: None },
        );
        async move { store.register(new, entry(Event::Registered, seconds)).await.unwrap() }
    };
    assert_eq!(with("late@example.com", 100).await, Registered::InviteInvalid);
    assert_eq!(with("a@example.com", 99).await, Registered::Done);
    assert_eq!(with("b@example.com", 99).await, Registered::InviteInvalid);
    let made = store.credential("a@example.com").await.unwrap().unwrap();
    assert!(made.user.has_role("editor"));
    assert!(store.credential("b@example.com").await.unwrap().is_none());
}

pub(super) async fn of_two_first_administrators_at_once_one_is_the_first(store: Arc<dyn Store>) {
    let role = Role::parse("administrator");
    // At once too, so that there are connections for all.
    let invited = (0..8).map(|n| {
        let (store, role) = (Arc::clone(&store), role.clone());
        let invite =
            Invite { hash: [n; 32], role, note: String::new(), issuer: None, bootstrap: true, expires_at: at(100) };
        async move { store.invite(invite, entry(Event::Invited, 0)).await.unwrap() }
    });
    crate::support::all(invited).await;
    let attempts = (0..8).map(|n| {
        let (store, email) = (Arc::clone(&store), format!("a{n}@example.com"));
        let new = NewAccount { user: user(&email), hash: "h".into(), passkey: None, invite: Some([n; 32]), most: None };
        async move { store.register(new, entry(Event::Registered, 1)).await.unwrap() }
    });
    let outcomes = crate::support::all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Registered::Done).count(), 1, "{outcomes:?}");
}

pub(super) async fn failures_are_counted_and_cleared(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    for n in 1..=3 {
        assert_eq!(store.note_failure(Some(user.id), entry(Event::SignInFailed, 0)).await, Ok(n));
    }
    store.clear_failures(user.id).await.unwrap();
    assert_eq!(store.credential_of(user.id).await.unwrap().unwrap().failures, 0);
    assert_eq!(store.note_failure(None, entry(Event::SignInFailed, 0)).await, Ok(0), "nobody has none");
    assert_eq!(store.page(None, 10).await.unwrap().len(), 5, "each is written down");
    assert_eq!(store.unlock(user.id, entry(Event::Unlocked, 0)).await, Ok(true));
    assert_eq!(store.unlock(UserId::from_bytes([0; 16]), entry(Event::Unlocked, 0)).await, Ok(false));
}
