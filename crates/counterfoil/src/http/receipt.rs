//! `?receipt=effective`, on every call that ends access: the answer waits until the revocation is in force everywhere, and says
//! so.

use super::extract::Params;
use super::problem::{Code, Problem};
use super::view::json;
use crate::app::App;
use crate::feed::{Confirmation, Receipt};
use crate::telemetry::span;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use counterfoil_core::feed::How;
use futures_util::stream;
use http::request::Parts;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::Instrument as _;
use utoipa::ToSchema;

/// Whether a receipt is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WantsReceipt {
    wanted: bool,
    /// A line for each verifier.
    lines: bool,
}

/// The type of an answer in lines.
const LINES: &str = "application/x-ndjson";

#[derive(Deserialize)]
struct ReceiptQuery {
    receipt: Option<String>,
}

impl FromRequestParts<Arc<App>> for WantsReceipt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Params(query) = Params::<ReceiptQuery>::from_request_parts(parts, app).await?;
        let lines = parts.headers.get(header::ACCEPT).is_some_and(|accepted| accepted == LINES);
        match query.receipt.as_deref() {
            None => Ok(Self { wanted: false, lines: false }),
            Some("effective") => Ok(Self { wanted: true, lines }),
            Some(_) => Err(Problem::new(Code::Malformed).detail("`receipt` can only be `effective`")),
        }
    }
}

/// For the person whose sessions ended: how many, and not who.
#[derive(Serialize, ToSchema)]
pub(super) struct ReceiptView {
    /// The log entry that is in force, with all before it.
    seq: u64,
    /// Always true: the answer comes when it is so.
    effective: bool,
    /// Milliseconds from the commit.
    ms: u64,
    /// Verifiers that said so themselves, this server included.
    confirmed: usize,
    /// Of so many that could have accepted. Those that did not answer accept nothing any more.
    of: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    verifiers: Option<Vec<VerifierView>>,
}

/// A verifier, for administrators.
#[derive(Serialize, ToSchema)]
struct VerifierView {
    name: String,
    instance: String,
    /// `acknowledged`, or `lease_over`: it has not been heard of and accepts nothing any more.
    how: &'static str,
    /// Milliseconds from the commit.
    ms: u64,
}

impl ReceiptView {
    fn of(receipt: &Receipt, names: bool) -> Self {
        // This server is a verifier too, and refuses from the commit on.
        let own = receipt.verifiers.iter().filter(|one| one.how == How::Acknowledged).count();
        let confirmed = 1 + own + receipt.elsewhere.0;
        let verifiers = names.then(|| receipt.verifiers.iter().map(VerifierView::from).collect());
        let of = 1 + receipt.verifiers.len() + receipt.elsewhere.1;
        Self { seq: receipt.seq, effective: true, ms: receipt.ms, confirmed, of, verifiers }
    }
}

impl From<&Confirmation> for VerifierView {
    fn from(one: &Confirmation) -> Self {
        let how = match one.how {
            How::Acknowledged => "acknowledged",
            How::Time => "lease_over",
        };
        Self { name: one.name.clone(), instance: one.instance.to_string(), how, ms: one.ms }
    }
}

/// 204, or the receipt with counts.
pub(super) async fn done(app: &App, wants: WantsReceipt, seq: u64) -> Response {
    respond(app, wants, seq, false).await
}

/// 204, or the receipt with the verifiers' names. To whom it accepts `application/x-ndjson`, each verifier is told in a line as
/// it confirms, and the receipt is the last line.
pub(super) async fn done_for_admin(app: &Arc<App>, wants: WantsReceipt, seq: u64) -> Response {
    if !wants.lines {
        return respond(app, wants, seq, true).await;
    }
    let (lines, told) = mpsc::unbounded_channel();
    let feed = Arc::clone(&app.feed);
    let telling = async move {
        let receipt = feed.effective_telling(seq, |one| say(&lines, &VerifierView::from(one))).await;
        say(&lines, &ReceiptView::of(&receipt, false));
    };
    tokio::spawn(telling.instrument(span!("wait for verifiers")));
    let told = stream::unfold(told, async |mut told| Some((Ok::<_, Infallible>(told.recv().await?), told)));
    (StatusCode::OK, [(header::CONTENT_TYPE, LINES)], Body::from_stream(told)).into_response()
}

/// Whoever has hung up is told nothing.
fn say(lines: &mpsc::UnboundedSender<Bytes>, value: &impl Serialize) {
    let mut line = serde_json::to_vec(value).expect("strings and numbers always serialise");
    line.push(b'\n');
    drop(lines.send(Bytes::from(line)));
}

async fn respond(app: &App, wants: WantsReceipt, seq: u64, names: bool) -> Response {
    if !wants.wanted {
        return StatusCode::NO_CONTENT.into_response();
    }
    let receipt = app.feed.effective(seq).await;
    json(StatusCode::OK, &ReceiptView::of(&receipt, names))
}

/// The receipt as a member of another answer, if one is asked for.
pub(super) async fn beside(app: &App, wants: WantsReceipt, seq: u64) -> Option<ReceiptView> {
    if !wants.wanted {
        return None;
    }
    Some(ReceiptView::of(&app.feed.effective(seq).await, false))
}
