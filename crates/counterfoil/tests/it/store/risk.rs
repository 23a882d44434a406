//! From where accounts have been seen.

use super::{Arc, at, end, entry, opened, registered, session};
use counterfoil::store::risk::{FAMILIAR_FOR, Familiar, MOST_FAMILIAR};
use counterfoil::store::{NewSession, Opened, Store};
use counterfoil_core::Timestamp;
use counterfoil_core::audit::Event;
use counterfoil_core::audit_search::{Direction, Wanted};
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::EndReason;
use counterfoil_core::user::{Role, User};
use std::time::Duration;

fn seen(device: &str, network: &str, last_at: Timestamp) -> Familiar {
    Familiar { device: device.into(), network: network.into(), last_at }
}

async fn familiar(store: &Arc<dyn Store>, user: &User) -> Vec<Familiar> {
    store.history(user.id).await.unwrap().familiar
}

pub(super) async fn an_account_is_known_from_where_it_has_been_used(store: Arc<dyn Store>) {
    let (ada, bob) = (registered(&store, "ada@example.com").await, registered(&store, "bob@example.com").await);
    assert_eq!(store.history(ada.id).await, Ok(counterfoil::store::risk::History::default()));
    let session = counterfoil_core::session::Session {
        device: "Firefox on Linux".into(),
        network: "192.0.2.0/24".into(),
        ..session(&ada)
    };
    let begun = session.created_at;
    let new = NewSession { session, proved_by: Vec::new(), limit: 10 };
    assert!(matches!(store.open(new, entry(Event::SignedIn, 0)).await.unwrap(), Opened::Done { .. }));
    let first = seen("Firefox on Linux", "192.0.2.0/24", begun);
    assert_eq!(familiar(&store, &ada).await, std::slice::from_ref(&first));
    assert_eq!(familiar(&store, &bob).await, [], "nobody else is");
    let later = seen("Safari on iPad", "192.0.2.0/24", at(9));
    store.note_familiar(ada.id, later.clone(), Some(entry(Event::RiskAssessed, 9))).await.unwrap();
    assert_eq!(familiar(&store, &ada).await, [later.clone(), first.clone()], "the newest first");
    let again = Familiar { last_at: at(20), ..first };
    store.note_familiar(ada.id, again.clone(), None).await.unwrap();
    store.note_familiar(ada.id, Familiar { last_at: at(15), ..again.clone() }, None).await.unwrap();
    assert_eq!(familiar(&store, &ada).await, [again, later], "one row each, and its time never goes back");
    let wanted = Wanted { event: Some(Event::RiskAssessed), ..Wanted::default() };
    assert_eq!(store.find(wanted.stretch(Direction::Back, None), 10).await.unwrap().len(), 1);
    store.forget_familiar(ada.id).await.unwrap();
    assert_eq!(familiar(&store, &ada).await, []);
}

pub(super) async fn the_oldest_are_let_go_of_and_none_is_kept_for_ever(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    for n in 0..=i64::from(MOST_FAMILIAR) {
        let one = seen(&format!("device {n}"), "192.0.2.0/24", at(100 + n));
        store.note_familiar(ada.id, one, None).await.unwrap();
    }
    let kept = familiar(&store, &ada).await;
    assert_eq!(kept.len(), MOST_FAMILIAR as usize);
    assert!(!kept.iter().any(|one| one.device == "device 0"), "the oldest");
    let before = at(101).plus(FAMILIAR_FOR);
    while !store.purge(before, 100).await.unwrap().at_end {}
    store.purge(before, 100).await.unwrap();
    let kept = familiar(&store, &ada).await;
    assert_eq!((kept.len(), kept.last().unwrap().device.as_str()), (MOST_FAMILIAR as usize - 1, "device 2"));
    while !store.purge(before.plus(Duration::from_secs(100)), 100).await.unwrap().at_end {}
    store.purge(before.plus(Duration::from_secs(100)), 100).await.unwrap();
    assert_eq!(familiar(&store, &ada).await, []);
}

pub(super) async fn a_deleted_account_is_known_from_nowhere(store: Arc<dyn Store>) {
    let (ada, _root) = (registered(&store, "ada@example.com").await, registered(&store, "root@example.com").await);
    let one = seen("Firefox on Linux", "192.0.2.0/24", at(1));
    store.note_familiar(ada.id, one.clone(), None).await.unwrap();
    end(&store, Revocation::Deletion { user: ada.id, unless_last: Role::parse("reader").unwrap() }).await;
    assert_eq!(familiar(&store, &ada).await, []);
    // A refresh that was under way when it went.
    store.note_familiar(ada.id, one, None).await.unwrap();
    assert_eq!(familiar(&store, &ada).await, []);
}

pub(super) async fn reuse_is_remembered_as_long_as_its_session(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    let (stolen, left) = (opened(&store, &ada).await, opened(&store, &ada).await);
    end(&store, Revocation::Session { sid: left.sid, reason: EndReason::SignedOut }).await;
    assert_eq!(store.history(ada.id).await.unwrap().reuse_at, None, "a sign-out is none");
    end(&store, Revocation::Session { sid: stolen.sid, reason: EndReason::SuspectedTheft }).await;
    assert_eq!(store.history(ada.id).await.unwrap().reuse_at, Some(at(5)));
}
