//! `counterfoil init`, and what `serve` shares with it.

use super::Place;
use crate::app::{App, Parts};
use crate::clock::{Clock, StoreClock, SystemClock};
use crate::config::Config;
use crate::data::{Data, NEXT_MASTER_KEY};
use crate::flow::administer::{ADMIN, Administrator, invite};
use crate::flow::{restore, start};
use crate::mail::Mail;
use crate::public_url::PublicUrl;
use crate::replica::Replica;
use crate::secret_text;
use crate::shared_redis::SharedRedis;
use crate::store::postgres::{PostgresStore, Settings};
use crate::store::sqlite::Synchronous;
use crate::store::{Ends, Keys as _, Store};
use crate::telemetry;
use counterfoil_core::keys::sealing::MasterKey;
use counterfoil_core::user::Role;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// The file with the first administrator's link.
const FIRST_ADMIN: &str = "first-admin";

/// How long that link is good for.
const FIRST_ADMIN_LIFE: Duration = Duration::from_mins(15);

/// Makes the data folder.
pub(crate) async fn run(place: &Place) -> anyhow::Result<()> {
    let data = Data::hold(&place.data)?;
    let app = local_app(place, &data).await?;
    let link = first_admin(&data, &app).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "The data folder is {}.", place.data.display())?;
    match link {
        Some(_) => writeln!(out, "The first administrator's link is in {}/{FIRST_ADMIN}.", place.data.display())?,
        None => writeln!(out, "It has an administrator already.")?,
    }
    app.store.close().await;
    Ok(())
}

/// The application on a data folder that no server holds, for a command that takes the lock itself.
pub(super) async fn local_app(place: &Place, data: &Data) -> anyhow::Result<App> {
    let config = place.config()?;
    let public = PublicUrl::settle(config.public_url.as_deref(), config.listen, config.tls.is_some())?;
    open_app(data, config, public, Synchronous::Full).await
}

/// Opens store and secrets.
pub(super) async fn open_app(
    data: &Data,
    config: Config,
    public: PublicUrl,
    synchronous: Synchronous,
) -> anyhow::Result<App> {
    Ok(open_app_after(data, (config, public), synchronous, None).await?.0)
}

/// The same on a store that has been put back from a backup: what `ends` says has ended before anything is made of it. Returns
/// how many sessions that were.
pub(super) async fn open_app_after(
    data: &Data,
    (config, public): (Config, PublicUrl),
    synchronous: Synchronous,
    ends: Option<&Ends>,
) -> anyhow::Result<(App, u64)> {
    let Opened { store, clock, replica, master, put_back } = open_store(data, &config, &public, synchronous).await?;
    let (in_use, policy) = (config.algorithms(), config.keys.policy());
    let secrets = match start::secrets(store.as_ref(), master, (&in_use, policy), clock.as_ref()).await {
        Ok(secrets) => secrets,
        Err(error) => {
            // Leaves the folder as it was found.
            store.close().await;
            return Err(error.into());
        }
    };
    // One that was begun and not finished is finished now.
    let pending = data.pending_restore()?;
    let put_back = ends.cloned().or(pending).or(put_back);
    let mut ended = 0;
    if let Some(ends) = &put_back {
        data.note_restore(ends)?;
        ended = restore::put_back(store.as_ref(), clock.as_ref(), ends).await?;
        tracing::warn!(ended, "the store has been put back from a backup; what was revoked since has ended again");
    }
    let redis = config.redis.as_ref().map(SharedRedis::prepare).transpose()?.map(Arc::new);
    let mail = Mail::prepare(&config.mail, &config.service_name, &public)?.map(Arc::new);
    let metrics = telemetry::start_metrics();
    let parts = Parts { config, public, store, clock, replica, redis, mail, secrets, metrics };
    let app = Box::pin(App::new(parts)).await?;
    if let Some(ends) = &put_back {
        restore::revoke_keys(&app, ends).await?;
        data.restore_done()?;
    }
    Ok((app, ended))
}

/// The store, its clock, and the key to its secrets.
struct Opened {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    replica: Option<Replica>,
    master: MasterKey,
    /// What has to end, if the store is older than what had been revoked.
    put_back: Option<Ends>,
}

async fn open_store(
    data: &Data,
    config: &Config,
    public: &PublicUrl,
    synchronous: Synchronous,
) -> anyhow::Result<Opened> {
    let Some(settings) = settings(config, public)? else {
        let master = data.master_key(None)?;
        let store = data.store(synchronous)?;
        let put_back = store.put_back();
        let store: Arc<dyn Store> = Arc::new(store);
        let master = finish_change(data, store.as_ref(), master).await?;
        return Ok(Opened { store, clock: Arc::new(SystemClock::default()), replica: None, master, put_back });
    };
    let store = PostgresStore::open(&settings).await?;
    let master = data.master_key(Some(!store.secrets().await?.is_empty()))?;
    let master = finish_change(data, &store, master).await?;
    let ticks = SystemClock::default();
    let sent = ticks.tick();
    let now = store.now().await?;
    let clock = Arc::new(StoreClock::set(now, (sent, ticks.tick())));
    let replica = Some(Replica::new(Arc::clone(&clock)));
    Ok(Opened { store: Arc::new(store), clock, replica, master, put_back: None })
}

/// What the configuration says of the database; `None` where everything is kept in the data folder.
pub(super) fn settings(config: &Config, public: &PublicUrl) -> anyhow::Result<Option<Settings>> {
    let Some(url) = &config.store.url else { return Ok(None) };
    let (file, variable) = (config.store.password_file.as_deref(), config.store.password_env.as_deref());
    Ok(Some(Settings {
        url: url.as_str().to_owned(),
        password: secret_text::read("store.password", file, variable)?,
        ca_file: config.store.ca_file.clone(),
        connections: config.store.connections,
        issuer: public.issuer().to_owned(),
    }))
}

/// A change of the master key that was interrupted has either happened in the store or not: the file follows the store.
async fn finish_change(data: &Data, store: &dyn Store, current: MasterKey) -> anyhow::Result<MasterKey> {
    let Some(next) = data.next_master_key()? else { return Ok(current) };
    let secrets = store.secrets().await?;
    if secrets.is_empty() || start::fits(&secrets, &current)? {
        data.remove(NEXT_MASTER_KEY)?;
        return Ok(current);
    }
    if start::fits(&secrets, &next)? {
        data.finish_master_key()?;
        return Ok(next);
    }
    Ok(current)
}

/// As long as there is no administrator, every start makes a fresh link to become one. Earlier ones run out by themselves.
pub(super) async fn first_admin(data: &Data, app: &App) -> anyhow::Result<Option<String>> {
    let role = Role::parse(ADMIN).expect("a valid role");
    if app.store.any_with_role(&role).await? {
        data.remove(FIRST_ADMIN)?;
        return Ok(None);
    }
    let token = invite(app, &Administrator::system(), (Some(role), String::new()), FIRST_ADMIN_LIFE).await?;
    let link = app.public.absolute(&format!("/register?invite={}&role=admin", token.expose()));
    data.write_private(FIRST_ADMIN, &link)?;
    Ok(Some(link))
}
