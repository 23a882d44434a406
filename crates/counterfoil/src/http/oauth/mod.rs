//! `/oauth/*`: form in, JSON out, errors as RFC 6749 has them. Nothing here rests on a cookie: whoever has the token has it.

mod client;
mod error;
mod form;
pub(super) mod introspect;
pub(super) mod revoke;
pub(super) mod token;

/// How a caller of `/oauth/introspect` proves itself (RFC 8414; `Bearer` is in the registry that section 2 adds).
pub(super) const INTROSPECTION_METHODS: [&str; 2] = ["client_secret_basic", "Bearer"];

/// How a caller of `/oauth/revoke` does. A guard may send `Authorization: Bearer` here too; RFC 8414 has no word for that.
pub(super) const REVOCATION_METHODS: [&str; 4] =
    ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

/// How a service does, at `/oauth/token`.
pub(super) const TOKEN_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
