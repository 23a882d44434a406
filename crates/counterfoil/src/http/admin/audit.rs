//! `/api/admin/audit`: the log for people, as lines for programs, and whether it is whole.

use super::Reader;
use crate::app::App;
use crate::flow::look_up;
use crate::flow::verify_audit::{Kept, Verified, verify as verify_chain};
use crate::http::extract::Params;
use crate::http::problem::{Code, Problem};
use crate::http::view::{json, rfc3339, rfc3339_millis};
use crate::store::{Recorded, StoreError};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use counterfoil_core::Timestamp;
use counterfoil_core::audit::Event;
use counterfoil_core::audit_search::{By, Direction, Place, Wanted};
use counterfoil_guard::{base64url_decode, base64url_encode};
use futures_util::stream;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json as value};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// The type of an answer in lines.
const LINES: &str = "application/x-ndjson";

/// How many entries are made into lines at once.
const LINES_AT_ONCE: usize = 500;

/// Which entries.
#[derive(Deserialize)]
pub(in crate::http) struct AuditQuery {
    user: Option<String>,
    sid: Option<String>,
    event: Option<String>,
    actor: Option<String>,
    since: Option<String>,
    until: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

impl AuditQuery {
    fn wanted(&self) -> Result<Wanted, Problem> {
        let all = Wanted::default();
        let id = "is an id: 22 characters of base64url";
        let time = "is a time such as 2026-01-31T09:30:00Z, or a day such as 2026-01-31";
        Ok(Wanted {
            user: read("user", self.user.as_deref(), id, |text| text.parse().ok())?,
            sid: read("sid", self.sid.as_deref(), id, |text| text.parse().ok())?,
            event: read("event", self.event.as_deref(), "is a word of the audit log", Event::from_name)?,
            actor: read("actor", self.actor.as_deref(), "is a kind of actor or an administrator's id", By::parse)?,
            since: read("since", self.since.as_deref(), time, parse_time)?.unwrap_or(all.since),
            until: read("until", self.until.as_deref(), time, parse_time)?.unwrap_or(all.until),
        })
    }

    fn before(&self) -> Result<Option<Place>, Problem> {
        read("before", self.before.as_deref(), "is the `next` of the page before", |text| text.parse().ok())
    }
}

/// A parameter that may be absent, and must not be anything else than what it is to be.
pub(super) fn read<T>(
    name: &str,
    text: Option<&str>,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let parsed = parse(text).ok_or_else(|| Problem::new(Code::Malformed).detail(format!("`{name}` {expected}")))?;
    Ok(Some(parsed))
}

/// RFC 3339 in UTC, or a day.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let day = text.len() == "2026-01-31".len();
    let whole = if day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = humantime::parse_rfc3339(&whole).ok()?;
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).ok()?))
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/api/admin/audit", tag = "admin", params(
    ("user" = Option<String>, Query, description = "about this account"),
    ("sid" = Option<String>, Query, description = "about this session"),
    ("event" = Option<String>, Query, description = "of this kind"),
    ("actor" = Option<String>, Query, description = "by this kind of actor, or by the administrator with this id"),
    ("since" = Option<String>, Query, description = "RFC 3339 in UTC, or a day"),
    ("until" = Option<String>, Query, description = "before this"),
    ("before" = Option<String>, Query, description = "the `next` of the page before"),
    ("limit" = Option<u32>, Query, description = "1 to 1000, 100 if absent"),
), responses((status = 200, description = "`entries`, and `next` if there may be more; a page can be short and have a `next`"),
    (status = 400, description = "`malformed`")))]
pub(in crate::http) async fn list(
    _: Reader,
    State(app): State<Arc<App>>,
    Params(query): Params<AuditQuery>,
) -> Result<Response, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, 1000) as usize;
    let from = (Direction::Back, query.before()?);
    let (found, next) = look_up::search(&app, &query.wanted()?, from, limit).await?;
    let mut body = value!({ "entries": found.iter().map(|one| view(one, rfc3339)).collect::<Vec<_>>() });
    if let Some(next) = next {
        body["next"] = next.to_string().into();
    }
    Ok(json(StatusCode::OK, &body))
}

fn view(Recorded { seq, entry, .. }: &Recorded, time: fn(Timestamp) -> String) -> Value {
    value!({
        "seq": seq, "at": time(entry.at), "event": entry.event.as_str(), "actor": entry.actor.kind(),
        "by": entry.actor.id(), "user": entry.user, "session": entry.sid,
        "network": entry.network, "detail": entry.detail,
    })
}

/// The audit log as JSON lines, oldest first, however long it is.
#[utoipa::path(get, path = "/api/admin/audit/export", tag = "admin", params(
    ("user" = Option<String>, Query), ("sid" = Option<String>, Query), ("event" = Option<String>, Query),
    ("actor" = Option<String>, Query), ("since" = Option<String>, Query), ("until" = Option<String>, Query),
), responses((status = 200, description = "one entry a line (`application/x-ndjson`), with `hash` and `network_hash` once sealed"),
    (status = 400, description = "`malformed`")))]
pub(in crate::http) async fn export(
    _: Reader,
    State(app): State<Arc<App>>,
    Params(query): Params<AuditQuery>,
) -> Result<Response, Problem> {
    let wanted = query.wanted()?;
    // Where it stands; nowhere when all has been said.
    let lines = stream::try_unfold(Some(None), move |from: Option<Option<Place>>| {
        let app = Arc::clone(&app);
        async move {
            let Some(from) = from else { return Ok::<_, StoreError>(None) };
            let (found, next) = look_up::search(&app, &wanted, (Direction::Forward, from), LINES_AT_ONCE).await?;
            let lines: Vec<u8> = found.iter().flat_map(line).collect();
            // Reading is done where it is asked for: others shall have their turn in between.
            tokio::task::yield_now().await;
            Ok(Some((Bytes::from(lines), next.map(Some))))
        }
    });
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, LINES)], Body::from_stream(lines)).into_response())
}

fn line(one: &Recorded) -> Vec<u8> {
    let mut entry = view(one, rfc3339_millis);
    if let Some((hash, network)) = &one.sealed {
        entry["hash"] = base64url_encode(hash).into();
        entry["network_hash"] = base64url_encode(network).into();
    }
    as_line(&entry)
}

fn as_line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// The newest seal: kept elsewhere, it shows later that nothing up to it has been changed or cut off.
#[utoipa::path(get, path = "/api/admin/audit/head", tag = "admin", responses(
    (status = 200, description = "`head` as `counterfoil audit verify --head` takes it; `sealed` is false if it is not this installation's")))]
pub(in crate::http) async fn head(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let head = app.store.marks().await?.head;
    let sealed = head.as_ref().is_some_and(|head| app.audit_key.is_head(head));
    let text = head.map(|head| format!("{}:{}", head.seq, base64url_encode(&head.hash)));
    Ok(json(StatusCode::OK, &value!({ "head": text, "sealed": sealed, "now": rfc3339(app.clock.now()) })))
}

/// A head that was kept.
#[derive(Deserialize)]
pub(in crate::http) struct KeptQuery {
    head: Option<String>,
}

fn parse_kept(text: &str) -> Option<Kept> {
    let (seq, hash) = text.split_once(':')?;
    Some((seq.parse().ok()?, base64url_decode(hash)?.try_into().ok()?))
}

/// Goes through the chain: lines that say how far it is, and one that says how it stands. On the control socket only: it reads all
/// there is.
pub(in crate::http) async fn verify(
    _: Reader,
    State(app): State<Arc<App>>,
    Params(query): Params<KeptQuery>,
) -> Result<Response, Problem> {
    let kept = read("head", query.head.as_deref(), "is what `counterfoil audit head` has said", parse_kept)?;
    let (lines, told) = mpsc::channel::<Bytes>(4);
    tokio::spawn(async move {
        let progress = |checked: u64, of: u64| {
            // A line that finds no room is one the next makes up for; whoever has hung up wants to know nothing any more.
            match lines.try_send(as_line(&value!({ "checked": checked, "of": of })).into()) {
                Err(TrySendError::Closed(_)) => ControlFlow::Break(()),
                Ok(()) | Err(TrySendError::Full(_)) => ControlFlow::Continue(()),
            }
        };
        let last = match verify_chain(&app, kept, progress).await {
            Ok(Some(verified)) => outcome(&verified, kept.is_some()),
            Ok(None) => return,
            Err(error) => value!({ "error": error.to_string() }),
        };
        drop(lines.send(as_line(&last).into()).await);
    });
    let told = stream::unfold(told, async |mut told| Some((Ok::<_, Infallible>(told.recv().await?), told)));
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, LINES)], Body::from_stream(told)).into_response())
}

fn outcome(Verified { chain, unsealed }: &Verified, compared: bool) -> Value {
    match chain {
        Ok(found) => value!({
            "whole": true, "entries": found.entries, "purged_to": found.anchor, "sealed_to": found.head,
            "unsealed": unsealed, "erased": found.erased, "gaps": found.gaps,
            "head_met": compared.then_some(found.met),
        }),
        Err(broken) => value!({ "whole": false, "seq": broken.seq, "how": broken.how.as_str(), "unsealed": unsealed }),
    }
}
