//! Minting access tokens: what goes in, how long they live, how large they may be (T2).

use crate::keys::signing::SigningKey;
use crate::session::Session;
use crate::user::User;
use counterfoil_guard::{Jti, Sid, Timestamp, UserId};
use serde::Serialize;
use std::time::Duration;

/// The hard cap on a token, whatever the configuration says.
pub const HARD_CAP: usize = counterfoil_guard::MAX_TOKEN_BYTES;

/// The claims an application may ask for beyond those every token has.
pub const OPTIONAL_CLAIMS: [&str; 1] = ["roles"];

/// Claims that describe a person. Asking for one stops the start: a token is read by whoever holds it.
pub const PERSONAL_CLAIMS: [&str; 12] = [
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "picture",
    "phone_number",
    "birthdate",
    "address",
    "locale",
];

/// How an application's access tokens are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintPolicy {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// How long a token lives, before jitter.
    pub lifetime: Duration,
    /// How many bytes a token may have.
    pub budget: usize,
    /// Whether `roles` goes in.
    pub with_roles: bool,
}

/// The token would be larger than its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access token would be {size} bytes; the budget is {budget}")]
pub struct OverBudget {
    /// How large it would be.
    pub size: usize,
    /// How large it may be.
    pub budget: usize,
}

/// A fresh access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// The compact JWS.
    pub token: String,
    /// Seconds it lives from `now`.
    pub expires_in: i64,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: UserId,
    aud: &'a str,
    client_id: &'a str,
    iat: i64,
    exp: i64,
    jti: Jti,
    sid: Sid,
    auth_time: i64,
    acr: &'a str,
    amr: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'a str>,
    #[serde(rename = "cv", skip_serializing_if = "is_zero")]
    claims_version: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Mints a token for a session. `now` is the time that was read before the row was; `jitter` is a random number that
/// takes up to 5 % off the life, so that clients do not come back in step.
pub fn mint(
    key: &SigningKey,
    policy: &MintPolicy,
    (session, user): (&Session, &User),
    now: Timestamp,
    (jti, jitter): (Jti, u16),
) -> Result<Minted, OverBudget> {
    let exp = expiry(policy.lifetime, session.expires_at, now, jitter);
    let roles = if policy.with_roles { user.roles.iter().map(crate::user::Role::as_str).collect() } else { Vec::new() };
    let payload = Payload {
        iss: &policy.issuer,
        sub: session.user,
        aud: &policy.audience,
        client_id: &session.application,
        iat: now.as_seconds(),
        exp,
        jti,
        sid: session.sid,
        auth_time: session.auth_time.as_seconds(),
        acr: session.acr.as_str(),
        amr: &session.amr,
        roles,
        claims_version: user.claims_version,
    };
    let payload = serde_json::to_vec(&payload).expect("strings and numbers always serialise");
    let token = key.sign(&payload);
    let budget = policy.budget.min(HARD_CAP);
    if token.len() > budget {
        return Err(OverBudget { size: token.len(), budget });
    }
    Ok(Minted { token, expires_in: Timestamp::from_seconds(exp).since(now).as_secs().cast_signed().max(1) })
}

/// At least the lifetime less jitter, rounded up to the whole seconds that `exp` has, so that no token is born too old; never
/// past what verifiers accept, nor past the session's end.
fn expiry(lifetime: Duration, session_end: Timestamp, now: Timestamp, jitter: u16) -> i64 {
    let shortened = lifetime.saturating_sub(lifetime.mul_f64(0.05 * f64::from(jitter) / f64::from(u16::MAX)));
    let by_lifetime = now.plus(shortened.max(Duration::from_secs(1)) + Duration::from_millis(999)).as_seconds();
    let longest = now.as_seconds() + counterfoil_guard::MAX_LIFETIME_SECONDS;
    by_lifetime.min(longest).min(session_end.as_seconds()).max(now.as_seconds() + 1)
}

#[cfg(test)]
mod tests {
    use super::expiry;
    use counterfoil_guard::Timestamp;
    use std::time::Duration;

    #[test]
    fn a_token_never_outlives_its_session_and_jitter_takes_at_most_a_twentieth() {
        let now = Timestamp::from_seconds(1000);
        let far = Timestamp::from_seconds(100_000);
        let five_minutes = Duration::from_mins(5);
        assert_eq!(expiry(five_minutes, far, now, 0), 1300);
        assert_eq!(expiry(five_minutes, far, now, u16::MAX), 1285);
        assert_eq!(expiry(five_minutes, Timestamp::from_seconds(1010), now, 0), 1010);
        assert_eq!(expiry(Duration::from_secs(1), far, now, u16::MAX), 1001);
        assert_eq!(expiry(Duration::from_mins(15), far, now, 0), 1900);
    }

    #[test]
    fn a_token_is_never_born_too_old() {
        let now = Timestamp::from_millis(1_000_990);
        let far = Timestamp::from_seconds(100_000);
        assert_eq!(expiry(Duration::from_secs(1), far, now, 0), 1002, "1001 would be ten milliseconds away");
        assert_eq!(expiry(Duration::from_mins(15), far, now, 0), 1900, "no longer than a verifier accepts");
    }
}
