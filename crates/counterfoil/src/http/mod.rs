//! HTTP: reads requests, calls one flow, writes the answer. `router.rs` has every route in one table.

mod admin;
mod auth;
mod code;
mod cookie;
mod csrf;
mod dpop;
mod extract;
mod frame;
mod gate;
mod health;
mod oauth;
mod openapi;
mod page;
mod pages;
mod patience;
pub mod problem;
mod receipt;
mod revocations;
mod router;
pub mod serve;
mod ssf;
mod status_lists;
mod ticket;
mod timeline;
pub mod tls;
mod user_agent;
mod view;
mod well_known;

pub use openapi::document as openapi_document;
pub use router::{control_router, router};

use std::net::IpAddr;

/// Where a connection comes from; put on every request by the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over the network.
    Network(IpAddr),
    /// Over the control socket in the data folder, or from within this process: whoever can open it owns the data.
    Control,
}
