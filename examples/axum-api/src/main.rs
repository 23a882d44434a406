//! An API that lets in whoever is signed in at Counterfoil, and nobody whose access has ended.
//!
//! ```text
//! GUARD_CREDENTIAL=$(counterfoil guard add api) AUTHORITY=http://localhost:8080 cargo run -p example-axum-api
//! ```

use anyhow::Context as _;
use axum::body::{Body, Bytes};
use axum::response::{Html, Response};
use axum::routing::get;
use axum::{Json, Router};
use counterfoil_guard::client::{Client, Config};
use counterfoil_guard::tower::{Authenticated, GuardLayer};
use counterfoil_guard::{LoginPage, Require};
use futures_util::StreamExt as _;
use futures_util::stream;
use std::convert::Infallible;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("set {name}"));
    let mut config = Config::new(&variable("AUTHORITY")?, "web", variable("GUARD_CREDENTIAL")?)?;
    // The authority's public URL, where that is not the way this program takes to it.
    config.issuer = std::env::var("ISSUER").unwrap_or(config.issuer);
    let guard = Client::start(config);

    let app = Router::new()
        .route("/hello", get(hello))
        .route("/events", get(events))
        .layer(GuardLayer::new(guard.clone()))
        .merge(
            Router::new()
                .route("/admin", get(hello))
                .layer(GuardLayer::new(guard.clone()).require(Require::new().role("admin"))),
        )
        // A page: whoever is refused is led to the sign-in page on this host, or to a stronger proof, and back.
        .merge(
            Router::new()
                .route("/statement", get(statement))
                .layer(GuardLayer::new(guard.clone()).require(Require::new().acr("aal2")).login(LoginPage::default())),
        )
        .route("/health", get(async || "ok"));

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    // Before the first answer of the feed every request would be refused.
    guard.ready().await;
    let address = listener.local_addr()?;
    std::io::Write::write_all(&mut std::io::stdout(), format!("listening on http://{address}\n").as_bytes())?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Who is signed in. The token says who; names and addresses are not in it.
async fn hello(who: Authenticated) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "user": who.verified.claims.sub, "session": who.verified.claims.sid }))
}

/// What is shown only to whoever has proved themselves by two factors or a passkey.
async fn statement(who: Authenticated) -> Html<String> {
    Html(format!("<!doctype html><title>Statement</title><p>The statement of {}", who.verified.claims.sub))
}

/// A stream that ends when the access of whoever opened it ends: on sign-out, on a ban, when the token expires.
async fn events(who: Authenticated) -> Response {
    let opened = stream::once(async { Ok::<_, Infallible>(Bytes::from("open\n")) });
    let ended = stream::once(async move { Ok(Bytes::from(format!("{}\n", who.ended().await.code()))) });
    Response::new(Body::from_stream(opened.chain(ended)))
}
