//! `POST /oauth/token`: tokens for services, in their own name or in that of somebody whose token they hold. What is granted, and
//! why, is decided in `counterfoil_core::service::grant`.

use super::authenticate::AuthenticateError;
use super::counts::{self, Limit};
use super::deliver::mint_as;
use super::introspect::{Live, resolve};
use super::proof::use_up;
use super::{Caller, clients, status};
use crate::app::App;
use crate::limits::Limited;
use crate::store::StoreError;
use counterfoil_core::Timestamp;
use counterfoil_core::issue::{Minted, Proof as SignIn, Statement};
use counterfoil_core::service::grant::{GrantError, Granted, Rules, Service, Wanted, client_credentials, exchange};
use counterfoil_core::user::User;
use counterfoil_guard::dpop::Proof;
use counterfoil_guard::{Claims, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// A token for a service.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub minted: Minted,
    /// Whether it is bound to a key.
    pub bound: bool,
    /// What it is good for.
    pub scope: Option<String>,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(#[from] GrantError),
    /// The proof of possession has been used already.
    #[error("the proof of possession has been used")]
    BadProof,
    /// Its tokens must be bound to a key, and it has shown none (DPOP-5b).
    #[error("a proof of possession is missing")]
    Unproven,
    /// The subject token is not one, or counts no more.
    #[error("the subject token counts no more")]
    SubjectToken,
    /// The token does not fit its budget.
    #[error("the access token does not fit its budget")]
    TooLarge,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts a request. To be asked before any work.
pub async fn count_attempt(app: &App, caller: &Caller) -> Result<(), Limit> {
    counts::take_from_network(app, Limited::TokenNetwork, app.config.limits.token_per_network, caller).await
}

/// A token in the service's own name.
pub async fn for_itself(
    app: &App,
    service: &Service,
    wanted: Wanted<'_>,
    proof: Option<&Proof>,
) -> Result<Issued, IssueError> {
    let now = app.clock.now();
    let granted = client_credentials(rules(app, service), by_name(app, wanted))?;
    let said = Statement {
        sub: Subject::Client(service.name.clone()),
        client_id: service.name.as_str(),
        sid: service.sid,
        proof: None,
        claims_version: 0,
        scope: granted.scope.as_deref(),
        act: None,
        // It stands as long as its credential does.
        not_after: now.plus(app.config.session.access_lifetime.0.saturating_mul(2)),
        bound_to: proof.map(|proof| proof.key),
        status: None,
        person: None,
    };
    issue(app, &granted, (&said, proof), now).await
}

/// A token in the name of the subject of another token, which must still count, at this very moment.
pub async fn for_another(
    app: &App,
    service: &Service,
    subject_token: &str,
    wanted: Wanted<'_>,
    proof: Option<&Proof>,
) -> Result<Issued, IssueError> {
    let now = app.clock.now();
    // Nobody who may exchange nothing learns whether a token counts.
    let own = rules(app, service);
    if own.exchanges.is_empty() || own.resources.is_empty() {
        return Err(GrantError::Unauthorized.into());
    }
    let live = match resolve(app, subject_token, now).await {
        Ok(live) => live,
        Err(AuthenticateError::Refused(refusal)) => {
            tracing::info!(client = %service.name, reason = refusal.reason(), "a token that cannot be exchanged");
            return Err(IssueError::SubjectToken);
        }
        Err(AuthenticateError::Store(error)) => return Err(error.into()),
    };
    let verified = live.access().ok_or(IssueError::SubjectToken)?;
    let subject = &verified.claims;
    let made = exchange(own, service, subject, by_name(app, wanted))?;
    let said = Statement {
        sub: subject.sub.clone(),
        client_id: service.name.as_str(),
        sid: subject.sid,
        proof: proof_of(subject),
        claims_version: subject.claims_version,
        scope: made.granted.scope.as_deref(),
        act: Some(&made.act),
        not_after: made.not_after,
        bound_to: proof.map(|proof| proof.key),
        status: None,
        person: person_of(&live),
    };
    issue(app, &made.granted, (&said, proof), now).await
}

/// As it was when the subject's token was made: an exchange proves nothing anew (AT-2.2.1).
fn proof_of(subject: &Claims) -> Option<SignIn<'_>> {
    subject.sub.user().map(|_| SignIn { auth_time: subject.auth_time, acr: &subject.acr, amr: &subject.amr })
}

const fn person_of(live: &Live) -> Option<&User> {
    match live {
        Live::OfSession { user, .. } => Some(user),
        Live::OfClient(_) => None,
    }
}

fn rules<'a>(app: &'a App, service: &Service) -> &'a Rules {
    static NOTHING: Rules = Rules { resources: BTreeMap::new(), exchanges: BTreeSet::new(), bound: false };
    app.rules.get(service.name.as_str()).unwrap_or(&NOTHING)
}

/// A resource may be named by its name or by its audience.
fn by_name<'a>(app: &'a App, wanted: Wanted<'a>) -> Wanted<'a> {
    let named = |asked: &'a str| {
        let of_audience = app.resources.iter().find(|(_, resource)| resource.mint.audience == asked);
        of_audience.map_or(asked, |(name, _)| name.as_str())
    };
    Wanted { resource: wanted.resource.map(named), ..wanted }
}

async fn issue(
    app: &App,
    granted: &Granted,
    (said, proof): (&Statement<'_>, Option<&Proof>),
    now: Timestamp,
) -> Result<Issued, IssueError> {
    let resource = app.resources.get(&granted.resource).ok_or(GrantError::Target)?;
    if said.bound_to.is_none() && app.rules.get(said.client_id).is_some_and(|rules| rules.bound) {
        return Err(IssueError::Unproven);
    }
    if let Some(proof) = proof
        && !use_up(app, proof).await?
    {
        return Err(IssueError::BadProof);
    }
    let status = status::place(app, &resource.mint, (said.sid, said.claims_version)).await?;
    let said = &Statement { status, ..said.clone() };
    let minted = mint_as(app, (&resource.mint, resource.algorithm), said, now).map_err(|error| {
        tracing::error!(%error, resource = granted.resource, "an access token does not fit; raise `token_budget` or grant less");
        IssueError::TooLarge
    })?;
    // Removed while it was being asked for: the log's entry may be older than the token.
    if !clients_stand(app, said) {
        return Err(GrantError::Unauthorized.into());
    }
    metrics::counter!("counterfoil_service_tokens_total").increment(1);
    Ok(Issued { minted, bound: said.bound_to.is_some(), scope: granted.scope.clone() })
}

/// Whether every service the token names can still prove itself.
fn clients_stand(app: &App, said: &Statement<'_>) -> bool {
    let actors = said.act.into_iter().flat_map(counterfoil_guard::Actor::chain).map(|actor| (&actor.sub, actor.sid));
    let mut all = actors.chain([(&said.sub, said.sid)]);
    all.all(|(subject, sid)| subject.client().is_none_or(|name| clients::lives(app, name, sid)))
}
