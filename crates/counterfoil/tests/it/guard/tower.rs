//! The tower layer around an axum router.

use super::{ENV, ISSUER, Seeded, credential, guard, seed, sign_out};
use crate::dpop::Prover;
use crate::support::{Server, run_in};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use counterfoil::clock::{Clock as _, SystemClock};
use counterfoil_guard::client::{Client, Config, Mode};
use counterfoil_guard::tower::{Authenticated, GuardLayer, Source};
use counterfoil_guard::{LoginPage, Require, Subjects};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::time::Duration;
use tower::ServiceExt as _;

/// A request's method and headers, and what must come of it.
type Case<'a> = (Method, &'a [(&'a str, &'a str)], (u16, &'a str));

struct World {
    server: Server,
    _folder: tempfile::TempDir,
    sessions: Vec<Seeded>,
    guard: Client,
    router: Router,
}

impl World {
    async fn new(sessions: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sessions = seed(folder.path(), sessions);
        let server = Server::start(folder.path(), &ENV);
        let guard = guard(server.address, &credential(folder.path(), "api"));
        guard.ready().await;
        let router = router(&guard);
        Self { server, _folder: folder, sessions, guard, router }
    }

    async fn ask(&self, request: http::request::Builder) -> (Response<Body>, Value) {
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let value = serde_json::from_slice(&bytes).unwrap();
        (Response::from_parts(parts, Body::empty()), value)
    }

    /// Status and code of a request with these headers.
    async fn outcome(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (response, body) = self.ask(request).await;
        (response.status().as_u16(), body["code"].as_str().unwrap_or("ok").to_owned())
    }
}

fn router(guard: &Client) -> Router {
    let who = async |who: Authenticated| {
        let from = if who.source == Source::Cookie { "cookie" } else { "header" };
        serde_json::json!({ "sub": who.verified.claims.sub, "from": from }).to_string()
    };
    let layer = GuardLayer::new(guard.clone()).origins(vec!["https://spa.example".into()]);
    let strict = GuardLayer::new(guard.clone()).require(Require::new().acr("aal2").max_age(Duration::from_mins(5)));
    let admin = GuardLayer::new(guard.clone()).require(Require::new().role("admin"));
    Router::new()
        .route("/", get(who).post(who))
        .layer(layer)
        .merge(Router::new().route("/strict", get(who)).layer(strict))
        .merge(Router::new().route("/admin", get(who)).layer(admin))
        .route("/forgotten", get(async |_: Authenticated| "never"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_t1_the_layer_lets_through_what_it_should_and_nothing_else() {
    let world = World::new(2).await;
    let token = &world.sessions[0].access;
    let (bearer, cookie) = (format!("Bearer {token}"), format!("__Host-cf_access={token}"));
    let (bearer, cookie) = (("authorization", bearer.as_str()), ("cookie", cookie.as_str()));
    let (same, header) = (("sec-fetch-site", "same-origin"), ("x-requested-with", "x"));
    let (cross, listed) = (("sec-fetch-site", "cross-site"), ("origin", "https://spa.example"));
    let (foreign, own) = (("origin", "https://evil.example"), ("origin", ISSUER));
    let upgrade = ("upgrade", "websocket");
    let stray = ("cookie", "__Host-cf_access=a.b.c");
    let (twice, second) = (("cookie", cookie.1), format!("__Host-cf_access={}", world.sessions[1].access));
    let second = ("cookie", second.as_str());
    let cases: &[Case<'_>] = &[
        (Method::GET, &[bearer], (200, "ok")),
        (Method::POST, &[bearer], (200, "ok")),
        (Method::GET, &[cookie], (200, "ok")),
        (Method::GET, &[], (401, "token_missing")),
        (Method::GET, &[bearer, cookie], (400, "ambiguous_credentials")),
        (Method::GET, &[bearer, bearer], (400, "ambiguous_credentials")),
        (Method::GET, &[stray], (401, "token_invalid")),
        (Method::GET, &[cookie, stray], (200, "ok")),
        (Method::GET, &[stray, cookie], (200, "ok")),
        (Method::GET, &[cookie, twice], (200, "ok")),
        (Method::GET, &[cookie, second], (401, "token_invalid")),
        (Method::GET, &[bearer, stray], (400, "ambiguous_credentials")),
        (Method::GET, &[("authorization", "Basic dTpw")], (401, "token_invalid")),
        (Method::GET, &[("authorization", "Bearer a.b.c")], (401, "token_invalid")),
        (Method::POST, &[cookie], (403, "cross_site")),
        (Method::POST, &[cookie, header], (403, "cross_site")),
        (Method::POST, &[cookie, same], (403, "cross_site")),
        (Method::POST, &[cookie, same, header], (200, "ok")),
        (Method::POST, &[cookie, cross, header], (403, "cross_site")),
        (Method::POST, &[cookie, foreign, header], (403, "cross_site")),
        (Method::POST, &[cookie, same, foreign, header], (403, "cross_site")),
        (Method::POST, &[cookie, listed, header], (200, "ok")),
        // What a browser sends from the application's own page.
        (Method::POST, &[cookie, same, own, header], (200, "ok")),
        (Method::GET, &[cookie, upgrade, own], (200, "ok")),
        (Method::GET, &[cookie, upgrade, same, own], (200, "ok")),
        (Method::GET, &[cookie, upgrade], (403, "cross_site")),
        (Method::GET, &[cookie, upgrade, foreign], (403, "cross_site")),
        (Method::GET, &[cookie, upgrade, same, foreign], (403, "cross_site")),
        (Method::GET, &[bearer, upgrade], (200, "ok")),
    ];
    for (method, headers, (status, code)) in cases {
        let outcome = world.outcome(method.clone(), "/", headers).await;
        assert_eq!(outcome, (*status, (*code).to_owned()), "{method} {:?}", headers.iter().map(|(name, _)| name));
    }
    assert_eq!(world.outcome(Method::GET, "/admin", &[bearer]).await, (403, "forbidden".into()));
    let (response, _) = world.ask(Request::get("/strict").header("authorization", bearer.1)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="aal2", max_age=300"#;
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], challenge, "STEP: RFC 9470 section 3");
    world.server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_a_connection_ends_with_the_session_that_opened_it() {
    let world = World::new(2).await;
    let [leaving, staying] = [0, 1].map(|at| world.sessions[at].access.clone());
    let (leaver, stayer) = (world.guard.verify(&leaving).await.unwrap(), world.guard.verify(&staying).await.unwrap());
    let guard = world.guard.clone();
    let watching = tokio::spawn(async move { guard.watch(&leaver).await });
    let guard = world.guard.clone();
    let undisturbed = tokio::spawn(async move { guard.watch(&stayer).await });
    let session = world.sessions[0].clone();
    let (world, receipt) = tokio::task::spawn_blocking(move || {
        let receipt = sign_out(&world.server, &session);
        (world, receipt)
    })
    .await
    .unwrap();
    assert_eq!(receipt["effective"], true);
    assert_eq!(watching.await.unwrap().code(), "session_revoked");
    assert!(!undisturbed.is_finished());
    assert_eq!(world.guard.verify(&leaving).await.unwrap_err().code(), "session_revoked");
    // The authority goes: at the end of its lease the guard knows nothing any more, and says so.
    world.server.kill();
    assert_eq!(undisturbed.await.unwrap().code(), "verifier_stale");
    let (response, body) = {
        let request = Request::get("/").header("authorization", format!("Bearer {staying}"));
        let response = world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    };
    assert_eq!((response.status.as_u16(), &response.headers[header::RETRY_AFTER]), (503, &"1".parse().unwrap()));
    assert!(String::from_utf8_lossy(&body).contains("verifier_stale"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_introspection_refuses_at_once_and_takes_access_tokens_only() {
    let world = World::new(1).await;
    let (token, session) = (world.sessions[0].access.clone(), world.sessions[0].clone());
    assert!(world.guard.verify_in(&token, Mode::Introspect).await.is_ok());
    let refused = world.guard.verify_in(&session.refresh, Mode::Introspect).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().code(), "token_invalid");
    let (guard, world) = (world.guard.clone(), world);
    let world = tokio::task::spawn_blocking(move || {
        sign_out(&world.server, &session);
        world
    });
    let world = world.await.unwrap();
    let refused = guard.verify_in(&token, Mode::Introspect).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().code(), "session_revoked");
    world.server.kill();
    let refused = guard.verify_in(&token, Mode::Introspect).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().code(), "verifier_stale", "no answer is a refusal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_without_a_layer_admits_nobody() {
    let world = World::new(1).await;
    let request = Request::get("/forgotten").body(Body::empty()).unwrap();
    assert_eq!(world.router.clone().oneshot(request).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    world.server.stop();
}

/// The environment of a server with one resource and one service.
const SERVICES: [(&str, &str); 6] = [
    ENV[0],
    ENV[1],
    ENV[2],
    ("COUNTERFOIL__DPOP__NONCE", "false"),
    ("COUNTERFOIL__RESOURCES__BILLING__SCOPES", "[\"read\", \"write\"]"),
    ("COUNTERFOIL__CLIENTS__REPORTS__RESOURCES__BILLING", "[\"read\"]"),
];
const API: &str = "https://api.example.com";

/// A service's token, bound to the prover's key.
fn bound_token(server: &Server, data: &std::path::Path, prover: &mut Prover) -> String {
    let made = run_in(&SERVICES, &["client", "add", "reports", "--data", data.to_str().unwrap()], "");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let secret = String::from_utf8(made.stdout).unwrap();
    let form = format!("grant_type=client_credentials&client_id=reports&client_secret={}", secret.trim());
    let proof = prover.proof_for("POST", &format!("{ISSUER}/oauth/token"), None);
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("DPoP", proof.as_str())];
    let answer = crate::support::exchange(server.address, "POST /oauth/token", &headers, &form).unwrap();
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["token_type"], "DPoP", "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dpop_7a_bear_1_the_layer_asks_a_service_for_its_proof_and_its_scope() {
    let folder = tempfile::tempdir().unwrap();
    seed(folder.path(), 1);
    let server = Server::start(folder.path(), &SERVICES);
    let mut config =
        Config::new(&format!("http://{}", server.address), "billing", credential(folder.path(), "b")).unwrap();
    ISSUER.clone_into(&mut config.issuer);
    config.subjects = Subjects::Clients;
    let guard = Client::start(config);
    guard.ready().await;
    let who = async |who: Authenticated| format!("{{\"sub\":\"{}\"}}", who.verified.claims.sub);
    let layer = |scope: &str| GuardLayer::new(guard.clone()).at(API).require(Require::new().scope(scope));
    let router = Router::new()
        .merge(Router::new().route("/invoices", get(who)).layer(layer("read")))
        .merge(Router::new().route("/payments", get(who)).layer(layer("write")));
    // The server runs by the real clock here.
    let now = SystemClock::default().now().as_seconds();
    let (mut own, mut thief) = (Prover::new(1), Prover::new(2));
    own.now = now;
    thief.now = own.now;
    let token = bound_token(&server, folder.path(), &mut own);
    let world = World { server, _folder: folder, sessions: Vec::new(), guard, router };
    let (bearer, bound) = (format!("Bearer {token}"), format!("DPoP {token}"));
    let (bearer, bound) = (("authorization", bearer.as_str()), ("authorization", bound.as_str()));
    let proof = |prover: &mut Prover, path: &str| prover.proof_for("GET", &format!("{API}{path}"), Some(&token));
    let (good, other, foreign) =
        (proof(&mut own, "/invoices?a=b"), proof(&mut own, "/invoices/1"), proof(&mut thief, "/invoices"));
    let (good, other, foreign) = (("dpop", good.as_str()), ("dpop", other.as_str()), ("dpop", foreign.as_str()));
    let cases: &[Case<'_>] = &[
        (Method::GET, &[bearer], (401, "proof_required")),
        (Method::GET, &[bearer, good], (401, "proof_required")),
        (Method::GET, &[bound], (401, "proof_required")),
        (Method::GET, &[bound, good, good], (401, "invalid_dpop_proof")),
        (Method::GET, &[bound, other], (401, "invalid_dpop_proof")),
        (Method::GET, &[bound, foreign], (401, "invalid_dpop_proof")),
        (Method::GET, &[bound, ("dpop", "x")], (401, "invalid_dpop_proof")),
        (Method::GET, &[bound, good], (200, "ok")),
        (Method::GET, &[bound, good], (401, "invalid_dpop_proof")),
    ];
    for (method, headers, (status, code)) in cases {
        let outcome = world.outcome(method.clone(), "/invoices", headers).await;
        assert_eq!(outcome, (*status, (*code).to_owned()), "{headers:?}");
    }
    let elsewhere = own.proof_for("GET", &format!("{API}/payments"), Some(&token));
    let request = Request::get("/payments").header("authorization", bound.1).header("dpop", elsewhere);
    let (response, body) = world.ask(request).await;
    assert_eq!((response.status().as_u16(), &body["code"]), (403, &Value::from("insufficient_scope")));
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], r#"Bearer error="insufficient_scope", scope="write""#);
    world.server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn atk40_step_9470_a_page_that_is_refused_leads_to_the_prompt_and_back_and_a_program_is_told() {
    let world = World::new(1).await;
    let who = async |_: Authenticated| "in";
    let pages = |require: Require| GuardLayer::new(world.guard.clone()).require(require).login(LoginPage::default());
    let router = Router::new()
        .route("/orders", get(who).post(who))
        .layer(pages(Require::new()))
        .merge(Router::new().route("/pay", get(who)).layer(pages(Require::new().acr("aal2"))))
        .merge(Router::new().route("/admin", get(who)).layer(pages(Require::new().role("admin"))));
    let cookie = format!("__Host-cf_access={}", world.sessions[0].access);
    let led = async |method: Method, target: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(location.is_some(), response.status() == StatusCode::SEE_OTHER);
        location.unwrap_or_else(|| response.status().as_u16().to_string())
    };
    let (page, script) = (("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors"));
    let (good, bad) = (("cookie", cookie.as_str()), ("cookie", "__Host-cf_access=a.b.c"));
    for (method, target, headers, expected) in [
        (Method::GET, "/orders?a=b", &[page][..], "/login?redirect=/orders%3Fa%3Db"),
        (Method::GET, "/orders", &[page, bad], "/login?redirect=/orders"),
        (Method::GET, "/orders", &[page, good], "200"),
        (Method::GET, "/pay", &[page, good], "/login?redirect=/pay&ended=reauthenticate&acr_values=aal2"),
        (Method::GET, "/pay", &[script, good], "401"),
        (Method::GET, "/pay", &[good], "401"),
        (Method::GET, "/pay", &[page, script, good], "401"),
        (Method::GET, "/admin", &[page, good], "403"),
        (Method::HEAD, "/orders", &[page], "401"),
        (Method::POST, "/orders", &[page], "401"),
        (Method::GET, "/orders?//evil.example", &[page], "/login?redirect=/orders%3F//evil.example"),
        (Method::GET, "//evil.example/orders", &[page], "/login"),
    ] {
        assert_eq!(led(method.clone(), target, headers).await, expected, "{method} {target} {headers:?}");
    }
    // Without a sign-in page nobody is led anywhere.
    assert_eq!(world.outcome(Method::GET, "/", &[page]).await, (401, "token_missing".into()));
    sign_out(&world.server, &world.sessions[0]);
    tokio::time::timeout(Duration::from_secs(10), async {
        while led(Method::GET, "/orders", &[page, good]).await == "200" {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(led(Method::GET, "/orders", &[page, good]).await, "/login?redirect=/orders");
}
