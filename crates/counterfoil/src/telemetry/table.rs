//! Every metric there is, in one place: what `/metrics` says of it, and `docs/reference/metrics.md`.

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Times, counted in these classes (upper bounds in seconds).
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

const ANSWERS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const RECEIPTS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 5.1, 10.0, 60.0, 300.0];
const WAITS: &[f64] = &[0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];

macro_rules! metrics {
    ($($name:literal, $kind:expr, $labels:literal, $meaning:literal;)*) => {
        /// All of them.
        pub const METRICS: &[Metric] =
            &[$(Metric { name: $name, kind: $kind, labels: $labels, meaning: $meaning }),*];
    };
}

use Kind::{Counter, Gauge, Histogram};

metrics! {
    "counterfoil_audit_chain_refused", Gauge, "", "1 when the audit log's head is not what this server has sealed: look with `counterfoil audit verify`.";
    "counterfoil_audit_unsealed_entries", Gauge, "", "Entries of the audit log that waited to be sealed at the last look.";
    "counterfoil_backchannel_logout_attempts_total", Counter, "application, outcome", "Attempts to tell an application that a session has ended.";
    "counterfoil_backchannel_logout_lag_events", Gauge, "application", "Entries of the audit log that have not been gone through for it.";
    "counterfoil_backchannel_logout_lag_seconds", Gauge, "application", "How old the one is that it does not take.";
    "counterfoil_breached_password_lookups_total", Counter, "outcome", "Questions to the service for breached passwords; `failed` and `resting` found nothing, and nobody waited.";
    "counterfoil_cross_site_refused_total", Counter, "", "Requests that rested on a cookie and came from elsewhere.";
    "counterfoil_device_keys_total", Counter, "step", "Keys that browsers have registered, and those shown for the first time, which are asked for from then on.";
    "counterfoil_device_proofs_refused_total", Counter, "reason", "Proofs by browsers that were refused; a challenge that has run out is nothing unusual.";
    "counterfoil_guard_instances", Gauge, "", "Guards with a lease of this replica.";
    "counterfoil_guard_lag_entries", Gauge, "", "By how many entries of the log the guard furthest behind is behind.";
    "counterfoil_http_request_seconds", Histogram(ANSWERS), "route", "From a request's head to its answer's; `/api/auth/me` and `/gate` are not timed.";
    "counterfoil_http_requests_total", Counter, "route, status", "Requests answered.";
    "counterfoil_introspections_total", Counter, "outcome", "Tokens looked up for others.";
    "counterfoil_key_age_seconds", Gauge, "algorithm", "For how long the key that signs has been signing.";
    "counterfoil_lease_seconds_left_min", Gauge, "", "How long the lease that ends first has to go; absent without guards.";
    "counterfoil_legacy_exchanges_total", Counter, "outcome", "Tokens of an earlier system brought to be exchanged: `done`, `step` (another one is needed), `used` before, `refused`.";
    "counterfoil_log_copy_age_seconds", Gauge, "", "How old this replica's copy of the revocation log is; 0 where it is no copy.";
    "counterfoil_log_head", Gauge, "", "The newest entry of the revocation log that is known here.";
    "counterfoil_mails_total", Counter, "outcome", "Mails handed over to the server, and those that could not be.";
    "counterfoil_overloaded_total", Counter, "", "Answers 503: the work was more than can be done in good time, or the store failed.";
    "counterfoil_purged_rows_total", Counter, "", "Rows removed because they were over.";
    "counterfoil_receipt_seconds", Histogram(RECEIPTS), "", "From a revocation's commit until it was in force everywhere, wherever somebody waited for it, and otherwise once a second at the most.";
    "counterfoil_redis_mirror_lag_events", Gauge, "", "Entries that are not in the mirror yet.";
    "counterfoil_redis_mirror_lag_seconds", Gauge, "", "For how long something has been missing in the mirror.";
    "counterfoil_redis_mirror_up", Gauge, "", "Whether the mirror is being written.";
    "counterfoil_redis_up", Gauge, "", "Whether the shared Redis answers.";
    "counterfoil_refresh_total", Counter, "decision", "Refreshes by what was decided.";
    "counterfoil_replica_ready", Gauge, "", "Whether `/readyz` would say ready, but for the store's own check.";
    "counterfoil_replicas", Gauge, "", "Replicas registered, this one included.";
    "counterfoil_revocations_in_force", Gauge, "", "Entries in this replica's index.";
    "counterfoil_revocations_total", Counter, "", "Entries written by this replica.";
    "counterfoil_risk_assessed_total", Counter, "action", "Sign-ins, refreshes and step-ups that a rule of risk has said something about, by what was done; rules that are only tried count as `allow`.";
    "counterfoil_service_tokens_total", Counter, "grant", "Tokens issued to services.";
    "counterfoil_sign_in_failures_total", Counter, "", "Sign-ins that failed.";
    "counterfoil_sign_ins_total", Counter, "", "Sign-ins that succeeded.";
    "counterfoil_store_clock_offset_seconds", Gauge, "", "By how much this machine's clock is ahead of the store's.";
    "counterfoil_store_connections", Gauge, "state", "Connections to the database: in use, idle, and how many there may be.";
    "counterfoil_store_errors_total", Counter, "kind", "Calls of the store that failed.";
    "counterfoil_store_retries_total", Counter, "why", "Attempts at the database that were made again, by SQLSTATE.";
    "counterfoil_store_up", Gauge, "", "Whether the last look at the store succeeded.";
    "counterfoil_store_wait_seconds", Histogram(WAITS), "", "Waiting for a connection to the database.";
    "counterfoil_stream_attempts_total", Counter, "outcome", "Events sent to receivers of event streams: `received`, `refused` by a receiver that does not want this one, `failed`.";
    "counterfoil_stream_lag_events", Gauge, "", "By how many entries of the audit log the pushed event stream furthest behind is behind.";
    "counterfoil_task_leader", Gauge, "task", "Whether this replica is the one that does a task only one may do.";
    "counterfoil_tokens_refused_total", Counter, "reason", "Tokens refused.";
    "counterfoil_upstream_events_total", Counter, "outcome", "Events that identity providers elsewhere have told: `acted`, `repeated`, `nobody` here, `ignored` (means nothing here), `refused`.";
    "counterfoil_webhook_attempts_total", Counter, "name, outcome", "Attempts to deliver an event.";
    "counterfoil_webhook_lag_events", Gauge, "name", "Events that the receiver has not got yet.";
    "counterfoil_webhook_lag_seconds", Gauge, "name", "How old the oldest of them is.";
}
