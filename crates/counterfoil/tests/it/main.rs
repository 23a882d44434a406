//! Behaviour, through HTTP, on a real store. One binary, laid out like the URLs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod admin;
mod attacks;
mod audit;
mod auth;
mod backup;
mod bodies;
mod cli;
mod control;
mod crash;
mod dpop;
mod environment;
mod feed;
mod formats;
mod gate;
mod guard;
mod import;
mod kinds;
mod mail_server;
mod master_key;
mod matrix;
mod oauth;
mod pages;
mod readers;
mod readme;
mod replicas;
mod risk;
mod secrets;
mod shared_redis;
mod store;
mod support;
mod traces;
mod transport;
mod vectors;
mod well_known;
mod words;
