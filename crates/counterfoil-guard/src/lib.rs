//! Verify Counterfoil access tokens offline, and still refuse a revoked one.
//!
//! The guard is what a resource server embeds. It answers one question, *may this token be believed now?*, without
//! asking a database or the network, and it answers it strictly: the algorithm is pinned to the key, every claim that
//! matters must be present and right, and whatever is refused is refused with one stable code ([`Refusal::code`]).
//!
//! It does no input or output of its own, reads no clock and makes no randomness: time is an argument.
//!
//! ```
//! use counterfoil_guard::{KeySet, Refusal, Timestamp, Verifier};
//!
//! let keys = KeySet::from_jwks(br#"{"keys":[]}"#).expect("a well-formed key set");
//! let verifier = Verifier::new("https://app.example.com", "web", keys);
//! let refused = verifier.verify("not.a.token", Timestamp::from_seconds(1_700_000_000));
//! assert_eq!(refused.unwrap_err(), Refusal::Malformed);
//! ```
#![doc = include_str!("../README.md")]

mod base64url;
mod cache;
mod claims;
#[cfg(feature = "client")]
pub mod client;
mod cookie;
mod cross_site;
pub mod dpop;
mod encryption;
#[macro_use]
mod id;
mod cursor;
pub mod feed;
mod guard;
mod json;
mod jwks;
mod jwt;
mod key;
mod login;
pub mod paseto;
pub mod redirect;
mod refusal;
mod require;
mod revocation;
pub mod rfc3339;
mod status_list;
mod subject;
mod time;
#[cfg(feature = "tower")]
pub mod tower;
mod verify;
mod wire;

pub use base64url::{decode as base64url_decode, encode as base64url_encode};
pub use cache::VerifiedTokens;
pub use claims::{Claims, is_scope, is_scope_token};
pub use cookie::cookie_values;
pub use cross_site::{Origins, Provenance};
pub use cursor::{Cursor, Instance, LogId};
pub use encryption::{Curve, DecryptionKey, EncryptionKey};
pub use guard::{Guard, Verified};
pub use id::{ClientName, IdError, Jti, Kid, PaserkId, Sid, UserId};
pub use json::{MAX_DEPTH, Strict, parse_object};
pub use jwks::{KeySet, KeySetError};
pub use jwt::{Header, MAX_TOKEN_BYTES, encode_signing_input, split};
pub use key::{Algorithm, VerifyingKey};
pub use login::{LoginPage, Navigation, Wanting};
pub use refusal::Refusal;
pub use require::{Insufficient, Require};
pub use revocation::{Entry, RevocationIndex, Target};
pub use status_list::StatusReference;
#[cfg(feature = "status-list")]
pub use status_list::{
    DEFAULT_TTL, LONGEST_TTL, MAX_LIST_BYTES, MAX_LIST_TOKEN_BYTES, MOST_LISTS, Older, SHORTEST_TTL, StatusList,
    StatusLists, Statuses, Verdict, WITHOUT_EXPIRY,
};
pub use subject::{Actor, MAX_ACTORS, Subject, Subjects};
pub use time::{Clocks, Tick, Timestamp, whole_seconds};
pub use verify::{LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, Verifier, check_times};
pub use wire::{Answer, Flat};
