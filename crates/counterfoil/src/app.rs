//! The application as a value: everything a request needs, passed and never fetched from a global.

use crate::clock::Clock;
use crate::config::{Config, RegistrationPolicy};
use crate::feed::Feed;
use crate::flow::access::InForce;
use crate::gate::Gate;
use crate::hashing::Hasher;
use crate::limits::Limiter;
use crate::public_url::PublicUrl;
use crate::store::Store;
use bytes::Bytes;
use counterfoil_core::issue::MintPolicy;
use counterfoil_core::keys::ring::{SigningKey, StoredKey, published};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::token::TokenKeys;
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::{Claims, Origins, RevocationIndex, VerifiedTokens, Verifier, base64url_encode};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many verified tokens are remembered (twice this at the most).
const VERIFIED_TOKENS: usize = 8192;

/// How long the answer to `GET /api/auth/me` may be given again without reading the store. Sign-out and role changes do
/// not wait for it: they go through the revocation index, which is asked every time.
pub const ME_IS_FRESH_FOR: std::time::Duration = std::time::Duration::from_secs(1);

/// What the store holds sealed, opened.
pub struct Secrets {
    /// The key that signs access tokens.
    pub signing: SigningKey,
    /// All signing keys, as the key set publishes them.
    pub keys: Vec<StoredKey>,
    /// The keys that make opaque tokens.
    pub tokens: TokenKeys,
    /// What enters every password hash.
    pub pepper: Secret<Vec<u8>>,
}

/// An application that people sign in to.
#[derive(Debug)]
pub struct Application {
    /// How it receives tokens.
    pub profile: Profile,
    /// How its access tokens are made.
    pub mint: MintPolicy,
}

/// A token that has been verified, and the answer to `me` for it.
#[derive(Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
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
    /// Opened secrets.
    pub secrets: Secrets,
    /// Password hashing.
    pub hasher: Hasher,
    /// Rate limits.
    pub limiter: Limiter,
    /// The applications by name.
    pub applications: Arc<BTreeMap<String, Application>>,
    /// From where requests with cookies may come.
    pub origins: Origins,
    /// What the gate keeps.
    pub gate: Gate,
    /// The key set as it is served.
    pub jwks: Bytes,
    /// Its entity tag.
    pub jwks_etag: String,
    /// The revocation feed.
    pub feed: Arc<Feed>,
    /// Guards by the SHA-256 of their credential.
    pub guards: RwLock<HashMap<[u8; 32], String>>,
    /// Draws the metrics page.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    verifier: Verifier,
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
    /// Opened secrets.
    pub secrets: Secrets,
    /// Draws the metrics page.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
}

impl App {
    /// Puts the application together; reads the revocations in force before anything is verified.
    pub async fn new(mut parts: Parts) -> Result<Self, crate::store::StoreError> {
        let log = parts.store.log(parts.clock.now()).await?;
        let mut index = RevocationIndex::default();
        for entry in &log.in_force {
            index.add(entry);
        }
        let policy = parts.config.revocation.policy();
        let promised = parts.store.promise(policy.max_staleness, false).await?;
        let feed = Arc::new(Feed::new(log, policy, promised, Arc::clone(&parts.clock)));
        let guards = parts.store.guards().await?.into_iter().map(|guard| (guard.hash, guard.name)).collect();
        let applications = applications(&parts.config, parts.public.issuer());
        let jwks = counterfoil_core::keys::ring::jwks(&parts.secrets.keys);
        let pepper = std::mem::replace(&mut parts.secrets.pepper, Secret::new(Vec::new()));
        Ok(Self {
            verifier: verifier(&applications, parts.public.issuer(), &parts.secrets.keys),
            origins: origins(&parts.config, &parts.public),
            hasher: Hasher::new(pepper, parts.config.limits.hash_queue),
            limiter: Limiter::default(),
            jwks_etag: etag(jwks.to_string().as_bytes()),
            gate: Gate::new(&parts.config.gate),
            jwks: Bytes::from(jwks.to_string()),
            feed,
            guards: RwLock::new(guards),
            revocations: Arc::new(RwLock::new(index)),
            verified: Mutex::new(VerifiedTokens::new(VERIFIED_TOKENS)),
            applications: Arc::new(applications),
            config: parts.config,
            public: parts.public,
            store: parts.store,
            clock: parts.clock,
            secrets: parts.secrets,
            metrics: parts.metrics,
        })
    }

    /// The verifier of this server's own access tokens.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The revocations in force.
    pub const fn revocations(&self) -> &Arc<RwLock<RevocationIndex>> {
        &self.revocations
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
            lifetime: config.session.access_lifetime.0,
            budget: chosen.token_budget,
            with_roles: chosen.claims.iter().any(|claim| claim == "roles"),
        };
        (name.clone(), Application { profile: chosen.profile, mint })
    };
    config.applications.iter().map(application).collect()
}

fn verifier(applications: &BTreeMap<String, Application>, issuer: &str, keys: &[StoredKey]) -> Verifier {
    let mut audiences = applications.values().map(|application| application.mint.audience.as_str());
    let first = audiences.next().expect("the default application always exists");
    audiences.fold(Verifier::new(issuer, first, published(keys)), counterfoil_guard::Verifier::also_for)
}

fn origins(config: &Config, public: &PublicUrl) -> Origins {
    let listed = config.applications.values().flat_map(|application| application.origins.iter().cloned());
    Origins::new(public.own_origins(), listed.collect())
}
