//! What a step of a sign-in answers: a session, or what comes next.

use super::device;
use crate::app::App;
use crate::flow::sign_in::{More, SignIn, SignedIn};
use crate::http::ticket::Tickets;
use crate::http::view::{MeView, TokensView, deliver, json, with_cookies};
use axum::response::Response;
use counterfoil_core::Secret;
use counterfoil_core::assurance::Step;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Who is signed in, and the tokens that stand in the body.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInView {
    #[serde(flatten)]
    me: MeView,
    #[serde(flatten)]
    tokens: TokensView,
    /// Shown once, where an authenticator app has been set up on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_codes: Vec<String>,
}

/// What a sign-in still needs.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NextView {
    /// The best next step: `passkey`, `totp`, `recovery_code`; or `enrol`: one of `options` has to be set up first.
    next: &'static str,
    /// All that would do, the best first.
    options: Vec<&'static str>,
    /// To be sent along with the next step, in the profile `native`; a browser keeps it in the cookie `__Host-cf_login`.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_token: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_codes: Vec<String>,
}

/// What comes of a step of a sign-in: somebody is signed in, or another step is needed.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the contract, which has one answer for each status")]
pub(in crate::http) enum SignInAnswer {
    /// A session.
    Done(Box<SignedInView>),
    /// Another step.
    More(NextView),
}

/// Answers.
pub(in crate::http) fn answer(app: &App, headers: &HeaderMap, outcome: SignIn, tickets: Tickets) -> Response {
    match outcome {
        SignIn::Done(signed_in) => signed_in_answer(app, headers, &signed_in, &[]),
        SignIn::More(more) => more_answer(app, &more, tickets, &[]),
    }
}

/// A session, and recovery codes if there are new ones.
pub(super) fn signed_in_answer(
    app: &App,
    headers: &HeaderMap,
    signed_in: &SignedIn,
    codes: &[Secret<String>],
) -> Response {
    let view = SignedInView {
        me: MeView::of(&signed_in.session, &signed_in.user),
        tokens: TokensView::of(&signed_in.delivery),
        recovery_codes: exposed(codes),
    };
    let mut response = deliver(&view, &signed_in.delivery, &app.config.session);
    device::offer(app, &signed_in.session, &mut response);
    with_cookies(response, Tickets::clear(app, headers).into_iter().collect())
}

/// The next step, and recovery codes if there are new ones.
pub(super) fn more_answer(app: &App, more: &More, tickets: Tickets, codes: &[Secret<String>]) -> Response {
    let out = tickets.hand_out(app, &more.ticket, more.profile);
    let options: Vec<&'static str> = more.steps.iter().map(|step| Step::as_str(*step)).collect();
    let next = if more.enrol { "enrol" } else { options.first().copied().unwrap_or("enrol") };
    let login_token = out.login_token.map(|token| token.expose().clone());
    let view = NextView { next, options, login_token, recovery_codes: exposed(codes) };
    with_cookies(json(StatusCode::OK, &view), out.cookie.into_iter().collect())
}

pub(super) fn exposed(codes: &[Secret<String>]) -> Vec<String> {
    codes.iter().map(|code| code.expose().clone()).collect()
}
