//! `[passkeys]`: the name under which browsers keep them.

use serde::Deserialize;

/// `[passkeys]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasskeysConfig {
    /// The domain for which passkeys are made (the RP ID); default: the host of `public_url`. A domain above it makes them good for
    /// its other hosts too, and for a host that the service moves to later. Changing it makes every passkey useless.
    pub rp_id: Option<String>,
}
