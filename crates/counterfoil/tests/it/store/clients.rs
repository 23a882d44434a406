//! The contract of what services need of a store.

use super::{at, entry};
use counterfoil::store::{Client, ClientProof, Store};
use counterfoil_core::audit::Event;
use counterfoil_core::revocation::{Revocation, RevocationOrder};
use counterfoil_core::{Jti, Sid};
use counterfoil_guard::Target;
use std::sync::Arc;

fn client(name: &str, sid: u8, proof: ClientProof) -> Client {
    Client { name: name.parse().unwrap(), sid: Sid::from_bytes([sid; 16]), proof, created_at: at(1) }
}

pub(super) async fn a_service_is_added_renewed_and_removed_with_its_session(store: Arc<dyn Store>) {
    let (secret, keys) = (ClientProof::Secret([1; 32]), ClientProof::Keys("{}".into()));
    let first = client("reports", 1, secret);
    assert_eq!(store.add_client(first.clone(), entry(Event::ClientAdded, 1)).await, Ok(true));
    let other = client("reports", 2, keys.clone());
    assert_eq!(store.add_client(other, entry(Event::ClientAdded, 1)).await, Ok(false), "the name is taken");
    assert_eq!(store.clients().await.unwrap(), std::slice::from_ref(&first));
    let renew = |name: &str| store.renew_client(name.parse().unwrap(), keys.clone(), entry(Event::ClientRenewed, 2));
    assert_eq!(renew("reports").await, Ok(true));
    assert_eq!(renew("nobody").await, Ok(false));
    assert_eq!(store.clients().await.unwrap(), [Client { proof: keys.clone(), ..first.clone() }], "the session stays");
    // One of its tokens, while it is there; then all of them with it.
    let order = |what: Revocation| RevocationOrder { what, at: at(3), audit: entry(Event::ClientRemoved, 3) };
    let jti = Jti::from_bytes([9; 16]);
    let one = store.revoke(order(Revocation::Token { sid: first.sid, jti })).await.unwrap();
    assert_eq!(one.entries.first().map(|entry| &entry.what), Some(&Target::Token(jti)));
    let removal = || order(Revocation::Client { name: first.name.clone() });
    let gone = store.revoke(removal()).await.unwrap();
    assert_eq!(gone.entries.first().map(|entry| &entry.what), Some(&Target::Session(first.sid)));
    let again = store.revoke(removal()).await.unwrap();
    assert!(!again.found && again.entries.is_empty());
    assert_eq!(store.clients().await.unwrap(), []);
    assert!(!store.revoke(order(Revocation::Token { sid: first.sid, jti })).await.unwrap().found);
}

pub(super) async fn atk28_what_counts_once_counts_once_and_is_forgotten_in_time(store: Arc<dyn Store>) {
    let all = futures_util::future::join_all((0..16).map(|_| store.spend([1; 32], at(0), at(10)))).await;
    assert_eq!(all.iter().filter(|unused| **unused == Ok(true)).count(), 1);
    assert_eq!(store.spend([1; 32], at(10), at(20)).await, Ok(true), "over, and gone");
    assert_eq!(store.spend([1; 32], at(11), at(20)).await, Ok(false));
    assert_eq!(store.spend([2; 32], at(11), at(20)).await, Ok(true));
    assert_eq!(store.spend([1; 32], at(19), at(30)).await, Ok(false), "others made no room before its time");
    for (n, until) in [(3, 21), (4, 22), (5, 23)] {
        assert_eq!(store.spend([n; 32], at(19), at(until)).await, Ok(true));
    }
    assert_eq!(store.spend([5; 32], at(40), at(50)).await, Ok(true), "over, though older ones are swept first");
}
