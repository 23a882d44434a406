//! A tower layer: a request that carries a good token passes, with what the token says in its extensions; any other is
//! answered here, as the authority itself would.
//!
//! ```no_run
//! # #[cfg(feature = "axum")] {
//! # use counterfoil_guard::{Require, client::{Client, Config}, tower::GuardLayer};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let guard = Client::start(Config::new("https://auth.example.com", "web", std::env::var("GUARD_CREDENTIAL")?)?);
//! let everybody = GuardLayer::new(guard.clone());
//! let admins = GuardLayer::new(guard).require(Require::new().role("admin"));
//! # Ok(()) } }
//! ```

use crate::client::{Client, Mode};
use crate::cookie::cookie_values;
use crate::cross_site::{Origins, Provenance};
use crate::dpop::Proof;
use crate::guard::Verified;
use crate::login::{LoginPage, Navigation, Wanting};
use crate::refusal::Refusal;
use crate::require::{Insufficient, Require};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// The cookie in which the `cookie` profile keeps the access token.
const COOKIE: &str = "__Host-cf_access";

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `Authorization: Bearer`.
    Header,
    /// `Authorization: DPoP`, with a proof for this very request.
    Bound,
    /// The cookie; unsafe methods have passed C1.
    Cookie,
}

/// Who sends a request: in the request's extensions once it has passed the layer.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// What the token says.
    pub verified: Arc<Verified>,
    /// Where it came from.
    pub source: Source,
    guard: Client,
}

impl Authenticated {
    /// Resolves when the token counts no more; see [`Client::watch`]. Close the connection then.
    pub async fn ended(&self) -> Refusal {
        self.guard.watch(&self.verified).await
    }
}

/// Guards a service.
#[derive(Clone, Debug)]
pub struct GuardLayer {
    rules: Arc<Rules>,
}

#[derive(Clone, Debug)]
struct Rules {
    guard: Client,
    require: Require,
    mode: Option<Mode>,
    origins: Origins,
    /// Under which origin clients know this server.
    at: String,
    /// Where people are led whose page is refused.
    login: Option<LoginPage>,
}

impl GuardLayer {
    /// Any good token passes. Tokens in the cookie count too; with unsafe methods, and for a `WebSocket`, only from the issuer's
    /// own origin.
    pub fn new(guard: Client) -> Self {
        let at = guard.config().issuer.clone();
        let origins = Origins::new(vec![at.clone()], Vec::new());
        Self { rules: Arc::new(Rules { guard, require: Require::new(), mode: None, origins, at, login: None }) }
    }

    /// Under which origin clients know this server, such as `https://api.example.com`; the issuer's unless told otherwise. Proofs of
    /// possession (RFC 9449) are made for it and the request's path.
    #[must_use]
    pub fn at(mut self, origin: impl Into<String>) -> Self {
        let origin = origin.into();
        origin.trim_end_matches('/').clone_into(&mut Arc::make_mut(&mut self.rules).at);
        self
    }

    /// Asks more of a token.
    #[must_use]
    pub fn require(mut self, require: Require) -> Self {
        Arc::make_mut(&mut self.rules).require = require;
        self
    }

    /// Leads people whose page is refused to the sign-in page and back (303), as the gate does; programs get their challenge as ever. For
    /// pages under the host at which the authority answers too. Stands outside of whatever cuts the path off (`Router::nest`), or leads
    /// back to what is left of it.
    #[must_use]
    pub fn login(mut self, page: LoginPage) -> Self {
        Arc::make_mut(&mut self.rules).login = Some(page);
        self
    }

    /// In another mode than the client's.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        Arc::make_mut(&mut self.rules).mode = Some(mode);
        self
    }

    /// From which origins of the same site, besides the issuer's own, pages may send requests with the cookie: exact, like
    /// `https://app.example.com`.
    #[must_use]
    pub fn origins(mut self, origins: Vec<String>) -> Self {
        let own = vec![self.rules.guard.config().issuer.clone()];
        Arc::make_mut(&mut self.rules).origins = Origins::new(own, origins);
        self
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { rules: Arc::clone(&self.rules), inner }
    }
}

/// A guarded service.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    rules: Arc<Rules>,
    inner: S,
}

impl<S, In, Out> Service<Request<In>> for Guarded<S>
where
    S: Service<Request<In>, Response = Response<Out>> + Clone + Send + 'static,
    S::Future: Send,
    In: Send + 'static,
    Out: From<String>,
{
    type Response = Response<Out>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<In>) -> Self::Future {
        let rules = Arc::clone(&self.rules);
        // The one that is ready; a clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let found = find(&rules, request.method(), request.headers());
            let found = found.map(|(tokens, source)| (tokens.into_iter().map(str::to_owned).collect(), source));
            let proof = rules.proof(request.method(), request.uri().path(), request.headers());
            let authenticated = match (found, proof) {
                (Ok((tokens, source)), Ok(proof)) => rules.admit(tokens, source, proof).await,
                (Err(answer), _) | (_, Err(answer)) => Err(answer),
            };
            match authenticated {
                Ok(authenticated) => {
                    request.extensions_mut().insert(authenticated);
                    inner.call(request).await
                }
                Err(refused) => Ok(match rules.location(&refused, &request) {
                    Some(location) => see_other(location),
                    None => refused.into_response(),
                }),
            }
        })
    }
}

/// Challenges of RFC 9449 section 7.1.
const PROVE: &str = "DPoP error=\"invalid_token\", algs=\"EdDSA Ed25519 ES256\"";
const BAD_PROOF: &str = "DPoP error=\"invalid_dpop_proof\", algs=\"EdDSA Ed25519 ES256\"";

/// How many cookies of the name are looked at.
const MOST_COOKIES: usize = 8;

/// Why a request did not pass.
#[derive(Debug)]
enum Refused {
    Token(Refusal),
    Ambiguous,
    CrossSite,
    Insufficient(Insufficient),
}

impl Rules {
    async fn admit(&self, tokens: Vec<String>, source: Source, proof: Option<Proof>) -> Result<Authenticated, Refused> {
        let mode = self.mode.unwrap_or(self.guard.config().mode);
        let verified = match (source, tokens.as_slice()) {
            (Source::Bound, [token]) => {
                let proof = proof.ok_or(Refused::Token(Refusal::ProofRequired))?;
                self.guard.verify_bound(token, &proof, mode).await
            }
            _ => self.verify(&tokens).await,
        };
        let verified = verified.map_err(Refused::Token)?;
        self.require.check(&verified.claims, self.guard.authority_time()).map_err(Refused::Insufficient)?;
        Ok(Authenticated { verified, source, guard: self.guard.clone() })
    }
}

impl Rules {
    /// The proof that came with a request, if one did; two are none (DPOP-4.3a).
    fn proof(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Option<Proof>, Refused> {
        let mut values = headers.get_all("dpop").iter();
        let (first, second) = (values.next(), values.next());
        let Some(value) = first else { return Ok(None) };
        let bad = Refused::Token(Refusal::BadProof);
        let (Ok(text), None) = (value.to_str(), second) else { return Err(bad) };
        Proof::read(text, method.as_str(), &format!("{}{path}", self.at)).map(Some).map_err(|_| bad)
    }

    /// Of several cookies of one name, the one that verifies; if two do, none counts (ATK-33).
    async fn verify(&self, tokens: &[String]) -> Result<Arc<Verified>, Refusal> {
        let mode = self.mode.unwrap_or(self.guard.config().mode);
        let (mut good, mut first) = (None, None);
        for token in tokens {
            match self.guard.verify_in(token, mode).await {
                Ok(verified) if good.is_none() => good = Some(verified),
                Ok(_) => return Err(Refusal::Malformed),
                // That nobody can tell is no fault of one cookie.
                Err(Refusal::VerifierStale) => return Err(Refusal::VerifierStale),
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        good.ok_or(first.unwrap_or(Refusal::Missing))
    }
}

impl Rules {
    /// Where whoever has sent a refused request is led, if a person waits for a page.
    fn location<Body>(&self, refused: &Refused, request: &Request<Body>) -> Option<HeaderValue> {
        let wanting = match refused {
            Refused::Token(Refusal::VerifierStale | Refusal::ProofRequired | Refusal::BadProof) => return None,
            Refused::Token(_) => Wanting::Session,
            Refused::Insufficient(Insufficient::Authentication(_)) => Wanting::Proof(self.require.wanted_acr()),
            Refused::Ambiguous | Refused::CrossSite | Refused::Insufficient(_) => return None,
        };
        let mut modes = request.headers().get_all("sec-fetch-mode").iter();
        let (mode, second) = (modes.next(), modes.next());
        let fetch_mode = mode.filter(|_| second.is_none()).and_then(|mode| mode.to_str().ok());
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let asked = Navigation { method: request.method().as_str(), fetch_mode, target };
        HeaderValue::try_from(self.login.as_ref()?.location(asked, wanting)?).ok()
    }
}

fn see_other<Out: From<String>>(location: HeaderValue) -> Response<Out> {
    let mut response = Response::new(Out::from(String::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The token of a request; several where several cookies have the name. What rests on the cookie and has side effects, or opens a `WebSocket`, must pass C1.
fn find<'a>(rules: &Rules, method: &Method, headers: &'a HeaderMap) -> Result<(Vec<&'a str>, Source), Refused> {
    let mut cookies: Vec<&str> = Vec::new();
    for value in headers.get_all(header::COOKIE) {
        cookies.extend(cookie_values(value.as_bytes(), COOKIE));
    }
    cookies.sort_unstable();
    cookies.dedup();
    // Each costs a verification.
    cookies.truncate(MOST_COOKIES);
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    match (authorizations.next(), authorizations.next(), cookies.as_slice()) {
        (Some(value), None, []) => {
            let (token, source) = authorization(value)?;
            Ok((vec![token], source))
        }
        (Some(_), ..) => Err(Refused::Ambiguous),
        (None, _, []) => Err(Refused::Token(Refusal::Missing)),
        (None, ..) => {
            let socket = headers.contains_key(header::UPGRADE) || headers.contains_key(header::SEC_WEBSOCKET_KEY);
            let allowed = match Provenance::of(headers) {
                Some(from) if socket && method.is_safe() => rules.origins.permit_socket(from),
                Some(from) => method.is_safe() || rules.origins.permit(from),
                None => method.is_safe() && !socket,
            };
            if allowed { Ok((cookies, Source::Cookie)) } else { Err(Refused::CrossSite) }
        }
    }
}

/// RFC 6750 section 2.1, RFC 9449 section 7.1.
fn authorization(value: &HeaderValue) -> Result<(&str, Source), Refused> {
    let malformed = || Refused::Token(Refusal::Malformed);
    let (scheme, token) = value.to_str().map_err(|_| malformed())?.split_once(' ').ok_or_else(malformed)?;
    let schemes = [("bearer", Source::Header), ("dpop", Source::Bound)];
    let known = schemes.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
    let (_, source) = known.filter(|_| !token.is_empty() && !token.contains(' ')).ok_or_else(malformed)?;
    Ok((token, source))
}

impl Refused {
    /// `application/problem+json` (RFC 9457), with the authority's own codes.
    fn into_response<Out: From<String>>(self) -> Response<Out> {
        let (status, code, title) = match &self {
            Self::Token(Refusal::VerifierStale) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "verifier_stale",
                "This service cannot tell now whether the token still counts.",
            ),
            Self::Token(refusal) => (StatusCode::UNAUTHORIZED, refusal.code(), "The token is not accepted."),
            Self::Ambiguous => {
                (StatusCode::BAD_REQUEST, "ambiguous_credentials", "The request carries more than one credential.")
            }
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "cross_site", "The request does not come from this application's own pages.")
            }
            Self::Insufficient(Insufficient::Authentication(_)) => {
                (StatusCode::UNAUTHORIZED, "reauthentication_required", "Prove who you are again to do this.")
            }
            Self::Insufficient(Insufficient::Scope(_)) => {
                (StatusCode::FORBIDDEN, "insufficient_scope", "The token was not granted what this needs.")
            }
            Self::Insufficient(Insufficient::Role) => (StatusCode::FORBIDDEN, "forbidden", "You may not do this."),
        };
        let body = serde_json::json!({
            "type": format!("urn:counterfoil:error:{code}"), "title": title, "status": status.as_u16(), "code": code,
        });
        let mut response = Response::new(Out::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED || matches!(self, Self::Insufficient(Insufficient::Scope(_))) {
            headers.insert(header::WWW_AUTHENTICATE, self.challenge());
        }
        response
    }

    /// RFC 6750 section 3: no error word when no credential was sent.
    fn challenge(&self) -> HeaderValue {
        match self {
            Self::Token(Refusal::Missing) => HeaderValue::from_static("Bearer"),
            Self::Insufficient(Insufficient::Authentication(challenge) | Insufficient::Scope(challenge)) => {
                HeaderValue::from_str(challenge).unwrap_or(HeaderValue::from_static("Bearer"))
            }
            Self::Token(Refusal::ProofRequired) => HeaderValue::from_static(PROVE),
            Self::Token(Refusal::BadProof) => HeaderValue::from_static(BAD_PROOF),
            _ => HeaderValue::from_static("Bearer error=\"invalid_token\""),
        }
    }
}

#[cfg(feature = "axum")]
mod extract {
    use super::Authenticated;
    use axum_core::extract::FromRequestParts;
    use http::StatusCode;
    use http::request::Parts;

    impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
        type Rejection = (StatusCode, &'static str);

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
            let missing =
                (StatusCode::INTERNAL_SERVER_ERROR, "this route asks who is signed in, but no GuardLayer is around it");
            parts.extensions.get::<Self>().cloned().ok_or(missing)
        }
    }
}
