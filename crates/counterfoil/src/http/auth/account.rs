//! `/api/auth/account`: everything that is kept of an account, and its end.

use super::step_up::PasskeyView;
use crate::app::App;
use crate::flow::Caller;
use crate::flow::account_data::{self, Kept, Reading};
use crate::flow::authenticate::identify;
use crate::flow::delete_account::delete_own;
use crate::http::cookie;
use crate::http::extract::Presented;
use crate::http::problem::Problem;
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::view::{SessionView, UserView, rfc3339, rfc3339_millis, with_cookies};
use crate::store::legacy::LegacyAccount;
use crate::store::risk::Familiar;
use crate::store::{Recorded, StoreError};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use counterfoil_core::audit::Actor;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::{Sid, Timestamp, UserId};
use futures_util::stream;
use http::request::Parts;
use http::{Method, StatusCode, header};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What the document is; another number once its members mean something else.
const FORMAT: &str = "counterfoil-account-1";

/// Everything that is kept of an account.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AccountDataView {
    /// `counterfoil-account-1`.
    format: &'static str,
    /// RFC 3339, UTC.
    made_at: String,
    user: UserView,
    sign_in: SignInView,
    /// Where the account comes from, if it was imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<ImportedView>,
    /// Those alive first, then those that are over and still kept, with when and why.
    sessions: Vec<SessionView>,
    /// From where it has been used, the newest first.
    known_from: Vec<KnownView>,
    /// What happened to the account or was done by it, oldest first; the last member, and as long as it is.
    audit: Vec<EntryView>,
}

/// What another system called the account.
#[derive(Serialize, ToSchema)]
struct ImportedView {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// In lower case.
    email: String,
}

impl ImportedView {
    fn of(account: &LegacyAccount) -> Option<Self> {
        let email = account.imported_email.clone()?;
        Some(Self { external_id: account.external_id.clone(), email })
    }
}

/// The ways to sign in; no secret of them.
#[derive(Serialize, ToSchema)]
struct SignInView {
    password: bool,
    passkeys: Vec<PasskeyView>,
    /// When the authenticator app was set up, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_since: Option<String>,
    /// How many recovery codes have not been used.
    recovery_codes: u32,
}

/// A device and a network.
#[derive(Serialize, ToSchema)]
struct KnownView {
    device: String,
    network: String,
    last_at: String,
}

impl From<&Familiar> for KnownView {
    fn from(seen: &Familiar) -> Self {
        let (device, network) = (seen.device.clone(), seen.network.clone());
        Self { device, network, last_at: rfc3339(seen.last_at) }
    }
}

/// An entry of the audit log, as its user may see it.
#[derive(Serialize, ToSchema)]
struct EntryView {
    at: String,
    event: &'static str,
    /// The kind of actor.
    actor: &'static str,
    /// The other account, where something was done to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    network: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl EntryView {
    fn of(Recorded { entry, .. }: Recorded, reader: UserId) -> Self {
        let actor = match entry.actor {
            // Whether it was through the network or on the command line is nobody's business but theirs.
            Actor::Operator | Actor::ApiKey(_) => "admin",
            actor => actor.kind(),
        };
        Self {
            at: rfc3339_millis(entry.at),
            event: entry.event.as_str(),
            actor,
            user: entry.user.filter(|user| *user != reader).map(|user| user.to_string()),
            session: entry.sid.map(|sid| sid.to_string()),
            network: entry.network,
            detail: entry.detail,
        }
    }
}

/// The document up to the entries of the audit log, which is still open.
fn beginning(kept: &Kept, current: Sid, now: Timestamp) -> Vec<u8> {
    let factors = &kept.factors;
    let session = |session: &counterfoil_core::session::Session| match session.end_reason(now) {
        None => SessionView::of(session, session.sid == current),
        Some(_) => SessionView::ended(session, now),
    };
    let view = AccountDataView {
        format: FORMAT,
        made_at: rfc3339(now),
        user: UserView::from(&factors.credential.user),
        sign_in: SignInView {
            password: factors.credential.hash != NO_PASSWORD,
            passkeys: factors.passkeys.iter().map(PasskeyView::from).collect(),
            totp_since: factors.totp.as_ref().map(|totp| rfc3339(totp.created_at)),
            recovery_codes: factors.recovery_codes,
        },
        imported: kept.imported.as_ref().and_then(ImportedView::of),
        sessions: kept.sessions.iter().map(session).collect(),
        known_from: kept.familiar.iter().map(KnownView::from).collect(),
        audit: Vec::new(),
    };
    let mut text = serde_json::to_vec(&view).expect("strings and numbers always serialise");
    text.truncate(text.len() - b"]}".len());
    text
}

/// Download everything that is kept of the account. Needs a fresh proof.
#[utoipa::path(get, path = "/api/auth/account/data", tag = "account", responses(
    (status = 200, body = AccountDataView, description = "as an attachment; a body that breaks off is not complete"),
    (status = 401, description = "`reauthentication_required`, or as `GET /api/auth/me`"),
))]
pub(in crate::http) async fn data(
    State(app): State<Arc<App>>,
    caller: Caller,
    parts: Parts,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::GET, (&parts.headers, &parts.extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let kept = account_data::read(&app, &identity).await?;
    let user = identity.user.id;
    let begun = beginning(&kept, identity.session.sid, app.clock.now());
    // What comes next: the beginning, some entries, or the end.
    let state = (Some(Reading::About(None)), begun, true);
    let body = stream::try_unfold(state, move |(reading, mut text, first)| {
        let app = Arc::clone(&app);
        async move {
            let Some(reading) = reading else { return Ok::<_, StoreError>(None) };
            let (found, next) = account_data::entries(&app, user, reading).await?;
            let mut first = first;
            for one in found {
                if !std::mem::replace(&mut first, false) {
                    text.push(b',');
                }
                serde_json::to_writer(&mut text, &EntryView::of(one, user)).expect("writing to memory does not fail");
            }
            if next.is_none() {
                text.extend_from_slice(b"]}\n");
            }
            // Reading is done where it is asked for: others shall have their turn in between.
            tokio::task::yield_now().await;
            Ok(Some((Bytes::from(text), (next, Vec::new(), first))))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
    ];
    Ok((StatusCode::OK, headers, Body::from_stream(body)).into_response())
}

/// Delete the account: every session of it ends, what is personal is erased, and its address is free. Needs a fresh proof.
#[utoipa::path(delete, path = "/api/auth/account", tag = "account", responses(
    (status = 200, body = ReceiptView), (status = 204), (status = 403, description = "`cross_site`"),
    (status = 401, description = "`reauthentication_required`, or as `GET /api/auth/me`"),
    (status = 409, description = "`last_administrator`"),
))]
pub(in crate::http) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    parts: Parts,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::DELETE, (&parts.headers, &parts.extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let ended = delete_own(&app, &identity, &caller).await?;
    let cookies = cookie::clear_all(&app.config.session);
    Ok(with_cookies(receipt::done(&app, wants, ended.seq).await, cookies))
}
