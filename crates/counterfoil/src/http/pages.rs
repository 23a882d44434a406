//! The hosted pages and their assets.

use super::extract::Params;
use super::page::{self, ASSETS, AccountView, JAVASCRIPT, LoginView, MailView, RegisterView};
use super::problem::{Code, Problem};
use super::view::rfc3339;
use crate::app::App;
use crate::words::Words;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::redirect::LocalPath;
use counterfoil_guard::base64url_encode;
use http::{HeaderMap, HeaderValue, header};
use maud::Markup;
use serde::Deserialize;
use std::sync::{Arc, LazyLock};

/// Changes whenever an asset does; what is said has a version of its own.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for asset in ASSETS {
        digest.update(asset.body.as_bytes());
    }
    base64url_encode(&digest.finish().as_ref()[..6])
});

/// For what has another address when it changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// For a mail that is shown as a page: it has its style in itself, and runs nothing.
const CSP_OF_MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// What is said to whoever sends these headers: in the language that their browser prefers.
fn words<'a>(app: &'a App, headers: &HeaderMap) -> &'a Words {
    let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    app.languages.preferred(accepted)
}

/// A page, and in which language it is.
fn shown(words: &Words, page: Markup) -> Response {
    let language = HeaderValue::from_str(words.tag().as_str()).expect("letters, digits and hyphens");
    let headers = [(header::CONTENT_LANGUAGE, language), (header::VARY, HeaderValue::from_static("accept-language"))];
    (headers, Html(page.into_string())).into_response()
}

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
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Params(query): Params<PageQuery>,
    headers: HeaderMap,
) -> Response {
    let words = words(&app, &headers);
    let target = query.redirect.as_deref().and_then(LocalPath::parse);
    let view = LoginView {
        service_name: &app.config.service_name,
        redirect: target.as_ref().map_or("/account", LocalPath::as_str),
        passkeys: app.passkeys.is_some(),
        mail: app.mail.is_some(),
        mail_sign_in: app.config.mail.sign_in,
        registration_open: app.registration_is_open(),
        words,
        asset_version: &VERSION,
    };
    shown(words, page::login(&view))
}

/// `/register`, perhaps with an invitation.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    Params(query): Params<PageQuery>,
    headers: HeaderMap,
) -> Response {
    let words = words(&app, &headers);
    let well_formed =
        |token: &&str| token.len() <= 64 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let view = RegisterView {
        service_name: &app.config.service_name,
        passkeys: app.passkeys.is_some(),
        invite: query.invite.as_deref().filter(well_formed),
        // Only what the page says; what the account gets is in the invitation.
        invited_admin: query.invite.is_some() && query.role.as_deref() == Some("admin"),
        min_password_length: app.config.password.min_length,
        words,
        asset_version: &VERSION,
    };
    shown(words, page::register(&view))
}

/// `/account`. Holds nothing personal: its script fetches that.
pub(super) async fn account(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let words = words(&app, &headers);
    let view = AccountView {
        service_name: &app.config.service_name,
        mail: app.mail.is_some(),
        words,
        asset_version: &VERSION,
    };
    shown(words, page::account(&view))
}

fn mail_view<'a>(app: &'a App, headers: &HeaderMap) -> MailView<'a> {
    MailView {
        service_name: &app.config.service_name,
        min_password_length: app.config.password.min_length,
        words: words(app, headers),
        asset_version: &VERSION,
    }
}

/// `/forgot`.
pub(super) async fn forgot(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    if app.mail.is_none() {
        return Err(Problem::new(Code::NotFound));
    }
    let view = mail_view(&app, &headers);
    Ok(shown(view.words, page::forgot(&view)))
}

/// `/mail/…#TOKEN`: what a link in a mail opens. The token stays in the browser until its button is pressed: a fragment is not sent.
pub(super) async fn mail(
    State(app): State<Arc<App>>,
    Path(purpose): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let purpose = Purpose::from_name(&purpose).filter(|_| app.mail.is_some()).ok_or(Problem::new(Code::NotFound))?;
    let view = mail_view(&app, &headers);
    Ok(shown(view.words, page::link(&view, purpose)))
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
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let outbox = app.mail.as_ref().and_then(|mail| mail.outbox()).ok_or(Problem::new(Code::NotFound))?;
    let mails = outbox.all();
    let Some(index) = query.html else {
        let view = mail_view(&app, &headers);
        return Ok(shown(view.words, page::outbox(&view, &mails, rfc3339)));
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
pub(super) async fn section(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let section = page::Section::parse(&name).ok_or(Problem::new(Code::NotFound))?;
    Ok(administer(&app, section, &headers))
}

/// `/admin/users/…`: one account.
pub(super) async fn user(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    administer(&app, page::Section::Users, &headers)
}

fn administer(app: &App, section: page::Section, headers: &HeaderMap) -> Response {
    let words = words(app, headers);
    shown(words, page::admin(words, &app.config.service_name, section, &VERSION))
}

/// What a page says beside the name of an asset.
#[derive(Deserialize)]
pub(super) struct AssetQuery {
    lang: Option<String>,
}

/// `/assets/…`: their address changes with their content, so they may be kept for ever.
pub(super) async fn asset(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Params(query): Params<AssetQuery>,
) -> Result<Response, Problem> {
    if name == "messages.js" {
        return Ok(messages(&app, query.lang.as_deref()));
    }
    let path = format!("/assets/{name}");
    let asset = ASSETS.iter().find(|asset| asset.path == path).ok_or(Problem::new(Code::NotFound))?;
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)), (header::CACHE_CONTROL, FOR_EVER)];
    Ok((headers, asset.body).into_response())
}

/// What the scripts say. A language that is not here (any more) is English, and is not to be kept as what it is not.
fn messages(app: &App, language: Option<&str>) -> Response {
    let known = language.and_then(|language| app.languages.of(language));
    let script = known.unwrap_or_else(|| app.languages.english()).script().clone();
    let cache = if known.is_some() { FOR_EVER } else { HeaderValue::from_static("no-store") };
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(JAVASCRIPT)), (header::CACHE_CONTROL, cache)];
    (headers, script).into_response()
}
