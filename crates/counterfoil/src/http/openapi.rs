//! `/openapi.json`: the contract, from the handlers' own annotations. A copy in `docs/reference/` is checked by a test.

use super::{admin, auth, gate, health, oauth, revocations, ssf, status_lists, well_known};
use axum::response::{IntoResponse as _, Response};
use http::header;
use std::sync::LazyLock;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Counterfoil",
        description = "Sign people in, keep their sessions, hand out short-lived access tokens and take them back at once.",
        license(name = "Apache-2.0 OR MIT")
    ),
    paths(
        auth::register::post,
        auth::register::confirmed,
        auth::login::post,
        auth::legacy::post,
        auth::refresh::post,
        auth::refresh::delete,
        auth::device::register,
        auth::device::prove,
        auth::logout::post,
        auth::logout::post_all,
        auth::me::get,
        auth::sessions::list,
        auth::sessions::delete_one,
        auth::sessions::delete_others,
        auth::sessions::timeline,
        auth::password::change,
        auth::password::forgot,
        auth::password::reset,
        auth::email::change,
        auth::email::finish,
        auth::mail_link::look_at,
        auth::mail_link::start,
        auth::mail_link::finish,
        auth::mail_link::send_code,
        auth::mail_link::verify_code,
        auth::account::data,
        auth::account::delete,
        auth::passkeys::login_start,
        auth::passkeys::login_finish,
        auth::passkeys::sign_up_start,
        auth::passkeys::sign_up_finish,
        auth::passkeys::register_start,
        auth::passkeys::register_finish,
        auth::passkeys::rename,
        auth::passkeys::remove,
        auth::totp::verify,
        auth::totp::verify_recovery_code,
        auth::totp::enrol_start,
        auth::totp::enrol_finish,
        auth::totp::remove,
        auth::totp::make_recovery_codes,
        auth::step_up::factors,
        auth::step_up::by_password,
        auth::step_up::by_totp,
        auth::step_up::passkey_start,
        auth::step_up::passkey_finish,
        admin::users::list,
        admin::users::one,
        admin::users::create,
        admin::import::post,
        admin::users::remove,
        admin::users::set_roles,
        admin::users::ban,
        admin::users::unban,
        admin::users::unlock,
        admin::users::reset,
        admin::users::revoke,
        admin::sessions::of_user,
        admin::sessions::revoke,
        admin::sessions::timeline,
        admin::invites::create,
        admin::invites::list,
        admin::invites::withdraw,
        admin::api_keys::create,
        admin::api_keys::list,
        admin::api_keys::remove,
        admin::activity::get,
        admin::applications::list,
        admin::guards::list,
        admin::guards::create,
        admin::guards::remove,
        admin::clients::list,
        admin::clients::create,
        admin::clients::renew,
        admin::clients::revoke,
        admin::streams::list,
        admin::streams::set_status,
        admin::streams::remove,
        admin::keys::list,
        admin::keys::rotate,
        admin::keys::revoke,
        admin::keys::revoke_all,
        admin::risk::list,
        admin::audit::list,
        admin::audit::export,
        admin::audit::head,
        revocations::get,
        gate::ask,
        oauth::introspect::post,
        oauth::revoke::post,
        oauth::token::post,
        ssf::streams::metadata,
        ssf::streams::create,
        ssf::streams::get,
        ssf::streams::patch,
        ssf::streams::put,
        ssf::streams::delete,
        ssf::streams::status,
        ssf::streams::set_status,
        ssf::subjects::add,
        ssf::subjects::remove,
        ssf::subjects::verify,
        ssf::poll::post,
        ssf::events::post,
        status_lists::all,
        status_lists::one,
        well_known::jwks,
        well_known::metadata,
        health::healthz,
        health::readyz,
        health::metrics,
    )
)]
struct Document;

static DOCUMENT: LazyLock<String> = LazyLock::new(document);

/// The document as it is served and committed.
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("the document is plain data");
    text.push('\n');
    text
}

/// The contract itself.
pub(super) async fn get() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, DOCUMENT.as_str()).into_response()
}
