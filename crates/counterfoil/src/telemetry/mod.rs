//! Logs to standard error, metrics in memory, traces to a collector.

mod table;
mod traces;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

pub use table::{Kind, METRICS, Metric};
pub(crate) use traces::{SPANS, continue_trace, function_of, span};
pub use traces::{TraceError, Traces};

/// What is logged: `info` if not set; a filter such as `debug` or `counterfoil=debug`.
pub const LOG: &str = "COUNTERFOIL_LOG";

/// `json` for one object a line.
pub const LOG_FORMAT: &str = "COUNTERFOIL_LOG_FORMAT";

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Begins to log and, if the environment names a collector, to trace. Data goes to standard output, logs never do.
pub fn start() -> Result<Option<Traces>, TraceError> {
    let filter = EnvFilter::try_from_env(LOG).unwrap_or_else(|_| EnvFilter::new("info"));
    let json = std::env::var(LOG_FORMAT).is_ok_and(|format| format == "json");
    let lines = lines(filter, if json { Format::Json } else { Format::Text }, std::io::stderr);
    let traces = Traces::from_environment()?;
    let spans = traces.as_ref().map(|traces| {
        let layer =
            tracing_opentelemetry::layer().with_tracer(traces.tracer()).with_location(false).with_threads(false);
        layer.with_filter(filter_fn(|metadata| metadata.target() == SPANS).with_max_level_hint(LevelFilter::TRACE))
    });
    let started = registry().with(lines).with(spans).try_init();
    drop(started); // a second start in one process (tests) keeps the first
    Ok(traces)
}

/// Begins to log what the filter lets through, elsewhere than to standard error. A second start in one process keeps the first.
pub fn log_to<W>(filter: EnvFilter, format: Format, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    drop(registry().with(lines(filter, format, writer)).try_init());
}

fn lines<S, W>(filter: EnvFilter, format: Format, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_target(false);
    let lines = match format {
        Format::Json => lines.json().boxed(),
        Format::Text => lines.boxed(),
    };
    let shown = filter_fn(|line| line.target() != SPANS && !repeats_what_is_stored(line.target(), *line.level()));
    // Without a hint everything would be asked for, and then thrown away.
    let shown = shown.with_max_level_hint(LevelFilter::TRACE);
    lines.with_filter(filter.and(shown))
}

/// The driver of PostgreSQL writes down every statement with its parameters when it is asked for details: handles of sessions and
/// hashes of passwords, which no log may hold (S6). So it is not asked, whatever the filter says.
fn repeats_what_is_stored(target: &str, level: Level) -> bool {
    target.starts_with("tokio_postgres") && level > Level::INFO
}

/// Begins to count. In a process that counts already (tests), counts go on where they went.
pub fn start_metrics() -> PrometheusHandle {
    let classes = METRICS.iter().filter_map(|metric| match metric.kind {
        Kind::Histogram(classes) => Some((metric.name, classes)),
        Kind::Counter | Kind::Gauge => None,
    });
    let builder = classes.fold(PrometheusBuilder::new(), |builder, (name, classes)| {
        let matcher = Matcher::Full(name.to_owned());
        builder.set_buckets_for_metric(matcher, classes).expect("there are classes")
    });
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        for metric in METRICS {
            match metric.kind {
                Kind::Counter => metrics::describe_counter!(metric.name, metric.meaning),
                Kind::Gauge => metrics::describe_gauge!(metric.name, metric.meaning),
                Kind::Histogram(_) => metrics::describe_histogram!(metric.name, metric.meaning),
            }
        }
    }
    handle
}
