//! Traces, with a collector that takes them over HTTP. The server is a process of its own.

use crate::support::{EMAIL, PASSWORD, Server, exchange, from_page};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use std::sync::{Arc, Mutex};

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// Takes traces on a thread of its own.
struct Collector {
    endpoint: String,
    bodies: Bodies,
}

impl Collector {
    fn start() -> Self {
        let bodies = Bodies::default();
        let keep = async |State(bodies): State<Bodies>, body: Bytes| bodies.lock().unwrap().push(body);
        let router = Router::new().route("/v1/traces", post(keep)).with_state(Arc::clone(&bodies));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await })
        });
        Self { endpoint, bodies }
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// What it says of whoever sends.
    fn resource(&self) -> Vec<KeyValue> {
        self.requests()[0].resource_spans[0].resource.clone().unwrap().attributes
    }
}

fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{key}: {other:?}"),
    }
}

/// Registers, signs in, and refreshes; returns the credentials that were given.
fn traffic(server: &Server) -> Vec<String> {
    let (address, origin) = (server.address, server.origin());
    let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    assert_eq!(from_page(address, &origin, "POST /api/auth/register", "", &body).unwrap().status, 201);
    let answer = from_page(address, &origin, "POST /api/auth/login", "", &body).unwrap();
    let [access, refresh] = ["__Host-cf_access", "__Secure-cf_refresh"].map(|name| answer.cookie(name).unwrap());
    let cookie = format!("__Secure-cf_refresh={refresh}");
    let answer = from_page(address, &origin, "POST /api/auth/refresh", &cookie, "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    vec![access, refresh, answer.cookie("__Host-cf_access").unwrap(), answer.cookie("__Secure-cf_refresh").unwrap()]
}

#[test]
fn a_request_and_what_it_waits_for_are_a_trace_without_secrets_and_without_people() {
    let collector = Collector::start();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)]);
    let secrets = traffic(&server);
    let missing = exchange(server.address, "GET /nowhere/ada@example.com?token=secret", &[], "").unwrap();
    assert_eq!(missing.status, 404);
    // Anybody can make up a method, and as long a one as a head may be.
    exchange(server.address, "BREW /healthz", &[], "").unwrap();
    server.stop();

    let spans = collector.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}"));
    let sign_in = named("POST /api/auth/login");
    assert_eq!((sign_in.kind(), sign_in.parent_span_id.as_slice()), (SpanKind::Server, &[][..]));
    assert_eq!(attribute(&sign_in.attributes, "http.route"), "/api/auth/login");
    assert_eq!(attribute(&sign_in.attributes, "http.response.status_code"), "200");
    for (child, parent) in [
        ("hash a password", "POST /api/auth/login"),
        ("open", "POST /api/auth/login"),
        ("refresh", "POST /api/auth/refresh"),
    ] {
        let parent = named(parent);
        let found = spans.iter().find(|span| span.name == child && span.parent_span_id == parent.span_id);
        let seen = || spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>();
        assert_eq!(
            found.unwrap_or_else(|| panic!("{child} in {}: {:?}", parent.name, seen())).trace_id,
            parent.trace_id
        );
    }
    assert_eq!(attribute(&named("GET unmatched").attributes, "http.response.status_code"), "404");
    assert_eq!(attribute(&named("_OTHER /healthz").attributes, "http.request.method"), "_OTHER");
    let resource = collector.resource();
    assert_eq!(attribute(&resource, "service.name"), "counterfoil");
    assert_eq!(attribute(&resource, "service.version"), env!("CARGO_PKG_VERSION"));

    let sent = format!("{:?}", collector.requests());
    for secret in secrets.iter().map(String::as_str).chain([PASSWORD, EMAIL, "token=secret", "127.0.0.1", "BREW"]) {
        assert!(!sent.contains(secret), "{secret} has been sent");
    }
}

#[test]
fn the_standard_environment_decides_what_is_sent() {
    let collector = Collector::start();
    let start = |more: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        let environment = [&[("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())], more].concat();
        let server = Server::start(folder.path(), &environment);
        traffic(&server);
        server.stop();
    };
    start(&[("OTEL_SDK_DISABLED", "true")]);
    start(&[("OTEL_TRACES_EXPORTER", "none")]);
    start(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    assert_eq!(collector.spans(), []);
    start(&[("OTEL_SERVICE_NAME", "sign-in")]);
    assert_eq!(attribute(&collector.resource(), "service.name"), "sign-in");
}

#[test]
fn only_a_trusted_proxy_may_say_of_which_trace_a_request_is() {
    // A traceparent: version, trace, span, sampled.
    let (trace, span) = ([0xab; 16], "b7ad6b7169203331");
    let parent = format!("00-{}-{span}-01", "ab".repeat(16));
    let of_requests = |trusted: &str| {
        let collector = Collector::start();
        let folder = tempfile::tempdir().unwrap();
        let environment =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("COUNTERFOIL__TRUSTED_PROXIES", trusted)];
        let server = Server::start(folder.path(), &environment);
        exchange(
            server.address,
            "GET /healthz",
            &[("traceparent", parent.as_str()), ("X-Forwarded-For", "203.0.113.9")],
            "",
        )
        .unwrap();
        server.stop();
        let spans = collector.spans();
        let span = spans.iter().find(|span| span.name == "GET /healthz").unwrap();
        span.trace_id.clone()
    };
    assert_eq!(of_requests("[\"127.0.0.0/8\"]"), trace);
    assert_ne!(of_requests("[\"10.0.0.0/8\"]"), trace);
}

#[test]
fn a_collector_that_cannot_be_reached_stops_nothing_and_a_wrong_protocol_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let server = Server::start(folder.path(), &[nobody]);
    traffic(&server);
    server.stop();
    let command = std::process::Command::new(crate::support::BINARY);
    let refused = Server::spawn(command, folder.path(), &[nobody, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], &[]);
    let said = refused.err().expect("the start is refused");
    assert!(said.contains("OTEL_EXPORTER_OTLP_PROTOCOL: found grpc; allowed is http/protobuf"), "{said}");
}
