//! The contract of what the keyring needs of a store.

use super::{at, entry};
use counterfoil::store::{SealedSecret, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::keys::ring::{KeyState, KeyStep, StoredKey};
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use counterfoil_guard::{Algorithm, Target};
use std::sync::Arc;

fn key(kid: &str, state: KeyState) -> StoredKey {
    StoredKey {
        kid: kid.parse().unwrap(),
        algorithm: Algorithm::EdDsa,
        state,
        created_at: at(0),
        since: at(0),
        public: vec![1; 32],
        sealed: vec![2; 60],
    }
}

fn secret(sealed: u8) -> SealedSecret {
    SealedSecret { purpose: "pepper".into(), id: "1".into(), sealed: vec![sealed; 60] }
}

fn step(kid: &str, from: KeyState, to: KeyState) -> KeyStep {
    KeyStep::Move { kid: kid.parse().unwrap(), from, to, at: at(9) }
}

async fn with_two(store: &Arc<dyn Store>) {
    let keys = vec![key("a", KeyState::Active), key("b", KeyState::Next)];
    assert_eq!(store.initialise(keys, vec![secret(3)]).await, Ok(true));
}

pub(super) async fn keys_are_initialised_once(store: Arc<dyn Store>) {
    with_two(&store).await;
    assert_eq!(store.initialise(vec![key("c", KeyState::Active)], vec![secret(3)]).await, Ok(false));
    assert_eq!(store.signing_keys().await.unwrap(), [key("a", KeyState::Active), key("b", KeyState::Next)]);
    assert_eq!(store.secrets().await.unwrap(), [secret(3)]);
}

pub(super) async fn the_ring_changes_as_a_whole_or_not_at_all(store: Arc<dyn Store>) {
    with_two(&store).await;
    let rotation = || {
        let away = step("a", KeyState::Active, KeyState::Retiring);
        vec![away, step("b", KeyState::Next, KeyState::Active), KeyStep::Add(key("c", KeyState::Next))]
    };
    let audits = || vec![entry(Event::KeyActivated, 9)];
    let ring = store.signing_keys().await.unwrap();
    assert_eq!(store.change_keys(ring.clone(), rotation(), audits()).await, Ok(true));
    assert_eq!(store.change_keys(ring, rotation(), audits()).await, Ok(false), "another process was faster");
    let keys = store.signing_keys().await.unwrap();
    let states: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.state, key.since)).collect();
    let expected = [("a", KeyState::Retiring, at(9)), ("b", KeyState::Active, at(9)), ("c", KeyState::Next, at(0))];
    assert_eq!(states, expected);
    let sealed: Vec<_> = keys.iter().map(|key| key.sealed.len()).collect();
    assert_eq!(sealed, [0, 60, 60], "S6: a private half that will never sign again is not kept");
    assert_eq!(store.newest().await, Ok(1), "what was not done is not written down");
}

pub(super) async fn k2_a_revoked_key_has_its_entry_in_the_same_transaction(store: Arc<dyn Store>) {
    with_two(&store).await;
    let ring = store.signing_keys().await.unwrap();
    let order = |kid: &str, from| {
        let steps = vec![step(kid, from, KeyState::Revoked)];
        let what = Revocation::Keys { ring: ring.clone(), steps, audits: Vec::new() };
        RevocationOrder { what, at: at(9), audit: entry(Event::KeyRevoked, 9) }
    };
    let revoked = store.revoke(order("a", KeyState::Active)).await.unwrap();
    let targets: Vec<_> = revoked.entries.iter().map(|entry| entry.what.clone()).collect();
    assert_eq!((revoked.found, targets), (true, vec![Target::Key("a".parse().unwrap())]));
    assert_eq!(
        store.revoke(order("a", KeyState::Active)).await,
        Ok(Revoked { head: 1, ..Revoked::default() }),
        "not where it was"
    );
    let years_later = store.log(at(1_000_000_000)).await.unwrap();
    assert_eq!(years_later.in_force.len(), 1, "an entry for a key never leaves");
    assert_eq!(store.newest().await, Ok(1));
}

pub(super) async fn secrets_are_sealed_anew_only_from_what_was_read(store: Arc<dyn Store>) {
    with_two(&store).await;
    let read = (store.signing_keys().await.unwrap(), store.secrets().await.unwrap());
    let mut new = read.clone();
    new.0[0].sealed = vec![8; 60];
    new.1[0] = secret(9);
    assert_eq!(
        store.change_keys(read.0.clone(), vec![KeyStep::Add(key("c", KeyState::Next))], Vec::new()).await,
        Ok(true)
    );
    let reseal = |old| store.reseal(old, new.clone(), entry(Event::MasterKeyChanged, 1));
    assert_eq!(reseal(read).await, Ok(false), "a key has come that would stay under the old one");
    let now = (store.signing_keys().await.unwrap(), store.secrets().await.unwrap());
    assert_eq!(reseal(now).await, Ok(true));
    assert_eq!(store.signing_keys().await.unwrap()[0].sealed, [8; 60]);
    assert_eq!(store.secrets().await.unwrap(), [secret(9)]);
}
