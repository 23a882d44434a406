//! `DPoP` headers (RFC 9449): read once, before anything else. What comes of it lies in the request's extensions, for whoever asks who
//! sends the request; a flow uses the proof up once it knows that it counts.

use super::problem::{Code, Problem};
use crate::app::App;
use crate::flow::proof::NONCE_LIFE;
use axum::extract::Request;
use axum::response::Response;
use counterfoil_core::Timestamp;
use counterfoil_core::refresh::token::KeptIn;
use counterfoil_guard::dpop::Proof;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::sync::Arc;

/// The header with the proof.
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header with a nonce for the next one.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Why a proof does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DpopError {
    /// It is not one, or is not for this request.
    Bad,
    /// It holds no nonce of this server's, or an old one.
    UseNonce,
}

impl From<DpopError> for Problem {
    fn from(error: DpopError) -> Self {
        match error {
            DpopError::Bad => Self::new(Code::InvalidDpopProof),
            DpopError::UseNonce => Self::new(Code::UseDpopNonce),
        }
    }
}

/// What a request has shown.
#[derive(Clone)]
struct Shown(Result<Arc<Proof>, DpopError>);

/// What a server does with a proof: give tokens out for it, or let a token pass. Their nonces are not each other's (DPOP-8).
fn role(path: &str) -> &'static str {
    if matches!(path, "/oauth/token" | "/api/auth/login" | "/api/auth/refresh") { "issue" } else { "use" }
}

/// What the nonce in an answer has to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    role: &'static str,
    /// The client has been asked for a proof with another nonce. If every replica gave one of the Redis that it knows, it would go to and
    /// fro between two that know different ones; what is remembered in the store every one takes.
    asked_anew: bool,
}

impl Wanted {
    /// For the next proof of somebody whom the gate is asked about.
    pub(super) const fn at_gate(asked_anew: bool) -> Self {
        Self { role: "use", asked_anew }
    }
}

/// Reads the header of a request that has one; returns what the answer's nonce must be. The gate asks about other requests
/// than its own, and reads theirs itself.
pub(super) fn read_own(app: &App, request: &mut Request) -> Option<Wanted> {
    if !request.headers().contains_key(DPOP) || request.uri().path() == "/gate" {
        return None;
    }
    let (path, role) = (request.uri().path(), role(request.uri().path()));
    let shown = read(app, request.headers(), (request.method().as_str(), &app.public.absolute(path)), role);
    let asked_anew = matches!(shown, Err(DpopError::UseNonce));
    request.extensions_mut().insert(Shown(shown));
    Some(Wanted { role, asked_anew })
}

/// Sends a nonce along for the next proof.
pub(super) fn give_nonce(app: &App, Wanted { role, asked_anew }: Wanted, response: &mut Response) {
    let now = app.clock.now();
    let redis = app.redis.as_ref().filter(|_| !asked_anew);
    let in_redis = redis.and_then(|redis| redis.remembers(Timestamp::from_seconds(now.as_seconds())));
    let nonce = app.tokens.dpop_nonce(role, now, in_redis.map_or(KeptIn::Store, KeptIn::Redis));
    response.headers_mut().insert(DPOP_NONCE, HeaderValue::try_from(nonce).expect("base64url is ASCII"));
}

/// The proof of a request to `url`: fresh, and not yet used up.
fn read(app: &App, headers: &HeaderMap, (method, url): (&str, &str), role: &str) -> Result<Arc<Proof>, DpopError> {
    let mut values = headers.get_all(DPOP).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(DpopError::Bad) };
    let text = value.to_str().map_err(|_| DpopError::Bad)?;
    let proof = Proof::read(text, method, url).map_err(|error| {
        tracing::info!(reason = error.0, "a proof of possession is refused");
        DpopError::Bad
    })?;
    let now = app.clock.now();
    // One whose proofs this server cannot look up now is as good as none: there are others.
    let known = |nonce: &String| match app.tokens.read_dpop_nonce(nonce, role, now, NONCE_LIFE) {
        Some((made, KeptIn::Redis(process))) => {
            app.redis.as_ref().is_some_and(|redis| redis.remembers(made) == Some(process))
        }
        Some((_, KeptIn::Store)) => true,
        None => false,
    };
    match &proof.nonce {
        // Once asked for, it must be there and ours; then it says when the proof was made better than the client's clock does.
        Some(nonce) if !known(nonce) => return Err(DpopError::UseNonce),
        None if app.config.dpop.nonce => return Err(DpopError::UseNonce),
        None if !proof.is_fresh(now) => return Err(DpopError::Bad),
        _ => {}
    }
    Ok(Arc::new(proof))
}

/// The same for a request that the gate is asked about; as if [`read_own`] had read it.
pub(super) fn read_forwarded(app: &App, headers: &HeaderMap, request: (&str, &str)) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(Shown(read(app, headers, request, "use")));
    extensions
}

/// What a request has proved to hold the key with; none where it has not tried.
pub(super) fn proof(extensions: &Extensions) -> Result<Option<Arc<Proof>>, DpopError> {
    extensions.get::<Shown>().map(|Shown(shown)| shown.clone()).transpose()
}

/// The proof beside a token.
pub(super) fn beside_token(extensions: &Extensions) -> Result<&Proof, Problem> {
    match extensions.get::<Shown>() {
        None => Err(Problem::new(Code::ProofRequired)),
        Some(Shown(Ok(proof))) => Ok(proof),
        Some(Shown(Err(error))) => Err(Problem::from(*error).status(StatusCode::UNAUTHORIZED)),
    }
}
