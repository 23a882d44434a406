//! The event streams of receivers elsewhere (OpenID Shared Signals 1.0 section 8): made, changed, paused and removed by the services
//! whose they are.

use super::administer::Administrator;
use super::authenticate::{AuthenticateError, use_up};
use super::{Caller, clients};
use crate::app::App;
use crate::clock::random;
use crate::config::{OutgoingUrl, SSF_RESOURCE, SSF_SCOPES};
use crate::store::StoreError;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::factor_key::Use;
use counterfoil_core::ssf::stream::{Delivery, Note, Settings, Status, Stream, StreamId, Subjects, What};
use counterfoil_core::ssf::subject::Subject;
use counterfoil_core::{ClientName, Secret};
use counterfoil_guard::Refusal;
use counterfoil_guard::base64url_encode;
use counterfoil_guard::dpop::Proof;
use http::HeaderValue;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many streams a service may have.
pub const MOST: u32 = 10;

/// How often a stream may be asked to be verified.
pub const VERIFY_EVERY: Duration = Duration::from_secs(30);

/// The longest description, state and reason.
const LONGEST_TEXT: usize = 512;

/// How many types may be asked for.
const MOST_TYPES: usize = 64;

/// How often a change that met another is tried.
const TRIES: usize = 16;

/// What a token must be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To see streams, and to fetch events.
    Read,
    /// To change them too.
    Manage,
}

impl Scope {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => SSF_SCOPES[0],
            Self::Manage => SSF_SCOPES[1],
        }
    }
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// There are no streams at this server.
    #[error("this server has no event streams")]
    Off,
    /// The token does not count here.
    #[error(transparent)]
    Token(#[from] AuthenticateError),
    /// The token is good for less.
    #[error("the token lacks the scope {}", .0.as_str())]
    Scope(Scope),
    /// There is no such stream of this service, or no such subject.
    #[error("there is no such stream, or no such subject")]
    Unknown,
    /// It has as many as it may have.
    #[error("there are as many streams as there may be")]
    Full,
    /// What was asked for cannot be.
    #[error("{0}")]
    Bad(String),
    /// Again, later.
    #[error("too soon")]
    TooSoon(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for StreamError {
    fn from(refusal: Refusal) -> Self {
        Self::Token(refusal.into())
    }
}

/// Which service a token for the streams speaks for. Looked up at every call: who has lost its credential has lost its streams.
pub async fn receiver(app: &App, token: &str, proof: Option<&Proof>, scope: Scope) -> Result<ClientName, StreamError> {
    let resource = app.resources.get(SSF_RESOURCE).ok_or(StreamError::Off)?;
    let (now, ring) = (app.clock.now(), app.keyring());
    let (claims, kid) = ring.behind.as_ref().ok_or(Refusal::WrongAudience)?.verify_with_kid(token, now)?;
    app.index()?.check(&claims, &kid)?;
    if claims.aud != resource.mint.audience {
        return Err(Refusal::WrongAudience.into());
    }
    let client = claims.sub.client().filter(|_| claims.act.is_none()).ok_or(Refusal::BadClaim)?;
    claims.check_binding(token, proof)?;
    if !clients::lives(app, client, claims.sid) {
        return Err(Refusal::Revoked.into());
    }
    let enough = claims.has_scope(scope.as_str()) || (scope == Scope::Read && claims.has_scope(Scope::Manage.as_str()));
    if !enough {
        return Err(StreamError::Scope(scope));
    }
    if let Some(proof) = proof {
        use_up(app, proof).await?;
    }
    Ok(client.clone())
}

/// How a receiver wants to be told.
#[derive(Clone, Debug)]
pub enum WantedDelivery {
    /// To be sent everything there, with this in the header Authorization.
    Push {
        /// Where.
        url: String,
        /// What.
        authorization: Option<Secret<String>>,
    },
    /// To fetch it.
    Poll,
}

/// What a receiver wants. Where something is not said, a new stream has none of it, and a changed one what it had.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// How it is told.
    pub delivery: Option<WantedDelivery>,
    /// The types, by their URIs.
    pub requested: Option<Vec<String>>,
    /// What it calls the stream.
    pub description: Option<String>,
}

/// Makes a stream. It begins with what happens from now on.
pub async fn create(app: &App, client: ClientName, wanted: Wanted, caller: &Caller) -> Result<Stream, StreamError> {
    let now = app.clock.now();
    let settings = Settings {
        delivery: Delivery::Poll,
        requested: None,
        description: None,
        subjects: app.config.ssf.default_subjects,
    };
    let mut stream = Stream {
        id: StreamId::from_bytes(random()),
        client,
        created_at: now,
        status: Status::Enabled,
        reason: None,
        settings,
        sealed: None,
        verified_at: None,
        position: app.store.newest().await?,
        acknowledged: BTreeSet::new(),
        notes: Vec::new(),
        version: 0,
    };
    choose(app, &mut stream, wanted)?;
    let entry = by_client(app, caller, Event::StreamAdded, &stream);
    if !app.store.add_stream(stream.clone(), MOST, entry).await? {
        return Err(StreamError::Full);
    }
    Ok(stream)
}

/// The streams of a service.
pub async fn of(app: &App, client: &ClientName) -> Result<Vec<Stream>, StreamError> {
    Ok(app.store.streams().await?.into_iter().filter(|stream| stream.client == *client).collect())
}

/// One of them. Somebody else's is none.
pub async fn one(app: &App, client: &ClientName, id: StreamId) -> Result<Stream, StreamError> {
    app.store.stream(id).await?.filter(|stream| stream.client == *client).ok_or(StreamError::Unknown)
}

async fn any(app: &App, id: StreamId) -> Result<Stream, StreamError> {
    app.store.stream(id).await?.ok_or(StreamError::Unknown)
}

/// What becomes of what a change does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// It stays (PATCH).
    Stays,
    /// It goes (PUT).
    Goes,
}

/// Changes what a stream is told, and how.
pub async fn change(
    app: &App,
    client: &ClientName,
    id: StreamId,
    (wanted, unsaid): (Wanted, Unsaid),
    caller: &Caller,
) -> Result<Stream, StreamError> {
    replace(app, Some(client), id, |stream| {
        if unsaid == Unsaid::Goes {
            (stream.settings.delivery, stream.settings.requested) = (Delivery::Poll, None);
            (stream.settings.description, stream.sealed) = (None, None);
        }
        choose(app, stream, wanted.clone())?;
        Ok(Some(by_client(app, caller, Event::StreamChanged, stream)))
    })
    .await
}

/// Enables, pauses or disables a stream.
pub async fn set_status(
    app: &App,
    client: &ClientName,
    id: StreamId,
    (status, reason): (Status, Option<String>),
    caller: &Caller,
) -> Result<Stream, StreamError> {
    let reason = reason.filter(|reason| !reason.is_empty()).map(|reason| text("reason", reason)).transpose()?;
    let newest = app.store.newest().await?;
    replace(app, Some(client), id, |stream| {
        stream.set_status(status, reason.clone(), newest);
        Ok(Some(by_client(app, caller, Event::StreamChanged, stream)))
    })
    .await
}

/// The same by an administrator: then the receiver is told (SSF section 8.1.5).
pub async fn administer_status(
    app: &App,
    by: &Administrator,
    id: StreamId,
    (status, reason): (Status, Option<String>),
) -> Result<Stream, StreamError> {
    let reason = reason.filter(|reason| !reason.is_empty()).map(|reason| text("reason", reason)).transpose()?;
    let newest = app.store.newest().await?;
    replace(app, None, id, |stream| {
        stream.set_status(status, reason.clone(), newest);
        stream.note(note(app, What::Updated(status, reason.clone())));
        Ok(Some(by.entry(app, Event::StreamChanged, None, &detail(stream))))
    })
    .await
}

/// Removes a stream; whose it is, its owner or an administrator says in the entry.
pub async fn remove(app: &App, client: &ClientName, id: StreamId, caller: &Caller) -> Result<(), StreamError> {
    let stream = one(app, client, id).await?;
    let entry = by_client(app, caller, Event::StreamRemoved, &stream);
    if app.store.remove_stream(id, entry).await? { Ok(()) } else { Err(StreamError::Unknown) }
}

/// The same by an administrator.
pub async fn administer_remove(app: &App, by: &Administrator, id: StreamId) -> Result<(), StreamError> {
    let stream = any(app, id).await?;
    let entry = by.entry(app, Event::StreamRemoved, None, &detail(&stream));
    if app.store.remove_stream(id, entry).await? { Ok(()) } else { Err(StreamError::Unknown) }
}

/// Whether a stream shall be about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// From now on.
    Added,
    /// No more.
    Removed,
}

/// Adds somebody to a stream, or takes them out (SSF section 8.1.3).
pub async fn set_subject(
    app: &App,
    client: &ClientName,
    id: StreamId,
    (subject, about): (&Subject, About),
) -> Result<(), StreamError> {
    let stream = one(app, client, id).await?;
    let user = subject.of_issuer(app.public.issuer()).ok_or_else(|| {
        StreamError::Bad(
            "`subject` must be of the format iss_sub with this server's issuer and the `sub` of its tokens, or complex with such a `user`"
                .to_owned(),
        )
    })?;
    let is_exception = (stream.settings.subjects == Subjects::None) == (about == About::Added);
    if is_exception {
        // Only who has an account can be one, or there would be no end to them.
        app.store.credential_of(user).await?.ok_or(StreamError::Unknown)?;
        app.store.except_subject(id, user).await?;
    } else {
        app.store.include_subject(id, user).await?;
    }
    Ok(())
}

/// Has a stream tell that it works (SSF section 8.1.4).
pub async fn verify(
    app: &App,
    client: &ClientName,
    id: StreamId,
    state: Option<String>,
) -> Result<Stream, StreamError> {
    if state.as_ref().is_some_and(|state| state.len() > LONGEST_TEXT) {
        return Err(StreamError::Bad(format!("`state` has more than {LONGEST_TEXT} bytes")));
    }
    let now = app.clock.now();
    replace(app, Some(client), id, |stream| {
        if stream.status != Status::Enabled {
            return Err(StreamError::Bad("the stream is not enabled, so nothing is told".to_owned()));
        }
        let since = stream.verified_at.map(|at| now.since(at));
        if let Some(wait) = since.and_then(|since| VERIFY_EVERY.checked_sub(since)).filter(|wait| !wait.is_zero()) {
            return Err(StreamError::TooSoon(wait));
        }
        stream.verified_at = Some(now);
        stream.note(note(app, What::Verification(state.clone())));
        Ok(None)
    })
    .await
}

fn note(app: &App, what: What) -> Note {
    Note { jti: base64url_encode(&random::<16>()), at: app.clock.now().as_millis(), what }
}

/// Loads, decides and commits; anew when something came between. Without an owner whoever's it is.
async fn replace(
    app: &App,
    owner: Option<&ClientName>,
    id: StreamId,
    mut decide: impl FnMut(&mut Stream) -> Result<Option<AuditEntry>, StreamError> + Send,
) -> Result<Stream, StreamError> {
    for _ in 0..TRIES {
        let mut stream = match owner {
            Some(client) => one(app, client, id).await?,
            None => any(app, id).await?,
        };
        let entry = decide(&mut stream)?;
        if app.store.replace_stream(stream.clone(), entry).await? {
            return Ok(stream);
        }
    }
    Err(StoreError::Overloaded.into())
}

fn choose(app: &App, stream: &mut Stream, wanted: Wanted) -> Result<(), StreamError> {
    if let Some(requested) = wanted.requested {
        let good = requested.len() <= MOST_TYPES && requested.iter().all(|uri| uri.len() <= LONGEST_TEXT);
        if !good {
            let reason = format!("`events_requested` may have {MOST_TYPES} members of at most {LONGEST_TEXT} bytes");
            return Err(StreamError::Bad(reason));
        }
        stream.settings.requested = Some(requested);
    }
    if let Some(description) = wanted.description {
        stream.settings.description = Some(text("description", description)?);
    }
    match wanted.delivery {
        None => {}
        Some(WantedDelivery::Poll) => (stream.settings.delivery, stream.sealed) = (Delivery::Poll, None),
        Some(WantedDelivery::Push { url, authorization }) => {
            check_push(app, &url)?;
            stream.sealed = authorization.map(|header| seal(app, stream.id, &header)).transpose()?;
            stream.settings.delivery = Delivery::Push(url);
        }
    }
    Ok(())
}

/// Only where the operator lets events go: a receiver must not have this server send requests wherever it likes.
fn check_push(app: &App, url: &str) -> Result<(), StreamError> {
    let allowed = &app.config.ssf.push_origins;
    let origin = OutgoingUrl::try_from(url.to_owned()).map(|url| url.origin());
    match origin {
        Ok(origin) if url.len() <= LONGEST_TEXT && allowed.contains(&origin) => Ok(()),
        Ok(_) if allowed.is_empty() => Err(StreamError::Bad(
            "this server pushes events to nobody (`ssf.push_origins`); ask for urn:ietf:rfc:8936 and fetch them"
                .to_owned(),
        )),
        Ok(_) => Err(StreamError::Bad(format!("`endpoint_url` must lead to one of: {}", allowed.join(", ")))),
        Err(reason) => Err(StreamError::Bad(format!("`endpoint_url`: {reason}"))),
    }
}

fn seal(app: &App, id: StreamId, header: &Secret<String>) -> Result<Vec<u8>, StreamError> {
    let text = header.expose();
    if text.is_empty() || text.len() > 2 * LONGEST_TEXT || HeaderValue::from_str(text).is_err() {
        let reason = "`authorization_header` must be the value of a header, of at most 1024 visible ASCII characters";
        return Err(StreamError::Bad(reason.to_owned()));
    }
    Ok(app.factors.seal(Use::StreamHeader(id), random(), text.as_bytes()))
}

/// Text that administrators are shown.
fn text(member: &str, text: String) -> Result<String, StreamError> {
    let good = !text.is_empty() && text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control);
    if good {
        return Ok(text);
    }
    Err(StreamError::Bad(format!("`{member}` must have 1 to {LONGEST_TEXT} bytes, and no control characters")))
}

fn by_client(app: &App, caller: &Caller, event: Event, stream: &Stream) -> AuditEntry {
    let entry = caller.audit(event, Actor::Client, app.clock.now());
    AuditEntry { detail: detail(stream), ..entry }
}

fn detail(stream: &Stream) -> String {
    format!("{} {} {}", stream.client, stream.id, stream.status.as_str())
}
