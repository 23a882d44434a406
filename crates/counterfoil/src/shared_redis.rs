//! A Redis that replicas count in together: rate limits, and what may be used once. It may be lost or emptied at any moment, and
//! then things are slower or stricter and never open. For that, a *sentinel* says since when this very process of Redis
//! remembers everything: what was made before that is not asked about here.

use crate::clock::random;
use crate::config::{RedisConfig, RedisUrl};
use crate::secret_text;
use crate::secret_text::SecretError;
use crate::telemetry::span;
use counterfoil_core::Timestamp;
use counterfoil_core::limit::Rate;
use counterfoil_core::refresh::token::RedisProcess;
use counterfoil_guard::base64url_encode;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _, RedisError, RedisResult, Script};
use std::path::Path;
use std::time::Duration;
use tracing::Instrument as _;

/// How long connecting may take, and each answer: somebody waits.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// By how much the clocks of two replicas in service may differ, generously: one of them makes a nonce, another reads since when.
const AT_ODDS: Duration = Duration::from_secs(5);

/// How often it is looked whether it answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// [`Rate::decide`]: the state in the key; -1 when one may pass, else the milliseconds to wait.
const TAKE: &str = "\
    local state, now, interval, room = tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) \
    local due = math.max(state, now) \
    if due - now > room then return due - now - room end \
    redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', string.format('%.0f', due + interval - now)) \
    return -1";

const GIVE_BACK: &str = "\
    local state = redis.call('GET', KEYS[1]) \
    if not state then return 0 end \
    redis.call('SET', KEYS[1], string.format('%.0f', tonumber(state) - tonumber(ARGV[1])), 'KEEPTTL') \
    return 1";

/// Since when this process of Redis remembers everything: a value that another process has left says nothing. Without one a mark is
/// set, and -1 is the answer: the time has to be read when it is known that the mark stands. A time that was read before it is sent
/// may arrive after whatever has emptied the Redis, and would claim that it remembers what it has forgotten.
const SINCE: &str = "\
    local said = redis.call('GET', KEYS[1]) \
    if said then local id, at = string.match(said, '^(%S+) (%d+)$') if id == ARGV[1] then return tonumber(at) end end \
    redis.call('SET', KEYS[1], ARGV[1] .. ' pending ' .. ARGV[2]) \
    return -1";

/// The time takes the place of this very mark, or of nothing: -1.
const SETTLE: &str = "\
    if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ' pending ' .. ARGV[2] then return -1 end \
    redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[3]) \
    return tonumber(ARGV[3])";

/// 1: used up now; 0: it had been; 2: made before it is remembered what has been used.
const USE_UP: &str = "\
    local since = nil \
    local said = redis.call('GET', KEYS[2]) \
    if said then local id, at = string.match(said, '^(%S+) (%d+)$') if id == ARGV[1] then since = tonumber(at) end end \
    if not since or tonumber(ARGV[2]) <= since then return 2 end \
    if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[3]) then return 1 end \
    return 0";

/// What `USE_UP` answers where nobody knows.
const TOO_OLD: i64 = 2;

/// Why it cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum RedisConfigError {
    /// The password.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The client does not take the address.
    #[error("redis.url: {0}")]
    Client(#[from] RedisError),
}

/// It does not answer, or not well enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Redis does not answer")]
pub struct Silent;

/// What came of an attempt to use something up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// It counts.
    First,
    /// It had been used.
    Again,
    /// It was made before this Redis remembers.
    TooOld,
}

/// The Redis.
pub struct SharedRedis {
    client: Client,
    prefix: String,
    connected: Mutex<Option<Connected>>,
}

#[derive(Clone)]
struct Connected {
    connection: MultiplexedConnection,
    /// Which process of Redis this is.
    run_id: String,
    /// Since when it remembers; `None` if it may forget at any time.
    since: Option<Timestamp>,
}

impl Connected {
    fn process(&self) -> RedisProcess {
        // Forty random hexadecimal digits.
        RedisProcess(self.run_id.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or_default())
    }
}

impl SharedRedis {
    /// From the configuration; nothing is connected yet.
    pub fn prepare(config: &RedisConfig) -> Result<Self, RedisConfigError> {
        let password = (config.password_file.as_deref(), config.password_env.as_deref());
        let client = client::<RedisConfigError>(&config.url, "redis.password", password)?;
        Ok(Self { client, prefix: config.prefix.clone(), connected: Mutex::new(None) })
    }

    /// Keeps it connected, as well as that goes. Never ends by itself.
    pub async fn run(&self, now: impl Fn() -> Timestamp) {
        let mut well = None;
        loop {
            let looked = self.look(&now).await;
            if well != Some(looked.is_ok()) {
                match &looked {
                    Ok(()) => tracing::info!("the Redis answers"),
                    Err(error) => tracing::warn!(%error, "the Redis does not answer; its work is done in the store"),
                }
            }
            well = Some(looked.is_ok());
            metrics::gauge!("counterfoil_redis_up").set(if looked.is_ok() { 1.0 } else { 0.0 });
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Looks whether it answers, and since when it remembers.
    pub async fn look(&self, now: impl Fn() -> Timestamp) -> RedisResult<()> {
        let known = self.connected.lock().clone();
        let mut connected = match known {
            Some(connected) => connected,
            None => self.connect().await?,
        };
        // A flush takes the sentinel away under a connection that stays.
        let outcome = self.remembers_since(&mut connected, now).await;
        *self.connected.lock() = outcome.is_ok().then_some(connected);
        outcome
    }

    async fn connect(&self) -> RedisResult<Connected> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        Ok(Connected { connection, run_id: field(&info, "run_id").unwrap_or_default().to_owned(), since: None })
    }

    async fn remembers_since(&self, connected: &mut Connected, now: impl Fn() -> Timestamp) -> RedisResult<()> {
        let memory: String = redis::cmd("INFO").arg("memory").query_async(&mut connected.connection).await?;
        // One that throws out what it has been told to remember cannot say what has been used.
        let keeps =
            field(&memory, "maxmemory") == Some("0") || field(&memory, "maxmemory_policy") == Some("noeviction");
        let mark = base64url_encode(&random::<16>());
        let since = Script::new(SINCE);
        let mut call = since.key(self.sentinel());
        call.arg(&connected.run_id).arg(&mark);
        let mut since: i64 = call.invoke_async(&mut connected.connection).await?;
        if since < 0 {
            let settle = Script::new(SETTLE);
            let mut call = settle.key(self.sentinel());
            call.arg(&connected.run_id).arg(&mark).arg(now().plus(AT_ODDS).as_millis());
            since = call.invoke_async(&mut connected.connection).await?;
        }
        // If another replica's mark has come between, the next look will show.
        let said = keeps && !connected.run_id.is_empty() && since >= 0;
        connected.since = said.then_some(Timestamp::from_millis(since));
        Ok(())
    }

    /// Which process can be asked about what was made at this time, if it remembers that far.
    pub fn remembers(&self, made: Timestamp) -> Option<RedisProcess> {
        let connected = self.connected.lock();
        let connected = connected.as_ref()?;
        connected.since.filter(|since| made > *since).map(|_| connected.process())
    }

    /// Counts one at this key; the inner `Err` holds the time to wait.
    pub async fn take(&self, key: &str, rate: Rate, now: Timestamp) -> Result<Result<(), Duration>, Silent> {
        let interval = i64::try_from(rate.interval.as_millis()).unwrap_or(i64::MAX);
        let room = interval.saturating_mul(i64::from(rate.burst.saturating_sub(1)));
        let script = Script::new(TAKE);
        let mut call = script.key(self.key("rate", key));
        call.arg(now.as_millis()).arg(interval).arg(room);
        let wait: i64 = self.ask(async |mut connected| call.invoke_async(&mut connected.connection).await).await?;
        Ok(u64::try_from(wait).map_or(Ok(()), |wait| Err(Duration::from_millis(wait))))
    }

    /// Takes one count back, or with `None` all of them.
    pub async fn give_back(&self, key: &str, rate: Option<Rate>) -> Result<(), Silent> {
        let key = self.key("rate", key);
        let Some(rate) = rate else {
            let gone: RedisAnswer = self
                .ask(async |mut connected| redis::cmd("DEL").arg(&key).query_async(&mut connected.connection).await)
                .await;
            return gone.map(|_| ());
        };
        let script = Script::new(GIVE_BACK);
        let mut call = script.key(key);
        call.arg(i64::try_from(rate.interval.as_millis()).unwrap_or(i64::MAX));
        let given: RedisAnswer =
            self.ask(async |mut connected| call.invoke_async(&mut connected.connection).await).await;
        given.map(|_| ())
    }

    /// Uses up what was made at `made`, when this process of Redis was to remember it, and is of no use after `life`: of any number of
    /// callers one is the first.
    pub async fn use_up(
        &self,
        what: &str,
        (process, made): (RedisProcess, Timestamp),
        life: Duration,
    ) -> Result<Once, Silent> {
        let script = Script::new(USE_UP);
        let mut call = script.key(self.key("once", what));
        call.key(self.sentinel());
        let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        let answer: i64 = self
            .ask(async |mut connected| {
                if connected.process() != process {
                    return Ok(TOO_OLD);
                }
                call.arg(&connected.run_id).arg(made.as_millis()).arg(life);
                call.invoke_async(&mut connected.connection).await
            })
            .await?;
        Ok(match answer {
            1 => Once::First,
            0 => Once::Again,
            _ => Once::TooOld,
        })
    }

    /// An error makes it silent until the next look.
    async fn ask<T>(&self, question: impl AsyncFnOnce(Connected) -> RedisResult<T>) -> Result<T, Silent> {
        let connected = self.connected.lock().clone().ok_or(Silent)?;
        let span = span!("redis", otel.kind = "client", db.system.name = "redis");
        question(connected).instrument(span).await.map_err(|error| {
            tracing::debug!(%error, "the Redis has failed");
            *self.connected.lock() = None;
            Silent
        })
    }

    fn key(&self, kind: &str, name: &str) -> String {
        format!("{}{kind}_{name}", self.prefix)
    }

    fn sentinel(&self) -> String {
        format!("{}since", self.prefix)
    }
}

/// A client for this Redis, with the password that the configuration names under `key`; nothing is connected yet.
pub(crate) fn client<E: From<SecretError> + From<RedisError>>(
    url: &RedisUrl,
    key: &str,
    (file, variable): (Option<&Path>, Option<&str>),
) -> Result<Client, E> {
    let password = secret_text::read(key, file, variable)?;
    let info = url.as_str().into_connection_info()?;
    let mut settings = info.redis_settings().clone();
    if let Some(password) = password {
        settings = settings.set_password(password.expose());
    }
    Ok(Client::open(info.set_redis_settings(settings))?)
}

type RedisAnswer = Result<i64, Silent>;

/// A line of `INFO`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}
