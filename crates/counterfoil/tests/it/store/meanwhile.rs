//! What happens while somebody signs in or changes their password.

use super::{Arc, at, end, entry, opened, registered, session};
use counterfoil::clock::random;
use counterfoil::store::{NewSession, Opened, ProvedBy, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use counterfoil_core::session::{EndReason, Handle};
use counterfoil_core::user::Role;

pub(super) async fn what_came_between_the_check_and_the_session_wins(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let attempt = |proved_by: Option<&str>| {
        let new = NewSession {
            session: session(&user),
            proved_by: proved_by.map(|hash| ProvedBy::Password(hash.to_owned())).into_iter().collect(),
            limit: 100,
        };
        let store = Arc::clone(&store);
        async move { store.open(new, entry(Event::SignedIn, 0)).await.unwrap() }
    };
    let roles = vec![Role::parse("editor").unwrap()];
    end(&store, Revocation::Roles { user: user.id, roles: roles.clone() }).await;
    let Opened::Done { user: fresh, .. } = attempt(Some("hash")).await else { panic!("refused") };
    assert_eq!((fresh.roles, fresh.claims_version), (roles, 1), "tokens say what the account is now");
    end(&store, Revocation::Password { user: user.id, hash: "new".into(), keep: None }).await;
    assert_eq!(
        attempt(Some("hash")).await,
        Opened::Refused,
        "the password that was checked is not the account's any more"
    );
    assert!(matches!(attempt(Some("new")).await, Opened::Done { .. }));
    end(&store, Revocation::Ban { user: user.id, reason: String::new(), until: None }).await;
    assert_eq!(attempt(Some("new")).await, Opened::Refused);
    assert_eq!(attempt(None).await, Opened::Refused);
    assert!(store.sessions_of(user.id).await.unwrap().iter().all(|session| session.ended.is_some()));
}

pub(super) async fn a_password_is_not_changed_in_a_session_that_has_ended(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::EndedByYou }).await;
    let keep = Some((session.sid, Handle::from_bytes(random())));
    let what = Revocation::Password { user: user.id, hash: "new".into(), keep };
    assert_eq!(end(&store, what).await, Revoked { head: 1, ..Revoked::default() });
    assert_eq!(store.credential_of(user.id).await.unwrap().unwrap().hash, "hash");
}

pub(super) async fn a_ban_with_an_end_keeps_out_until_then(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let open = async |seconds: i64| {
        let mut session = session(&user);
        session.created_at = at(seconds);
        let new = NewSession { session, proved_by: Vec::new(), limit: 100 };
        matches!(store.open(new, entry(Event::SignedIn, seconds)).await.unwrap(), Opened::Done { .. })
    };
    let ban = async |from: i64, until: i64| {
        let what = Revocation::Ban { user: user.id, reason: "spam".into(), until: Some(at(until)) };
        let order = RevocationOrder { what, at: at(from), audit: entry(Event::Banned, from) };
        assert!(store.revoke(order).await.unwrap().found);
        let banned = store.credential_of(user.id).await.unwrap().unwrap().user.banned.unwrap();
        assert_eq!((banned.until, banned.reason.as_str()), (Some(at(until)), "spam"));
        banned.at
    };
    assert_eq!(ban(5, 100).await, at(5));
    assert!(!open(99).await, "it counts");
    assert!(open(100).await, "it has ended");
    assert_eq!(ban(50, 150).await, at(5), "a ban that goes on keeps its beginning");
    assert_eq!(ban(150, 200).await, at(150), "one after its end begins anew");
    assert!(!open(199).await);
}

pub(super) async fn accounts_are_found_by_the_beginning_of_their_address(store: Arc<dyn Store>) {
    for email in ["b@example.com", "Anton@example.com", "anna@example.com", "an%@example.com", "ü@example.com"] {
        registered(&store, email).await;
    }
    let found = async |prefix: &str, after: Option<&str>, limit| {
        let users = store.users_by_address(prefix, after, limit).await.unwrap();
        users.iter().map(|user| user.email.key()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("an", None, 9).await, "an%@example.com anna@example.com anton@example.com");
    assert_eq!(found("an", Some("an%@example.com"), 1).await, "anna@example.com");
    assert_eq!(found("an%", None, 9).await, "an%@example.com");
    assert_eq!(found("ü", None, 9).await, "ü@example.com");
    assert_eq!(found("c", None, 9).await, "");
}

pub(super) async fn touching_moves_only_forward(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    store.touch(session.sid, at(60), "x".into()).await.unwrap();
    store.touch(session.sid, at(30), "y".into()).await.unwrap();
    let seen = store.by_sid(session.sid).await.unwrap().unwrap().0.last_seen_at;
    assert_eq!(seen, at(60));
    store.check().await.unwrap();
}
