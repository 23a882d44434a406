//! Device bound sessions (W3C DBSC): a browser keeps a key that cannot be copied, and shows now and then that it still has it.
//!
//! [`proof`] reads what the browser signs, [`stamp`] makes and knows again what the server gives out: challenges, and the cookie that
//! says that a proof was good a moment ago. Which session is bound to what is [`crate::session::Binding`].

pub mod proof;
pub mod stamp;

use counterfoil_guard::dpop::Thumbprint;
use counterfoil_guard::{Algorithm, VerifyingKey};
use std::fmt;

/// How many bytes a key has: an uncompressed point of P-256.
pub const KEY_BYTES: usize = 65;

/// The public half of a browser's key: P-256, the one kind that is offered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceKey([u8; KEY_BYTES]);

impl DeviceKey {
    /// From its bytes (4, x, y). Whether they are a point of the curve was looked at when it was registered.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().filter(|point: &[u8; KEY_BYTES]| point[0] == 4).map(Self)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    fn verifying(&self) -> Option<VerifyingKey> {
        VerifyingKey::new(Algorithm::Es256, &self.0)
    }

    /// The SHA-256 thumbprint of its JWK (RFC 7638); `None` for what is no point of the curve.
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        self.verifying().map(|key| key.thumbprint())
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifying().is_some_and(|key| key.verifies(message, signature))
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(…)")
    }
}
