//! The hosted pages and their assets.

use super::extract::Params;
use super::page::{self, ASSETS, AccountView, LoginView, MailView, RegisterView};
use super::problem::{Code, Problem};
use super::view::rfc3339;
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::redirect::LocalPath;
use counterfoil_guard::base64url_encode;
use http::{HeaderValue, header};
use serde::Deserialize;
use std::sync::{Arc, LazyLock};

/// Changes whenever an asset does.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for asset in ASSETS {
        digest.update(asset.body.as_bytes());
    }
    base64url_encode(&digest.finish().as_ref()[..6])
});

/// For a mail that is shown as a page: it has its style in itself, and runs nothing.
const CSP_OF_MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// What a page's address may say.
#[derive(Deserialize)]
pub(super) struct PageQuery {
    redirect: Option<String>,
    invite: Option<String>,
    role: Option<String>,
}

/// `/`: to the account.
pub(super) async fn home() -> Redirect {
    Redirect::to("/account")
}

/// `/login?redirect=…`.
pub(super) async fn login(State(app): State<Arc<App>>, Params(query): Params<PageQuery>) -> Response {
    let target = query.redirect.as_deref().and_then(LocalPath::parse);
    let view = LoginView {
        service_name: &app.config.service_name,
        redirect: target.as_ref().map_or("/account", LocalPath::as_str),
        passkeys: app.passkeys.is_some(),
        mail: app.mail.is_some(),
        mail_sign_in: app.config.mail.sign_in,
        registration_open: app.registration_is_open(),
        asset_version: &VERSION,
    };
    Html(page::login(&view).into_string()).into_response()
}

/// `/register`, perhaps with an invitation.
pub(super) async fn register(State(app): State<Arc<App>>, Params(query): Params<PageQuery>) -> Response {
    let well_formed =
        |token: &&str| token.len() <= 64 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let view = RegisterView {
        service_name: &app.config.service_name,
        passkeys: app.passkeys.is_some(),
        invite: query.invite.as_deref().filter(well_formed),
        // Only what the page says; what the account gets is in the invitation.
        invited_admin: query.invite.is_some() && query.role.as_deref() == Some("admin"),
        min_password_length: app.config.password.min_length,
        asset_version: &VERSION,
    };
    Html(page::register(&view).into_string()).into_response()
}

/// `/account`. Holds nothing personal: its script fetches that.
pub(super) async fn account(State(app): State<Arc<App>>) -> Response {
    let view =
        AccountView { service_name: &app.config.service_name, mail: app.mail.is_some(), asset_version: &VERSION };
    Html(page::account(&view).into_string()).into_response()
}

fn mail_view(app: &App) -> MailView<'_> {
    MailView {
        service_name: &app.config.service_name,
        min_password_length: app.config.password.min_length,
        asset_version: &VERSION,
    }
}

/// `/forgot`.
pub(super) async fn forgot(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if app.mail.is_none() {
        return Err(Problem::new(Code::NotFound));
    }
    Ok(Html(page::forgot(&mail_view(&app)).into_string()).into_response())
}

/// `/mail/…#TOKEN`: what a link in a mail opens. The token stays in the browser until its button is pressed: a fragment is not sent.
pub(super) async fn mail(State(app): State<Arc<App>>, Path(purpose): Path<String>) -> Result<Response, Problem> {
    let purpose = Purpose::from_name(&purpose).filter(|_| app.mail.is_some()).ok_or(Problem::new(Code::NotFound))?;
    Ok(Html(page::link(&mail_view(&app), purpose).into_string()).into_response())
}

/// What the outbox is asked for.
#[derive(Deserialize)]
pub(super) struct OutboxQuery {
    html: Option<usize>,
}

/// `/outbox`, where mail is shown and not sent.
pub(super) async fn outbox(
    State(app): State<Arc<App>>,
    Params(query): Params<OutboxQuery>,
) -> Result<Response, Problem> {
    let outbox = app.mail.as_ref().and_then(|mail| mail.outbox()).ok_or(Problem::new(Code::NotFound))?;
    let mails = outbox.all();
    let Some(index) = query.html else {
        return Ok(Html(page::outbox(&mail_view(&app), &mails, rfc3339).into_string()).into_response());
    };
    let mail = mails.get(index).ok_or(Problem::new(Code::NotFound))?;
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP_OF_MAIL))];
    Ok((policy, Html(page::as_html(mail).into_string())).into_response())
}

/// `/admin`: to its first section.
pub(super) async fn administration() -> Redirect {
    Redirect::to("/admin/users")
}

/// `/admin/…`. Holds no data: its scripts fetch what whoever is signed in may see.
pub(super) async fn section(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Response, Problem> {
    let section = page::Section::parse(&name).ok_or(Problem::new(Code::NotFound))?;
    Ok(Html(page::admin(&app.config.service_name, section, &VERSION).into_string()).into_response())
}

/// `/admin/users/…`: one account.
pub(super) async fn user(State(app): State<Arc<App>>) -> Response {
    Html(page::admin(&app.config.service_name, page::Section::Users, &VERSION).into_string()).into_response()
}

/// `/assets/…`: their address changes with their content, so they may be kept for ever.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let path = format!("/assets/{name}");
    let asset = ASSETS.iter().find(|asset| asset.path == path).ok_or(Problem::new(Code::NotFound))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((headers, asset.body).into_response())
}
