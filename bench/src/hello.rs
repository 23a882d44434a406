//! The yardstick: a bare axum server that says hello, on the kind of runtime the authority uses.

use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use aws_lc_rs::signature::Ed25519KeyPair;
use axum::Router;
use axum::routing::get;

/// Serves until killed. On one pinned core the multi-threaded runtime has one worker, as the authority's has.
pub(crate) fn serve(listen: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).map_err(|_| anyhow!("a seed"))?;
        let pair: &'static Ed25519KeyPair = Box::leak(Box::new(pair));
        // What a refresh cannot do without, and nothing else of it.
        let sign = async || std::hint::black_box(pair.sign(&[1; 400])).as_ref()[0].to_string();
        let app = Router::new().route("/", get(async || "hello")).route("/sign", get(sign));
        axum::serve(listener, app).await?;
        Ok(())
    })
}
