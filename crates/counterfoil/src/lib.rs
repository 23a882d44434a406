//! The authority. `main` is a thin shell around this library, so that tests can build the application as a value.
//!
//! `http` and `cli` → `flow` → { the core, `store`, `limits` }; nothing points back (`tests/tidy.rs` checks it).

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data;
mod doctor;
pub mod feed;
pub mod flow;
pub mod gate;
pub mod hashing;
pub mod http;
pub mod issuer_keys;
pub mod jobs;
pub mod keyring;
pub mod legacy;
pub mod limits;
pub mod mail;
mod outgoing;
pub mod passkeys;
pub mod public_url;
pub mod readers;
pub mod replica;
pub mod risk;
pub mod secret_text;
pub mod shared_redis;
mod signals;
pub mod status_lists;
pub mod store;
pub mod telemetry;
pub mod upstreams;
pub mod words;
