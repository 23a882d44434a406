//! Behaviour, through HTTP, on a real store. One binary, laid out like the URLs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod admin;
mod attacks;
mod auth;
mod cli;
mod control;
mod crash;
mod environment;
mod pages;
mod readme;
mod store;
mod support;
mod transport;
mod well_known;
