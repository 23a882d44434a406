//! Deleting accounts: what is personal goes, what is left says nothing, and an administrator stays.

use super::{Arc, at, end, entry, opened, refresh, registered, session, user};
use counterfoil::store::factors::{Changed, Changer, FactorChange, Passkey};
use counterfoil::store::invites::Invite;
use counterfoil::store::sqlite::{SqliteStore, Synchronous};
use counterfoil::store::{NewAccount, NewSession, Opened, Registered, Store};
use counterfoil_core::UserId;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use counterfoil_core::session::{Binding, EndReason, Ended};
use counterfoil_core::user::{Role, User};

const ADDRESS: &str = "Ada@Example.com";

fn deletion(user: UserId) -> Revocation {
    Revocation::Deletion { user, unless_last: Role::parse("reader").unwrap() }
}

fn passkey(user: UserId) -> Passkey {
    Passkey {
        id: vec![1],
        user,
        name: "Ada's phone".into(),
        credential: "{}".into(),
        synced: false,
        backed_up: false,
        created_at: at(0),
        last_used_at: None,
    }
}

/// An entry that says from where.
fn seen(user: &User, actor: Actor) -> AuditEntry {
    let about = matches!(actor, Actor::User(_)).then_some(user.id);
    AuditEntry { actor, user: about, network: "192.0.2.0/24".into(), ..entry(Event::SignInFailed, 7) }
}

/// Another account that holds the role.
async fn another(store: &Arc<dyn Store>) -> User {
    registered(store, "root@example.com").await
}

pub(super) async fn a_deleted_account_leaves_nothing_personal_and_its_address_is_free(store: Arc<dyn Store>) {
    let (ada, root) = (registered(&store, ADDRESS).await, another(&store).await);
    let (first, second) = (opened(&store, &ada).await, opened(&store, &ada).await);
    let theirs = opened(&store, &root).await;
    let add = FactorChange::AddPasskey(passkey(ada.id));
    assert_eq!(
        store.change_factors(ada.id, add.clone(), Changer::Server, entry(Event::PasskeyAdded, 1)).await,
        Ok(Changed::Done)
    );
    let invite = Invite {
        hash: [7; 32],
        role: None,
        note: String::new(),
        issuer: Some(ada.id),
        bootstrap: false,
        expires_at: at(100),
    };
    store.invite(invite, entry(Event::Invited, 1)).await.unwrap();

    let revoked = end(&store, deletion(ada.id)).await;
    assert_eq!((revoked.found, revoked.entries.len()), (true, 2), "every session has its entry");
    for gone in [&first, &second] {
        let (session, left) = store.by_sid(gone.sid).await.unwrap().unwrap();
        assert_eq!(session.ended, Some(Ended { at: at(5), reason: EndReason::Deleted }));
        assert_eq!((session.device.as_str(), session.network.as_str(), session.binding), ("", "", Binding::None));
        assert_eq!((left.id, left.name, left.roles), (ada.id, None, Vec::new()));
        assert!(left.email.as_str().ends_with("@deleted.invalid") && left.banned.is_none());
        let seen = refresh(&store, gone.handle, Box::new(|_| None)).await.unwrap().unwrap();
        assert_eq!(seen.session.ended.map(|ended| ended.reason), Some(EndReason::Deleted), "its holder can be told");
    }
    assert!(store.by_sid(theirs.sid).await.unwrap().unwrap().0.ended.is_none(), "nobody else's");
    assert_eq!(store.credential("ada@example.com").await, Ok(None));
    assert_eq!(store.credential_of(ada.id).await, Ok(None));
    assert_eq!(store.factors(ada.id).await, Ok(None));
    assert_eq!(store.passkey(&[1]).await, Ok(None));
    assert_eq!(store.users(None, 10).await.unwrap(), [root]);
    for digit in "0123456789abcdef".chars() {
        // What stands in the place of its address begins with one of these.
        assert_eq!(store.users_by_address(&digit.to_string(), None, 9).await, Ok(Vec::new()), "{digit}");
    }
    assert_eq!(store.unerased(9).await, Ok(Vec::new()), "its entries name no network");
    for done_by in [Actor::User(ada.id), Actor::Admin(ada.id)] {
        store.append(seen(&ada, done_by)).await.unwrap();
        assert_eq!(store.unerased(9).await, Ok(vec![ada.id]), "{done_by:?}");
        assert_eq!(store.erase_networks(ada.id, 9).await, Ok(1));
        assert_eq!(store.unerased(9).await, Ok(Vec::new()));
    }
    let again = registered(&store, ADDRESS).await;
    assert_ne!(again.id, ada.id);
    let invited =
        NewAccount { user: user("b@example.com"), hash: "h".into(), passkey: None, invite: Some([7; 32]), most: None };
    assert_eq!(store.register(invited, entry(Event::Registered, 2)).await, Ok(Registered::InviteInvalid));
}

/// Whoever had begun something when the account went comes too late.
pub(super) async fn nothing_can_be_done_with_a_deleted_account(store: Arc<dyn Store>) {
    let ada = registered(&store, ADDRESS).await;
    another(&store).await;
    let prepared = session(&ada);
    assert!(end(&store, deletion(ada.id)).await.found);
    assert_eq!(end(&store, deletion(ada.id)).await, Revoked::default(), "once");
    let user = ada.id;
    for what in [
        Revocation::UserSessions { user, except: None, reason: EndReason::EndedByAdmin },
        Revocation::Ban { user, reason: String::new(), until: None },
        Revocation::Password { user, hash: "new".into(), keep: None },
        Revocation::Roles { user, roles: vec![Role::parse("reader").unwrap()] },
    ] {
        assert!(!end(&store, what.clone()).await.found, "{what:?}");
    }
    let new = NewSession { session: prepared, proved_by: Vec::new(), limit: 10 };
    assert_eq!(store.open(new, entry(Event::SignedIn, 6)).await, Ok(Opened::Refused));
    let add = FactorChange::AddPasskey(passkey(user));
    assert_eq!(
        store.change_factors(user, add, Changer::Server, entry(Event::PasskeyAdded, 6)).await,
        Ok(Changed::Unknown)
    );
    assert_eq!(store.unban(user, entry(Event::Unbanned, 6)).await, Ok(false));
    assert_eq!(store.unlock(user, entry(Event::Unlocked, 6)).await, Ok(false));
    let written = store.page(None, 100).await.unwrap();
    assert_eq!(written.len(), 3, "two registrations and one end: {written:?}");
}

pub(super) async fn the_last_who_holds_the_role_stays(store: Arc<dyn Store>) {
    let (ada, bob) = (registered(&store, ADDRESS).await, registered(&store, "bob@example.com").await);
    assert!(end(&store, Revocation::Ban { user: bob.id, reason: String::new(), until: None }).await.found);
    let live = opened(&store, &ada).await;
    assert_eq!(end(&store, deletion(ada.id)).await.entries, [], "bob may not sign in");
    assert!(store.by_sid(live.sid).await.unwrap().unwrap().0.ended.is_none(), "nothing is done");
    assert!(store.credential("ada@example.com").await.unwrap().is_some());
    let ban = |until| Revocation::Ban { user: bob.id, reason: String::new(), until: Some(at(until)) };
    assert!(end(&store, ban(6)).await.found);
    assert!(!end(&store, deletion(ada.id)).await.found, "bob may not sign in yet");
    assert!(end(&store, ban(5)).await.found);
    assert!(end(&store, deletion(ada.id)).await.found);
    assert!(end(&store, Revocation::Roles { user: bob.id, roles: Vec::new() }).await.found);
    assert!(end(&store, deletion(bob.id)).await.found, "who does not hold it may always go");
}

pub(super) async fn of_all_who_hold_the_role_and_go_at_once_one_stays(store: Arc<dyn Store>) {
    let mut all = Vec::new();
    for n in 0..6 {
        all.push(registered(&store, &format!("a{n}@example.com")).await.id);
    }
    let attempts = all.into_iter().map(|id| {
        let store = Arc::clone(&store);
        let order = RevocationOrder { what: deletion(id), at: at(5), audit: entry(Event::AccountDeleted, 5) };
        async move { store.revoke(order).await.unwrap().found }
    });
    let gone = crate::support::all(attempts).await.into_iter().filter(|found| *found).count();
    assert_eq!((gone, store.users(None, 10).await.unwrap().len()), (5, 1));
}

pub(super) async fn what_is_left_of_a_deleted_account_goes_with_its_last_session(store: Arc<dyn Store>) {
    let ada = registered(&store, ADDRESS).await;
    another(&store).await;
    let live = opened(&store, &ada).await;
    assert!(end(&store, deletion(ada.id)).await.found);
    let purge = async |seconds| while !store.purge(at(seconds), 100).await.unwrap().at_end {};
    purge(4).await;
    assert!(store.by_sid(live.sid).await.unwrap().is_some(), "ended at 5");
    store.append(seen(&ada, Actor::User(ada.id))).await.unwrap();
    assert_eq!(store.unerased(9).await, Ok(vec![ada.id]));
    purge(6).await;
    assert!(store.by_sid(live.sid).await.unwrap().is_none());
    assert_eq!(store.unerased(9).await, Ok(Vec::new()), "there is no account any more");
    assert_eq!(store.users(None, 10).await.unwrap().len(), 1, "and nobody else's");
}

/// A table that somebody adds, and forgets in the erasure, is named here: every one that has a column for an account.
#[tokio::test]
async fn every_table_that_knows_accounts_is_known_to_the_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counterfoil.db");
    drop(SqliteStore::open(&path, Synchronous::Full).unwrap());
    let erasure = include_str!("../../../src/store/sqlite/deletions.rs");
    let postgres = include_str!("../../../src/store/postgres/deletions.rs");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table'";
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    let mut known = 0;
    for (table, column) in columns.map(Result::unwrap) {
        // The audit log keeps who did what to whom; its networks are erased, beside its chain.
        if matches!(column.as_str(), "account" | "issuer" | "user_id") && table != "audit" {
            for text in [erasure, postgres] {
                let named = text.contains(&format!("FROM {table} ")) || text.contains(&format!("UPDATE {table} "));
                assert!(named, "deletions.rs erases nothing of {table}");
            }
            known += 1;
        }
    }
    assert!(known >= 6, "{known}");
}
