//! Making the tokens that a delivery profile hands out.

use super::status;
use crate::app::App;
use crate::clock::random;
use crate::store::StoreError;
use counterfoil_core::issue::{MintPolicy, Minted, OverBudget, Statement, mint};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::token::Nonce;
use counterfoil_core::session::Session;
use counterfoil_core::user::User;
use counterfoil_core::{Jti, Secret, Timestamp};
use counterfoil_guard::Algorithm;
use std::time::Duration;

/// What is handed out, and how. The transport (cookie or body) follows from the profile.
#[derive(Debug)]
pub struct Delivery {
    /// The session's profile.
    pub profile: Profile,
    /// The access token; none in the `opaque` profile.
    pub access: Option<Minted>,
    /// A new refresh token, if one is handed out.
    pub refresh: Option<Secret<String>>,
    /// The session token of the `opaque` profile, when it is new.
    pub session: Option<Secret<String>>,
    /// Seconds the access token lives (`opaque`: the idle time).
    pub expires_in: i64,
    /// Whether the access token is bound to a key.
    pub bound: bool,
    /// How long the long-lived cookie may live; `None`: until the browser closes.
    pub cookie_life: Option<Duration>,
}

/// Which long-lived token goes out beside the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongLived {
    /// A new one of the session's current generation (or the session token).
    New,
    /// None: the client keeps what it has.
    Unchanged,
}

/// Why nothing was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// The access token does not fit.
    #[error(transparent)]
    TooLarge(#[from] OverBudget),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the tokens. `now` is the time that was read before the session's row was.
pub async fn deliver(
    app: &App,
    session: &Session,
    user: &User,
    now: Timestamp,
    long_lived: LongLived,
) -> Result<Delivery, DeliverError> {
    let new = long_lived == LongLived::New;
    let tokens = &app.tokens;
    let cookie_life = session.persistent.then(|| {
        let end = if session.profile.has_refresh_token() { session.ends_unused_at() } else { session.expires_at };
        end.since(now)
    });
    if !session.profile.has_refresh_token() {
        let token = new.then(|| tokens.session_token(session.handle));
        let expires_in = i64::try_from(session.ends_unused_at().since(now).as_secs()).unwrap_or(i64::MAX);
        let profile = session.profile;
        return Ok(Delivery {
            bound: false,
            profile,
            access: None,
            refresh: None,
            session: token,
            expires_in,
            cookie_life,
        });
    }
    let access = mint_access(app, session, user, now).await?;
    let nonce = Nonce::from_bytes(random());
    Ok(Delivery {
        profile: session.profile,
        bound: session.binding.dpop().is_some(),
        expires_in: access.expires_in,
        access: Some(access),
        refresh: new.then(|| tokens.refresh_token(session.handle, session.rotation.generation, nonce)),
        session: None,
        cookie_life,
    })
}

async fn mint_access(app: &App, session: &Session, user: &User, now: Timestamp) -> Result<Minted, DeliverError> {
    // An application that has left the configuration is refused before it comes to this.
    let application = app.applications.get(&session.application).ok_or(OverBudget { size: 0, budget: 0 })?;
    let status = status::place(app, &application.mint, (session.sid, user.claims_version)).await?;
    let said = Statement { status, ..Statement::of_session(session, user) };
    Ok(mint_as(app, (&application.mint, application.algorithm), &said, now).inspect_err(|error| {
        tracing::error!(%error, application = session.application, "an access token does not fit; raise `token_budget` or hold fewer roles");
    })?)
}

/// Mints under any policy. `now` is the time that was read before the rows were.
pub(super) fn mint_as(
    app: &App,
    (policy, algorithm): (&MintPolicy, Algorithm),
    said: &Statement<'_>,
    now: Timestamp,
) -> Result<Minted, OverBudget> {
    let name: [u8; 18] = random();
    let (jti, jitter) = name.split_at(16);
    let jti = Jti::from_bytes(jti.try_into().expect("split at 16"));
    let jitter = u16::from_be_bytes(jitter.try_into().expect("two are left"));
    mint(app.keyring().signing(algorithm), policy, said, now, (jti, jitter, &mut random::<32>))
}
