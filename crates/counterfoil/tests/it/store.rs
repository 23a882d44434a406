//! The contract of `Store`, run against every engine. To plug in another one, add a line to `engines!`.

mod accounts;
mod administration;
mod audit;
mod audit_chain;
mod clients;
mod deletions;
mod devices;
mod factors;
mod feed;
mod import;
mod keys;
mod mail;
mod meanwhile;
mod refresh;
mod risk;
mod shared;
mod status;
mod streams;

use crate::support::Postgres;
use accounts::{
    an_account_is_found_by_address_and_by_id, an_address_is_taken_once_even_in_a_race,
    an_invitation_is_spent_once_and_grants_its_role, failures_are_counted_and_cleared,
    of_two_first_administrators_at_once_one_is_the_first,
};
use administration::{
    an_api_key_is_found_with_who_made_it_and_goes_with_its_invitations, open_invitations_are_listed_and_withdrawn_once,
    there_is_no_account_beyond_the_last_even_in_a_race, what_is_counted_is_counted_once,
};
use audit::{a_reader_begins_at_the_head_reads_forward_and_never_goes_back, the_audit_log_pages_backwards};
use audit_chain::{
    a_batch_is_sealed_whole_or_not_at_all, a_chain_is_begun_once_and_only_beside_the_secrets_that_were_read,
    a_search_finds_what_is_wanted_in_order_page_by_page,
    an_erased_network_is_gone_with_its_salt_and_the_chain_is_whole, of_two_that_seal_the_same_one_does,
    the_slowest_of_the_readers_that_are_asked_about_counts, what_is_forgotten_leaves_an_anchor_and_numbers_go_on,
    what_is_sealed_is_whole_and_what_comes_after_is_not_sealed_yet,
};
use clients::{
    a_service_is_added_renewed_and_removed_with_its_session,
    atk28_what_counts_once_counts_once_and_is_forgotten_in_time,
};
use counterfoil::clock::random;
use counterfoil::store::ended::ended_by;
use counterfoil::store::sqlite::{SqliteStore, Synchronous};
use counterfoil::store::{
    NewAccount, NewSession, Opened, ProvedBy, Purged, Refreshed, Registered, Rule, Seen, Store, StoreError,
};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::{Decision, Parent, Rotation};
use counterfoil_core::refresh::token::Nonce;
use counterfoil_core::revocation::{ENTRY_LIFE, Revocation, RevocationOrder, Revoked};
use counterfoil_core::session::{Assurance, Binding, EndReason, Handle, Session};
use counterfoil_core::user::{Email, Role, User};
use counterfoil_core::{Jti, Sid, Timestamp, UserId};
use counterfoil_guard::{Entry, Target};
use deletions::{
    a_deleted_account_leaves_nothing_personal_and_its_address_is_free, nothing_can_be_done_with_a_deleted_account,
    of_all_who_hold_the_role_and_go_at_once_one_stays, the_last_who_holds_the_role_stays,
    what_is_left_of_a_deleted_account_goes_with_its_last_session,
};
use devices::{
    a_copy_that_was_refused_is_noted_while_the_session_lives,
    a_session_gets_one_key_which_is_asked_for_once_it_has_been_shown,
};
use factors::{
    a_passkey_is_kept_once_named_used_and_removed, a_reset_leaves_the_password_and_nothing_else,
    a_session_rests_on_a_passkey_only_as_long_as_there_is_one,
    asvs_6_4_4_whoever_is_signing_in_sets_up_the_first_and_only_what_they_have_shown_still_counts,
    asvs_7_2_4_a_renewed_session_has_another_handle, atk28_a_code_counts_once,
    nist_3_2_2_an_authenticator_app_locks_and_is_unlocked, nothing_is_changed_in_a_session_that_has_ended,
    the_last_way_in_stays_and_there_is_an_end_to_passkeys,
};
use feed::{
    a_guards_name_is_taken_once_and_free_again, a_log_keeps_its_identity,
    s1_a_store_that_was_put_back_has_another_log_and_ends_what_it_is_told,
    the_longest_promise_is_kept_until_it_is_forgotten,
};
use import::{
    an_account_keeps_the_names_it_was_imported_with, an_import_is_one_transaction,
    an_import_takes_no_address_twice_even_in_a_race,
    an_imported_hash_is_replaced_only_while_it_is_the_one_that_was_checked,
    imported_accounts_are_as_they_were_and_a_repeat_changes_nothing,
    what_ends_all_of_a_users_sessions_ends_older_legacy_tokens,
};
use keys::{
    k2_a_revoked_key_has_its_entry_in_the_same_transaction, keys_are_initialised_once,
    secrets_are_sealed_anew_only_from_what_was_read, the_ring_changes_as_a_whole_or_not_at_all,
};
use mail::{a_link_counts_once_for_its_purpose_and_in_time, an_address_moves_once_and_takes_the_links_with_it};
use meanwhile::{
    a_ban_with_an_end_keeps_out_until_then, a_password_is_not_changed_in_a_session_that_has_ended,
    accounts_are_found_by_the_beginning_of_their_address, touching_moves_only_forward,
    what_came_between_the_check_and_the_session_wins,
};
use refresh::{
    a_refresh_that_changes_nothing_leaves_the_session_alone, an_ended_session_never_advances,
    every_refresh_sees_what_the_one_before_it_left, of_many_refreshes_of_one_state_exactly_one_rotates,
};
use risk::{
    a_deleted_account_is_known_from_nowhere, an_account_is_known_from_where_it_has_been_used,
    reuse_is_remembered_as_long_as_its_session, the_oldest_are_let_go_of_and_none_is_kept_for_ever,
};
use status::{
    a_place_is_given_once_and_never_after_the_end, a_service_has_a_place_too,
    a_session_has_one_place_for_each_version_of_its_roles,
};
use std::sync::Arc;
use std::time::Duration;
use streams::{
    a_stream_is_kept_as_it_is_and_replaced_only_by_who_has_seen_it,
    exceptions_of_a_stream_go_with_it_and_only_late_with_their_account,
    there_are_no_more_streams_than_there_may_be_even_in_a_race,
};

/// A store, and what must outlive it.
type Engine = (Arc<dyn Store>, Box<dyn std::any::Any>);

async fn sqlite() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("counterfoil.db"), Synchronous::Full).unwrap();
    (Arc::new(store), Box::new(folder))
}

async fn postgres() -> Engine {
    let server = Postgres::start();
    let store = server.open().await;
    (Arc::new(store), Box::new(server))
}

macro_rules! engines {
    ([$($engine:ident),*] $contracts:tt) => { $(mod $engine { engines!(@ $engine $contracts); })* };
    (@ $engine:ident { $($contract:ident),* $(,)? }) => {
        $(#[tokio::test] async fn $contract() { let (store, _kept) = super::$engine().await; super::$contract(store).await; })*
    };
}

engines! { [sqlite, postgres] {
    a_link_counts_once_for_its_purpose_and_in_time,
    an_address_moves_once_and_takes_the_links_with_it,
    a_passkey_is_kept_once_named_used_and_removed,
    asvs_6_4_4_whoever_is_signing_in_sets_up_the_first_and_only_what_they_have_shown_still_counts,
    nothing_is_changed_in_a_session_that_has_ended, the_last_way_in_stays_and_there_is_an_end_to_passkeys,
    atk28_a_code_counts_once,
    nist_3_2_2_an_authenticator_app_locks_and_is_unlocked,
    a_reset_leaves_the_password_and_nothing_else,
    a_session_rests_on_a_passkey_only_as_long_as_there_is_one,
    asvs_7_2_4_a_renewed_session_has_another_handle,
    an_account_is_known_from_where_it_has_been_used,
    the_oldest_are_let_go_of_and_none_is_kept_for_ever,
    a_deleted_account_is_known_from_nowhere,
    reuse_is_remembered_as_long_as_its_session,
    an_account_is_found_by_address_and_by_id,
    an_address_is_taken_once_even_in_a_race,
    an_invitation_is_spent_once_and_grants_its_role,
    of_two_first_administrators_at_once_one_is_the_first,
    imported_accounts_are_as_they_were_and_a_repeat_changes_nothing,
    an_import_takes_no_address_twice_even_in_a_race,
    an_import_is_one_transaction,
    an_account_keeps_the_names_it_was_imported_with,
    what_ends_all_of_a_users_sessions_ends_older_legacy_tokens,
    an_imported_hash_is_replaced_only_while_it_is_the_one_that_was_checked,
    open_invitations_are_listed_and_withdrawn_once,
    an_api_key_is_found_with_who_made_it_and_goes_with_its_invitations,
    there_is_no_account_beyond_the_last_even_in_a_race,
    what_is_counted_is_counted_once,
    a_session_has_one_place_for_each_version_of_its_roles,
    a_place_is_given_once_and_never_after_the_end,
    a_service_has_a_place_too,
    a_stream_is_kept_as_it_is_and_replaced_only_by_who_has_seen_it,
    exceptions_of_a_stream_go_with_it_and_only_late_with_their_account,
    there_are_no_more_streams_than_there_may_be_even_in_a_race,
    failures_are_counted_and_cleared,
    a_deleted_account_leaves_nothing_personal_and_its_address_is_free,
    nothing_can_be_done_with_a_deleted_account,
    of_all_who_hold_the_role_and_go_at_once_one_stays,
    the_last_who_holds_the_role_stays,
    what_is_left_of_a_deleted_account_goes_with_its_last_session,
    a_session_is_read_back_as_it_was_written,
    of_many_refreshes_of_one_state_exactly_one_rotates,
    every_refresh_sees_what_the_one_before_it_left,
    an_ended_session_never_advances,
    a_refresh_that_changes_nothing_leaves_the_session_alone,
    revoking_is_idempotent_and_numbers_have_no_gaps,
    revoking_one_token_spares_its_session_and_is_written_once,
    revoking_a_user_spares_the_one_kept,
    a_ban_is_one_transaction_with_its_sessions,
    a_new_password_replaces_the_handle,
    roles_make_stale_entries_with_the_version,
    a_surplus_session_ends_with_an_entry,
    entries_leave_after_their_time,
    a_log_keeps_its_identity,
    s1_a_store_that_was_put_back_has_another_log_and_ends_what_it_is_told,
    the_longest_promise_is_kept_until_it_is_forgotten,
    a_guards_name_is_taken_once_and_free_again,
    a_service_is_added_renewed_and_removed_with_its_session,
    atk28_what_counts_once_counts_once_and_is_forgotten_in_time,
    a_session_gets_one_key_which_is_asked_for_once_it_has_been_shown,
    a_copy_that_was_refused_is_noted_while_the_session_lives,
    keys_are_initialised_once,
    the_ring_changes_as_a_whole_or_not_at_all,
    k2_a_revoked_key_has_its_entry_in_the_same_transaction,
    secrets_are_sealed_anew_only_from_what_was_read,
    the_audit_log_pages_backwards,
    a_reader_begins_at_the_head_reads_forward_and_never_goes_back,
    a_chain_is_begun_once_and_only_beside_the_secrets_that_were_read,
    what_is_sealed_is_whole_and_what_comes_after_is_not_sealed_yet,
    of_two_that_seal_the_same_one_does,
    a_batch_is_sealed_whole_or_not_at_all,
    an_erased_network_is_gone_with_its_salt_and_the_chain_is_whole,
    what_is_forgotten_leaves_an_anchor_and_numbers_go_on,
    the_slowest_of_the_readers_that_are_asked_about_counts,
    a_search_finds_what_is_wanted_in_order_page_by_page,
    purging_removes_the_dead_and_nothing_else,
    touching_moves_only_forward,
    what_came_between_the_check_and_the_session_wins,
    a_password_is_not_changed_in_a_session_that_has_ended,
    a_ban_with_an_end_keeps_out_until_then,
    accounts_are_found_by_the_beginning_of_their_address,
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
    let new = NewAccount { user: user.clone(), hash: "hash".into(), passkey: None, invite: None, most: None };
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
        binding: Binding::Dpop([9; 32]),
        copy_refused_at: None,
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
    let new = NewSession { session, proved_by: vec![ProvedBy::Password("hash".into())], limit };
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

/// Shows the session to `rule`, nine seconds after it was opened.
async fn refresh(store: &Arc<dyn Store>, handle: Handle, rule: Rule) -> Result<Option<Refreshed>, StoreError> {
    store.refresh(handle, rule, Seen { at: at(9), network: "192.0.2.0/24".into() }).await
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
        session.rotation = to;
        session.last_seen_at = at(9);
        session.network = "192.0.2.0/24".into();
        let decision = Some(Decision::Rotate(to));
        let refreshed = refresh(&store, session.handle, Box::new(move |_| decision)).await.unwrap().unwrap();
        assert_eq!(refreshed, Refreshed { session: session.clone(), user: user.clone(), decision });
        assert_eq!(store.by_handle(session.handle).await.unwrap(), Some((session.clone(), user.clone())));
    }
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
        let head = first.entries[0].seq;
        assert_eq!(first.head, head);
        let again = Revoked { entries: Vec::new(), found: true, head };
        assert_eq!(end(&store, what()).await, again, "and says which entry to wait for");
        assert_eq!(store.head().await, Ok(head));
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let nothing = Revocation::Session { sid: Sid::from_bytes([0; 16]), reason: EndReason::EndedByYou };
    assert_eq!(end(&store, nothing).await, Revoked { entries: Vec::new(), found: false, head: 5 });
    let log = store.log(at(5)).await.unwrap();
    let (entries, head) = (log.in_force, log.head.unwrap().seq);
    assert_eq!((entries.len(), head), (5, 5));
}

async fn revoking_one_token_spares_its_session_and_is_written_once(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let (sid, jti) = (session.sid, Jti::from_bytes(random()));
    let lines = store.page(None, 10).await.unwrap().len();
    let attempts = (0..20).map(|_| {
        let store = Arc::clone(&store);
        async move { end(&store, Revocation::Token { sid, jti }).await }
    });
    let outcomes = crate::support::all(attempts).await;
    assert!(outcomes.iter().all(|revoked| revoked.found));
    let written: Vec<_> = outcomes.iter().flat_map(|revoked| &revoked.entries).collect();
    let entry = Entry { seq: 1, until: at(5).plus(ENTRY_LIFE), what: Target::Token(jti) };
    assert_eq!(written, [&entry]);
    let log = store.log(at(5)).await.unwrap();
    assert_eq!((log.in_force, log.head), (vec![entry.clone()], Some(entry)));
    assert_eq!(store.page(None, 10).await.unwrap().len(), lines + 1, "and so is the audit entry");
    assert_eq!(store.by_sid(sid).await.unwrap().unwrap().0, session, "the session goes on");

    end(&store, Revocation::Session { sid, reason: EndReason::SignedOut }).await;
    let other = Jti::from_bytes(random());
    let over = end(&store, Revocation::Token { sid, jti: other }).await;
    assert_eq!(over, Revoked { entries: Vec::new(), found: true, head: 2 }, "its tokens have ended with it");
    let unknown = Revocation::Token { sid: Sid::from_bytes([0; 16]), jti: other };
    assert_eq!(end(&store, unknown).await, Revoked { entries: Vec::new(), found: false, head: 2 });
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
    // Who is told of it outside is told of exactly these.
    let told = AuditEntry { user: Some(user.id), ..entry(Event::SessionsEnded, 5) };
    let ended = |told: AuditEntry| {
        let store = Arc::clone(&store);
        async move {
            let ended = ended_by(store.as_ref(), &told).await.unwrap();
            ended.into_iter().map(|session| session.sid).collect::<Vec<_>>()
        }
    };
    assert_eq!(ended(told.clone()).await, [gone.sid]);
    assert_eq!(ended(AuditEntry { at: at(6), ..told.clone() }).await, [], "another time");
    assert_eq!(ended(AuditEntry { event: Event::SteppedUp, ..told.clone() }).await, [], "it ends nothing");
    assert_eq!(ended(AuditEntry { user: Some(other.id), ..told }).await, [], "another's");
    let one = AuditEntry { sid: Some(gone.sid), ..entry(Event::RefreshReuse, 5) };
    assert_eq!(ended(one).await, [gone.sid]);
}

async fn a_ban_is_one_transaction_with_its_sessions(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    let revoked = end(&store, Revocation::Ban { user: user.id, reason: "spam".into(), until: None }).await;
    assert_eq!((revoked.entries.len(), revoked.found), (1, true));
    let (session, banned) = store.by_sid(session.sid).await.unwrap().unwrap();
    assert_eq!(session.end_reason(at(6)), Some(EndReason::EndedByAdmin));
    assert_eq!(banned.banned.unwrap().reason, "spam");
    assert_eq!(store.unban(user.id, entry(Event::Unbanned, 6)).await, Ok(true));
    assert_eq!(store.unban(user.id, entry(Event::Unbanned, 6)).await, Ok(false));
    assert!(
        !end(&store, Revocation::Ban { user: UserId::from_bytes([0; 16]), reason: String::new(), until: None })
            .await
            .found
    );
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
    assert_eq!(store.superseded(kept.handle).await, Ok(Some((at(5), Some(kept.sid)))));
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
    let (_, audit) = store.page(None, 1).await.unwrap().remove(0);
    assert_eq!(
        (audit.event, audit.sid, audit.detail.as_str()),
        (Event::SessionEnded, Some(oldest.sid), "session_limit")
    );
}

async fn entries_leave_after_their_time(store: Arc<dyn Store>) {
    let user = registered(&store, "a@example.com").await;
    let session = opened(&store, &user).await;
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::SignedOut }).await;
    let until = at(5 + 16 * 60);
    assert_eq!(store.log(until.minus(Duration::from_millis(1))).await.unwrap().in_force.len(), 1);
    let log = store.log(until).await.unwrap();
    assert_eq!((log.in_force, log.head.unwrap().seq), (Vec::new(), 1), "the head stays");
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
    end(&store, Revocation::Session { sid: alive.sid, reason: EndReason::SignedOut }).await;
    assert_eq!(store.purge(at(100_000), 100).await.unwrap().removed, 2, "the last session, and the first log entry");
    let log = store.log(at(0)).await.unwrap();
    assert_eq!((log.in_force.len(), log.head.unwrap().seq), (1, 2), "the newest is never purged");
}
