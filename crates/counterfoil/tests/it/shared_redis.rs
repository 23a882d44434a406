//! The Redis that replicas count in together: what it says, and what becomes of it when it is gone, emptied or another one.

use crate::dpop::{Prover, get, signed_in};
use crate::support::{Redis, TestApp};
use counterfoil::shared_redis::{Once, SharedRedis, Silent};
use counterfoil_core::Timestamp;
use counterfoil_core::limit::Rate;
use counterfoil_core::refresh::token::{KeptIn, RedisProcess, TokenKeys};
use std::sync::Arc;
use std::time::Duration;

const LIFE: Duration = Duration::from_mins(6);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn toml(port: u16) -> String {
    format!("[redis]\nurl = \"redis://127.0.0.1:{port}\"\n")
}

fn prepared(port: u16) -> SharedRedis {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counterfoil.toml");
    std::fs::write(&file, toml(port)).unwrap();
    let config = counterfoil::config::Config::load(Some(&file), std::iter::empty()).unwrap();
    SharedRedis::prepare(&config.redis.unwrap()).unwrap()
}

#[tokio::test]
async fn it_counts_as_one_process_alone_does() {
    let server = Redis::start();
    let redis = prepared(server.port);
    assert_eq!(redis.take("a", Rate { burst: 1, interval: LIFE }, at(0)).await, Err(Silent), "not looked at yet");
    redis.look(|| at(0)).await.unwrap();
    let rate = Rate { burst: 3, interval: Duration::from_secs(10) };
    let take = |now: i64| redis.take("a", rate, at(now));
    let attempts = futures_util::future::join_all((0..8).map(|_| take(0))).await;
    assert_eq!(attempts.iter().filter(|taken| **taken == Ok(Ok(()))).count(), 3, "{attempts:?}");
    assert_eq!(take(0).await, Ok(Err(Duration::from_secs(10))));
    assert_eq!(take(10).await, Ok(Ok(())));
    redis.give_back("a", Some(rate)).await.unwrap();
    assert_eq!(take(10).await, Ok(Ok(())));
    assert!(matches!(take(10).await, Ok(Err(_))));
    redis.give_back("a", None).await.unwrap();
    assert_eq!(take(10).await, Ok(Ok(())));
    assert_eq!(redis.take("b", rate, at(10)).await, Ok(Ok(())), "another's");
}

#[tokio::test]
async fn atk28_what_is_used_up_stays_so_and_what_may_have_been_forgotten_does_not_count() {
    let server = Redis::start();
    let redis = prepared(server.port);
    redis.look(|| at(0)).await.unwrap();
    let process = redis.remembers(at(6)).expect("it remembers from here on");
    let use_up = |what: &'static str, made: i64| redis.use_up(what, (process, at(made)), LIFE);
    assert_eq!(redis.remembers(at(5)), None, "whoever makes nonces may have another clock");
    let all = futures_util::future::join_all((0..8).map(|_| use_up("x", 10))).await;
    assert_eq!(all.iter().filter(|once| **once == Ok(Once::First)).count(), 1, "{all:?}");
    assert!(all.contains(&Ok(Once::Again)));
    redis::cmd("FLUSHALL").exec(&mut server.connect()).unwrap();
    assert_eq!(use_up("x", 10).await, Ok(Once::TooOld), "it has forgotten, and knows that it has");
    // It is emptied once more, after a replica has begun to look and before what that has to say arrives.
    let flush = || redis::cmd("FLUSHALL").exec(&mut server.connect()).unwrap();
    let behind = || {
        flush();
        at(0)
    };
    redis.look(behind).await.unwrap();
    assert_eq!(redis.remembers(at(60)), None, "what was said of the time before says nothing");
    assert_eq!(use_up("x", 10).await, Ok(Once::TooOld));
    redis.look(|| at(11)).await.unwrap();
    assert_eq!(redis.remembers(at(16)), None, "so nobody is given a nonce by which it would be asked");
    assert_eq!(use_up("y", 17).await, Ok(Once::First));
    // Another process on the same port, with a copy of what the first one had said.
    let said: String = redis::cmd("GET").arg("counterfoil_since").query(&mut server.connect()).unwrap();
    let server = Redis::on(server.stop(), "");
    redis::cmd("SET").arg("counterfoil_since").arg(said).exec(&mut server.connect()).unwrap();
    assert_eq!(use_up("y", 17).await, Err(Silent));
    redis.look(|| at(19)).await.unwrap();
    assert_eq!(use_up("y", 17).await, Ok(Once::TooOld), "what it has is an old copy");
    let other = redis.remembers(at(60)).expect("it remembers from here on");
    assert_ne!(other, process);
    assert_eq!(
        redis.use_up("z", (process, at(60)), LIFE).await,
        Ok(Once::TooOld),
        "another may have been asked already"
    );
    assert_eq!(redis.use_up("z", (other, at(60)), LIFE).await, Ok(Once::First));
    redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("100mb").exec(&mut server.connect()).unwrap();
    redis::cmd("CONFIG").arg("SET").arg("maxmemory-policy").arg("allkeys-lru").exec(&mut server.connect()).unwrap();
    redis.look(|| at(20)).await.unwrap();
    assert_eq!(redis.remembers(at(60)), None, "one that may throw keys out cannot be asked");
}

#[tokio::test]
async fn atk28_a_proof_counts_once_whether_the_redis_is_there_or_not() {
    let server = Redis::start();
    let app = TestApp::with(&format!("{}[applications.phone]\nprofile = \"native\"\n", toml(server.port))).await;
    let redis = Arc::clone(app.app.redis.as_ref().unwrap());
    let now = || app.app.clock.now();
    redis.look(now).await.unwrap();
    app.pass(6);
    let mut prover = Prover::new(1);
    let session = signed_in(&app, &mut prover).await;
    let token = session["access_token"].as_str().unwrap();
    let authorization = format!("DPoP {token}");
    let place = |prover: &Prover| TokenKeys::kept_in(prover.nonce.as_ref().unwrap()).unwrap().1;
    let ask = async |prover: &mut Prover| {
        let proof = prover.proof_for("GET", "https://app.example.com/api/auth/me", Some(token));
        let first = get(&app, "/api/auth/me", &authorization, &[&proof]).await;
        if let Some(nonce) = first.headers.get("dpop-nonce") {
            prover.nonce = Some(nonce.to_str().unwrap().to_owned());
        }
        (first.outcome(), get(&app, "/api/auth/me", &authorization, &[&proof]).await.outcome())
    };
    // The first answer asks for another nonce and gives one that every replica takes, whichever Redis it knows; the next one the quicker.
    ask(&mut prover).await;
    assert_eq!(place(&prover), KeptIn::Store);
    let ((status, _), (again, code)) = ask(&mut prover).await;
    assert_eq!((status, again, code.as_str()), (200, 401, "invalid_dpop_proof"));
    assert!(matches!(place(&prover), KeptIn::Redis(_)));
    let ((status, _), (again, code)) = ask(&mut prover).await;
    assert_eq!((status, again, code.as_str()), (200, 401, "invalid_dpop_proof"));
    assert!(matches!(place(&prover), KeptIn::Redis(_)));
    drop(server);
    // The next question finds out, and nobody can judge it now; its answer already gives a nonce that says another place.
    assert_eq!(ask(&mut prover).await.0.0, 503);
    assert_eq!(place(&prover), KeptIn::Store);
    let ((status, _), (again, code)) = ask(&mut prover).await;
    assert_eq!((status, again, code.as_str()), (200, 401, "invalid_dpop_proof"), "slower, and never open");
    let mut late = Prover::new(1);
    late.nonce = Some(app.app.tokens.dpop_nonce("use", now(), KeptIn::Redis(RedisProcess(7))));
    let ((status, code), _) = ask(&mut late).await;
    assert_eq!((status, code.as_str()), (401, "use_dpop_nonce"), "one from before it was gone");
    assert_eq!(place(&late), KeptIn::Store);
}
