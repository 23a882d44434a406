//! The Redis mirror: what is revoked, as keys in a Redis, for whoever looks there already. Written, never read back to decide
//! anything. It lies outside S2: nobody waits for it, and who asks a Redis that is down or flushed learns nothing.
//!
//! The *sentinel* is a key that says that everything is there. It is written first and its value changes with every batch, so
//! that a flush, a restart from an older copy or another writer is noticed within a second, whenever it happens: then all is
//! written anew.

use super::backoff::{Backoff, Complaint};
use super::{EVERY, ReaderError, Source, gauge_value};
use crate::clock::random;
use crate::config::RedisMirrorConfig;
use crate::shared_redis;
use counterfoil_core::Timestamp;
use counterfoil_guard::{Cursor, Entry, Target, Tick, base64url_encode};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ExistenceCheck, Pipeline, RedisResult, SetExpiry, SetOptions};
use std::time::Duration;

/// How long connecting, and each answer, may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How many keys go out at a time when all are written.
const BATCH: usize = 500;

/// The sentinel's life, in seconds; it is renewed each second.
const SENTINEL_LIFE: u64 = 30;

/// A mirror, ready to begin.
pub(super) struct Mirror {
    client: Client,
    prefix: String,
}

/// Everything up to the cursor is in the Redis, as long as the sentinel has this value.
struct Mirrored {
    cursor: Cursor,
    sentinel: String,
}

/// For the metrics.
struct Progress {
    at: u64,
    /// When it was last known that nothing is missing.
    complete: Tick,
}

impl Mirror {
    pub(super) fn prepare(config: &RedisMirrorConfig) -> Result<Self, ReaderError> {
        let password = (config.password_file.as_deref(), config.password_env.as_deref());
        let client = shared_redis::client::<ReaderError>(&config.url, "redis_mirror.password", password)?;
        Ok(Self { client, prefix: config.prefix.clone() })
    }

    /// Never ends by itself.
    pub(super) async fn run(&self, source: &Source) {
        let mut backoff = Backoff::default();
        let mut progress = Progress { at: 0, complete: source.clock.tick() };
        loop {
            let Err(error) = self.follow(source, &mut progress, &mut backoff).await;
            metrics::gauge!("counterfoil_redis_mirror_up").set(0.0);
            if backoff.failed(Complaint::Failing).is_some() {
                tracing::warn!(%error, "the Redis mirror is not being written; trying on");
            } else {
                tracing::debug!(%error, "the Redis mirror could not be written");
            }
            let mut left = backoff.wait(random::<1>()[0]);
            while !left.is_zero() {
                report(source, &progress);
                let step = left.min(EVERY);
                tokio::time::sleep(step).await;
                left -= step;
            }
        }
    }

    /// Keeps the Redis current for as long as it answers.
    async fn follow(
        &self,
        source: &Source,
        progress: &mut Progress,
        backoff: &mut Backoff,
    ) -> RedisResult<std::convert::Infallible> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut news = source.feed.news();
        let mut mirrored = None;
        loop {
            let extended = match &mirrored {
                Some(place) => self.extend(&mut connection, source, place).await?,
                None => None,
            };
            mirrored = match extended {
                Some(place) => Some(place),
                None => self.rewrite(&mut connection, source).await?,
            };
            if let Some(place) = &mirrored {
                *progress = Progress { at: place.cursor.seq, complete: source.clock.tick() };
                metrics::gauge!("counterfoil_redis_mirror_up").set(1.0);
                if backoff.succeeded() {
                    tracing::info!("the Redis mirror is being written again");
                }
            }
            report(source, progress);
            source.news(&mut news).await;
        }
    }

    /// Writes what is new since `place`. `None` if the Redis is not as it was left there, or there is no way on from there.
    async fn extend(
        &self,
        connection: &mut MultiplexedConnection,
        source: &Source,
        place: &Mirrored,
    ) -> RedisResult<Option<Mirrored>> {
        let page = source.feed.after(Some(place.cursor));
        if page.snapshot {
            return Ok(None);
        }
        let nonce = place.sentinel.split(' ').nth(1).unwrap_or_default();
        let sentinel = format!("ready {nonce} {}", page.cursor.seq);
        let (found,): (Option<String>,) =
            self.batch(&page.entries, &sentinel, source.clock.now()).query_async(connection).await?;
        let as_left = found.as_ref() == Some(&place.sentinel);
        Ok(as_left.then_some(Mirrored { cursor: page.cursor, sentinel }))
    }

    /// Writes everything. `None` if it was overtaken by a flush meanwhile.
    async fn rewrite(&self, connection: &mut MultiplexedConnection, source: &Source) -> RedisResult<Option<Mirrored>> {
        let page = source.feed.after(None);
        let nonce = base64url_encode(&random::<9>());
        let writing = format!("writing {nonce}");
        // First the sentinel: a flush at any moment from here on takes it away.
        let first = SetOptions::default().with_expiration(SetExpiry::EX(SENTINEL_LIFE));
        redis::pipe().set_options(self.sentinel(), &writing, first).ignore().exec_async(connection).await?;
        for entries in page.entries.chunks(BATCH) {
            let batch = self.batch(entries, &writing, source.clock.now());
            let (found,): (Option<String>,) = batch.query_async(connection).await?;
            if found.as_ref() != Some(&writing) {
                return Ok(None);
            }
        }
        let sentinel = format!("ready {nonce} {}", page.cursor.seq);
        let (found,): (Option<String>,) =
            self.batch(&[], &sentinel, source.clock.now()).query_async(connection).await?;
        Ok((found == Some(writing)).then_some(Mirrored { cursor: page.cursor, sentinel }))
    }

    /// In one step: what the sentinel is, these entries, and the sentinel's new value unless it is gone.
    fn batch(&self, entries: &[Entry], sentinel: &str, now: Timestamp) -> Pipeline {
        let mut pipe = redis::pipe();
        pipe.atomic().get(self.sentinel());
        for entry in entries {
            let (key, value) = self.key(&entry.what);
            let life = match entry.what {
                Target::Key(_) => SetOptions::default(),
                _ => match seconds_left(entry.until, now) {
                    0 => continue,
                    seconds => SetOptions::default().with_expiration(SetExpiry::EX(seconds)),
                },
            };
            pipe.set_options(key, value, life).ignore();
        }
        let renewed =
            SetOptions::default().conditional_set(ExistenceCheck::XX).with_expiration(SetExpiry::EX(SENTINEL_LIFE));
        pipe.set_options(self.sentinel(), sentinel, renewed).ignore();
        pipe
    }

    fn sentinel(&self) -> String {
        format!("{}mirror", self.prefix)
    }

    /// Its key, and what stands there.
    fn key(&self, what: &Target) -> (String, String) {
        let prefix = &self.prefix;
        match what {
            Target::Session(sid) => (format!("{prefix}{sid}"), "1".into()),
            Target::Token(jti) => (format!("{prefix}{jti}"), "1".into()),
            Target::Key(kid) => (format!("{prefix}key_{kid}"), "1".into()),
            // Not a revocation: tokens of this session with a lower claims version are out of date.
            Target::Stale(sid, version) => (format!("{prefix}stale_{sid}"), version.to_string()),
        }
    }
}

/// Rounded up: a key that stays a moment too long hits nothing.
fn seconds_left(until: Timestamp, now: Timestamp) -> u64 {
    let millis = u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX);
    millis.div_ceil(1000)
}

/// Another replica writes the mirror.
pub(super) fn measure_nothing() {
    metrics::gauge!("counterfoil_redis_mirror_up").set(0.0);
    metrics::gauge!("counterfoil_redis_mirror_lag_events").set(0.0);
    metrics::gauge!("counterfoil_redis_mirror_lag_seconds").set(0.0);
}

fn report(source: &Source, progress: &Progress) {
    let behind = source.feed.head().saturating_sub(progress.at);
    metrics::gauge!("counterfoil_redis_mirror_lag_events").set(gauge_value(behind));
    let age = if behind == 0 { Duration::ZERO } else { source.clock.tick().since(progress.complete) };
    metrics::gauge!("counterfoil_redis_mirror_lag_seconds").set(age.as_secs_f64());
}
