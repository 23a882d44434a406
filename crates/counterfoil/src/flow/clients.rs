//! Services: their credentials, and how they prove themselves.

use super::access::{self, Ended, carried_through};
use super::administer::Administrator;
use super::guards::hash;
use crate::app::App;
use crate::clock::random;
use crate::store::{Client, ClientProof, StoreError};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use counterfoil_core::audit::Event;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::service::assertion;
use counterfoil_core::service::grant::Service;
use counterfoil_core::{ClientName, Secret, Sid};
use counterfoil_guard::{KeySet, base64url_encode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What every service's secret begins with.
pub const PREFIX: &str = "cfc_";

/// A row of the store that proves nothing.
const UNREADABLE: StoreError = StoreError::Corrupt { table: "client", column: "jwks" };

/// A service that can prove itself.
#[derive(Debug)]
pub struct KnownClient {
    /// The session on which its tokens hang.
    pub sid: Sid,
    proof: Proof,
}

#[derive(Debug)]
enum Proof {
    Secret([u8; 32]),
    Keys(KeySet),
}

/// The services of the store, with their keys read.
pub fn known(clients: Vec<Client>) -> Result<BTreeMap<ClientName, Arc<KnownClient>>, StoreError> {
    let read = |client: Client| {
        let known = KnownClient::of(&client).ok_or(UNREADABLE)?;
        Ok((client.name, Arc::new(known)))
    };
    clients.into_iter().map(read).collect()
}

impl KnownClient {
    fn of(client: &Client) -> Option<Self> {
        let proof = match &client.proof {
            ClientProof::Secret(hash) => Proof::Secret(*hash),
            ClientProof::Keys(jwks) => Proof::Keys(KeySet::from_jwks(jwks.as_bytes()).ok()?),
        };
        Some(Self { sid: client.sid, proof })
    }

    /// How it proves itself, as RFC 7591 calls it.
    pub const fn method(&self) -> &'static str {
        match self.proof {
            Proof::Secret(_) => "client_secret",
            Proof::Keys(_) => "private_key_jwt",
        }
    }
}

/// What came of an attempt to add a service.
#[derive(Debug)]
pub enum Added {
    /// Done. The secret, the only time it is seen; none for one with keys.
    Done(Option<Secret<String>>),
    /// The name is taken.
    NameTaken,
}

/// Adds a service: with these keys, or with a new secret, of which just the hash is kept.
pub async fn add(app: &App, by: &Administrator, name: ClientName, jwks: Option<String>) -> Result<Added, StoreError> {
    let (proof, secret) = proof(jwks);
    let entry = by.entry(app, Event::ClientAdded, None, name.as_str());
    let new = Client { name, sid: Sid::from_bytes(random()), proof, created_at: app.clock.now() };
    let (store, parties) = (Arc::clone(&app.store), Arc::clone(&app.parties));
    // What cannot be read must not be kept.
    KnownClient::of(&new).ok_or(UNREADABLE)?;
    let added = carried_through(async move {
        let added = store.add_client(new, entry).await?;
        if added {
            parties.reload(store.as_ref()).await?;
        }
        Ok(added)
    });
    Ok(if added.await? { Added::Done(secret) } else { Added::NameTaken })
}

/// Gives a service other keys, or a new secret; what it proved itself by before counts no more, and its tokens live on. `None` if
/// there is no such service.
pub async fn renew(
    app: &App,
    by: &Administrator,
    name: ClientName,
    jwks: Option<String>,
) -> Result<Option<Option<Secret<String>>>, StoreError> {
    let Some(sid) = app.parties.client(&name).map(|client| client.sid) else { return Ok(None) };
    let (proof, secret) = proof(jwks);
    let entry = by.entry(app, Event::ClientRenewed, None, name.as_str());
    let renewed = Client { name, sid, proof, created_at: app.clock.now() };
    let (store, parties) = (Arc::clone(&app.store), Arc::clone(&app.parties));
    KnownClient::of(&renewed).ok_or(UNREADABLE)?;
    let done = carried_through(async move {
        let done = store.renew_client(renewed.name, renewed.proof, entry).await?;
        if done {
            parties.reload(store.as_ref()).await?;
        }
        Ok(done)
    });
    Ok(done.await?.then_some(secret))
}

/// What a service is to prove itself by: these keys, or a secret, made here.
fn proof(jwks: Option<String>) -> (ClientProof, Option<Secret<String>>) {
    if let Some(jwks) = jwks {
        return (ClientProof::Keys(jwks), None);
    }
    let secret = Secret::new(format!("{PREFIX}{}", base64url_encode(&random::<32>())));
    (ClientProof::Secret(hash(secret.expose())), Some(secret))
}

/// Takes a service's credential back: it gets no further token, and those it has are revoked.
pub async fn remove(app: &App, by: &Administrator, name: ClientName) -> Result<Ended, StoreError> {
    let entry = by.entry(app, Event::ClientRemoved, None, name.as_str());
    access::end(app, Revocation::Client { name }, entry).await
}

/// The service of this name, if this is its secret.
pub fn by_secret(app: &App, name: &str, secret: &str) -> Option<Service> {
    let name: ClientName = name.parse().ok()?;
    let client = app.parties.client(&name)?;
    let Proof::Secret(kept) = &client.proof else { return None };
    if verify_slices_are_equal(kept, &hash(secret)).is_err() {
        tracing::warn!(client = %name, "a service came with a wrong secret");
        return None;
    }
    Some(Service { name, sid: client.sid })
}

/// The service that made this assertion, if it is good and nobody has used it yet (ATK-28). `claimed` is the `client_id` beside
/// it, where there is one.
pub async fn by_assertion(app: &App, assertion: &str, claimed: Option<&str>) -> Result<Option<Service>, StoreError> {
    let Some(name) = assertion::claimed_client(assertion) else { return Ok(None) };
    let Ok(known) = name.parse::<ClientName>() else { return Ok(None) };
    let Some(client) = app.parties.client(&known) else { return Ok(None) };
    let Proof::Keys(keys) = &client.proof else { return Ok(None) };
    if claimed.is_some_and(|claimed| claimed != name) {
        return Ok(None);
    }
    let endpoint = app.public.absolute("/oauth/token");
    let audiences = [app.public.issuer(), endpoint.as_str()];
    // Once: what is good now must be remembered as of now.
    let now = app.clock.now();
    let verified = assertion::verify(assertion, keys, &name, &audiences, now);
    let good = match verified {
        Ok(good) => good,
        Err(error) => {
            tracing::warn!(client = %known, %error, "a service could not prove itself");
            return Ok(None);
        }
    };
    let digest = once("client_assertion", &name, &good.jti);
    let unused = app.store.spend(digest, now, good.expires_at).await?;
    if !unused {
        tracing::warn!(client = %known, "a client assertion came a second time");
    }
    Ok(unused.then_some(Service { name: known, sid: client.sid }))
}

/// Whether the session is that of a service that can still prove itself.
pub fn lives(app: &App, name: &ClientName, sid: Sid) -> bool {
    app.parties.client(name).is_some_and(|client| client.sid == sid)
}

/// The digest under which something that counts once is remembered. The parts cannot run into one another.
pub(super) fn once(kind: &str, who: &str, jti: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [kind, who, jti] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}
