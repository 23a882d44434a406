//! Back-channel logout: an application is told of its own sessions' ends, all of them and no others, in a token that a receiver can check.

use super::receiver::{Delivery, Receiver};
use super::{Installation, Person, eventually, metric, read};
use crate::matrix::{CONFIG, Effect, TABLE, Way, World};
use crate::oauth::sign_in_to;
use crate::support::{Browser, Server, TestApp, exchange};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use counterfoil::clock::Clock as _;
use counterfoil_core::{Sid, UserId};
use counterfoil_guard::{KeySet, Timestamp, Verifier, base64url_decode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn uri(receiver: &Receiver) -> String {
    format!("backchannel_logout_uri = 'http://{}/logout?from=counterfoil'\n", receiver.address)
}

fn told(receiver: &Receiver) -> String {
    format!("[applications.web]\n{}", uri(receiver))
}

fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&base64url_decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

/// Checks a logout token as a receiver has to, from the words of section 2.6 alone, and returns what it says.
fn checked(token: &str, jwks: &Value, (issuer, client): (&str, &str), now: i64) -> Value {
    let (header, said) = (part(token, 0), part(token, 1));
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("a published key");
    let member = |name: &str| base64url_decode(key[name].as_str().unwrap()).unwrap();
    let (algorithm, public): (&'static dyn VerificationAlgorithm, _) = match header["alg"].as_str().unwrap() {
        "EdDSA" | "Ed25519" => (&ED25519, member("x")),
        "ES256" => (&ECDSA_P256_SHA256_FIXED, [vec![4], member("x"), member("y")].concat()),
        other => panic!("{other}"),
    };
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = base64url_decode(signature).unwrap();
    UnparsedPublicKey::new(algorithm, public).verify(signed.as_bytes(), &signature).expect("signed by that key");
    assert_eq!((&header["typ"], &key["alg"]), (&json!("logout+jwt"), &header["alg"]));
    assert_eq!((&said["iss"], &said["aud"]), (&json!(issuer), &json!(client)));
    let time = |name: &str| said[name].as_i64().unwrap();
    assert!((0..60).contains(&(now - time("iat"))) && time("exp") - time("iat") == 120, "{said}");
    assert!(said["sub"].is_string() && said["sid"].is_string() && said["jti"].is_string());
    assert_eq!(said["events"], json!({ EVENT: {} }));
    assert_eq!(said.get("nonce"), None);
    said
}

fn sid_of(delivery: &Delivery) -> Sid {
    part(delivery.logout_token(), 1)["sid"].as_str().unwrap().parse().unwrap()
}

fn sids(receiver: &Receiver) -> Vec<Sid> {
    let mut sids: Vec<_> = receiver.deliveries().iter().map(sid_of).collect();
    sids.sort();
    sids
}

/// Waits until everything that has been written so far has been gone through for this application.
async fn gone_through(app: &TestApp, application: &str) {
    let newest = app.app.store.newest().await.unwrap();
    while app.app.store.reader(&format!("logout:{application}")).await.unwrap() < newest {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The user's sessions at this application that somebody has ended.
async fn ended(app: &TestApp, user: &str, application: &str) -> Vec<Sid> {
    let user: UserId = user.parse().unwrap();
    let sessions = app.app.store.sessions_of(user).await.unwrap();
    let ended = sessions.into_iter().filter(|session| session.application == application && session.ended.is_some());
    let mut sids: Vec<_> = ended.map(|session| session.sid).collect();
    sids.sort();
    sids
}

async fn sid(browser: &Browser) -> Sid {
    browser.clone().me().await.json()["session"]["id"].as_str().unwrap().parse().unwrap()
}

fn jwks(server: &Server) -> Value {
    let answer = exchange(server.address, "GET /.well-known/jwks.json", &[], "").unwrap();
    serde_json::from_str(&answer.body).unwrap()
}

fn now() -> i64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    let now = file.path().metadata().unwrap().modified().unwrap();
    i64::try_from(now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[tokio::test]
async fn every_way_of_ending_a_session_is_told_to_its_application_once_and_to_no_other() {
    let mut told_of = 0;
    for (way, effect, cookie, opaque) in TABLE {
        for (application, _) in [("web", cookie), ("classic", opaque)].into_iter().filter(|(_, there_is)| *there_is) {
            let (web, classic) = (Receiver::start(), Receiver::start());
            let mail = if way == Way::PasswordReset { "[mail]\noutbox = true" } else { "" };
            let app = read(&format!("{CONFIG}\n{}{}{mail}", uri(&classic), told(&web))).await;
            let mut world = World::new(&app, application).await;
            let user = world.user.clone();
            world.go(way).await;
            for (name, receiver) in [("web", &web), ("classic", &classic)] {
                gone_through(&app, name).await;
                let told = sids(receiver);
                assert_eq!(told, ended(&app, &user, name).await, "{way:?} of {application}, told to {name}");
                told_of += usize::from(name == application && !told.is_empty());
                assert!(!told.is_empty() || name != application || !matches!(effect, Effect::Ends(_)), "{way:?}");
            }
        }
    }
    assert_eq!(told_of, 16 + 14, "sessions have ended at all");
}

#[tokio::test]
async fn a_session_of_an_application_without_an_address_tells_nobody() {
    let receiver = Receiver::start();
    let app = read(&format!("{}[applications.other]\n", told(&receiver))).await;
    let (mut other, _) = sign_in_to(&app, "other").await;
    let (mut own, _) = sign_in_to(&app, "web").await;
    let expected = sid(&own).await;
    assert_eq!(other.post("/api/auth/logout").await.status, 204);
    assert_eq!(own.post("/api/auth/logout").await.status, 204);
    gone_through(&app, "web").await;
    assert_eq!(sids(&receiver), [expected]);
    assert_eq!(app.app.store.reader("logout:other").await.unwrap(), app.app.store.newest().await.unwrap());
}

#[tokio::test]
async fn md_2_the_metadata_says_so_where_an_application_is_told() {
    let members = ["backchannel_logout_supported", "backchannel_logout_session_supported"];
    for (toml, expected) in [(told(&Receiver::start()), json!(true)), (String::new(), Value::Null)] {
        let app = TestApp::with(&toml).await;
        let metadata = app.browser().get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(members.map(|member| metadata[member].clone()), [expected.clone(), expected], "{toml}");
    }
}

#[tokio::test]
async fn the_applications_own_algorithm_signs_and_a_paseto_application_is_told_in_a_jwt() {
    let (legacy, paseto) = (Receiver::start(), Receiver::start());
    let toml = format!(
        "[applications.legacy]\nalgorithm = 'ES256'\n{}[applications.paseto]\nformat = 'paseto'\n{}",
        uri(&legacy),
        uri(&paseto)
    );
    let app = read(&toml).await;
    for (name, receiver, algorithm) in [("legacy", &legacy, "ES256"), ("paseto", &paseto, "EdDSA")] {
        let (mut browser, _) = sign_in_to(&app, name).await;
        let expected = sid(&browser).await;
        assert_eq!(browser.post("/api/auth/logout").await.status, 204);
        gone_through(&app, name).await;
        let delivery = receiver.deliveries().remove(0);
        let jwks = app.browser().get("/.well-known/jwks.json").await.json();
        let said = checked(delivery.logout_token(), &jwks, ("https://app.example.com", name), 1_800_000_000);
        assert_eq!(said["sid"], expected.to_string());
        assert_eq!(part(delivery.logout_token(), 0)["alg"], algorithm);
    }
}

#[test]
fn asvs_10_5_5_a_receiver_can_check_what_it_is_sent_and_nothing_here_takes_it_for_an_access_token() {
    let receiver = Receiver::start();
    let place = Installation::new(&told(&receiver));
    let server = place.start(&[]);
    Person::registers(&server);
    let person = Person::signs_in(&server);
    let (expected, own) = (person.sid(), part(person.access_token(), 1));
    person.signs_out();
    eventually("a logout token", || (!receiver.deliveries().is_empty()).then_some(()));
    let delivery = receiver.deliveries().remove(0);
    assert!(delivery.line.starts_with("POST /logout?from=counterfoil "), "{delivery:?}");
    assert_eq!(delivery.header("content-type"), "application/x-www-form-urlencoded");
    let (token, jwks) = (delivery.logout_token(), jwks(&server));
    let said = checked(token, &jwks, (&server.origin(), "web"), now());
    assert_eq!((&said["sid"], &said["sub"]), (&json!(expected), &own["sub"]));

    let bearer = format!("Bearer {token}");
    let me = exchange(server.address, "GET /api/auth/me", &[("Authorization", &bearer)], "").unwrap();
    assert_eq!(me.status, 401);
    assert!(me.body.contains("token_invalid"), "{}", me.body);
    let keys = KeySet::from_jwks(jwks.to_string().as_bytes()).unwrap();
    let verifier = Verifier::new(&server.origin(), "web", keys);
    let at = Timestamp::from_seconds(now());
    assert!(verifier.verify(person.access_token(), at).is_ok(), "a token of that key and audience would do");
    assert!(verifier.verify(token, at).is_err());
    server.stop();
}

#[test]
fn a_receiver_in_trouble_is_told_again_in_order_by_the_same_name_and_redirects_are_not_followed() {
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    receiver.redirects_to(&format!("http://{}/elsewhere", elsewhere.address));
    receiver.answers(&[500, 302, 400]);
    let place = Installation::new(&told(&receiver));
    let server = place.start(&[]);
    Person::registers(&server);
    let (first, second) = (Person::signs_in(&server), Person::signs_in(&server));
    let expected = [first.sid(), first.sid(), first.sid(), first.sid(), second.sid()];
    first.signs_out();
    second.signs_out();
    eventually("all of them", || (receiver.deliveries().len() >= 5).then_some(()));
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.iter().map(|one| one.answer).collect::<Vec<_>>(), [500, 302, 400, 204, 204]);
    assert_eq!(deliveries.iter().map(|one| sid_of(one).to_string()).collect::<Vec<_>>(), expected);
    let (keys, origin) = (jwks(&server), server.origin());
    let said = deliveries.iter().map(|one| checked(one.logout_token(), &keys, (&origin, "web"), now()));
    let said: Vec<_> = said.collect();
    let names: BTreeSet<_> = said.iter().map(|said| said["jti"].to_string()).collect();
    assert_eq!(names.len(), 2, "each end has its name");
    let times: Vec<_> = said.iter().map(|said| said["iat"].as_i64().unwrap()).collect();
    assert!(times[3] - times[0] >= 5, "signed anew for each attempt: {times:?}");
    assert!(elsewhere.deliveries().is_empty());
    let counted = |outcome: &str| {
        let name =
            format!("counterfoil_backchannel_logout_attempts_total{{application=\"web\",outcome=\"{outcome}\"}}");
        metric(&server, &name)
    };
    eventually("the counts", || (counted("received") == Some(2.0)).then_some(()));
    assert_eq!((counted("failed"), counted("refused")), (Some(2.0), Some(1.0)));
    server.stop();
}

#[test]
fn nothing_is_lost_across_restarts_while_the_receiver_is_down_nor_while_it_is_not_in_the_configuration() {
    let receiver = Receiver::start();
    receiver.refuses(true);
    let place = Installation::new(&told(&receiver));
    let server = place.start(&[]);
    Person::registers(&server);
    let (first, second) = (Person::signs_in(&server), Person::signs_in(&server));
    let mut expected = vec![first.sid(), second.sid()];
    first.signs_out();
    eventually("an attempt", || (!receiver.deliveries().is_empty()).then_some(()));
    second.signs_out();
    server.kill();
    // Meanwhile without it: what happens now is told when it comes back under its name.
    let config = place.path().join("counterfoil.toml");
    std::fs::write(&config, "").unwrap();
    let server = place.start(&[]);
    let third = Person::signs_in(&server);
    expected.push(third.sid());
    third.signs_out();
    server.stop();
    std::fs::write(&config, told(&receiver)).unwrap();
    receiver.refuses(false);
    let server = place.start(&[]);
    let taken = || receiver.deliveries().into_iter().filter(|delivery| delivery.answer == 204).collect::<Vec<_>>();
    eventually("all of them", || (taken().len() >= 3).then_some(()));
    assert_eq!(taken().iter().map(|one| sid_of(one).to_string()).collect::<Vec<_>>(), expected);
    let lag = "counterfoil_backchannel_logout_lag_events{application=\"web\"}";
    eventually("the cursor", || (metric(&server, lag) == Some(0.0)).then_some(()));
    server.stop();
    let server = place.start(&[]);
    let fourth = Person::signs_in(&server);
    let last = fourth.sid();
    fourth.signs_out();
    eventually("the next", || (taken().len() >= 4).then_some(()));
    assert_eq!(taken().last().map(|one| sid_of(one).to_string()), Some(last), "and nothing is told twice");
    server.stop();
}

/// Ten attempts take nine minutes, so time is moved by hand; not before what is on its way has had time to arrive.
#[tokio::test]
async fn a_session_that_the_application_refuses_ten_times_is_passed_over_and_the_next_is_told() {
    let receiver = Receiver::start();
    let app = read(&format!("[applications.refusing]\n{}", uri(&receiver))).await;
    let (mut first, _) = sign_in_to(&app, "refusing").await;
    let (mut second, _) = sign_in_to(&app, "refusing").await;
    let [refused, taken] = [sid(&first).await, sid(&second).await];
    receiver.cannot(move |body| part(body.strip_prefix("logout_token=").unwrap(), 1)["sid"] == refused.to_string());
    assert_eq!(first.post("/api/auth/logout").await.status, 204);
    assert_eq!(second.post("/api/auth/logout").await.status, 204);
    tokio::time::pause();
    // While something blocks, time does not move by itself.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let holder = tokio::task::spawn_blocking(move || held.recv());
    let told = |of: Sid| receiver.deliveries().iter().filter(|one| sid_of(one) == of).count();
    while told(taken) == 0 {
        tokio::time::advance(Duration::from_secs(1)).await;
        app.pass(1);
        tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(2))).await.unwrap();
        assert!(told(refused) < 20, "it is not tried for ever");
    }
    drop(release);
    assert!(holder.await.unwrap().is_err());
    assert!(told(refused) >= 10, "{}", told(refused));
    assert!(app.clock.now().as_seconds() > 1_800_000_000 + 380, "the waits grow");
    let counted = |outcome: &str| {
        let name =
            format!("counterfoil_backchannel_logout_attempts_total{{application=\"refusing\",outcome=\"{outcome}\"}}");
        app.app.metrics.render().lines().find_map(|line| line.strip_prefix(&name)?.trim().parse::<u32>().ok())
    };
    assert_eq!((counted("refused"), counted("passed_over")), (Some(9), Some(1)));
}

#[test]
fn of_an_answer_without_end_a_little_is_read_and_it_counts_by_its_status() {
    const FLOOD: usize = 64 << 20;
    let receiver = Receiver::start();
    receiver.floods(FLOOD);
    let place = Installation::new(&told(&receiver));
    let server = place.start(&[]);
    Person::registers(&server);
    for _ in 0..3 {
        Person::signs_in(&server).signs_out();
    }
    eventually("all three", || (receiver.deliveries().len() >= 3).then_some(()));
    assert_eq!(sids(&receiver).len(), 3, "each is told once");
    // Buffers of the system on the way take some; the server takes 64 KiB.
    assert!(receiver.flooded() < FLOOD / 2, "{}", receiver.flooded());
    server.stop();
}

#[test]
fn s6_neither_the_token_nor_the_path_is_logged_and_trouble_is_said_once() {
    let receiver = Receiver::start();
    receiver.answers(&[500, 500, 400, 400]);
    let place = Installation::new(&told(&receiver).replace("/logout?from=counterfoil", "/l/T0KEN?k=S3CRET"));
    let server = place.start(&[("COUNTERFOIL_LOG", "trace")]);
    Person::registers(&server);
    Person::signs_in(&server).signs_out();
    eventually("it is taken", || (receiver.deliveries().len() >= 5).then_some(()));
    let taken = "counterfoil_backchannel_logout_attempts_total{application=\"web\",outcome=\"received\"}";
    eventually("that is known", || (metric(&server, taken) == Some(1.0)).then_some(()));
    let log = server.stop();
    let deliveries = receiver.deliveries();
    assert!(deliveries[0].line.contains("T0KEN"));
    let signatures = deliveries.iter().map(|one| one.logout_token().rsplit('.').next().unwrap());
    for secret in signatures.chain(["T0KEN", "S3CRET"]) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert_eq!(log.matches("does not take events").count(), 1, "{log}");
    assert_eq!(log.matches("answers again").count(), 1, "{log}");
}
