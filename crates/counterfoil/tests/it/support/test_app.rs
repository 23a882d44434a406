//! The application in this process: its own folder, a clock that stands still.

use super::{Browser, Postgres, secrets, written};
use axum::Router;
use counterfoil::app::{App, Parts};
use counterfoil::clock::{Clock, ManualClock};
use counterfoil::config::Config;
use counterfoil::data::Data;
use counterfoil::flow::{mail_link, start};
use counterfoil::http::{control_router, router};
use counterfoil::mail::Mail;
use counterfoil::public_url::PublicUrl;
use counterfoil::shared_redis::SharedRedis;
use counterfoil::store::Store;
use counterfoil::store::sqlite::{SqliteStore, Synchronous};
use counterfoil::telemetry;
use counterfoil_core::keys::sealing::{MasterKey, Purpose};
use counterfoil_core::{Secret, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) router: Router,
    pub(crate) control: Router,
    _data: Option<Data>,
    folder: PathBuf,
    _kept: Box<dyn std::any::Any + Send + Sync>,
}

/// A store, its folder, and what must outlive it.
type Kept = (Arc<dyn Store>, PathBuf, Box<dyn std::any::Any + Send + Sync>);

/// The embedded store in this folder; or, with `COUNTERFOIL_TEST_STORE=postgres`, one in a server of its own.
async fn engine(folder: tempfile::TempDir) -> Kept {
    let path = folder.path().to_owned();
    if std::env::var("COUNTERFOIL_TEST_STORE").is_ok_and(|engine| engine == "postgres") {
        let server = Postgres::start();
        return (Arc::new(server.open().await), path, Box::new((folder, server)));
    }
    let store = SqliteStore::open(&folder.path().join("counterfoil.db"), Synchronous::Full).unwrap();
    (Arc::new(store), path, Box::new(folder))
}

/// The master key of every test's application.
pub(crate) const MASTER: [u8; 32] = *b"the master key of all test apps.";

/// The origin of every test's application.
pub(crate) const ORIGIN: &str = "https://app.example.com";

/// Notes what lies sealed in a store.
async fn note_sealed(store: &dyn Store) {
    let master = MasterKey::new(&Secret::new(MASTER));
    let note = |purpose: Purpose, id: &str, sealed: &[u8]| {
        if let Ok(plain) = master.open(purpose, id, sealed) {
            secrets::known().add(purpose.as_str(), plain.expose(), secrets::Reach::Nowhere);
        }
    };
    for secret in store.secrets().await.unwrap() {
        note(Purpose::from_name(&secret.purpose).unwrap(), &secret.id, &secret.sealed);
    }
    for key in store.signing_keys().await.unwrap() {
        note(Purpose::SigningKey, key.kid.as_str(), &key.sealed);
    }
}

impl TestApp {
    /// With the defaults.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With these lines of configuration.
    pub(crate) async fn with(toml: &str) -> Self {
        Self::prepared(toml, Timestamp::from_seconds(1_800_000_000), async |_: &dyn Store| ()).await
    }

    /// With these lines of configuration, at this time, on a store that has been prepared.
    pub(crate) async fn prepared(toml: &str, at: Timestamp, prepare: impl AsyncFnOnce(&dyn Store)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counterfoil.toml");
        std::fs::write(&file, toml).unwrap();
        let config = Config::load(Some(&file), std::iter::empty()).unwrap();
        let kept = engine(folder).await;
        prepare(kept.0.as_ref()).await;
        Self::build(config, kept, at).await
    }

    /// With these lines of configuration, if that can be.
    pub(crate) async fn try_with(toml: &str) -> Result<Self, start::StartError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counterfoil.toml");
        std::fs::write(&file, toml).unwrap();
        let config = Config::load(Some(&file), std::iter::empty()).unwrap();
        Self::start(config, engine(folder).await, Timestamp::from_seconds(1_800_000_000)).await
    }

    async fn build(config: Config, kept: Kept, at: Timestamp) -> Self {
        Self::start(config, kept, at).await.unwrap()
    }

    async fn start(config: Config, (store, folder, kept): Kept, at: Timestamp) -> Result<Self, start::StartError> {
        written::start_logging();
        secrets::known().add("the master key", &MASTER, secrets::Reach::Nowhere);
        let clock = Arc::new(ManualClock::at(at));
        let listening = "127.0.0.1:443".parse().unwrap();
        let public = PublicUrl::settle(Some(ORIGIN), listening, false).unwrap();
        let master = MasterKey::new(&Secret::new(MASTER));
        let (in_use, policy) = (config.algorithms(), config.keys.policy());
        let secrets = start::secrets(store.as_ref(), master, (&in_use, policy), clock.as_ref()).await?;
        note_sealed(store.as_ref()).await;
        let redis = config.redis.as_ref().map(|redis| Arc::new(SharedRedis::prepare(redis).unwrap()));
        // The outbox is for this machine; what stands in the links beside the token does not matter here.
        let local = PublicUrl::settle(None, listening, false).unwrap();
        let mail = Mail::prepare(&config.mail, &config.service_name, if config.mail.outbox { &local } else { &public });
        let mail = mail.unwrap().map(Arc::new);
        let metrics = telemetry::start_metrics();
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let parts = Parts { config, public, store, clock: shared, replica: None, redis, mail, secrets, metrics };
        let app = Arc::new(App::new(parts).await?);
        if app.mail.is_some() {
            tokio::spawn(mail_link::run(Arc::clone(&app), std::future::pending()));
        }
        let (router, control) = (router(Arc::clone(&app)), control_router(Arc::clone(&app)));
        Ok(Self { app, clock, router, control, _data: None, folder, _kept: kept })
    }

    /// A browser on this application's own pages.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone(), Arc::clone(&self.clock))
    }

    /// A browser with a registered and signed-in user.
    pub(crate) async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        browser.register(super::EMAIL).await;
        browser.sign_in(super::EMAIL).await;
        browser
    }

    /// Another browser with the same user signed in, who is registered if need be.
    pub(crate) async fn signed_in_again(&self) -> Browser {
        let mut browser = self.browser();
        browser
            .post_json("/api/auth/register", &serde_json::json!({ "email": super::EMAIL, "password": super::PASSWORD }))
            .await;
        browser.sign_in(super::EMAIL).await;
        browser
    }

    /// Where it keeps what is to last.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            written::check(&self.folder, &self.app.metrics.render());
        }
    }
}
