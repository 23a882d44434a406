//! Logs to standard error, metrics in memory.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

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
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    drop(metrics::set_global_recorder(recorder));
    handle
}
