//! `GET /api/auth/me`: who am I, and which session is this? The hottest question there is.

use super::authenticate::{AuthenticateError, use_up, verify_presented};
use crate::app::{App, ME_IS_FRESH_FOR};
use bytes::Bytes;
use counterfoil_core::session::Session;
use counterfoil_core::user::User;
use counterfoil_guard::Refusal;
use counterfoil_guard::dpop::Proof;

/// Answers an access token with what `render` makes of its session and user. When the token was verified before and the
/// answer is younger than [`ME_IS_FRESH_FOR`], the store is not asked again; revocation is checked every time.
pub async fn me(
    app: &App,
    (access_token, proof): (&str, Option<&Proof>),
    render: impl Fn(&Session, &User) -> Bytes,
) -> Result<Bytes, AuthenticateError> {
    let now = app.clock.now();
    let verified = verify_presented(app, access_token, proof, now)?;
    if let Some(proof) = proof {
        use_up(app, proof).await?;
    }
    if let Some((at, body)) = &*verified.me.lock()
        && now.since(*at) < ME_IS_FRESH_FOR
    {
        return Ok(body.clone());
    }
    let (session, user) = app.store.by_sid(verified.claims.sid).await?.ok_or(Refusal::Revoked)?;
    if session.end_reason(now).is_some() {
        return Err(Refusal::Revoked.into());
    }
    let body = render(&session, &user);
    *verified.me.lock() = Some((now, body.clone()));
    Ok(body)
}
