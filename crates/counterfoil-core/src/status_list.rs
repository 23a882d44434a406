//! Token Status List: one bit for each session that has a place in it, set while tokens of an ended session may still be alive
//! (TSL-4.1, TSL-5.1a).

use crate::keys::signing::SigningKey;
use counterfoil_guard::{Timestamp, base64url_encode};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use std::io::Write as _;
use std::time::Duration;

/// The media type of a list, and what follows `typ` in its header.
pub const TYPE: &str = "statuslist+jwt";

/// Bits of one list: 0 is valid, 1 is invalid (TSL-7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits(Vec<u8>);

impl Bits {
    /// So many, all of them 0; rounded up to whole bytes.
    pub fn new(size: u32) -> Self {
        Self(vec![0; size.div_ceil(8) as usize])
    }

    /// Sets one; nothing happens to a place that the list does not have.
    pub fn set(&mut self, index: u32) {
        if let Some(byte) = self.0.get_mut((index / 8) as usize) {
            *byte |= 1 << (index % 8);
        }
    }

    /// As it stands in a list: zlib, base64url without padding.
    pub fn encode(&self) -> String {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        let written = zlib.write_all(&self.0).and_then(|()| zlib.finish());
        base64url_encode(&written.expect("writing to memory does not fail"))
    }
}

/// What a list says beside its bits.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The list's own address, as it stands in tokens.
    pub uri: &'a str,
    /// When it was made.
    pub at: Timestamp,
    /// How long a verifier may go on with it.
    pub ttl: Duration,
    /// How long it counts at all.
    pub life: Duration,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    ttl: u64,
    status_list: List<'a>,
}

#[derive(Serialize)]
struct List<'a> {
    bits: u8,
    lst: &'a str,
}

/// Signs a list.
pub fn sign(key: &SigningKey, said: &Statement<'_>, bits: &Bits) -> String {
    let payload = Payload {
        iss: said.issuer,
        sub: said.uri,
        iat: said.at.as_seconds(),
        exp: said.at.plus(said.life).as_seconds(),
        ttl: said.ttl.as_secs(),
        status_list: List { bits: 1, lst: &bits.encode() },
    };
    key.sign_as(TYPE, &serde_json::to_vec(&payload).expect("strings and numbers always serialise"))
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use counterfoil_guard::base64url_decode;
    use flate2::read::ZlibDecoder;
    use serde_json::Value;
    use std::io::Read as _;

    fn decoded(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let compressed = base64url_decode(text).expect("base64url");
        ZlibDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).expect("zlib");
        bytes
    }

    /// The draft's own lists of one bit: the same bytes, whatever the compression made of them.
    #[test]
    fn tsl_4_1_the_bits_stand_as_in_the_vectors() {
        let cases: Value =
            serde_json::from_str(include_str!("../../../vectors/status-list/encoding.json")).expect("JSON");
        let of_one_bit = cases.as_array().expect("a list").iter().filter(|case| case["bits"] == 1);
        let mut seen = 0;
        for case in of_one_bit {
            let size = u32::try_from(case["size"].as_u64().expect("a size")).expect("a small one");
            let mut bits = Bits::new(size);
            for (index, value) in case["expected"].as_object().expect("statuses") {
                if value == 1 {
                    bits.set(index.parse().expect("a number"));
                }
            }
            let lst = case["status_list"]["lst"].as_str().expect("a list");
            assert_eq!(decoded(&bits.encode()), decoded(lst), "{}", case["name"]);
            seen += 1;
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn a_place_that_is_not_there_changes_nothing() {
        let mut bits = Bits::new(9);
        assert_eq!(decoded(&bits.encode()), [0, 0]);
        bits.set(16);
        assert_eq!(decoded(&bits.encode()), [0, 0]);
        bits.set(8);
        assert_eq!(decoded(&bits.encode()), [0, 1]);
    }
}
