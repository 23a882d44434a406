//! Passkeys, authenticator apps and recovery codes: each counts as often as it may, and the last way in stays.

use super::{Arc, at, end, entry, opened, registered, session, user};
use crate::support::Postgres;
use counterfoil::store::factors::{
    Changed, Changer, FAILURES_THAT_LOCK, FactorChange, FactorUse, MOST_PASSKEYS, Passkey, Renewal, StoredTotp,
};
use counterfoil::store::risk::Familiar;
use counterfoil::store::sqlite::{SqliteStore, Synchronous};
use counterfoil::store::transfer::transfer;
use counterfoil::store::{NewAccount, NewSession, Opened, ProvedBy, Registered, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::{Assurance, EndReason, Handle};
use counterfoil_core::user::User;

fn passkey(user: &User, id: u8) -> Passkey {
    Passkey {
        id: vec![id; 20],
        user: user.id,
        name: "Firefox on Linux".into(),
        credential: format!("{{\"counter\":{id}}}"),
        synced: true,
        backed_up: false,
        created_at: at(i64::from(id)),
        last_used_at: None,
    }
}

async fn change(store: &Arc<dyn Store>, user: &User, change: FactorChange) -> Changed {
    store.change_factors(user.id, change, Changer::Server, entry(Event::PasskeyAdded, 1)).await.unwrap()
}

async fn use_it(store: &Arc<dyn Store>, user: &User, proof: FactorUse) -> bool {
    store.use_factor(user.id, proof, at(50), None).await.unwrap()
}

fn totp(last_step: i64) -> FactorChange {
    FactorChange::SetTotp(StoredTotp { sealed: vec![7; 48], created_at: at(3), last_step, failures: 0 })
}

pub(super) async fn a_passkey_is_kept_once_named_used_and_removed(store: Arc<dyn Store>) {
    let (ada, bob) = (registered(&store, "ada@example.com").await, registered(&store, "bob@example.com").await);
    let first = passkey(&ada, 1);
    assert_eq!(change(&store, &ada, FactorChange::AddPasskey(first.clone())).await, Changed::Done);
    let copied = Passkey { user: bob.id, ..first.clone() };
    assert_eq!(change(&store, &bob, FactorChange::AddPasskey(copied)).await, Changed::Taken, "WA-CLONE");
    assert_eq!(store.passkey(&first.id).await.unwrap(), Some((first.clone(), ada.clone())));
    assert_eq!(store.passkey(b"unknown").await.unwrap(), None);
    let rename = |name: &str| FactorChange::RenamePasskey { id: first.id.clone(), name: name.into() };
    assert_eq!(change(&store, &bob, rename("Bob's")).await, Changed::Unknown, "another's");
    assert_eq!(change(&store, &ada, rename("مفتاح")).await, Changed::Done);
    let (was, next) = (first.credential.clone(), "{\"counter\":9}".to_owned());
    let used = FactorUse::Passkey { id: first.id.clone(), was, credential: next.clone(), backed_up: true };
    assert!(use_it(&store, &ada, used.clone()).await);
    assert!(!use_it(&store, &ada, used).await, "its counter has moved since it was read");
    let kept = store.factors(ada.id).await.unwrap().unwrap().passkeys;
    let expected = Passkey {
        name: "مفتاح".into(),
        credential: next,
        backed_up: true,
        last_used_at: Some(at(50)),
        ..first.clone()
    };
    assert_eq!(kept, [expected]);
    let remove = || FactorChange::RemovePasskey { id: first.id.clone() };
    assert_eq!(change(&store, &bob, remove()).await, Changed::Unknown);
    assert_eq!(change(&store, &ada, remove()).await, Changed::Done);
    assert_eq!(change(&store, &ada, remove()).await, Changed::Unknown);
}

pub(super) async fn the_last_way_in_stays_and_there_is_an_end_to_passkeys(store: Arc<dyn Store>) {
    let ada = user("ada@example.com");
    let new = |id| NewAccount {
        user: ada.clone(),
        hash: NO_PASSWORD.into(),
        passkey: Some(passkey(&ada, id)),
        invite: None,
        most: None,
    };
    assert_eq!(store.register(new(1), entry(Event::Registered, 0)).await, Ok(Registered::Done));
    let other = NewAccount { user: user("bob@example.com"), ..new(1) };
    assert_eq!(store.register(other, entry(Event::Registered, 0)).await, Ok(Registered::PasskeyTaken));
    assert!(store.credential("bob@example.com").await.unwrap().is_none(), "all or nothing");
    let remove = |id: u8| FactorChange::RemovePasskey { id: vec![id; 20] };
    assert_eq!(change(&store, &ada, remove(1)).await, Changed::LastOne);
    for id in 2..=u8::try_from(MOST_PASSKEYS).unwrap() {
        assert_eq!(change(&store, &ada, FactorChange::AddPasskey(passkey(&ada, id))).await, Changed::Done);
    }
    assert_eq!(change(&store, &ada, FactorChange::AddPasskey(passkey(&ada, 200))).await, Changed::Full);
    // Two at once must not take each other's exception for granted.
    for id in 3..=u8::try_from(MOST_PASSKEYS).unwrap() {
        assert_eq!(change(&store, &ada, remove(id)).await, Changed::Done);
    }
    let attempts = [1, 2].into_iter().map(|id| {
        let (store, ada) = (Arc::clone(&store), ada.clone());
        async move { change(&store, &ada, FactorChange::RemovePasskey { id: vec![id; 20] }).await }
    });
    let mut outcomes = crate::support::all(attempts).await;
    outcomes.sort_by_key(|changed| *changed == Changed::Done);
    assert_eq!(outcomes, [Changed::LastOne, Changed::Done]);
}

pub(super) async fn atk28_a_code_counts_once(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    assert!(!use_it(&store, &ada, FactorUse::Totp { step: 100 }).await, "there is none");
    assert_eq!(change(&store, &ada, totp(100)).await, Changed::Done);
    assert!(!use_it(&store, &ada, FactorUse::Totp { step: 100 }).await, "the one it was set up with");
    let hashes: Vec<[u8; 32]> = (0..10).map(|n| [n; 32]).collect();
    assert_eq!(change(&store, &ada, FactorChange::SetRecoveryCodes(hashes)).await, Changed::Done);
    for used in [FactorUse::Totp { step: 101 }, FactorUse::RecoveryCode { hash: [4; 32] }] {
        let attempts = (0..20).map(|_| {
            let (store, ada, used) = (Arc::clone(&store), ada.clone(), used.clone());
            async move { use_it(&store, &ada, used).await }
        });
        assert_eq!(crate::support::all(attempts).await.into_iter().filter(|counts| *counts).count(), 1, "{used:?}");
    }
    assert!(!use_it(&store, &ada, FactorUse::Totp { step: 99 }).await, "older");
    let bob = registered(&store, "bob@example.com").await;
    assert!(!use_it(&store, &bob, FactorUse::RecoveryCode { hash: [5; 32] }).await, "another's");
    assert_eq!(store.factors(ada.id).await.unwrap().unwrap().recovery_codes, 9);
    let others = FactorChange::SetRecoveryCodes(vec![[77; 32]]);
    assert_eq!(change(&store, &ada, others).await, Changed::Done);
    assert!(!use_it(&store, &ada, FactorUse::RecoveryCode { hash: [5; 32] }).await, "the old ones count no more");
    assert_eq!(change(&store, &ada, FactorChange::RemoveTotp).await, Changed::Done);
    let left = store.factors(ada.id).await.unwrap().unwrap();
    assert_eq!((left.totp, left.recovery_codes), (None, 0), "nothing is left to recover");
    assert_eq!(change(&store, &ada, FactorChange::RemoveTotp).await, Changed::Unknown);
}

pub(super) async fn nist_3_2_2_an_authenticator_app_locks_and_is_unlocked(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    change(&store, &ada, totp(1)).await;
    for n in 1..=FAILURES_THAT_LOCK {
        assert_eq!(store.note_wrong_code(ada.id, entry(Event::WrongCode, 2)).await, Ok(n));
    }
    assert!(!use_it(&store, &ada, FactorUse::Totp { step: 5 }).await, "locked");
    assert_eq!(store.unlock(ada.id, entry(Event::Unlocked, 3)).await, Ok(true));
    assert!(use_it(&store, &ada, FactorUse::Totp { step: 5 }).await);
    assert_eq!(store.factors(ada.id).await.unwrap().unwrap().totp.unwrap().failures, 0);
}

pub(super) async fn asvs_6_4_4_whoever_is_signing_in_sets_up_the_first_and_only_what_they_have_shown_still_counts(
    store: Arc<dyn Store>,
) {
    let change = async |user: &User, change: FactorChange, hash: &str, by_code: bool| {
        let by = Changer::SigningIn { proved_by: vec![ProvedBy::Password(hash.into())], by_code, at: at(20) };
        store.change_factors(user.id, change, by, entry(Event::PasskeyAdded, 20)).await.unwrap()
    };
    let [ada, bob, carol] = ["ada@example.com", "bob@example.com", "carol@example.com"];
    let (ada, bob, carol) =
        (registered(&store, ada).await, registered(&store, bob).await, registered(&store, carol).await);
    let key = |user: &User, id| FactorChange::AddPasskey(passkey(user, id));
    assert_eq!(change(&ada, key(&ada, 1), "hash", false).await, Changed::Done);
    assert_eq!(change(&ada, key(&ada, 2), "hash", false).await, Changed::Refused, "its owner was quicker");
    assert_eq!(change(&ada, totp(7), "hash", false).await, Changed::Refused);
    assert_eq!(change(&bob, totp(7), "hash", false).await, Changed::Done);
    assert_eq!(change(&bob, totp(8), "hash", true).await, Changed::Refused, "nothing is replaced");
    assert_eq!(change(&bob, key(&bob, 3), "hash", false).await, Changed::Refused, "a code would be asked for now");
    assert_eq!(change(&bob, key(&bob, 3), "hash", true).await, Changed::Done);
    for other in [FactorChange::RemoveTotp, FactorChange::SetRecoveryCodes(vec![[1; 32]]), FactorChange::Reset] {
        assert_eq!(change(&bob, other, "hash", true).await, Changed::Refused);
    }
    assert_eq!(change(&carol, key(&carol, 4), "another", false).await, Changed::Refused, "another password meanwhile");
    end(&store, Revocation::Ban { user: carol.id, reason: String::new(), until: None }).await;
    assert_eq!(change(&carol, key(&carol, 4), "hash", false).await, Changed::Refused, "banned meanwhile");
    assert_eq!(store.factors(carol.id).await.unwrap().unwrap().passkeys, []);
    let of_bob = store.factors(bob.id).await.unwrap().unwrap();
    assert_eq!((of_bob.passkeys.len(), of_bob.totp.unwrap().last_step), (1, 7));
}

pub(super) async fn nothing_is_changed_in_a_session_that_has_ended(store: Arc<dyn Store>) {
    let (ada, bob) = (registered(&store, "ada@example.com").await, registered(&store, "bob@example.com").await);
    let session = opened(&store, &ada).await;
    let change = async |user: &User, id: u8| {
        let add = FactorChange::AddPasskey(passkey(user, id));
        store.change_factors(user.id, add, Changer::SignedIn(session.sid), entry(Event::PasskeyAdded, 1)).await
    };
    assert_eq!(change(&ada, 1).await, Ok(Changed::Done));
    assert_eq!(change(&bob, 2).await, Ok(Changed::Refused), "somebody else's");
    end(&store, Revocation::Session { sid: session.sid, reason: EndReason::EndedByAdmin }).await;
    assert_eq!(change(&ada, 3).await, Ok(Changed::Refused));
}

pub(super) async fn a_reset_leaves_the_password_and_nothing_else(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    change(&store, &ada, totp(1)).await;
    change(&store, &ada, FactorChange::AddPasskey(passkey(&ada, 1))).await;
    change(&store, &ada, FactorChange::SetRecoveryCodes(vec![[1; 32]])).await;
    assert_eq!(change(&store, &ada, FactorChange::Reset).await, Changed::Done);
    let left = store.factors(ada.id).await.unwrap().unwrap();
    assert_eq!((left.passkeys, left.totp, left.recovery_codes), (Vec::new(), None, 0));
    assert_eq!(left.credential.hash, "hash");
    assert_eq!(change(&store, &user("nobody@example.com"), FactorChange::Reset).await, Changed::Unknown);
}

pub(super) async fn a_session_rests_on_a_passkey_only_as_long_as_there_is_one(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    let key = passkey(&ada, 1);
    change(&store, &ada, FactorChange::AddPasskey(key.clone())).await;
    let open = || {
        let proved_by = vec![ProvedBy::Passkey(key.id.clone())];
        store.open(NewSession { session: session(&ada), proved_by, limit: 10 }, entry(Event::SignedIn, 0))
    };
    assert!(matches!(open().await.unwrap(), Opened::Done { .. }));
    change(&store, &ada, FactorChange::RemovePasskey { id: key.id.clone() }).await;
    assert_eq!(open().await, Ok(Opened::Refused));
}

pub(super) async fn asvs_7_2_4_a_renewed_session_has_another_handle(store: Arc<dyn Store>) {
    let ada = registered(&store, "ada@example.com").await;
    let session = opened(&store, &ada).await;
    let to = Handle::from_bytes([8; 16]);
    let renewal = Renewal {
        sid: session.sid,
        from: session.handle,
        to,
        acr: Assurance::Aal2,
        amr: vec!["pwd".into(), "swk".into()],
        seen: Familiar { device: "Safari on iPad".into(), network: "192.0.2.0/24".into(), last_at: at(7) },
    };
    assert_eq!(store.renew_session(renewal.clone(), entry(Event::SteppedUp, 7)).await, Ok(true));
    assert_eq!(store.by_handle(session.handle).await, Ok(None));
    let (renewed, _) = store.by_handle(to).await.unwrap().unwrap();
    assert_eq!((renewed.acr, renewed.amr.join(" ").as_str()), (Assurance::Aal2, "pwd swk"));
    assert_eq!((renewed.device.as_str(), renewed.network.as_str()), ("Safari on iPad", "192.0.2.0/24"));
    assert_eq!(store.history(ada.id).await.unwrap().familiar[0].device, "Safari on iPad", "known from there");
    assert_eq!((renewed.auth_time, renewed.rotation.generation), (at(7), 0));
    assert_eq!(store.superseded(session.handle).await, Ok(Some((at(7), Some(session.sid)))));
    assert_eq!(store.renew_session(renewal, entry(Event::SteppedUp, 8)).await, Ok(false), "not twice from one handle");
}

#[tokio::test]
async fn ways_to_sign_in_move_with_everything_else() {
    let folder = tempfile::tempdir().unwrap();
    let from = SqliteStore::open(&folder.path().join("counterfoil.db"), Synchronous::Full).unwrap();
    let from = Arc::new(from);
    let store: Arc<dyn Store> = Arc::clone(&from) as Arc<dyn Store>;
    let ada = registered(&store, "ada@example.com").await;
    change(&store, &ada, totp(7)).await;
    for id in 1..=2 {
        change(&store, &ada, FactorChange::AddPasskey(passkey(&ada, id))).await;
    }
    change(&store, &ada, FactorChange::SetRecoveryCodes((0..10).map(|n| [n; 32]).collect())).await;
    let server = Postgres::start();
    let to = server.open().await;
    transfer(&from, &to, |_, _| ()).await.unwrap();
    let moved: Arc<dyn Store> = Arc::new(to);
    assert_eq!(moved.factors(ada.id).await, store.factors(ada.id).await);
    assert!(use_it(&moved, &ada, FactorUse::RecoveryCode { hash: [4; 32] }).await);
}
