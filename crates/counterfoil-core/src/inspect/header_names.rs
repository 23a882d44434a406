//! What each registered header member means and where that is written.

use super::names::Entry;

/// The entry for a header member.
pub(super) fn header(name: &str) -> Option<&'static Entry> {
    HEADER.iter().find(|(known, ..)| *known == name)
}

/// The entry for a member of a JWK or of `cnf`.
pub(super) fn key_member(name: &str) -> Option<&'static Entry> {
    KEY.iter().find(|(known, ..)| *known == name)
}

const HEADER: &[Entry] = &[
    ("alg", "algorithm the token claims; a verifier takes it from the key, never from here", "RFC 7515 section 4.1.1"),
    ("jku", "address of a key set: must never be fetched", "RFC 7515 section 4.1.2"),
    ("jwk", "a public key brought along by the sender: proves nothing about who that is", "RFC 7515 section 4.1.3"),
    ("kid", "name of the key; a look-up in the issuer's key set, nothing else", "RFC 7515 section 4.1.4"),
    ("x5u", "address of a certificate: must never be fetched", "RFC 7515 section 4.1.5"),
    ("x5c", "certificate chain brought along by the sender", "RFC 7515 section 4.1.6"),
    ("x5t", "SHA-1 thumbprint of a certificate", "RFC 7515 section 4.1.7"),
    ("x5t#S256", "SHA-256 thumbprint of a certificate", "RFC 7515 section 4.1.8"),
    ("typ", "kind of token; `at+jwt` is an access token", "RFC 7515 section 4.1.9, RFC 9068 section 2.1"),
    ("cty", "kind of the content; `JWT` means another token inside", "RFC 7515 section 4.1.10"),
    ("crit", "header members that a verifier must understand or refuse the token", "RFC 7515 section 4.1.11"),
    ("b64", "false: the payload is signed unencoded; forbidden for JWTs", "RFC 7797 section 3"),
    ("enc", "algorithm that encrypts the content", "RFC 7516 section 4.1.2"),
    ("zip", "content is compressed before encryption", "RFC 7516 section 4.1.3"),
    ("epk", "ephemeral public key of the key agreement", "RFC 7518 section 4.6.1.1"),
    ("apu", "about the sender, mixed into the agreed key", "RFC 7518 section 4.6.1.2"),
    ("apv", "about the recipient, mixed into the agreed key", "RFC 7518 section 4.6.1.3"),
    ("iv", "initialisation vector of the key wrapping", "RFC 7518 section 4.7.1.1"),
    ("tag", "authentication tag of the key wrapping", "RFC 7518 section 4.7.1.2"),
    ("p2s", "salt of a password-based key", "RFC 7518 section 4.8.1.1"),
    ("p2c", "iterations of a password-based key", "RFC 7518 section 4.8.1.2"),
    ("iss", "issuer, repeated outside the encryption", "RFC 7519 section 5.3"),
    ("sub", "subject, repeated outside the encryption", "RFC 7519 section 5.3"),
    ("aud", "audience, repeated outside the encryption", "RFC 7519 section 5.3"),
    ("url", "address a request is for (ACME)", "RFC 8555 section 6.4.1"),
    ("nonce", "one-time value of a request (ACME)", "RFC 8555 section 6.5.2"),
    ("trust_chain", "chain of statements of a federation", "OpenID Federation section 4.3"),
];

const KEY: &[Entry] = &[
    ("jkt", "SHA-256 thumbprint of the DPoP key: each request needs a proof by it", "RFC 9449 section 6.1"),
    ("x5t#S256", "thumbprint of the TLS client certificate that must present the token", "RFC 8705 section 3.1"),
    ("jwk", "the public key itself", "RFC 7800 section 3.2"),
    ("jwe", "the key, encrypted to the recipient", "RFC 7800 section 3.3"),
    ("kid", "name of the key", "RFC 7517 section 4.5, RFC 7800 section 3.4"),
    ("jku", "address of a key set with the key: must never be fetched", "RFC 7800 section 3.5"),
    ("kty", "family of the key", "RFC 7517 section 4.1"),
    ("crv", "curve of the key", "RFC 7518 section 6.2.1.1, RFC 8037 section 2"),
    ("x", "public key, or its x coordinate", "RFC 7518 section 6.2.1.2, RFC 8037 section 2"),
    ("y", "y coordinate of the public key", "RFC 7518 section 6.2.1.3"),
    ("n", "RSA modulus", "RFC 7518 section 6.3.1.1"),
    ("e", "RSA exponent", "RFC 7518 section 6.3.1.2"),
    ("use", "what the key is for", "RFC 7517 section 4.2"),
    ("key_ops", "what may be done with the key", "RFC 7517 section 4.3"),
    ("alg", "the one algorithm of the key", "RFC 7517 section 4.4"),
    ("d", "PRIVATE key: must never leave its owner", "RFC 7518 section 6.2.2.1"),
    ("k", "SECRET symmetric key: must never leave its owners", "RFC 7518 section 6.4.1"),
];
