//! The application as a value: everything a request needs, passed and never fetched from a global.

use crate::clock::Clock;
use crate::config::{Config, RegistrationPolicy};
use crate::feed::Feed;
use crate::flow::access::InForce;
use crate::flow::budget;
use crate::flow::parties::KnownParties;
use crate::flow::start::{Secrets, StartError};
use crate::gate::Gate;
use crate::hashing::Hasher;
use crate::keyring::{Keyring, Keys, Parties};
use crate::legacy::{self, LegacyIssuer};
use crate::limits::{Admission, Limiter};
use crate::mail::Mail;
use crate::passkeys::RelyingParty;
use crate::public_url::PublicUrl;
use crate::replica::Replica;
use crate::risk::Risk;
use crate::shared_redis::SharedRedis;
use crate::status_lists::StatusLists;
use crate::store::Store;
use crate::upstreams::{self, Upstreams};
use crate::words::Languages;
use bytes::Bytes;
use counterfoil_core::assurance::Requirement;
use counterfoil_core::audit_chain::AuditKey;
use counterfoil_core::credential::factor_key::FactorKeys;
use counterfoil_core::issue::MintPolicy;
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::token::TokenKeys;
use counterfoil_core::service::grant::Rules;
use counterfoil_core::{Kid, Timestamp};
use counterfoil_guard::{
    Algorithm, Claims, Origins, Refusal, RevocationIndex, StatusReference, VerifiedTokens, base64url_encode,
};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many verified tokens are remembered (twice this at the most).
const VERIFIED_TOKENS: usize = 8192;

/// How long the answer to `GET /api/auth/me` may be given again without reading the store. Sign-out and role changes do
/// not wait for it: they go through the revocation index, which is asked every time.
pub const ME_IS_FRESH_FOR: std::time::Duration = std::time::Duration::from_secs(1);

/// An application that people sign in to.
#[derive(Debug)]
pub struct Application {
    /// How it receives tokens.
    pub profile: Profile,
    /// How its access tokens are made.
    pub mint: MintPolicy,
    /// What signs them.
    pub algorithm: Algorithm,
    /// Whether only clients with a key may sign in.
    pub require_dpop: bool,
    /// How strongly people prove themselves.
    pub require: Requirement,
    /// Whether a code by mail does for a second factor, for who has none.
    pub mail_code: bool,
}

/// An API that takes tokens of services and exchanged ones.
#[derive(Debug)]
pub struct Resource {
    /// How its tokens are made.
    pub mint: MintPolicy,
    /// What signs them.
    pub algorithm: Algorithm,
    /// The scopes it knows.
    pub scopes: Vec<String>,
}

/// A token that has been verified, and the answer to `me` for it.
#[derive(Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// Which key had signed it.
    pub kid: Kid,
    /// The last answer and when it was made.
    pub me: Mutex<Option<(Timestamp, Bytes)>>,
}

/// Everything a request needs.
pub struct App {
    /// What the operator chose.
    pub config: Config,
    /// Where people reach this server.
    pub public: PublicUrl,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Which of the processes this is that share the store, if several can.
    pub replica: Option<Replica>,
    /// The keys that sign and verify access tokens.
    pub keys: Arc<Keys>,
    /// The keys that make opaque tokens.
    pub tokens: TokenKeys,
    /// What seals the audit log.
    pub audit_key: AuditKey,
    /// Password hashing.
    pub hasher: Hasher,
    /// The keys of second factors and unfinished ceremonies.
    pub factors: Arc<FactorKeys>,
    /// This server as authenticators know it, where browsers allow passkeys.
    pub passkeys: Option<RelyingParty>,
    /// What the rules of risk need to know of the world.
    pub risk: Arc<Risk>,
    /// Rate limits of this process alone.
    pub limiter: Limiter,
    /// How much is worked on at once.
    pub admission: Arc<Admission>,
    /// What replicas count in together, where there is one.
    pub redis: Option<Arc<SharedRedis>>,
    /// What sends mail, if anything does.
    pub mail: Option<Arc<Mail>>,
    /// What the pages say.
    pub languages: Languages,
    /// The applications by name.
    pub applications: Arc<BTreeMap<String, Application>>,
    /// What takes tokens of services and exchanged ones, by name.
    pub resources: BTreeMap<String, Resource>,
    /// What services may have, by name.
    pub rules: BTreeMap<String, Rules>,
    /// The guards and services that can prove themselves.
    pub parties: Arc<KnownParties>,
    /// From where requests with cookies may come.
    pub origins: Origins,
    /// What the gate keeps.
    pub gate: Gate,
    /// The revocation feed.
    pub feed: Arc<Feed>,
    /// Identity providers elsewhere whose events count here.
    pub upstreams: Upstreams,
    /// Systems that were there before, whose tokens are turned into sessions.
    pub legacy: Vec<LegacyIssuer>,
    /// The status lists, for verifiers that do not follow it.
    pub status_lists: StatusLists,
    /// Draws the metrics page.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    /// Until then nothing is refreshed: the store has been put back from a backup.
    pub refresh_closed_until: Option<Timestamp>,
    revocations: Arc<RwLock<RevocationIndex>>,
    verified: Mutex<VerifiedTokens<Arc<Verified>>>,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// What the operator chose.
    pub config: Config,
    /// Where people reach this server.
    pub public: PublicUrl,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Which of the processes this is that share the store, if several can.
    pub replica: Option<Replica>,
    /// What replicas count in together, where there is one.
    pub redis: Option<Arc<SharedRedis>>,
    /// What sends mail, if anything does.
    pub mail: Option<Arc<Mail>>,
    /// Opened secrets.
    pub secrets: Secrets,
    /// Draws the metrics page.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
}

impl App {
    /// Puts the application together; reads the revocations in force before anything is verified.
    pub async fn new(parts: Parts) -> Result<Self, StartError> {
        let log = parts.store.log(parts.clock.now()).await?;
        let mut index = RevocationIndex::default();
        log.in_force.iter().for_each(|entry| index.add(entry));
        let grace = parts.config.session.rotation_grace.0;
        let refresh_closed_until = log.restored_at.map(|at| at.plus(grace));
        let policy = parts.config.revocation.policy();
        let promised = parts.store.promise(policy.max_staleness, false).await?;
        let shared = parts.replica.is_some();
        let feed = Arc::new(Feed::new(log, (policy, promised), shared, Arc::clone(&parts.clock)));
        let applications = applications(&parts.config, parts.public.issuer());
        let resources = resources(&parts.config, parts.public.issuer());
        let parties = parties(&parts.config, parts.public.issuer(), (&applications, &resources));
        let listed = parts.config.applications.values().flat_map(|application| application.origins.iter().cloned());
        let passkeys = RelyingParty::new(&parts.config.passkeys, &parts.public, &parts.config.service_name, listed)?;
        let known = KnownParties::default();
        known.reload(parts.store.as_ref()).await?;
        let Secrets { master, keys, tokens, pepper, audit: audit_key } = parts.secrets;
        let keys = Keys::open(&keys, master, parties).map_err(|_| StartError::Damaged("signing key"))?;
        let names = parts.config.clients.keys().filter_map(|name| name.parse().ok());
        let languages = Languages::load(parts.config.pages.messages.as_deref())?;
        budget::check(
            &applications,
            (&resources, names),
            (&keys.ring(), &longest_place(&parts.config, &parts.public)),
        )?;
        Ok(Self {
            keys: Arc::new(keys),
            tokens,
            audit_key,
            origins: origins(&parts.config, &parts.public),
            factors: Arc::new(FactorKeys::derive(&pepper)),
            passkeys,
            risk: Arc::new(Risk::open(&parts.config.risk)?),
            hasher: Hasher::new(pepper, parts.config.limits.hash_queue),
            limiter: Limiter::default(),
            admission: Admission::new(parts.config.limits.in_flight),
            redis: parts.redis,
            mail: parts.mail,
            languages,
            gate: Gate::new(&parts.config.gate),
            feed,
            upstreams: upstreams::prepare(&parts.config, &parts.public)?,
            legacy: legacy::prepare(&parts.config, &parts.public, parts.clock.now())?,
            status_lists: StatusLists::default(),
            revocations: Arc::new(RwLock::new(index)),
            verified: Mutex::new(VerifiedTokens::new(VERIFIED_TOKENS)),
            applications: Arc::new(applications),
            rules: parts.config.clients.iter().map(|(name, own)| (name.clone(), own.rules(&parts.config))).collect(),
            refresh_closed_until,
            parties: Arc::new(known),
            replica: parts.replica,
            resources,
            config: parts.config,
            public: parts.public,
            store: parts.store,
            clock: parts.clock,
            metrics: parts.metrics,
        })
    }

    /// Whether some audience's tokens say where their status is to be found.
    pub fn has_status_lists(&self) -> bool {
        let own = self.applications.values().map(|application| &application.mint);
        own.chain(self.resources.values().map(|resource| &resource.mint)).any(|mint| mint.with_status)
    }

    /// The keys as they are now.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.keys.ring()
    }

    /// The algorithms that some application's tokens are signed by, and the gate's.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.config.algorithms()
    }

    /// The revocations in force.
    pub const fn revocations(&self) -> &Arc<RwLock<RevocationIndex>> {
        &self.revocations
    }

    /// The revocations in force, to verify by: refused where they are not known well enough to be relied on (S2).
    pub fn index(&self) -> Result<RwLockReadGuard<'_, RevocationIndex>, Refusal> {
        if self.feed.is_current() { Ok(self.revocations.read()) } else { Err(Refusal::VerifierStale) }
    }

    /// Where revocations are in force in this process.
    pub fn in_force(&self) -> InForce {
        InForce { index: Arc::clone(&self.revocations), feed: Arc::clone(&self.feed) }
    }

    /// The tokens verified lately.
    pub const fn verified(&self) -> &Mutex<VerifiedTokens<Arc<Verified>>> {
        &self.verified
    }

    /// Whether a stranger may make an account without an invitation.
    pub fn registration_is_open(&self) -> bool {
        self.config.registration.policy == RegistrationPolicy::Open
    }
}

/// The entity tag of a document that is served.
pub fn etag(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    format!("\"{}\"", base64url_encode(&digest.as_ref()[..12]))
}

fn applications(config: &Config, issuer: &str) -> BTreeMap<String, Application> {
    let application = |(name, chosen): (&String, &crate::config::ApplicationConfig)| {
        let mint = MintPolicy {
            issuer: issuer.to_owned(),
            audience: chosen.audience.clone().unwrap_or_else(|| name.clone()),
            format: chosen.format,
            lifetime: config.session.access_lifetime.0,
            budget: chosen.token_budget,
            with_roles: chosen.claims.iter().any(|claim| claim == "roles"),
            with_status: chosen.status_list,
            // Their tokens are read by this server too, which has no private key of theirs.
            confidential: None,
        };
        let algorithm = chosen.algorithm.unwrap_or(config.keys.algorithm).0;
        let application = Application {
            profile: chosen.profile,
            mint,
            algorithm,
            require_dpop: chosen.require_dpop,
            require: chosen.require,
            mail_code: chosen.mail_code,
        };
        (name.clone(), application)
    };
    config.applications.iter().map(application).collect()
}

fn resources(config: &Config, issuer: &str) -> BTreeMap<String, Resource> {
    let resource = |(name, chosen): (&String, &crate::config::ResourceConfig)| {
        let mint = MintPolicy {
            issuer: issuer.to_owned(),
            audience: chosen.audience(name).to_owned(),
            format: chosen.format,
            lifetime: config.session.access_lifetime.0,
            budget: chosen.budget(),
            with_roles: chosen.claims.iter().any(|claim| claim == "roles"),
            with_status: chosen.status_list,
            confidential: chosen.confidential(),
        };
        let algorithm = chosen.algorithm.unwrap_or(config.keys.algorithm).0;
        (name.clone(), Resource { mint, algorithm, scopes: chosen.scopes.clone() })
    };
    config.resources.iter().map(resource).collect()
}

/// Whose tokens are verified here, and for whom.
fn parties(
    config: &Config,
    issuer: &str,
    (applications, resources): (&BTreeMap<String, Application>, &BTreeMap<String, Resource>),
) -> Parties {
    let audiences = applications.values().map(|application| application.mint.audience.clone()).collect();
    let of_resources = resources.values().map(|resource| &resource.mint.audience);
    let behind: BTreeSet<&String> = config.gate.audiences().chain(of_resources).collect();
    Parties { issuer: issuer.to_owned(), audiences, behind: behind.into_iter().cloned().collect() }
}

/// A place in a status list that takes as many bytes in a token as any that will ever be.
fn longest_place(config: &Config, public: &PublicUrl) -> StatusReference {
    StatusReference { index: config.status_lists.size, uri: public.absolute("/status-lists/1000") }
}

fn origins(config: &Config, public: &PublicUrl) -> Origins {
    let listed = config.applications.values().flat_map(|application| application.origins.iter().cloned());
    Origins::new(public.own_origins(), listed.collect())
}
