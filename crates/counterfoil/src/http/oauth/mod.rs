//! `/oauth/*`: form in, JSON out, errors as RFC 6749 has them. Nothing here rests on a cookie: whoever has the token has it.

mod client;
mod error;
mod form;
pub(super) mod introspect;
pub(super) mod revoke;

/// How a caller of `/oauth/introspect` proves itself (RFC 8414; `Bearer` is in the registry that section 2 adds).
pub(super) const INTROSPECTION_METHODS: [&str; 2] = ["client_secret_basic", "Bearer"];

/// How a caller of `/oauth/revoke` does. A guard may send `Authorization: Bearer` here too; RFC 8414 has no word for that.
pub(super) const REVOCATION_METHODS: [&str; 2] = ["client_secret_basic", "none"];
