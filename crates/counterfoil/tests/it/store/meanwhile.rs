//! What happens while somebody signs in or changes their password.

use super::{Arc, end, entry, opened, registered, session};
use counterfoil::clock::random;
use counterfoil::store::{NewSession, Opened, ProvedBy, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::revocation::{Revocation, Revoked};
use counterfoil_core::session::{EndReason, Handle};
use counterfoil_core::user::Role;

pub(super) async fn what_came_between_the_check_and_the_session_wins(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let attempt = |proved_by: Option<&str>| {
        let new = NewSession {
            session: session(&user),
            proved_by: proved_by.map(|hash| ProvedBy::Password(hash.to_owned())),
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
