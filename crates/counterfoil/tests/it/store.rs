//! The contract of `Store`, run against every engine. To plug in another one, add a line to `engines!`.

use counterfoil::clock::random;
use counterfoil::store::sqlite::{SqliteStore, Synchronous};
use counterfoil::store::{Invite, NewAccount, NewSession, Opened, Purged, Registered, SealedSecret, Store, Swap};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::keys::ring::{KeyState, StoredKey};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::{Parent, Rotation};
use counterfoil_core::refresh::token::Nonce;
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use counterfoil_core::session::{Assurance, EndReason, Handle, Session};
use counterfoil_core::user::{Email, Role, User};
use counterfoil_core::{Sid, Timestamp, UserId};
use counterfoil_guard::{Algorithm, Target};
use std::sync::Arc;
use std::time::Duration;

/// A store, and what must outlive it.
type Engine = (Arc<dyn Store>, tempfile::TempDir);

fn sqlite() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("counterfoil.db"), Synchronous::Full).unwrap();
    (Arc::new(store), folder)
}

macro_rules! engines {
    ([$($engine:ident),*] $contracts:tt) => { $(mod $engine { engines!(@ $engine $contracts); })* };
    (@ $engine:ident { $($contract:ident),* $(,)? }) => {
        $(#[tokio::test] async fn $contract() { let (store, _folder) = super::$engine(); super::$contract(store).await; })*
    };
}

engines! { [sqlite] {
    an_account_is_found_by_address_and_by_id,
    an_address_is_taken_once_even_in_a_race,
    an_invitation_is_spent_once_and_grants_its_role,
    failures_are_counted_and_cleared,
    a_session_is_read_back_as_it_was_written,
    of_many_advances_from_one_state_exactly_one_wins,
    an_ended_session_never_advances,
    advancing_compares_the_whole_state,
    revoking_is_idempotent_and_numbers_have_no_gaps,
    revoking_a_user_spares_the_one_kept,
    a_ban_is_one_transaction_with_its_sessions,
    a_new_password_replaces_the_handle,
    roles_make_stale_entries_with_the_version,
    a_surplus_session_ends_with_an_entry,
    entries_leave_after_their_time,
    keys_are_initialised_once,
    the_audit_log_pages_backwards,
    purging_removes_the_dead_and_nothing_else,
    touching_moves_only_forward,
    what_came_between_the_check_and_the_session_wins,
    a_password_is_not_changed_in_a_session_that_has_ended,
} }

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn entry(event: Event, seconds: i64) -> AuditEntry {
    AuditEntry {
        at: at(seconds),
        event,
        actor: Actor::System,
        user: None,
        sid: None,
        network: String::new(),
        detail: String::new(),
    }
}

fn user(email: &str) -> User {
    let email = Email::parse(email).unwrap();
    let roles = vec![Role::parse("reader").unwrap()];
    User {
        id: UserId::from_bytes(random()),
        email,
        name: Some("Ada".into()),
        roles,
        claims_version: 0,
        created_at: at(0),
        banned: None,
    }
}

async fn registered(store: &Arc<dyn Store>, email: &str) -> User {
    let user = user(email);
    let new = NewAccount { user: user.clone(), hash: "hash".into(), invite: None };
    assert_eq!(store.register(new, entry(Event::Registered, 0)).await, Ok(Registered::Done));
    user
}

fn session(user: &User) -> Session {
    Session {
        sid: Sid::from_bytes(random()),
        handle: Handle::from_bytes(random()),
        user: user.id,
        application: "web".into(),
        profile: Profile::Cookie,
        persistent: true,
        created_at: at(0),
        auth_time: at(0),
        last_seen_at: at(0),
        idle: Duration::from_secs(1000),
        expires_at: at(10_000),
        acr: Assurance::Aal1,
        amr: vec!["pwd".into(), "otp".into()],
        device: "Firefox on Linux".into(),
        network: "203.0.113.0/24".into(),
        ended: None,
        bound_to: Some([9; 32]),
        rotation: Rotation::first(at(0)),
    }
}

async fn opened(store: &Arc<dyn Store>, user: &User) -> Session {
    let session = session(user);
    surplus(store, session.clone(), 100).await;
    session
}

/// Opens a session and returns what ended for it.
async fn surplus(store: &Arc<dyn Store>, session: Session, limit: u32) -> Revoked {
    let new = NewSession { session, proved_by: Some("hash".into()), limit };
    match store.open(new, entry(Event::SignedIn, 0)).await.unwrap() {
        Opened::Done { surplus, .. } => surplus,
        Opened::Refused => panic!("refused"),
    }
}

async fn end(store: &Arc<dyn Store>, what: Revocation) -> Revoked {
    store.revoke(RevocationOrder { what, at: at(5), audit: entry(Event::SessionEnded, 5) }).await.unwrap()
}

fn next(session: &Session, n: u8) -> Rotation {
    let nonce = Parent::Nonce(Nonce::from_bytes([n; 8]));
    let generation = session.rotation.generation + 1;
    Rotation { generation, parent: nonce, handed_at: at(9), rotated_at: [Some(at(9)), None, None], ..session.rotation }
}

async fn an_account_is_found_by_address_and_by_id(store: Arc<dyn Store>) {
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

async fn an_address_is_taken_once_even_in_a_race(store: Arc<dyn Store>) {
    let attempts = (0..20).map(|_| {
        let store = Arc::clone(&store);
        let new = NewAccount { user: user("a@example.com"), hash: "h".into(), invite: None };
        async move { store.register(new, entry(Event::Registered, 0)).await.unwrap() }
    });
    let outcomes = crate::support::all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Registered::Done).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Registered::EmailTaken).count(), 19);
}

async fn an_invitation_is_spent_once_and_grants_its_role(store: Arc<dyn Store>) {
    let invite =
        Invite { hash: [1; 32], role: Role::parse("editor"), issuer: None, bootstrap: false, expires_at: at(100) };
    store.invite(invite, entry(Event::Invited, 0)).await.unwrap();
    let with = |email: &str, seconds| {
        let (store, new) =
            (Arc::clone(&store), NewAccount { user: user(email), hash: "h".into(), invite: Some([1; 32]) });
        async move { store.register(new, entry(Event::Registered, seconds)).await.unwrap() }
    };
    assert_eq!(with("late@example.com", 100).await, Registered::InviteInvalid);
    assert_eq!(with("a@example.com", 99).await, Registered::Done);
    assert_eq!(with("b@example.com", 99).await, Registered::InviteInvalid);
    let made = store.credential("a@example.com").await.unwrap().unwrap();
    assert!(made.user.has_role("editor"));
    assert!(store.credential("b@example.com").await.unwrap().is_none());
}

async fn failures_are_counted_and_cleared(store: Arc<dyn Store>) {
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

async fn a_session_is_read_back_as_it_was_written(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let mut session = opened(&store, &user).await;
    assert_eq!(store.by_handle(session.handle).await.unwrap(), Some((session.clone(), user.clone())));
    assert_eq!(store.by_sid(session.sid).await.unwrap(), Some((session.clone(), user.clone())));
    assert_eq!(store.by_handle(Handle::from_bytes([0; 16])).await.unwrap(), None);
    let states = [
        next(&session, 1),
        Rotation {
            parent: Parent::Any,
            handed_twice: true,
            presented: true,
            rotated_at: [Some(at(1)); 3],
            ..next(&session, 2)
        },
    ];
    for to in states {
        assert_eq!(store.advance(&session, to, at(9), Some("192.0.2.0/24".into())).await, Ok(Swap::Done));
        session.rotation = to;
        session.last_seen_at = at(9);
        session.network = "192.0.2.0/24".into();
        assert_eq!(store.by_handle(session.handle).await.unwrap(), Some((session.clone(), user.clone())));
    }
}

async fn of_many_advances_from_one_state_exactly_one_wins(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let attempts = (0..50).map(|n| {
        let (store, session) = (Arc::clone(&store), session.clone());
        async move { store.advance(&session, next(&session, n), at(9), None).await.unwrap() }
    });
    let outcomes = crate::support::all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Swap::Done).count(), 1);
}

async fn an_ended_session_never_advances(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::SignedOut }).await;
    assert_eq!(store.advance(&session, next(&session, 1), at(9), None).await, Ok(Swap::Lost));
    let (stored, _) = store.by_sid(session.sid).await.unwrap().unwrap();
    assert_eq!(stored.end_reason(at(6)), Some(EndReason::SignedOut));
    assert_eq!(stored.rotation, session.rotation);
}

async fn advancing_compares_the_whole_state(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let changes: [fn(&mut Rotation); 4] = [
        |state| state.generation += 1,
        |state| state.handed_at = at(1),
        |state| state.handed_twice = true,
        |state| state.presented = true,
    ];
    for change in changes {
        let mut other = session.clone();
        change(&mut other.rotation);
        assert_eq!(store.advance(&other, next(&session, 1), at(9), None).await, Ok(Swap::Lost));
    }
    assert_eq!(store.advance(&session, next(&session, 1), at(9), None).await, Ok(Swap::Done));
}

async fn revoking_is_idempotent_and_numbers_have_no_gaps(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let mut numbers = Vec::new();
    for _ in 0..5 {
        let session = opened(&store, &user).await;
        let what = || Revocation::Session { sid: session.sid, reason: EndReason::EndedByYou };
        let first = end(&store, what()).await;
        assert_eq!(first.entries[0].what, Target::Session(session.sid));
        numbers.push(first.entries[0].seq);
        assert_eq!(end(&store, what()).await, Revoked { entries: Vec::new(), found: true });
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let nothing = Revocation::Session { sid: Sid::from_bytes([0; 16]), reason: EndReason::EndedByYou };
    assert_eq!(end(&store, nothing).await, Revoked { entries: Vec::new(), found: false });
    let (entries, head) = store.in_force(at(5)).await.unwrap();
    assert_eq!((entries.len(), head), (5, 5));
}

async fn revoking_a_user_spares_the_one_kept(store: Arc<dyn Store>) {
    let (user, other) = (registered(&store, "a@example.com").await, registered(&store, "b@example.com").await);
    let (kept, gone, foreign) =
        (opened(&store, &user).await, opened(&store, &user).await, opened(&store, &other).await);
    let what = Revocation::UserSessions { user: user.id, except: Some(kept.sid), reason: EndReason::EndedByYou };
    let revoked = end(&store, what).await;
    assert_eq!(revoked.entries.iter().map(|entry| entry.what.clone()).collect::<Vec<_>>(), [Target::Session(gone.sid)]);
    for (session, reason) in [(&kept, None), (&gone, Some(EndReason::EndedByYou)), (&foreign, None)] {
        assert_eq!(store.by_sid(session.sid).await.unwrap().unwrap().0.end_reason(at(6)), reason);
    }
}

async fn a_ban_is_one_transaction_with_its_sessions(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let revoked = end(&store, Revocation::Ban { user: user.id, reason: "spam".into() }).await;
    assert_eq!((revoked.entries.len(), revoked.found), (1, true));
    let (session, banned) = store.by_sid(session.sid).await.unwrap().unwrap();
    assert_eq!(session.end_reason(at(6)), Some(EndReason::EndedByAdmin));
    assert_eq!(banned.banned.unwrap().reason, "spam");
    assert_eq!(store.unban(user.id, entry(Event::Unbanned, 6)).await, Ok(true));
    assert_eq!(store.unban(user.id, entry(Event::Unbanned, 6)).await, Ok(false));
    assert!(!end(&store, Revocation::Ban { user: UserId::from_bytes([0; 16]), reason: String::new() }).await.found);
}

async fn a_new_password_replaces_the_handle(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let (kept, gone) = (opened(&store, &user).await, opened(&store, &user).await);
    store.note_failure(Some(user.id), entry(Event::SignInFailed, 0)).await.unwrap();
    let handle = Handle::from_bytes(random());
    let what = Revocation::Password { user: user.id, hash: "new".into(), keep: Some((kept.sid, handle)) };
    assert_eq!(end(&store, what).await.entries.len(), 1);
    let credential = store.credential_of(user.id).await.unwrap().unwrap();
    assert_eq!((credential.hash.as_str(), credential.failures), ("new", 0));
    assert_eq!(store.by_handle(kept.handle).await.unwrap(), None);
    assert_eq!(store.superseded_at(kept.handle).await, Ok(Some(at(5))));
    let (renewed, _) = store.by_handle(handle).await.unwrap().unwrap();
    assert_eq!((renewed.sid, renewed.rotation, renewed.auth_time), (kept.sid, Rotation::first(at(5)), at(5)));
    let ended = store.by_sid(gone.sid).await.unwrap().unwrap().0;
    assert_eq!(ended.end_reason(at(6)), Some(EndReason::PasswordChanged));
}

async fn roles_make_stale_entries_with_the_version(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    for version in 1..=2 {
        let roles = vec![Role::parse(&format!("r{version}")).unwrap()];
        let revoked = end(&store, Revocation::Roles { user: user.id, roles: roles.clone() }).await;
        assert_eq!(revoked.entries[0].what, Target::Stale(session.sid, version));
        let (session, user) = store.by_sid(session.sid).await.unwrap().unwrap();
        assert_eq!((session.ended, user.roles, user.claims_version), (None, roles, version));
    }
}

async fn a_surplus_session_ends_with_an_entry(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let mut oldest = session(&user);
    oldest.last_seen_at = at(-500);
    surplus(&store, oldest.clone(), 2).await;
    opened(&store, &user).await;
    let revoked = surplus(&store, session(&user), 2).await;
    assert_eq!(revoked.entries[0].what, Target::Session(oldest.sid));
    let ended = store.by_sid(oldest.sid).await.unwrap().unwrap().0;
    assert_eq!(ended.end_reason(at(1)), Some(EndReason::SessionLimit));
}

async fn entries_leave_after_their_time(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::SignedOut }).await;
    let until = at(5 + 16 * 60);
    assert_eq!(store.in_force(until.minus(Duration::from_millis(1))).await.unwrap().0.len(), 1);
    assert_eq!(store.in_force(until).await.unwrap(), (Vec::new(), 1), "the head stays");
}

async fn keys_are_initialised_once(store: Arc<dyn Store>) {
    let key = |kid: &str| StoredKey {
        kid: kid.parse().unwrap(),
        algorithm: Algorithm::EdDsa,
        state: KeyState::Active,
        created_at: at(0),
        public: vec![1; 32],
        sealed: vec![2; 60],
    };
    let secret = SealedSecret { purpose: "pepper".into(), id: "1".into(), sealed: vec![3; 60] };
    assert_eq!(store.initialise(vec![key("a")], vec![secret.clone()]).await, Ok(true));
    assert_eq!(store.initialise(vec![key("b")], vec![secret.clone()]).await, Ok(false));
    assert_eq!(store.signing_keys().await.unwrap(), [key("a")]);
    assert_eq!(store.secrets().await.unwrap(), [secret]);
}

async fn the_audit_log_pages_backwards(store: Arc<dyn Store>) {
    for n in 0..5 {
        let actor = Actor::Admin(UserId::from_bytes([7; 16]));
        store.append(AuditEntry { actor, detail: n.to_string(), ..entry(Event::Invited, n) }).await.unwrap();
    }
    let first = store.page(None, 2).await.unwrap();
    let details = |page: &[(i64, AuditEntry)]| page.iter().map(|(_, entry)| entry.detail.clone()).collect::<Vec<_>>();
    assert_eq!(details(&first), ["4", "3"]);
    assert_eq!(details(&store.page(Some(first[1].0), 10).await.unwrap()), ["2", "1", "0"]);
}

async fn purging_removes_the_dead_and_nothing_else(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let (alive, ended) = (opened(&store, &user).await, opened(&store, &user).await);
    let mut idle = session(&user);
    idle.last_seen_at = at(-900);
    surplus(&store, idle.clone(), 100).await;
    end(&store, Revocation::Session { sid: ended.sid, reason: EndReason::SignedOut }).await;
    let nothing = Purged { removed: 0, at_end: true };
    assert_eq!(store.purge(at(4), 100).await, Ok(nothing));
    let mut rounds = Vec::new();
    for _ in 0..4 {
        rounds.push(store.purge(at(500), 1).await.unwrap());
    }
    assert_eq!(rounds.iter().map(|round| round.removed).sum::<u32>(), 2);
    assert!(rounds.iter().all(|round| round.removed <= 1), "no more than a batch: {rounds:?}");
    assert!(rounds[3].at_end && !rounds[0].at_end, "three rows are three rounds and a look past the end");
    assert!(store.by_sid(alive.sid).await.unwrap().is_some());
    assert!(store.by_sid(ended.sid).await.unwrap().is_none() && store.by_sid(idle.sid).await.unwrap().is_none());
    assert!(store.purge(at(100_000), 100).await.unwrap().removed >= 2, "the last session, and the log entry");
    assert_eq!(store.in_force(at(0)).await.unwrap(), (Vec::new(), 1));
}

async fn what_came_between_the_check_and_the_session_wins(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let attempt = |proved_by: Option<&str>| {
        let new = NewSession { session: session(&user), proved_by: proved_by.map(str::to_owned), limit: 100 };
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
    end(&store, Revocation::Ban { user: user.id, reason: String::new() }).await;
    assert_eq!(attempt(Some("new")).await, Opened::Refused);
    assert_eq!(attempt(None).await, Opened::Refused);
    assert!(store.sessions_of(user.id).await.unwrap().iter().all(|session| session.ended.is_some()));
}

async fn a_password_is_not_changed_in_a_session_that_has_ended(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::EndedByYou }).await;
    let keep = Some((session.sid, Handle::from_bytes(random())));
    let what = Revocation::Password { user: user.id, hash: "new".into(), keep };
    assert_eq!(end(&store, what).await, Revoked::default());
    assert_eq!(store.credential_of(user.id).await.unwrap().unwrap().hash, "hash");
}

async fn touching_moves_only_forward(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    store.touch(session.sid, at(60), "x".into()).await.unwrap();
    store.touch(session.sid, at(30), "y".into()).await.unwrap();
    let seen = store.by_sid(session.sid).await.unwrap().unwrap().0.last_seen_at;
    assert_eq!(seen, at(60));
    store.check().await.unwrap();
}
