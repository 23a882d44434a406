//! `/api/admin/applications`: what the configuration says.

use super::Reader;
use crate::app::App;
use crate::http::view::json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An application.
#[derive(Serialize, ToSchema)]
struct ApplicationView<'a> {
    name: &'a str,
    /// How it receives tokens: `cookie`, `hybrid`, `opaque` or `native`.
    profile: &'static str,
    audience: &'a str,
    origins: &'a [String],
    /// How strongly people prove themselves there.
    require: &'static str,
}

/// List the applications.
#[utoipa::path(get, path = "/api/admin/applications", tag = "admin", responses((status = 200), (status = 403)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Response {
    let view = |(name, application): (&'_ String, &'_ crate::config::ApplicationConfig)| {
        serde_json::to_value(ApplicationView {
            name,
            profile: application.profile.as_str(),
            audience: application.audience.as_deref().unwrap_or(name),
            origins: &application.origins,
            require: application.require.as_str(),
        })
        .expect("strings always serialise")
    };
    let all: Vec<_> = app.config.applications.iter().map(view).collect();
    json(
        StatusCode::OK,
        &serde_json::json!({ "applications": all, "max_sessions_per_user": app.config.session.max_per_user }),
    )
}
