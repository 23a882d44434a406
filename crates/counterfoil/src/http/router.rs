//! Every route in one table.

use super::admin::{
    activity, api_keys, applications, audit, clients, guards, import, invites, keys, risk, sessions as admin_sessions,
    streams, users,
};
use super::auth::{account, device, email, legacy, login, logout, mail_link, me, passkeys, password};
use super::auth::{refresh, register, sessions, step_up, totp};
use super::oauth::{introspect, revoke, token};
use super::problem::{Code, Problem};
use super::{frame, gate, health, openapi, pages, revocations, ssf, status_lists, well_known};
use crate::app::App;
use crate::flow::device::{PROVE_PATH, REGISTER_PATH};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, delete, get, patch, post, put};
use std::sync::Arc;

/// The application as people and programs reach it.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/login", get(pages::login))
        .route("/register", get(pages::register))
        .route("/account", get(pages::account))
        .route("/admin", get(pages::administration))
        .route("/admin/{section}", get(pages::section))
        .route("/admin/users/{id}", get(pages::user))
        .route("/assets/{name}", get(pages::asset))
        .route("/api/auth/register", post(register::post))
        .route("/api/auth/login", post(login::post))
        .route("/api/auth/legacy", post(legacy::post))
        .route("/api/auth/refresh", post(refresh::post).delete(refresh::delete))
        .route(REGISTER_PATH, post(device::register))
        .route(PROVE_PATH, post(device::prove))
        .route("/api/auth/logout", post(logout::post))
        .route("/api/auth/logout-all", post(logout::post_all))
        .route("/api/auth/me", get(me::get))
        .route("/api/auth/sessions", get(sessions::list).delete(sessions::delete_others))
        .route("/api/auth/sessions/{sid}", delete(sessions::delete_one))
        .route("/api/auth/sessions/{sid}/timeline", get(sessions::timeline))
        .route("/api/auth/password/change", post(password::change))
        .merge(by_mail())
        .route("/api/auth/account", delete(account::delete))
        .route("/api/auth/account/data", get(account::data))
        .merge(factors())
        .route("/api/revocations", get(revocations::get))
        .route("/status-lists", get(status_lists::all))
        .route("/status-lists/{list}", get(status_lists::one))
        .route("/oauth/introspect", post(introspect::post))
        .route("/oauth/revoke", post(revoke::post))
        .route("/oauth/token", post(token::post))
        .merge(signals())
        .merge(admin())
        .route("/gate", any(gate::ask))
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/.well-known/oauth-authorization-server", get(well_known::metadata))
        .route("/openapi.json", get(openapi::get))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), frame::frame))
        .with_state(app)
}

/// Ways to prove who one is, beside the password.
fn factors() -> Router<Arc<App>> {
    Router::new()
        .route("/api/auth/factors", get(step_up::factors))
        .route("/api/auth/passkeys/login/start", post(passkeys::login_start))
        .route("/api/auth/passkeys/login/finish", post(passkeys::login_finish))
        .route("/api/auth/passkeys/sign-up/start", post(passkeys::sign_up_start))
        .route("/api/auth/passkeys/sign-up/finish", post(passkeys::sign_up_finish))
        .route("/api/auth/passkeys/register/start", post(passkeys::register_start))
        .route("/api/auth/passkeys/register/finish", post(passkeys::register_finish))
        .route("/api/auth/passkeys/{id}", patch(passkeys::rename).delete(passkeys::remove))
        .route("/api/auth/totp/verify", post(totp::verify))
        .route("/api/auth/totp/enrol/start", post(totp::enrol_start))
        .route("/api/auth/totp/enrol/finish", post(totp::enrol_finish))
        .route("/api/auth/totp", delete(totp::remove))
        .route("/api/auth/recovery-codes", post(totp::make_recovery_codes))
        .route("/api/auth/recovery-codes/verify", post(totp::verify_recovery_code))
        .route("/api/auth/step-up/password", post(step_up::by_password))
        .route("/api/auth/step-up/totp", post(step_up::by_totp))
        .route("/api/auth/step-up/passkey/start", post(step_up::passkey_start))
        .route("/api/auth/step-up/passkey/finish", post(step_up::passkey_finish))
}

/// What goes on in a mail.
fn by_mail() -> Router<Arc<App>> {
    Router::new()
        .route("/forgot", get(pages::forgot))
        .route("/mail/{purpose}", get(pages::mail))
        .route("/outbox", get(pages::outbox))
        .route("/api/auth/register/confirm", post(register::confirmed))
        .route("/api/auth/password/forgot", post(password::forgot))
        .route("/api/auth/password/reset", post(password::reset))
        .route("/api/auth/mail/look", post(mail_link::look_at))
        .route("/api/auth/mail-link/start", post(mail_link::start))
        .route("/api/auth/mail-link/finish", post(mail_link::finish))
        .route("/api/auth/mail-code/send", post(mail_link::send_code))
        .route("/api/auth/mail-code/verify", post(mail_link::verify_code))
        .route("/api/auth/email/change", post(email::change))
        .route("/api/auth/email/change/finish", post(email::finish))
}

/// Event streams for receivers elsewhere.
fn signals() -> Router<Arc<App>> {
    let streams = get(ssf::streams::get).post(ssf::streams::create).patch(ssf::streams::patch);
    Router::new()
        .route("/.well-known/ssf-configuration", get(ssf::streams::metadata))
        .route("/ssf/streams", streams.put(ssf::streams::put).delete(ssf::streams::delete))
        .route("/ssf/status", get(ssf::streams::status).post(ssf::streams::set_status))
        .route("/ssf/subjects/add", post(ssf::subjects::add))
        .route("/ssf/subjects/remove", post(ssf::subjects::remove))
        .route("/ssf/verify", post(ssf::subjects::verify))
        .route("/ssf/poll/{stream}", post(ssf::poll::post))
        .route("/ssf/events/{name}", post(ssf::events::post))
}

/// What the control socket serves: administration only, by whoever owns the data folder.
pub fn control_router(app: Arc<App>) -> Router {
    let own = Router::new().route("/api/admin/master-key", post(keys::change_master));
    let own = own.route("/api/admin/audit/verify", get(audit::verify));
    admin().merge(own).route("/readyz", get(health::readyz)).fallback(not_found).with_state(app)
}

fn admin() -> Router<Arc<App>> {
    Router::new()
        .route("/api/admin/users", get(users::list).post(users::create))
        .route("/api/admin/users/import", post(import::post))
        .route("/api/admin/users/{id}", get(users::one).delete(users::remove))
        .route("/api/admin/users/{id}/roles", put(users::set_roles))
        .route("/api/admin/users/{id}/ban", post(users::ban))
        .route("/api/admin/users/{id}/unban", post(users::unban))
        .route("/api/admin/users/{id}/unlock", post(users::unlock))
        .route("/api/admin/users/{id}/reset", post(users::reset))
        .route("/api/admin/users/{id}/revoke", post(users::revoke))
        .route("/api/admin/users/{id}/sessions", get(admin_sessions::of_user))
        .route("/api/admin/sessions/{sid}/revoke", post(admin_sessions::revoke))
        .route("/api/admin/invites", get(invites::list).post(invites::create))
        .route("/api/admin/invites/{id}", delete(invites::withdraw))
        .route("/api/admin/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/api/admin/api-keys/{name}", delete(api_keys::remove))
        .route("/api/admin/activity", get(activity::get))
        .route("/api/admin/applications", get(applications::list))
        .route("/api/admin/guards", get(guards::list).post(guards::create))
        .route("/api/admin/guards/{name}", delete(guards::remove))
        .route("/api/admin/clients", get(clients::list).post(clients::create))
        .route("/api/admin/clients/{name}/renew", post(clients::renew))
        .route("/api/admin/clients/{name}/revoke", post(clients::revoke))
        .route("/api/admin/streams", get(streams::list))
        .route("/api/admin/streams/{id}", delete(streams::remove))
        .route("/api/admin/streams/{id}/status", post(streams::set_status))
        .route("/api/admin/keys", get(keys::list))
        .route("/api/admin/keys/rotate", post(keys::rotate))
        .route("/api/admin/keys/revoke-all", post(keys::revoke_all))
        .route("/api/admin/keys/{kid}/revoke", post(keys::revoke))
        .route("/api/admin/sessions/{sid}/timeline", get(admin_sessions::timeline))
        .route("/api/admin/risk", get(risk::list))
        .route("/api/admin/audit", get(audit::list))
        .route("/api/admin/audit/export", get(audit::export))
        .route("/api/admin/audit/head", get(audit::head))
}

async fn not_found() -> Problem {
    Problem::new(Code::NotFound)
}

async fn method_not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}
