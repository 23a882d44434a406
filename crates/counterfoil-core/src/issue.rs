//! Minting access tokens: what goes in, how long they live, how large they may be (T2).

use crate::keys::signing::SigningKey;
use crate::session::Session;
use crate::user::{Role, User};
use counterfoil_guard::dpop::Thumbprint;
use counterfoil_guard::{
    Actor, EncryptionKey, Jti, Sid, StatusReference, Subject, Timestamp, base64url_encode, rfc3339,
};
use serde::Serialize;
use std::collections::BTreeMap;
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

/// Claims about a person that may go into a token which only its audience can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateClaim {
    /// The account's address.
    Email,
    /// What the person is called.
    Name,
}

/// What an audience that has given a key may read, and the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confidential {
    /// What tokens are encrypted to.
    pub key: EncryptionKey,
    /// What goes into them because of it.
    pub claims: Vec<PrivateClaim>,
}

/// How a token is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A JWT: compact JWS, `typ: at+jwt` (RFC 9068).
    #[default]
    Jwt,
    /// PASETO v4.public, signed by a key for Ed25519.
    Paseto,
}

/// How access tokens for one audience are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintPolicy {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// How they are written.
    pub format: Format,
    /// How long a token lives, before jitter.
    pub lifetime: Duration,
    /// How many bytes a token may have.
    pub budget: usize,
    /// Whether `roles` goes in.
    pub with_roles: bool,
    /// Whether `status` goes in: the audience follows a status list.
    pub with_status: bool,
    /// Tokens are signed, then encrypted.
    pub confidential: Option<Confidential>,
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
    /// The token.
    pub token: String,
    /// Seconds it lives from `now`.
    pub expires_in: i64,
}

/// What a token is to say of whom it speaks for.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// The subject.
    pub sub: Subject,
    /// The application signed in to, or the service that asked for the token.
    pub client_id: &'a str,
    /// The session on which it hangs.
    pub sid: Sid,
    /// When and how the user proved themselves; nothing of a service.
    pub proof: Option<Proof<'a>>,
    /// How often the subject's roles have changed.
    pub claims_version: u32,
    /// What was granted.
    pub scope: Option<&'a str>,
    /// Who acts for the subject.
    pub act: Option<&'a Actor>,
    /// The token dies then at the latest.
    pub not_after: Timestamp,
    /// The key it is bound to.
    pub bound_to: Option<Thumbprint>,
    /// Where the token's status is to be found; said where the policy says so.
    pub status: Option<StatusReference>,
    /// Whose roles, and what else is theirs, go in where the policy says so.
    pub person: Option<&'a User>,
}

/// When and how a user proved themselves.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// When, in seconds.
    pub auth_time: i64,
    /// How strongly.
    pub acr: &'a str,
    /// By which methods.
    pub amr: &'a [String],
}

impl<'a> Statement<'a> {
    /// A user on a session of theirs.
    pub fn of_session(session: &'a Session, user: &'a User) -> Self {
        Self {
            sub: Subject::User(session.user),
            client_id: &session.application,
            sid: session.sid,
            proof: Some(Proof {
                auth_time: session.auth_time.as_seconds(),
                acr: session.acr.as_str(),
                amr: &session.amr,
            }),
            claims_version: user.claims_version,
            scope: None,
            act: None,
            not_after: session.expires_at,
            bound_to: session.binding.dpop(),
            status: None,
            person: Some(user),
        }
    }
}

/// A time as the format has it.
#[derive(Serialize)]
#[serde(untagged)]
enum Time {
    Seconds(i64),
    Text(String),
}

impl Time {
    /// A time beyond what the format can write is as far in the future as it can.
    fn new(seconds: i64, format: Format) -> Self {
        match format {
            Format::Jwt => Self::Seconds(seconds),
            Format::Paseto => Self::Text(rfc3339::format(seconds).unwrap_or_else(|| "9999-12-31T23:59:59Z".into())),
        }
    }
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a Subject,
    aud: &'a str,
    client_id: &'a str,
    iat: Time,
    exp: Time,
    jti: Jti,
    sid: Sid,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<&'a [String]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [Role],
    #[serde(rename = "cv", skip_serializing_if = "is_zero")]
    claims_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    private: BTreeMap<&'static str, &'a str>,
}

/// RFC 9449 section 6.1.
#[derive(Serialize)]
struct Confirmation {
    jkt: String,
}

/// The ways to find out about a token's status: one (TSL-6.2).
#[derive(Serialize)]
struct Status<'a> {
    status_list: &'a StatusReference,
}

/// What the policy lets its audience know of the person. In the clear, nothing.
fn private<'a>(policy: &MintPolicy, person: Option<&'a User>) -> BTreeMap<&'static str, &'a str> {
    let claim = |claim: &PrivateClaim| match claim {
        PrivateClaim::Email => Some(("email", person?.email.as_str())),
        PrivateClaim::Name => Some(("name", person?.name.as_deref()?)),
    };
    policy.confidential.iter().flat_map(|confidential| &confidential.claims).filter_map(claim).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Encrypts a signed token where the policy says so.
fn sealed(policy: &MintPolicy, token: String, fresh: &mut dyn FnMut() -> [u8; 32]) -> String {
    let Some(Confidential { key, .. }) = &policy.confidential else { return token };
    loop {
        let (ephemeral, random) = (fresh(), fresh());
        let nonce = *random.first_chunk().expect("32 bytes hold 12");
        // Not every number is a private key; the next one is.
        if let Some(encrypted) = key.encrypt(&token, &ephemeral, nonce) {
            return encrypted;
        }
    }
}

/// Mints a token. `fresh` makes random bytes, where they are needed for more than the name. `now` is the time that was read before the rows were; `jitter` is a random number that takes up to 5 % off the
/// life, so that clients do not come back in step.
pub fn mint(
    key: &SigningKey,
    policy: &MintPolicy,
    said: &Statement<'_>,
    now: Timestamp,
    (jti, jitter, fresh): (Jti, u16, &mut dyn FnMut() -> [u8; 32]),
) -> Result<Minted, OverBudget> {
    let exp = expiry(policy.lifetime, said.not_after, now, jitter);
    // While no key for Ed25519 signs yet (another algorithm was configured until now), a JWT it is: verifiers take both.
    let format = if key.algorithm().is_ed25519() { policy.format } else { Format::Jwt };
    let time = |seconds| Time::new(seconds, format);
    let payload = Payload {
        iss: &policy.issuer,
        sub: &said.sub,
        aud: &policy.audience,
        client_id: said.client_id,
        iat: time(now.as_seconds()),
        exp: time(exp),
        jti,
        sid: said.sid,
        auth_time: said.proof.map(|proof| time(proof.auth_time)),
        acr: said.proof.map(|proof| proof.acr),
        amr: said.proof.map(|proof| proof.amr),
        roles: said.person.filter(|_| policy.with_roles).map_or(&[], |person| &person.roles),
        claims_version: said.claims_version,
        scope: said.scope,
        act: said.act,
        cnf: said.bound_to.map(|key| Confirmation { jkt: base64url_encode(&key) }),
        status: said.status.as_ref().filter(|_| policy.with_status).map(|status_list| Status { status_list }),
        private: private(policy, said.person),
    };
    let payload = serde_json::to_vec(&payload).expect("strings and numbers always serialise");
    let token = match format {
        Format::Jwt => sealed(policy, key.sign(&payload), fresh),
        Format::Paseto => key.sign_paseto(&payload).expect("a key for Ed25519, as has just been seen"),
    };
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
