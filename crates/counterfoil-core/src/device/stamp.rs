//! What the server gives a browser to prove with, and for having proved: names of a session with a time and a MAC. They need no memory,
//! and every replica knows them again.
//!
//! base64url(key version ‖ sid\[16\] ‖ seconds\[8\] ‖ mac\[32\]); the MAC is HMAC-SHA256 over the kind's label and all before it.

use crate::refresh::token::TokenKeys;
use counterfoil_guard::{Sid, Timestamp, base64url_decode, base64url_encode};
use std::time::Duration;

const BODY: usize = 2 + 16 + 8;
const MAC: usize = 32;

/// What the value of a device cookie begins with.
const COOKIE_PREFIX: &str = "cfd_";

/// For how long a browser may register a key after the sign-in: it does so at once.
pub const REGISTRATION_LIFE: Duration = Duration::from_mins(2);

/// For how long a challenge may be signed. A browser keeps the one for its next proof until it needs it, which is as a rule when the
/// access token and the device cookie have run out.
pub const CHALLENGE_LIFE: Duration = Duration::from_mins(10);

/// How far ahead another replica's clock may be.
const AHEAD: Duration = Duration::from_secs(5);

/// What is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The challenge of a registration, in the answer to a sign-in.
    Registration,
    /// The authorization of a registration, beside it.
    Authorization,
    /// The challenge of a proof.
    Challenge,
    /// The device cookie: a proof was good.
    Cookie,
}

impl Stamp {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Registration => b"device-registration",
            Self::Authorization => b"device-authorization",
            Self::Challenge => b"device-challenge",
            Self::Cookie => b"device-cookie",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Cookie => COOKIE_PREFIX,
            Self::Registration | Self::Authorization | Self::Challenge => "",
        }
    }
}

impl TokenKeys {
    /// Makes one.
    pub fn stamp(&self, what: Stamp, sid: Sid, now: Timestamp) -> String {
        let key = self.current();
        let mut bytes = Vec::with_capacity(BODY + MAC);
        bytes.extend_from_slice(&key.version().to_be_bytes());
        bytes.extend_from_slice(sid.as_bytes());
        bytes.extend_from_slice(&now.as_seconds().to_be_bytes());
        let mac = key.mac(what.label(), &bytes);
        bytes.extend_from_slice(mac.as_ref());
        format!("{}{}", what.prefix(), base64url_encode(&bytes))
    }

    /// The session that it names; `None` if it is not one of ours, of another kind, or not made within `life`.
    pub fn read_stamp(&self, what: Stamp, text: &str, now: Timestamp, life: Duration) -> Option<Sid> {
        let encoded = text.strip_prefix(what.prefix())?;
        if encoded.len() != ((BODY + MAC) * 4).div_ceil(3) {
            return None;
        }
        let bytes = base64url_decode(encoded)?;
        let (body, mac) = bytes.split_at_checked(BODY)?;
        let (version, rest) = body.split_at(2);
        let (sid, seconds) = rest.split_at(16);
        let key = self.version(u16::from_be_bytes(version.try_into().ok()?))?;
        if !key.verifies(what.label(), body, mac) {
            return None;
        }
        let made = Timestamp::from_seconds(i64::from_be_bytes(seconds.try_into().ok()?));
        let timely = made <= now.plus(AHEAD) && now <= made.plus(life);
        timely.then(|| sid.try_into().ok().map(Sid::from_bytes)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;
    use crate::refresh::token::{TokenKey, TokenKeys};
    use crate::secret::Secret;
    use counterfoil_guard::{Sid, Timestamp};
    use proptest::prelude::*;
    use std::time::Duration;

    const LIFE: Duration = Duration::from_mins(4);
    const KINDS: [Stamp; 4] = [Stamp::Registration, Stamp::Authorization, Stamp::Challenge, Stamp::Cookie];

    fn keys() -> TokenKeys {
        TokenKeys::new(vec![TokenKey::new(3, &Secret::new([5; 32]))]).expect("a key")
    }

    #[test]
    fn a_stamp_counts_for_its_kind_its_session_and_its_time() {
        let (keys, sid, made) = (keys(), Sid::from_bytes([8; 16]), Timestamp::from_seconds(1000));
        for kind in KINDS {
            let text = keys.stamp(kind, sid, made);
            let read = |as_kind, at| keys.read_stamp(as_kind, &text, at, LIFE);
            for other in KINDS {
                assert_eq!(read(other, made), (other == kind).then_some(sid), "{kind:?} as {other:?}");
            }
            let last = made.plus(LIFE);
            assert_eq!(read(kind, last), Some(sid), "{kind:?} at the end of its life");
            assert_eq!(read(kind, last.plus(Duration::from_secs(1))), None, "{kind:?} after it");
            assert_eq!(read(kind, Timestamp::from_seconds(994)), None, "{kind:?} before it was made");
        }
    }

    proptest! {
        #[test]
        fn s5_any_changed_character_makes_it_not_ours(position in 0usize..78, replacement in "[A-Za-z0-9_-]") {
            let (keys, now) = (keys(), Timestamp::from_seconds(1000));
            let text = keys.stamp(Stamp::Challenge, Sid::from_bytes([8; 16]), now);
            prop_assert_eq!(text.len(), 78);
            let mut garbled = text.clone();
            garbled.replace_range(position..=position, &replacement);
            if garbled != text {
                prop_assert_eq!(keys.read_stamp(Stamp::Challenge, &garbled, now, LIFE), None);
            }
        }
    }
}
