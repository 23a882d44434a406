//! The yardstick: a bare axum server that says hello, on the kind of runtime the authority uses.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::routing::get;

/// Serves until killed. On one pinned core the multi-threaded runtime has one worker, as the authority's has.
pub(crate) fn serve(listen: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let app = Router::new().route("/", get(async || "hello"));
        axum::serve(listener, app).await?;
        Ok(())
    })
}
