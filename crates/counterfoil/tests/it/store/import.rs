//! The contract of taking accounts over from other systems.

use super::{at, end, entry, registered, session, user};
use counterfoil::store::legacy::AccountName;
use counterfoil::store::{ImportOutcome, ImportedAccount, NewSession, Opened, ProvedBy, Store};
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::revocation::{Revocation, RevocationOrder};
use counterfoil_core::session::{EndReason, Session};
use counterfoil_core::user::{Ban, Role, User};
use counterfoil_core::{Sid, Timestamp, UserId};
use std::sync::Arc;

fn account(email: &str) -> ImportedAccount {
    ImportedAccount { user: user(email), hash: format!("imported$of {email}"), external_id: None }
}

async fn import(store: &Arc<dyn Store>, accounts: &[ImportedAccount]) -> Vec<ImportOutcome> {
    store.import(accounts.to_vec(), None, entry(Event::AccountsImported, 1)).await.unwrap()
}

/// What of the audit log is about imports, the newest first.
async fn audit(store: &Arc<dyn Store>) -> Vec<AuditEntry> {
    let page = store.page(None, 100).await.unwrap();
    let about = [Event::AccountsImported, Event::PasswordRehashed];
    page.into_iter().map(|(_, entry)| entry).filter(|entry| about.contains(&entry.event)).collect()
}

pub(super) async fn imported_accounts_are_as_they_were_and_a_repeat_changes_nothing(store: Arc<dyn Store>) {
    let mut accounts = vec![account("Ada@Example.com"), account("b@example.com"), account("c@example.com")];
    accounts[1].user.name = None;
    accounts[1].user.roles = vec![Role::parse("admin").unwrap(), Role::parse("editor").unwrap()];
    accounts[1].user.created_at = at(-1_000_000);
    accounts[2].user.banned = Some(Ban { at: at(1), until: None, reason: "banned before".into() });
    assert_eq!(import(&store, &accounts).await, [ImportOutcome::Done; 3]);
    for account in &accounts {
        let found = store.credential(&account.user.email.key()).await.unwrap().unwrap();
        assert_eq!((&found.user, &found.hash, found.failures), (&account.user, &account.hash, 0));
    }
    let entries = audit(&store).await;
    let roles = |user: &User| user.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(",");
    let with_roles = accounts.iter().map(|one| &one.user).filter(|user| !user.roles.is_empty());
    let named = with_roles.map(|user| format!("{} {}", user.id, roles(user)));
    let detail = std::iter::once("3".to_owned()).chain(named).collect::<Vec<_>>().join("; ");
    assert_eq!(entries, [AuditEntry { detail, ..entry(Event::AccountsImported, 1) }]);

    let again: Vec<_> = ["ADA@example.com", "b@example.com", "d@example.com"].map(account).into();
    let outcomes = import(&store, &again).await;
    assert_eq!(outcomes, [ImportOutcome::AlreadyThere, ImportOutcome::AlreadyThere, ImportOutcome::Done]);
    let ada = store.credential("ada@example.com").await.unwrap().unwrap();
    assert_eq!((ada.user, ada.hash), (accounts[0].user.clone(), accounts[0].hash.clone()), "as it was");
    assert_eq!(store.users(None, 10).await.unwrap().len(), 4);
    assert_eq!(import(&store, &again).await, [ImportOutcome::AlreadyThere; 3]);
    let counts = |entry: AuditEntry| entry.detail.split(';').next().unwrap_or_default().to_owned();
    let details: Vec<_> = audit(&store).await.into_iter().map(counts).collect();
    assert_eq!(details, ["1", "3"], "where nothing went in, nothing is written");
    assert_eq!(import(&store, &[]).await, []);
}

pub(super) async fn an_import_takes_no_address_twice_even_in_a_race(store: Arc<dyn Store>) {
    registered(&store, "taken@example.com").await;
    let batch = || vec![account("a@example.com"), account("A@example.com"), account("taken@example.com")];
    let attempts = (0..10).map(|_| {
        let store = Arc::clone(&store);
        async move { import(&store, &batch()).await }
    });
    let outcomes = crate::support::all(attempts).await;
    let (done, none) = (ImportOutcome::Done, ImportOutcome::AlreadyThere);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == [done, none, none]).count(), 1, "the first of the two");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == [none; 3]).count(), 9);
    assert_eq!(store.users(None, 10).await.unwrap().len(), 2);
    assert_eq!(store.credential("taken@example.com").await.unwrap().unwrap().hash, "hash");
}

pub(super) async fn an_import_is_one_transaction(store: Arc<dyn Store>) {
    let mut accounts = vec![account("a@example.com"), account("b@example.com")];
    // Two accounts of one id cannot be: a fault in the middle.
    accounts[1].user.id = accounts[0].user.id;
    assert!(store.import(accounts.clone(), None, entry(Event::AccountsImported, 1)).await.is_err());
    assert_eq!(store.users(None, 10).await.unwrap(), []);
    assert_eq!(audit(&store).await, []);
    accounts[1].user.id = UserId::from_bytes([7; 16]);
    assert_eq!(import(&store, &accounts).await, [ImportOutcome::Done; 2]);
}

pub(super) async fn an_imported_hash_is_replaced_only_while_it_is_the_one_that_was_checked(store: Arc<dyn Store>) {
    let ImportedAccount { user, hash: old, .. } = account("a@example.com");
    import(&store, &[ImportedAccount { user: user.clone(), hash: old.clone(), external_id: None }]).await;
    store.note_failure(Some(user.id), entry(Event::SignInFailed, 0)).await.unwrap();
    let proved = |hash: &str| NewSession {
        session: session(&user),
        proved_by: vec![ProvedBy::Password(hash.into())],
        limit: 100,
    };
    let kept = session(&user);
    let new = NewSession { session: kept.clone(), ..proved(&old) };
    assert!(matches!(store.open(new, entry(Event::SignedIn, 0)).await, Ok(Opened::Done { .. })));

    let rehashed = AuditEntry { user: Some(user.id), ..entry(Event::PasswordRehashed, 2) };
    let replace = |old: &str, new: &str| store.replace_hash(user.id, old.into(), new.into(), rehashed.clone());
    assert_eq!(replace("imported$another", "x").await, Ok(false));
    assert_eq!(store.credential_of(user.id).await.unwrap().unwrap().hash, old);
    assert_eq!(replace(&old, "ours").await, Ok(true));
    assert_eq!(replace(&old, "ours again").await, Ok(false), "somebody else was first");
    let credential = store.credential_of(user.id).await.unwrap().unwrap();
    assert_eq!((credential.hash.as_str(), credential.failures), ("ours", 1));
    assert_eq!(store.by_sid(kept.sid).await.unwrap().unwrap().0.ended, None, "sessions go on");
    assert_eq!(store.open(proved(&old), entry(Event::SignedIn, 3)).await, Ok(Opened::Refused));
    assert!(matches!(store.open(proved("ours"), entry(Event::SignedIn, 3)).await, Ok(Opened::Done { .. })));
    assert_eq!(audit(&store).await.iter().filter(|entry| entry.event == Event::PasswordRehashed).count(), 1);

    let what = Revocation::Password { user: user.id, hash: "changed".into(), keep: None };
    end(&store, what).await;
    assert_eq!(replace("ours", "late").await, Ok(false), "a new password wins");
    let nobody = UserId::from_bytes([0; 16]);
    assert_eq!(store.replace_hash(nobody, old, "x".into(), rehashed.clone()).await, Ok(false));
}

pub(super) async fn an_account_keeps_the_names_it_was_imported_with(store: Arc<dyn Store>) {
    let named =
        |email: &str, id: Option<&str>| ImportedAccount { external_id: id.map(str::to_owned), ..account(email) };
    let first = named("Ada@example.com", Some("7"));
    assert_eq!(import(&store, &[first.clone(), named("b@example.com", None)]).await, [ImportOutcome::Done; 2]);
    let again =
        [named("c@example.com", Some("7")), named("d@example.com", Some("8")), named("e@example.com", Some("8"))];
    let outcomes = [ImportOutcome::AlreadyThere, ImportOutcome::Done, ImportOutcome::AlreadyThere];
    assert_eq!(import(&store, &again).await, outcomes, "of two with one name the first");
    let found = async |name: AccountName<'_>| {
        let found = store.legacy_account(name).await.unwrap();
        found.map(|found| found.user.id)
    };
    let ada = first.user.id;
    assert_eq!(found(AccountName::ExternalId("7")).await, Some(ada));
    assert_eq!(found(AccountName::Address("ada@example.com")).await, Some(ada));
    for nobody in [AccountName::ExternalId("07"), AccountName::ExternalId(""), AccountName::Address("7")] {
        assert_eq!(found(nobody).await, None, "{nobody:?}");
    }
    // Who was not imported has no such name, and whoever takes an address that has become free is not meant.
    registered(&store, "new@example.com").await;
    assert_eq!(found(AccountName::Address("new@example.com")).await, None);
    end(&store, Revocation::Deletion { user: ada, unless_last: Role::parse("admin").unwrap() }).await;
    assert_eq!(found(AccountName::ExternalId("7")).await, None);
    registered(&store, "ada@example.com").await;
    assert_eq!(found(AccountName::Address("ada@example.com")).await, None);
}

pub(super) async fn what_ends_all_of_a_users_sessions_ends_older_legacy_tokens(store: Arc<dyn Store>) {
    let ways = |user: UserId| {
        let reason = EndReason::EndedByYou;
        [
            Revocation::UserSessions { user, except: None, reason },
            Revocation::UserSessions { user, except: Some(Sid::from_bytes([9; 16])), reason },
            Revocation::Password { user, hash: "new".into(), keep: None },
            Revocation::Ban { user, reason: "spam".into(), until: Some(at(11)) },
        ]
    };
    for place in 0..4 {
        let account = account(&format!("user{place}@example.com"));
        import(&store, std::slice::from_ref(&account)).await;
        let user = account.user;
        let open = async |made: Timestamp| {
            let session = Session { created_at: at(20), ..session(&user) };
            let new = NewSession { session, proved_by: vec![ProvedBy::Legacy(made)], limit: 100 };
            matches!(store.open(new, entry(Event::SignedIn, 20)).await, Ok(Opened::Done { .. }))
        };
        assert!(open(at(1)).await, "nothing has been ended yet");
        let order =
            RevocationOrder { what: ways(user.id)[place].clone(), at: at(10), audit: entry(Event::SessionsEnded, 10) };
        assert!(store.revoke(order).await.unwrap().found);
        assert!(!open(at(9)).await && !open(at(10)).await, "{:?}", ways(user.id)[place]);
        assert!(open(at(11)).await, "made after it");
        // Another server's clock, which is behind.
        let what = Revocation::UserSessions { user: user.id, except: None, reason: EndReason::EndedByYou };
        store.revoke(RevocationOrder { what, at: at(8), audit: entry(Event::SessionsEnded, 8) }).await.unwrap();
        assert!(!open(at(9)).await, "what was ended stays so");
    }
    // A ban that came along with the account has ended what was before it, also once it is lifted.
    let mut banned = account("banned@example.com");
    banned.user.banned = Some(Ban { at: at(10), reason: "spam".into(), until: None });
    import(&store, std::slice::from_ref(&banned)).await;
    assert_eq!(store.unban(banned.user.id, entry(Event::Unbanned, 12)).await, Ok(true));
    let found = store.legacy_account(AccountName::Address("banned@example.com")).await.unwrap().unwrap();
    assert_eq!(found.sessions_ended_at, Some(at(10)));
}
