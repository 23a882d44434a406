//! Logs to standard error, metrics in memory.

mod table;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

pub use table::{Kind, METRICS, Metric};

/// What is logged: `info` if not set; a filter such as `debug` or `counterfoil=debug`.
pub const LOG: &str = "COUNTERFOIL_LOG";

/// `json` for one object a line.
pub const LOG_FORMAT: &str = "COUNTERFOIL_LOG_FORMAT";

/// Begins to log. Data goes to standard output, logs never do.
pub fn start_logging() {
    let filter = EnvFilter::try_from_env(LOG).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let json = std::env::var(LOG_FORMAT).is_ok_and(|format| format == "json");
    let started = if json { subscriber.json().try_init() } else { subscriber.try_init() };
    drop(started); // a second start in one process (tests) keeps the first
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
