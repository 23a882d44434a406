//! Traces, over OTLP, if the environment names a collector. The variables are OpenTelemetry's own, so that whoever runs a collector
//! knows them: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME` and the rest. Decision 0030.

use crate::outgoing::{self, Outgoing};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Where spans stand. Lines of the log do not, so that who filters them does not lose these.
pub(crate) const SPANS: &str = "counterfoil::span";

/// A span under [`SPANS`]; nothing where nobody collects them.
macro_rules! span {
    ($($field:tt)+) => { tracing::trace_span!(target: $crate::telemetry::SPANS, $($field)+) };
}
pub(crate) use span;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];

/// The only way of speaking OTLP here.
const PROTOCOL: &str = "http/protobuf";

/// How long a collector may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// The most that is taken of its answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A protocol that is not spoken here.
    #[error("{name}: found {found}; allowed is {PROTOCOL} (collectors take it on port 4318)")]
    Protocol {
        /// The variable.
        name: &'static str,
        /// What it says.
        found: String,
    },
    /// No authorities that could vouch for the collector.
    #[error("the authorities this machine trusts: {0}")]
    NoAuthorities(#[from] std::io::Error),
    /// The endpoint or the headers.
    #[error("OTEL_EXPORTER_OTLP_…: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// What sends traces.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// As the environment says; `None` if it does not name a collector, or says that nothing is to be sent.
    pub(super) fn from_environment() -> Result<Option<Self>, TraceError> {
        let off = is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none");
        let Some(endpoint) = ENDPOINTS.into_iter().find_map(said).filter(|_| !off) else { return Ok(None) };
        if let Some((name, found)) = PROTOCOLS.into_iter().find_map(|name| Some((name, said(name)?)))
            && found != PROTOCOL
        {
            return Err(TraceError::Protocol { name, found });
        }
        let client = outgoing::client(endpoint.starts_with("https:"), MAX_ANSWER)?;
        let sender = Sender { client, runtime: Handle::current(), failing: AtomicBool::new(false) };
        let exporter = SpanExporter::builder().with_http().with_http_client(sender).build()?;
        let mut facts = vec![KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
        let named = said("OTEL_SERVICE_NAME").is_some()
            || said("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|facts| facts.contains("service.name="));
        if !named {
            facts.push(KeyValue::new("service.name", "counterfoil"));
        }
        let resource = Resource::builder().with_attributes(facts).build();
        Ok(Some(Self(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())))
    }

    pub(super) fn tracer(&self) -> Tracer {
        self.0.tracer("counterfoil")
    }

    /// Sends what has not been sent, as far as somebody takes it.
    pub async fn finish(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(ANSWER_WITHIN)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

fn said(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn is(name: &'static str, wanted: &str) -> bool {
    said(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
}

/// Makes a span part of the trace that the headers name (W3C Trace Context). Only for senders that are trusted: a trace that is
/// to be recorded costs.
pub(crate) fn continue_trace(span: &Span, headers: &HeaderMap) {
    struct Headers<'a>(&'a HeaderMap);
    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    if span.set_parent(context).is_err() {
        tracing::debug!("a span has begun before its parent was known");
    }
}

/// The name of the function in which a closure of this type stands.
pub(crate) fn function_of(closure: &'static str) -> &'static str {
    let function = closure.rsplit("::").find(|part| !part.starts_with('{')).unwrap_or(closure);
    // Its lifetimes are nobody's business.
    function.split('<').next().unwrap_or(function)
}

/// Sends from this server's runtime: whoever asks is a thread that has none.
#[derive(Debug)]
struct Sender {
    client: Outgoing,
    runtime: Handle,
    /// Told when it changes, and not each time.
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let answered = async move {
            let response = client.request(request.map(Full::new)).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        let answered = self.runtime.spawn(async { tokio::time::timeout(ANSWER_WITHIN, answered).await });
        let outcome = match answered.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(late)) => Err(late.into()),
            Err(stopped) => Err(stopped.into()),
        };
        let failing = !outcome.as_ref().is_ok_and(|answer| answer.status().is_success());
        if self.failing.swap(failing, Ordering::Relaxed) != failing {
            let answer = outcome.as_ref().map(|answer| answer.status().as_u16()).map_err(ToString::to_string);
            tracing::warn!(?answer, "whether the collector takes traces has changed");
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::function_of;

    #[test]
    fn a_closure_is_named_after_the_function_around_it() {
        let closure = "counterfoil::store::sqlite::sessions::<impl counterfoil::store::Sessions for \
                       counterfoil::store::sqlite::SqliteStore>::open<'_, '_>::{{closure}}::{{closure}}";
        assert_eq!(function_of(closure), "open");
        let here = || ();
        assert_eq!(function_of(std::any::type_name_of_val(&here)), "a_closure_is_named_after_the_function_around_it");
    }
}
