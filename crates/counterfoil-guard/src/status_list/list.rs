//! One status list: a JWT that says of every index what has become of its token. All that can be wrong with it is found before it is
//! believed, and nothing that it says of its own size is.

use crate::base64url;
use crate::claims::NumericDate;
use crate::json::{Object, Strict, present};
use crate::jwt::Header;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::verify::{LEEWAY_SECONDS, Verifier};
use flate2::{Decompress, FlushDecompress, Status};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// No list longer than this is looked at. As long as one of [`MAX_LIST_BYTES`] that cannot be compressed.
pub const MAX_LIST_TOKEN_BYTES: usize = 8 << 20;

/// No list is inflated beyond this: 33 million tokens at one bit each.
pub const MAX_LIST_BYTES: usize = 4 << 20;

/// A shorter `ttl` counts as this one: no list makes a verifier fetch without end.
pub const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// A longer `ttl` counts as this one: no list is believed for a year because it says so.
pub const LONGEST_TTL: Duration = Duration::from_hours(1);

/// The `ttl` of a list that has none.
pub const DEFAULT_TTL: Duration = Duration::from_mins(5);

/// How long after its `iat` a list without `exp` is over: a cache on the way must not keep one for ever.
pub const WITHOUT_EXPIRY: Duration = Duration::from_hours(24);

/// The bits of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct Statuses {
    bits: u8,
    bytes: Vec<u8>,
}

impl Statuses {
    /// From `bits` and `lst` as they stand in a list: 1, 2, 4 or 8, and base64url of a zlib stream with nothing behind it (TSL-4.1).
    pub fn decode(bits: u64, lst: &str) -> Result<Self, Refusal> {
        let bits = match bits {
            1 => 1,
            2 => 2,
            4 => 4,
            8 => 8,
            _ => return Err(Refusal::BadClaim),
        };
        let compressed = base64url::decode(lst).ok_or(Refusal::BadClaim)?;
        Ok(Self { bits, bytes: inflate(&compressed, MAX_LIST_BYTES)? })
    }

    /// The status at an index, the least significant bits first; `None` beyond the end.
    pub fn status(&self, index: u32) -> Option<u8> {
        let per_byte = u32::from(8 / self.bits);
        let byte = self.bytes.get(usize::try_from(index / per_byte).ok()?)?;
        let shift = index % per_byte * u32::from(self.bits);
        Some((byte >> shift) & (u8::MAX >> (8 - self.bits)))
    }
}

impl fmt::Debug for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statuses({} bytes of {} bits)", self.bytes.len(), self.bits)
    }
}

/// A list that has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    /// Where it was fetched from.
    pub uri: String,
    /// Made at, seconds since the epoch.
    pub issued_at: i64,
    /// Over at, seconds since the epoch.
    pub expires_at: i64,
    /// How long after it was fetched it may be used, in its bounds.
    pub ttl: Duration,
    /// What it says.
    pub statuses: Statuses,
}

#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    iat: NumericDate,
    #[serde(default, deserialize_with = "present")]
    exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    ttl: Option<NumericDate>,
    #[serde(borrow)]
    status_list: Object<Members<'a>>,
}

#[derive(Deserialize)]
struct Members<'a> {
    bits: u64,
    #[serde(borrow)]
    lst: Cow<'a, str>,
}

impl StatusList {
    pub(crate) fn read(verifier: &Verifier, token: &str, uri: &str, now: Timestamp) -> Result<Self, Refusal> {
        let (payload, _) = verifier.read_signed(token, MAX_LIST_TOKEN_BYTES, Header::is_status_list)?;
        if serde_json::from_slice::<Strict>(&payload).is_err() {
            return Err(Refusal::Malformed);
        }
        let Object(claims): Object<Claims<'_>> = serde_json::from_slice(&payload).map_err(|_| Refusal::BadClaim)?;
        // An issuer speaks for its own tokens, and a list for the place it was fetched from.
        if claims.iss != verifier.issuer() {
            return Err(Refusal::WrongIssuer);
        }
        if claims.sub != uri {
            return Err(Refusal::WrongSubject);
        }
        let NumericDate(issued_at) = claims.iat;
        let without_expiry = Timestamp::from_seconds(issued_at).plus(WITHOUT_EXPIRY).as_seconds();
        let expires_at = claims.exp.map_or(without_expiry, |NumericDate(exp)| exp);
        check_times(issued_at, expires_at, now.as_seconds())?;
        let ttl = bounded(claims.ttl.map(|NumericDate(seconds)| seconds))?;
        let Object(members) = claims.status_list;
        let statuses = Statuses::decode(members.bits, &members.lst)?;
        Ok(Self { uri: uri.to_owned(), issued_at, expires_at, ttl, statuses })
    }
}

fn check_times(issued_at: i64, expires_at: i64, now: i64) -> Result<(), Refusal> {
    if issued_at < 0 || expires_at <= issued_at {
        return Err(Refusal::BadClaim);
    }
    if issued_at > now.saturating_add(LEEWAY_SECONDS) {
        return Err(Refusal::NotYetValid);
    }
    if now >= expires_at { Err(Refusal::Expired) } else { Ok(()) }
}

/// In its bounds on both sides (TSL-11).
fn bounded(ttl: Option<i64>) -> Result<Duration, Refusal> {
    let Some(seconds) = ttl else { return Ok(DEFAULT_TTL) };
    let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or(Refusal::BadClaim)?;
    Ok(Duration::from_secs(seconds).clamp(SHORTEST_TTL, LONGEST_TTL))
}

/// Inflates a zlib stream that has nothing behind it, into at most `most` bytes: there is room for one more, to notice it, and for no
/// other.
fn inflate(compressed: &[u8], most: usize) -> Result<Vec<u8>, Refusal> {
    let mut inflater = Decompress::new(true);
    // In one go: in pieces, the inflater takes what is copied from before the beginning for zeros.
    let mut bytes = Vec::with_capacity(most + 1);
    let status = inflater.decompress_vec(compressed, &mut bytes, FlushDecompress::Finish);
    if bytes.len() > most {
        return Err(Refusal::TooLarge);
    }
    let whole = usize::try_from(inflater.total_in()) == Ok(compressed.len());
    if whole && matches!(status, Ok(Status::StreamEnd)) {
        bytes.shrink_to_fit();
        Ok(bytes)
    } else {
        Err(Refusal::BadClaim)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LIST_BYTES, Refusal, inflate};
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write as _;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(bytes).expect("memory takes it");
        zlib.finish().expect("memory takes it")
    }

    #[test]
    fn tsl_11_what_inflates_without_end_is_not_inflated_to_the_end() {
        let mut bomb = zlib(&vec![0; 1 << 26]);
        assert_eq!(inflate(&bomb, MAX_LIST_BYTES), Err(Refusal::TooLarge));
        // What comes later is never looked at, or this would be no stream at all.
        let end = bomb.len() / 2;
        bomb[end..].fill(0xff);
        assert_eq!(inflate(&bomb, MAX_LIST_BYTES), Err(Refusal::TooLarge));
        assert_eq!(inflate(&bomb, 1 << 26), Err(Refusal::BadClaim));
    }

    #[test]
    fn the_room_is_what_was_given_and_not_a_byte_more() {
        for length in [0, 1, 4095, 4096, 4097, 8192, 10_000] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
            let (compressed, length) = (zlib(&bytes), bytes.len());
            let inflated = inflate(&compressed, length).expect("as long as it may be");
            assert!(inflated == bytes, "{length}");
            if length > 0 {
                assert_eq!(inflate(&compressed, length - 1), Err(Refusal::TooLarge), "{length}");
            }
            for cut in 0..compressed.len().min(40) {
                assert_eq!(inflate(&compressed[..cut], length), Err(Refusal::BadClaim), "{length} {cut}");
            }
        }
    }
}
