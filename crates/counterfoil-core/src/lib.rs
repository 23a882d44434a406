//! The decisions of Counterfoil, pure: no input or output, no clock, no randomness. Time and random bytes are arguments.
//!
//! Every state change of the server has one shape: *load → decide → commit → answer*. This crate is *decide*, which is
//! why the model checker can drive the very functions that run in production.

pub mod activity;
pub mod assurance;
pub mod audit;
pub mod audit_chain;
pub mod audit_search;
pub mod audit_story;
mod characters;
pub mod credential;
pub mod device;
pub mod duty;
pub mod feed;
pub mod foreign;
pub mod gate;
pub mod import;
pub mod inspect;
pub mod issue;
pub mod keys;
pub mod legacy;
pub mod limit;
pub mod logout_token;
pub mod profile;
pub use counterfoil_guard::redirect;
pub mod refresh;
pub mod revocation;
pub mod risk;
pub mod secret;
pub mod service;
pub mod session;
pub mod ssf;
pub mod status_list;
pub mod user;

pub use counterfoil_guard::{ClientName, Jti, Kid, Sid, Timestamp, UserId};
pub use secret::Secret;
