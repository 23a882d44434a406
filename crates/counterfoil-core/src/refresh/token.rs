//! Opaque tokens: `cfr_…` (refresh) and `cfs_…` (session).
//!
//! `cfr_` + base64url(key version ‖ handle\[16\] ‖ generation\[u32\] ‖ nonce\[8\] ‖ mac\[32\]), and
//! `cfs_` + base64url(key version ‖ handle\[16\] ‖ mac\[32\]); the MAC is HMAC-SHA256 over a label and all before it.
//!
//! Because the generation stands in the token under a MAC, every past generation is recognised without being stored,
//! and a forgery is told from an old token before the store is touched (S5). Because the key is sealed under a master
//! key that is not in the database, a dump of it mints nothing (S6).

use crate::secret::Secret;
use crate::session::Handle;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use counterfoil_guard::{Timestamp, base64url_decode};
use std::fmt;
use std::time::Duration;

const REFRESH_PREFIX: &str = "cfr_";
/// What every session token begins with.
pub const SESSION_PREFIX: &str = "cfs_";
const REFRESH_LABEL: &[u8] = b"refresh";
const SESSION_LABEL: &[u8] = b"session";
const NONCE_LABEL: &[u8] = b"dpop-nonce";
/// Where it is remembered which proofs have been used. A proof says by its nonce where: so all replicas look in the same place,
/// whatever each of them can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptIn {
    /// In the store.
    Store,
    /// In the Redis that replicas share: in that very process of it.
    Redis(RedisProcess),
}

/// Which process of Redis: one of sixty-five thousand. Replicas may know two by one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisProcess(pub u16);

impl KeptIn {
    /// The three highest bytes of a time in seconds are free for the next thirty thousand years.
    const TIME: i64 = (1 << 40) - 1;
    const IN_REDIS: i64 = 1 << 56;

    const fn bits(self) -> i64 {
        match self {
            Self::Store => 0,
            Self::Redis(RedisProcess(process)) => Self::IN_REDIS | ((process as i64) << 40),
        }
    }

    const fn of_bits(bits: i64) -> Self {
        if bits & Self::IN_REDIS == 0 {
            return Self::Store;
        }
        let [_, high, low, ..] = bits.to_be_bytes();
        Self::Redis(RedisProcess(u16::from_be_bytes([high, low])))
    }
}

/// A nonce lives for minutes, and guessing one gains an attacker no more than an older proof.
const NONCE_MAC: usize = 16;
const VERSION: usize = 2;
const HANDLE: usize = 16;
const MAC: usize = 32;
const REFRESH_BODY: usize = VERSION + HANDLE + 4 + 8;
const SESSION_BODY: usize = VERSION + HANDLE;

/// Eight random bytes that tell siblings (tokens of one generation) apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; 8]);

impl Nonce {
    /// From 8 random bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

/// The token is not one of ours: wrong prefix, length, alphabet, key version or MAC. Deliberately says no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

/// One version of the key under which opaque tokens are made.
pub struct TokenKey {
    version: u16,
    key: hmac::Key,
}

impl TokenKey {
    /// From 32 random bytes.
    pub fn new(version: u16, secret: &Secret<[u8; 32]>) -> Self {
        Self { version, key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose()) }
    }

    /// Its version.
    pub const fn version(&self) -> u16 {
        self.version
    }

    pub(crate) fn mac(&self, label: &[u8], body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(label);
        context.update(body);
        context.sign()
    }

    pub(crate) fn verifies(&self, label: &[u8], body: &[u8], mac: &[u8]) -> bool {
        let expected = self.mac(label, body);
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), mac).is_ok()
    }

    fn seal(&self, prefix: &str, label: &[u8], body: &[u8]) -> Secret<String> {
        let mac = self.mac(label, body);
        let mut bytes = Vec::with_capacity(body.len() + MAC);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(mac.as_ref());
        let mut text = String::with_capacity(prefix.len() + bytes.len().div_ceil(3) * 4);
        text.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
        Secret::new(text)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey(version {})", self.version)
    }
}

/// All key versions whose tokens may still be alive; the last one makes new tokens.
#[derive(Debug)]
pub struct TokenKeys(Vec<TokenKey>);

impl TokenKeys {
    /// From the versions in the store; `None` when there are none.
    pub fn new(mut keys: Vec<TokenKey>) -> Option<Self> {
        keys.sort_by_key(TokenKey::version);
        (!keys.is_empty()).then_some(Self(keys))
    }

    pub(crate) fn current(&self) -> &TokenKey {
        self.0.last().expect("never built empty")
    }

    pub(crate) fn version(&self, version: u16) -> Option<&TokenKey> {
        self.0.iter().find(|key| key.version == version)
    }

    /// Makes a refresh token.
    pub fn refresh_token(&self, handle: Handle, generation: u32, nonce: Nonce) -> Secret<String> {
        let key = self.current();
        let mut body = [0; REFRESH_BODY];
        body[..2].copy_from_slice(&key.version.to_be_bytes());
        body[2..18].copy_from_slice(handle.as_bytes());
        body[18..22].copy_from_slice(&generation.to_be_bytes());
        body[22..].copy_from_slice(nonce.as_bytes());
        key.seal(REFRESH_PREFIX, REFRESH_LABEL, &body)
    }

    /// A nonce that clients put into their proofs (RFC 9449 section 8): the time, and a MAC over it. It needs no memory, and any
    /// replica knows it again.
    pub fn dpop_nonce(&self, role: &str, now: Timestamp, kept_in: KeptIn) -> String {
        let key = self.current();
        let mut body = key.version.to_be_bytes().to_vec();
        body.extend_from_slice(&((now.as_seconds() & KeptIn::TIME) | kept_in.bits()).to_be_bytes());
        let mac = key.mac(NONCE_LABEL, &[body.as_slice(), role.as_bytes()].concat());
        body.extend_from_slice(&mac.as_ref()[..NONCE_MAC]);
        URL_SAFE_NO_PAD.encode(&body)
    }

    /// When such a nonce of this role was made, and where proofs that hold it are remembered; `None` if it is not one, or was not
    /// made within `life`.
    pub fn read_dpop_nonce(
        &self,
        text: &str,
        role: &str,
        now: Timestamp,
        life: Duration,
    ) -> Option<(Timestamp, KeptIn)> {
        let bytes = base64url_decode(text)?;
        let (body, mac) = bytes.split_at_checked(VERSION + 8)?;
        let version = <[u8; 2]>::try_from(&body[..VERSION]).ok()?;
        let (made, kept_in) = Self::kept_in(text)?;
        let key = self.version(u16::from_be_bytes(version))?;
        let expected = key.mac(NONCE_LABEL, &[body, role.as_bytes()].concat());
        let ours = aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..NONCE_MAC], mac).is_ok();
        // Made a moment ahead by a replica's clock is as good.
        let timely = made <= now.plus(Duration::from_secs(5)) && now <= made.plus(life);
        (ours && timely).then_some((made, kept_in))
    }

    /// The same of a nonce that has been looked at before.
    pub fn kept_in(nonce: &str) -> Option<(Timestamp, KeptIn)> {
        let said = base64url_decode(nonce)?;
        let said = i64::from_be_bytes(said.get(VERSION..VERSION + 8)?.try_into().ok()?);
        Some((Timestamp::from_seconds(said & KeptIn::TIME), KeptIn::of_bits(said)))
    }

    /// Makes a session token.
    pub fn session_token(&self, handle: Handle) -> Secret<String> {
        let key = self.current();
        let mut body = [0; SESSION_BODY];
        body[..2].copy_from_slice(&key.version.to_be_bytes());
        body[2..].copy_from_slice(handle.as_bytes());
        key.seal(SESSION_PREFIX, SESSION_LABEL, &body)
    }

    /// Reads a refresh token. The MAC is checked here, so a forgery never reaches the store.
    pub fn parse_refresh(&self, text: &str) -> Result<Presented, NotOurs> {
        let body: [u8; REFRESH_BODY] = self.open(text, REFRESH_PREFIX, REFRESH_LABEL)?;
        let (_, rest) = body.split_at(VERSION);
        let (handle, rest) = rest.split_at(HANDLE);
        let (generation, nonce) = rest.split_at(4);
        Ok(Presented {
            handle: Handle::from_bytes(handle.try_into().map_err(|_| NotOurs)?),
            generation: u32::from_be_bytes(generation.try_into().map_err(|_| NotOurs)?),
            nonce: Nonce(nonce.try_into().map_err(|_| NotOurs)?),
        })
    }

    /// Reads a session token.
    pub fn parse_session(&self, text: &str) -> Result<Handle, NotOurs> {
        let body: [u8; SESSION_BODY] = self.open(text, SESSION_PREFIX, SESSION_LABEL)?;
        body[VERSION..].try_into().map(Handle::from_bytes).map_err(|_| NotOurs)
    }

    fn open<const N: usize>(&self, text: &str, prefix: &str, label: &[u8]) -> Result<[u8; N], NotOurs> {
        let encoded = text.strip_prefix(prefix).ok_or(NotOurs)?;
        if encoded.len() != ((N + MAC) * 4).div_ceil(3) {
            return Err(NotOurs);
        }
        let bytes = base64url_decode(encoded).ok_or(NotOurs)?;
        let (body, mac) = bytes.split_at_checked(N).ok_or(NotOurs)?;
        let version = u16::from_be_bytes([body[0], body[1]]);
        let key = self.version(version).ok_or(NotOurs)?;
        if !key.verifies(label, body, mac) {
            return Err(NotOurs);
        }
        body.try_into().map_err(|_| NotOurs)
    }
}

/// What a refresh token says once its MAC has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Presented {
    /// Which session.
    pub handle: Handle,
    /// Which generation of its refresh token.
    pub generation: u32,
    /// Which sibling of that generation.
    pub nonce: Nonce,
}

#[cfg(test)]
mod tests {
    use super::{Handle, Nonce, NotOurs, Presented, TokenKey, TokenKeys};
    use crate::secret::Secret;
    use proptest::prelude::*;

    fn keys() -> TokenKeys {
        let version = |version: u16, byte| TokenKey::new(version, &Secret::new([byte; 32]));
        TokenKeys::new(vec![version(7, 1), version(8, 2)]).expect("two keys")
    }

    #[test]
    fn the_two_kinds_are_never_confused() {
        let keys = keys();
        let handle = Handle::from_bytes([9; 16]);
        let refresh = keys.refresh_token(handle, 0, Nonce::from_bytes([0; 8]));
        let session = keys.session_token(handle);
        assert_eq!(refresh.expose().len(), 4 + 83);
        assert_eq!(keys.parse_session(refresh.expose()), Err(NotOurs));
        assert_eq!(keys.parse_refresh(session.expose()), Err(NotOurs));
        assert_eq!(keys.parse_session(session.expose()), Ok(handle));
    }

    #[test]
    fn a_key_version_that_is_gone_makes_its_tokens_invalid() {
        let token = keys().refresh_token(Handle::from_bytes([9; 16]), 3, Nonce::from_bytes([1; 8]));
        let without = TokenKeys::new(vec![TokenKey::new(7, &Secret::new([1; 32]))]).expect("one key");
        assert_eq!(without.parse_refresh(token.expose()), Err(NotOurs));
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_back(handle: [u8; 16], generation: u32, nonce: [u8; 8]) {
            let keys = keys();
            let (handle, nonce) = (Handle::from_bytes(handle), Nonce::from_bytes(nonce));
            let token = keys.refresh_token(handle, generation, nonce);
            prop_assert_eq!(keys.parse_refresh(token.expose()), Ok(Presented { handle, generation, nonce }));
        }

        #[test]
        fn s5_any_changed_character_makes_it_not_ours(position in 0usize..87, replacement in "[A-Za-z0-9_-]") {
            let keys = keys();
            let token = keys.refresh_token(Handle::from_bytes([3; 16]), 5, Nonce::from_bytes([4; 8]));
            let mut garbled = token.expose().clone();
            garbled.replace_range(position..=position, &replacement);
            if &garbled != token.expose() {
                prop_assert_eq!(keys.parse_refresh(&garbled), Err(NotOurs));
            }
        }

        #[test]
        fn s5_no_text_is_ours_by_chance(text in ".{0,120}") {
            prop_assert_eq!(keys().parse_refresh(&text), Err(NotOurs));
            prop_assert_eq!(keys().parse_refresh(&format!("cfr_{text}")), Err(NotOurs));
            prop_assert_eq!(keys().parse_session(&format!("cfs_{text}")), Err(NotOurs));
        }
    }
}
