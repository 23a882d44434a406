//! T1: every check an access token must pass, in order, in one function.

use crate::base64url;
use crate::claims::{Claims, Dates, Kind};
use crate::encryption::{self, DecryptionKey};
use crate::id::Kid;
use crate::json::Strict;
use crate::jwks::KeySet;
use crate::jwt::{Header, MAX_TOKEN_BYTES, split_within};
use crate::paseto::{self, Message};
use crate::refusal::Refusal;
#[cfg(feature = "status-list")]
use crate::status_list::StatusList;
use crate::subject::Subjects;
use crate::time::Timestamp;
use std::borrow::Cow;

/// How far `nbf` and `iat` may lie in the future: clocks differ. `exp` gets no leeway, the authority's clock is carried
/// in its feed.
pub const LEEWAY_SECONDS: i64 = 30;

/// The longest life an access token may claim (`exp − iat`).
pub const MAX_LIFETIME_SECONDS: i64 = 15 * 60;

/// Verifies the access tokens of one issuer for one audience, or for the few that one server answers for.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    audiences: Vec<String>,
    subjects: Subjects,
    keys: KeySet,
    decryption: Vec<DecryptionKey>,
    opened_elsewhere: bool,
}

impl Verifier {
    /// For tokens of `issuer` (exact, RFC 9068 section 4), meant for `audience`, signed by one of the issuer's `keys`.
    pub fn new(issuer: &str, audience: &str, keys: KeySet) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audiences: vec![audience.to_owned()],
            subjects: Subjects::default(),
            keys,
            decryption: Vec::new(),
            opened_elsewhere: false,
        }
    }

    /// Accepts tokens for this audience too.
    #[must_use]
    pub fn also_for(mut self, audience: &str) -> Self {
        self.audiences.push(audience.to_owned());
        self
    }

    /// Believes tokens of these subjects; users' only unless told otherwise.
    #[must_use]
    pub const fn of(mut self, subjects: Subjects) -> Self {
        self.subjects = subjects;
        self
    }

    /// Opens tokens that are encrypted to this key, too. Those that are not encrypted still count: encryption hides, and proves nothing.
    #[must_use]
    pub fn opening_with(mut self, key: DecryptionKey) -> Self {
        self.decryption.push(key);
        self
    }

    /// Takes tokens too that somebody else has decrypted before they come here, with what is private in them: as the authority does
    /// when it is asked about one. No resource server should.
    #[must_use]
    pub const fn opened_elsewhere(mut self) -> Self {
        self.opened_elsewhere = true;
        self
    }

    /// The signed token: this one, or the one within it. Nothing of it is believed yet.
    pub fn opened<'a>(&self, token: &'a str) -> Result<Cow<'a, str>, Refusal> {
        let encrypted = !self.decryption.is_empty() && token.bytes().filter(|byte| *byte == b'.').count() == 4;
        if encrypted { encryption::decrypt(token, &self.decryption).map(Cow::Owned) } else { Ok(Cow::Borrowed(token)) }
    }

    /// Believes the token or refuses it. Says nothing about revocation: see [`crate::RevocationIndex::check`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
        let (claims, _) = self.verify_with_kid(token, now)?;
        claims.check_binding(token, None)?;
        Ok(claims)
    }

    /// As [`Verifier::verify`], and says which key had signed it. Whether whoever presents it may do so is left to
    /// [`Claims::check_binding`].
    pub fn verify_with_kid(&self, token: &str, now: Timestamp) -> Result<(Claims, Kid), Refusal> {
        let (claims, kid) = self.verify_signed(token)?;
        check_times(&claims, now)?;
        Ok((claims, kid))
    }

    /// Takes a new key set in.
    pub fn set_keys(&mut self, keys: KeySet) {
        self.keys = keys;
    }

    /// As [`Verifier::verify`], but an expired token still counts: to sign out, it is enough to have been ours.
    /// With the name of the key that signed it.
    pub fn verify_even_if_expired(&self, token: &str, now: Timestamp) -> Result<(Claims, Kid), Refusal> {
        let (claims, kid) = self.verify_signed(token)?;
        match check_times(&claims, now) {
            Ok(()) | Err(Refusal::Expired) => Ok((claims, kid)),
            Err(refusal) => Err(refusal),
        }
    }

    /// All that does not depend on the time: signature, issuer, audience, subject. What the token is, its beginning says, and either
    /// kind is verified whole and in its own way.
    fn verify_signed(&self, token: &str) -> Result<(Claims, Kid), Refusal> {
        let opened = self.opened(token)?;
        let encrypted = matches!(opened, Cow::Owned(_));
        // What is encrypted is a JWT within (`cty`), and nothing else.
        let (claims, kid) = if opened.starts_with(paseto::HEADER) && !encrypted {
            self.read_paseto(&opened)?
        } else {
            self.read_jwt(&opened, encrypted || self.opened_elsewhere)?
        };
        if claims.iss != self.issuer {
            return Err(Refusal::WrongIssuer);
        }
        if !self.audiences.contains(&claims.aud) {
            return Err(Refusal::WrongAudience);
        }
        if !self.subjects.allow(&claims.sub) {
            return Err(Refusal::WrongSubject);
        }
        Ok((claims, kid))
    }

    /// Believes a status list that was fetched from `uri`, or refuses it (TSL-8.3a). Whether that is a place to fetch one from,
    /// [`crate::StatusLists::check`] says.
    #[cfg(feature = "status-list")]
    pub fn verify_status_list(&self, token: &str, uri: &str, now: Timestamp) -> Result<StatusList, Refusal> {
        StatusList::read(self, token, uri, now)
    }

    /// PASETO v4.public: shape, key, signature, claims.
    fn read_paseto(&self, token: &str) -> Result<(Claims, Kid), Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLarge);
        }
        let message = Message::split(token)?;
        let id = message.key_id()?;
        let (kid, key) = self.keys.get_by_paserk(&id).ok_or(Refusal::UnknownKey)?;
        if !message.verifies(key, b"") {
            return Err(Refusal::BadSignature);
        }
        let claims = read_claims(&message.message, Kind { dates: Dates::Text, private: false })?;
        Ok((claims, kid.clone()))
    }

    /// JWT: shape, header, key, algorithm, signature, claims.
    fn read_jwt(&self, token: &str, private: bool) -> Result<(Claims, Kid), Refusal> {
        let (payload, kid) = self.read_signed(token, MAX_TOKEN_BYTES, Header::is_access_token)?;
        Ok((read_claims(&payload, Kind { dates: Dates::Numeric, private })?, kid))
    }

    /// The payload of a JWT of this type and at most this long, and the name of the key that signed it.
    pub(crate) fn read_signed(
        &self,
        token: &str,
        most: usize,
        is_of_type: impl Fn(&Header) -> bool,
    ) -> Result<(Vec<u8>, Kid), Refusal> {
        let [header_part, payload_part, signature_part] = split_within(token, most)?;
        let header = Header::decode(header_part)?;
        if !is_of_type(&header) {
            return Err(Refusal::WrongType);
        }
        let key = self.keys.get(&header.kid).ok_or(Refusal::UnknownKey)?;
        if header.alg != key.algorithm().name() {
            return Err(Refusal::WrongAlgorithm);
        }
        let signature = base64url::decode(signature_part).ok_or(Refusal::Malformed)?;
        let signed = &token[..header_part.len() + 1 + payload_part.len()];
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(Refusal::BadSignature);
        }
        // Only now is the payload worth reading (JWS-5.2, ASVS-9.1.1).
        let payload = base64url::decode(payload_part).ok_or(Refusal::Malformed)?;
        Ok((payload, header.kid))
    }

    /// Whose tokens and lists these are.
    #[cfg(feature = "status-list")]
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// The checks that a cached token must pass again on every use.
pub fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    let now = now.as_seconds();
    if claims.iat < 0 || claims.exp <= claims.iat {
        return Err(Refusal::BadClaim);
    }
    if claims.exp - claims.iat > MAX_LIFETIME_SECONDS {
        return Err(Refusal::LivesTooLong);
    }
    let latest_start = now.saturating_add(LEEWAY_SECONDS);
    if claims.iat > latest_start || claims.nbf.is_some_and(|nbf| nbf > latest_start) {
        return Err(Refusal::NotYetValid);
    }
    if now >= claims.exp {
        return Err(Refusal::Expired);
    }
    Ok(())
}

fn read_claims(payload: &[u8], kind: Kind) -> Result<Claims, Refusal> {
    Claims::read(payload, kind).map_err(|_| {
        // Told apart for the log only; both are `token_invalid` outside.
        if serde_json::from_slice::<Strict>(payload).is_ok() { Refusal::BadClaim } else { Refusal::Malformed }
    })
}
