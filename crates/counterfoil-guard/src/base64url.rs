//! base64url without padding, canonical only: one byte string has exactly one spelling (RFC 4648 section 3.5).
//! A lenient decoder would turn one token into many strings, and break whatever is keyed on them (ATK-17).

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const CANONICAL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// Encodes without padding.
pub fn encode(bytes: &[u8]) -> String {
    CANONICAL.encode(bytes)
}

/// Decodes; `None` for padding, white space, another alphabet, an impossible length or non-zero trailing bits.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    CANONICAL.decode(text).ok()
}
