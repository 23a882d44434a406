//! `/api/admin/*`: for the fresh session of whoever holds the role, for programs with an API key, and for the command line through the
//! control socket.

pub(super) mod activity;
pub(super) mod api_keys;
pub(super) mod applications;
pub(super) mod audit;
pub(super) mod clients;
pub(super) mod guards;
pub(super) mod import;
pub(super) mod invites;
pub(super) mod keys;
pub(super) mod risk;
pub(super) mod sessions;
pub(super) mod streams;
pub(super) mod users;

use super::Peer;
use super::extract::Presented;
use super::problem::{Code, Problem};
use super::receipt::{self, WantsReceipt};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::access::Ended;
use crate::flow::administer::{AdministerError, Administrator};
use crate::flow::api_keys::{self as api_keys_flow, KeyError};
use crate::flow::authenticate::identify;
use axum::extract::FromRequestParts;
use axum::response::Response;
use counterfoil_core::UserId;
use counterfoil_core::audit::Actor;
use counterfoil_core::duty::Duty;
use http::request::Parts;
use std::sync::Arc;

/// Whoever may look.
pub(super) struct Reader;

/// Whoever may end access and let in again.
pub(super) struct Supporter(pub(super) Administrator);

impl FromRequestParts<Arc<App>> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        authorise(parts, app, Duty::Administer).await
    }
}

impl FromRequestParts<Arc<App>> for Supporter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self(authorise(parts, app, Duty::Support).await?))
    }
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        authorise(parts, app, Duty::See).await.map(|_| Self)
    }
}

async fn authorise(parts: &mut Parts, app: &Arc<App>, needed: Duty) -> Result<Administrator, Problem> {
    let Ok(caller) = Caller::from_request_parts(parts, app).await;
    if parts.extensions.get::<Peer>() == Some(&Peer::Control) {
        return Ok(Administrator { actor: Actor::Operator, duty: Duty::Administer, caller });
    }
    let presented = Presented::require(app, &parts.method, (&parts.headers, &parts.extensions))?;
    if let Some(key) = presented.api_key() {
        let key = api_keys_flow::authenticate(app, key).await?;
        return allowed(Some(key.duty), needed).map(|duty| Administrator {
            actor: Actor::ApiKey(key.id),
            duty,
            caller,
        });
    }
    let identity = identify(app, presented.credential(), &caller).await?;
    let duty = allowed(Duty::of(&identity.user), needed)?;
    let fresh = app.config.session.fresh.0;
    let stale = app.clock.now().since(identity.session.auth_time) > fresh;
    let rules = identity.user.roles.iter().filter_map(|role| app.config.roles.get(role.as_str()));
    let asked = rules.map(|rule| rule.require).max().unwrap_or_default();
    // The role may have come, or the rule, after the sign-in.
    if stale || !asked.is_met_by(&identity.session) {
        return Err(Problem::reauthenticate(asked.challenge(fresh)));
    }
    Ok(Administrator { actor: Actor::Admin(identity.user.id), duty, caller })
}

/// Whoever has this duty, if it is enough.
fn allowed(held: Option<Duty>, needed: Duty) -> Result<Duty, Problem> {
    let refused = || Problem::new(Code::Forbidden).detail(format!("this needs the role `{}`", needed.role()));
    held.filter(|duty| *duty >= needed).ok_or_else(refused)
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            // Only whoever holds the key learns more than that it does not count.
            error => Self::new(Code::ApiKeyInvalid).detail(error.to_string()),
        }
    }
}

impl From<AdministerError> for Problem {
    fn from(error: AdministerError) -> Self {
        match error {
            AdministerError::Above => Self::new(Code::Forbidden).detail("this account stands above yours"),
            AdministerError::Store(error) => error.into(),
        }
    }
}

fn user_id(text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

/// 204 or the receipt, or 404 when there was no such thing.
async fn ended(app: &Arc<App>, wants: WantsReceipt, ended: Ended) -> Result<Response, Problem> {
    if !ended.found {
        return Err(Problem::new(Code::NotFound));
    }
    Ok(receipt::done_for_admin(app, wants, ended.seq).await)
}

/// 204, or 404 when there was no such thing.
fn done(found: bool) -> Result<http::StatusCode, Problem> {
    if found { Ok(http::StatusCode::NO_CONTENT) } else { Err(Problem::new(Code::NotFound)) }
}
