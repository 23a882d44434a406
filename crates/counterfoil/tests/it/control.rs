//! Administration through the control socket's handlers.

use crate::support::{TestApp, noted, written};
use axum::body::Body;
use counterfoil::http::Peer;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// Asks as the command line does.
pub(crate) async fn ask(app: &TestApp, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.extension(Peer::Control).body(body).unwrap();
    let (request, target) = noted(request).await;
    let response = app.control.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    written::answered(&target, status, std::iter::empty(), &String::from_utf8_lossy(&bytes));
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_control_socket_serves_administration_and_nothing_else() {
    let app = TestApp::new().await;
    assert_eq!(ask(&app, "GET", "/api/admin/users", None).await.0, 200);
    for path in ["/api/auth/me", "/login", "/metrics", "/.well-known/jwks.json"] {
        assert_eq!(ask(&app, "GET", path, None).await.0, 404, "{path}");
    }
}
