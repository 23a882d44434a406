//! The feed over HTTP, with the real guard at the other end: in this process, with a clock that stands still.

use crate::control::ask;
use crate::support::{Browser, TestApp};
use axum::body::Body;
use counterfoil::clock::{Clock, ManualClock, random};
use counterfoil::feed::Feed;
use counterfoil::store::LogState;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::feed::Policy;
use counterfoil_core::revocation::{Revocation, RevocationOrder};
use counterfoil_core::session::EndReason;
use counterfoil_core::{Sid, Timestamp};
use counterfoil_guard::feed::{Ignored, Poll, Taken};
use counterfoil_guard::{
    Answer, Clocks, Entry, Guard, Instance, KeySet, LogId, Refusal, Target, Verifier, base64url_encode,
};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

/// A guard and the way it asks.
pub(crate) struct Follower<'a> {
    app: &'a TestApp,
    credential: String,
    pub(crate) guard: Arc<Guard>,
}

impl<'a> Follower<'a> {
    /// One that knows the key set and has polled once.
    pub(crate) async fn new(app: &'a TestApp, name: &str) -> Self {
        let (status, made) = ask(app, "POST", "/api/admin/guards", Some(json!({ "name": name }))).await;
        assert_eq!(status, 201, "{made}");
        let follower = Self::with(app, made["credential"].as_str().unwrap());
        follower.poll().await.unwrap();
        follower
    }

    /// Another process with the same credential, which has heard nothing yet.
    pub(crate) fn with(app: &'a TestApp, credential: &str) -> Self {
        let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
        let verifier = Verifier::new(app.app.public.issuer(), "web", keys);
        let guard = Arc::new(Guard::new(verifier, Instance::from_bytes(random())));
        Self { app, credential: credential.to_owned(), guard }
    }

    pub(crate) fn clocks(&self) -> Clocks {
        Clocks { boot: self.app.clock.tick(), wall: self.app.clock.now() }
    }

    fn ask(&self) -> String {
        let poll = self.guard.poll(base64url_encode(&random::<8>()), self.clocks());
        let after = poll.after.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        format!("/api/revocations?instance={}&nonce={}&wait=0{after}", poll.instance, poll.nonce)
    }

    /// Asks once, and takes the answer in.
    pub(crate) async fn poll(&self) -> Result<Taken, Ignored> {
        let (status, answer) = self.fetch(&self.ask()).await;
        assert_eq!(status, 200, "{answer}");
        self.guard.receive(&serde_json::from_value::<Answer>(answer).unwrap(), self.clocks())
    }

    pub(crate) async fn fetch(&self, path: &str) -> (u16, Value) {
        let request = Request::builder().uri(path).header("authorization", format!("Bearer {}", self.credential));
        let response = self.app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(crate) fn verify(&self, browser: &Browser) -> Result<(), Refusal> {
        self.verify_token(&browser.cookie("__Host-cf_access").unwrap())
    }

    pub(crate) fn verify_token(&self, token: &str) -> Result<(), Refusal> {
        self.guard.verify(token, self.clocks()).map(|_| ())
    }
}

/// So long after a start that acknowledgements count.
async fn settled() -> TestApp {
    let app = TestApp::new().await;
    app.pass(6);
    app
}

#[tokio::test]
async fn s2_a_guard_refuses_what_it_has_been_told_and_the_receipt_waits_for_it() {
    let app = settled().await;
    let mut browser = app.signed_in().await;
    let first = Follower::new(&app, "api").await;
    let second = Follower::with(&app, &first.credential);
    second.poll().await.unwrap();
    assert_eq!((first.verify(&browser), second.verify(&browser)), (Ok(()), Ok(())));

    let leaving = browser.clone();
    let receipt = tokio::spawn(async move { browser.post("/api/auth/logout?receipt=effective").await });
    while app.app.feed.head() == 0 {
        tokio::task::yield_now().await;
    }
    // Told, and then heard to have been told: only the cursor of the next poll says that it is in force.
    for follower in [&first, &second] {
        assert!(follower.poll().await.unwrap().news);
        assert_eq!(follower.verify(&leaving), Err(Refusal::Revoked));
    }
    tokio::task::yield_now().await;
    assert!(!receipt.is_finished(), "nobody has acknowledged it yet");
    first.poll().await.unwrap();
    tokio::task::yield_now().await;
    assert!(!receipt.is_finished(), "counted by process, not by credential");
    second.poll().await.unwrap();
    let receipt = receipt.await.unwrap();
    assert_eq!(receipt.status, 200);
    assert_eq!(receipt.json(), json!({ "seq": 1, "effective": true, "ms": 0, "confirmed": 3, "of": 3 }));
}

#[tokio::test]
async fn s2_a_guard_that_is_cut_off_refuses_by_the_time_the_receipt_is_given() {
    let app = settled().await;
    let browser = app.signed_in().await;
    let cut_off = Follower::new(&app, "api").await;
    let sid = browser.clone().me().await.json()["session"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/admin/sessions/{sid}/revoke?receipt=effective");
    let (control, feed) = (app.control.clone(), Arc::clone(&app.app.feed));
    let receipt = tokio::spawn(async move {
        let request = Request::post(path).extension(counterfoil::http::Peer::Control).body(Body::empty()).unwrap();
        let body = control.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&body).unwrap()
    });
    while feed.head() == 0 {
        tokio::task::yield_now().await;
    }
    app.clock.advance(Duration::from_millis(4949));
    assert_eq!(cut_off.verify(&browser), Ok(()), "within max_staleness it may still accept");
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(cut_off.verify(&browser), Err(Refusal::VerifierStale));
    app.clock.advance(Duration::from_millis(100));
    feed.wake();
    let receipt = receipt.await.unwrap();
    assert_eq!((&receipt["effective"], &receipt["confirmed"], &receipt["of"]), (&json!(true), &json!(1), &json!(2)));
    assert_eq!(
        (&receipt["verifiers"][0]["name"], &receipt["verifiers"][0]["how"]),
        (&json!("api"), &json!("lease_over"))
    );
}

#[tokio::test]
async fn a_long_poll_answers_as_soon_as_there_is_something() {
    let app = settled().await;
    let mut browser = app.signed_in().await;
    let follower = Follower::new(&app, "api").await;
    let poll = follower.guard.poll("n".into(), follower.clocks());
    let path = format!("/api/revocations?instance={}&nonce=n&wait=1000&after={}", poll.instance, poll.after.unwrap());
    let waiting = async { follower.fetch(&path).await };
    let revoking = async {
        tokio::task::yield_now().await;
        browser.post("/api/auth/logout").await
    };
    let ((status, answer), _) = tokio::join!(waiting, revoking);
    assert_eq!((status, answer["sessions"].as_array().unwrap().len()), (200, 2));
}

/// The log's state as a store would have it, with nothing in it.
fn empty_log() -> LogState {
    LogState { id: LogId::from_bytes([7; 16]), head: None, in_force: Vec::new(), restored_at: None }
}

fn ended(seq: u64) -> Entry {
    Entry { seq, until: Timestamp::from_seconds(2_000_000_000), what: Target::Session(Sid::from_bytes([1; 16])) }
}

/// Time stands still unless everybody waits: whoever is woken has waited for no time at all.
#[tokio::test(start_paused = true)]
async fn s2_news_and_acknowledgements_wake_whoever_waits_for_them() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_800_000_000)));
    let policy = Policy { max_staleness: Duration::from_secs(5), margin: Duration::from_millis(50) };
    let feed = Arc::new(Feed::new(empty_log(), (policy, Duration::ZERO), false, Arc::clone(&clock) as Arc<dyn Clock>));
    clock.advance(Duration::from_secs(6));
    let (instance, wait) = (Instance::from_bytes([2; 16]), Duration::from_secs(1));
    let ask = |after, wait| {
        let feed = Arc::clone(&feed);
        let poll = Poll { instance, nonce: "n".into(), after, wait };
        async move { feed.poll("api", &poll, String::new).await }
    };
    let began = tokio::time::Instant::now();
    let first = ask(None, wait).await.cursor;
    let waiting = tokio::spawn(ask(Some(first), wait));
    let watching = Arc::clone(&feed);
    let receipt = tokio::spawn(async move { watching.effective(1).await });
    tokio::task::yield_now().await;
    feed.append(&[ended(1)]);
    let told = waiting.await.unwrap();
    assert_eq!((told.cursor.seq, began.elapsed()), (1, Duration::ZERO), "the poll was woken");
    tokio::task::yield_now().await;
    assert!(!receipt.is_finished());
    let acknowledging = tokio::spawn(ask(Some(told.cursor), wait));
    assert_eq!(receipt.await.unwrap().verifiers.len(), 1);
    assert_eq!(began.elapsed(), Duration::ZERO, "the receipt was woken");
    acknowledging.abort();
}

/// What another request has just ended is in the store, and not in force here yet.
#[tokio::test]
async fn s2_a_receipt_for_what_somebody_else_is_ending_waits_for_it() {
    let app = settled().await;
    let mut browser = app.signed_in().await;
    let mut again = browser.clone();
    let follower = Follower::new(&app, "api").await;
    let sid = browser.me().await.json()["session"]["id"].as_str().unwrap().parse().unwrap();
    let audit = AuditEntry {
        at: app.clock.now(),
        event: Event::SessionEnded,
        actor: Actor::System,
        user: None,
        sid: Some(sid),
        network: String::new(),
        detail: String::new(),
    };
    let what = Revocation::Session { sid, reason: EndReason::SignedOut };
    let committed = app.app.store.revoke(RevocationOrder { what, at: audit.at, audit }).await.unwrap();
    let receipt = tokio::spawn(async move { again.delete("/api/auth/refresh?receipt=effective").await });
    for _ in 0..200 {
        tokio::task::yield_now().await;
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
    assert!(!receipt.is_finished(), "no guard has heard of it");
    assert_eq!(follower.verify(&browser), Ok(()));
    app.app.feed.append(&committed.entries);
    for _ in 0..2 {
        follower.poll().await.unwrap();
    }
    assert_eq!(follower.verify(&browser), Err(Refusal::Revoked));
    assert_eq!(receipt.await.unwrap().json()["seq"], 1);
}

/// The log is read anew because of a gap; meanwhile an entry comes by that the reading does not have.
#[test]
fn an_entry_that_comes_by_while_the_log_is_read_is_not_lost() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_800_000_000)));
    let policy = Policy { max_staleness: Duration::from_secs(5), margin: Duration::from_millis(50) };
    let feed = Feed::new(empty_log(), (policy, Duration::ZERO), false, clock);
    feed.append(&[ended(2)]);
    assert!(feed.has_gap());
    let read = LogState { head: Some(ended(2)), in_force: vec![ended(1), ended(2)], ..empty_log() };
    feed.append(&[ended(3)]);
    feed.reload(read);
    assert_eq!((feed.head(), feed.has_gap()), (3, false));
    assert_eq!(feed.after(None).entries.len(), 3);
}

#[tokio::test]
async fn a_cursor_that_is_not_a_place_in_this_log_gets_everything() {
    let app = settled().await;
    let follower = Follower::new(&app, "api").await;
    for _ in 0..3 {
        app.signed_in_again().await.post("/api/auth/logout").await;
    }
    for after in ["", "&after=AAAAAAAAAAAAAAAAAAAAAA.2.0000000000000000"] {
        let path = format!("/api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0{after}");
        let (_, answer) = follower.fetch(&path).await;
        assert_eq!((&answer["snapshot"], answer["sessions"].as_array().unwrap().len()), (&json!(true), 6));
    }
}

#[tokio::test]
async fn polls_that_are_none_are_refused() {
    let app = TestApp::new().await;
    let follower = Follower::new(&app, "api").await;
    let id = "AAAAAAAAAAAAAAAAAAAAAA";
    for query in [
        String::new(),
        format!("instance={id}&nonce=n"),
        format!("instance={id}&wait=0"),
        "instance=short&nonce=n&wait=0".into(),
        format!("instance={id}&nonce=&wait=0"),
        format!("instance={id}&nonce=%00&wait=0"),
        format!("instance={id}&nonce=n&wait=-1"),
        format!("instance={id}&nonce=n&wait=0&after=1"),
        format!("instance={id}&nonce=n&wait=0&after={id}.01.0000000000000000"),
    ] {
        let (status, answer) = follower.fetch(&format!("/api/revocations?{query}")).await;
        assert_eq!((status, &answer["code"]), (400, &json!("malformed")), "{query}");
    }
}

#[tokio::test]
async fn only_a_known_guard_is_told() {
    let app = TestApp::new().await;
    let follower = Follower::new(&app, "api").await;
    let path = "/api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0";
    for credential in ["", "cfg_", "cfg_AAAA", &follower.credential[4..]] {
        let stranger = Follower::with(&app, credential);
        let (status, answer) = stranger.fetch(path).await;
        assert_eq!((status, &answer["code"]), (401, &json!("guard_unknown")), "{credential}");
    }
    let (status, answer) = ask(&app, "POST", "/api/admin/guards", Some(json!({ "name": "api" }))).await;
    assert_eq!((status, &answer["code"]), (409, &json!("name_taken")));
    let (status, _) = ask(&app, "POST", "/api/admin/guards", Some(json!({ "name": "a b" }))).await;
    assert_eq!(status, 400);
    let (_, listed) = ask(&app, "GET", "/api/admin/guards", None).await;
    assert_eq!((&listed["guards"][0]["name"], &listed["guards"][0]["instances"]), (&json!("api"), &json!(1)));
    assert!(!listed.to_string().contains("cfg_"), "the credential is shown once");
    assert_eq!(ask(&app, "DELETE", "/api/admin/guards/api", None).await.0, 204);
    assert_eq!(follower.fetch(path).await.0, 401, "at once");
    assert_eq!(ask(&app, "DELETE", "/api/admin/guards/api", None).await.0, 404);
}

#[tokio::test]
async fn a_revocation_that_did_not_come_by_is_found_although_none_comes_after_it() {
    let app = settled().await;
    let lost = app.signed_in().await;
    let follower = Follower::new(&app, "api").await;
    let sid = lost.clone().me().await.json()["session"]["id"].as_str().unwrap().parse().unwrap();
    let audit = AuditEntry { sid: Some(sid), ..operator(&app) };
    let what = Revocation::Session { sid, reason: EndReason::EndedByAdmin };
    app.app.store.revoke(RevocationOrder { what, at: audit.at, audit }).await.unwrap();
    let mut seen = u64::MAX;
    counterfoil::jobs::tend_feed(&app.app, true, &mut seen).await;
    assert!(!follower.poll().await.unwrap().news, "it may still be on its way");
    counterfoil::jobs::tend_feed(&app.app, true, &mut seen).await;
    assert!(follower.poll().await.unwrap().news);
    assert_eq!(follower.verify(&lost), Err(Refusal::Revoked));
}

#[tokio::test]
async fn s2_no_guard_acknowledges_for_another() {
    let app = settled().await;
    let (victim, other) = (Follower::new(&app, "api").await, Follower::new(&app, "other").await);
    let instance = victim.guard.poll("n".into(), victim.clocks()).instance;
    let path = format!("/api/revocations?instance={instance}&nonce=n&wait=0");
    let (status, answer) = other.fetch(&path).await;
    assert_eq!((status, &answer["code"]), (403, &json!("forbidden")));
    assert_eq!(victim.fetch(&path).await.0, 200);
}

#[tokio::test]
async fn a_revocation_that_did_not_come_by_is_read_from_the_store() {
    let app = settled().await;
    let (lost, mut after) = (app.signed_in().await, app.signed_in_again().await);
    let follower = Follower::new(&app, "api").await;
    // Committed, and whatever carried it through died before it was put into force.
    let sid = lost.clone().me().await.json()["session"]["id"].as_str().unwrap().parse().unwrap();
    let audit = AuditEntry { sid: Some(sid), ..operator(&app) };
    let what = Revocation::Session { sid, reason: EndReason::EndedByAdmin };
    app.app.store.revoke(RevocationOrder { what, at: audit.at, audit }).await.unwrap();
    assert_eq!(after.post("/api/auth/logout").await.status, 204);
    assert!(!follower.poll().await.unwrap().news, "the one before it has not come by");
    assert!(counterfoil::jobs::tend_feed(&app.app, true, &mut 0).await);
    follower.poll().await.unwrap();
    assert_eq!((follower.verify(&lost), follower.guard.revocations()), (Err(Refusal::Revoked), 2));
    assert_eq!(lost.clone().me().await.outcome(), (401, "session_revoked".into()), "here too");
}

fn operator(app: &TestApp) -> AuditEntry {
    AuditEntry {
        at: app.clock.now(),
        event: Event::SessionEnded,
        actor: Actor::Operator,
        user: None,
        sid: None,
        network: String::new(),
        detail: String::new(),
    }
}

#[tokio::test]
async fn a_longer_bound_is_forgotten_when_its_leases_are_over_and_not_before() {
    let app = TestApp::new().await;
    let minutes = Duration::from_mins(5);
    app.app.store.promise(minutes, false).await.unwrap();
    assert!(!counterfoil::jobs::tend_feed(&app.app, false, &mut 0).await);
    assert_eq!(app.app.store.promise(Duration::from_secs(5), false).await, Ok(minutes), "leases may be alive");
    app.pass(6);
    assert!(counterfoil::jobs::tend_feed(&app.app, false, &mut 0).await);
    assert_eq!(app.app.store.promise(Duration::from_secs(5), false).await, Ok(Duration::from_secs(5)));
}

#[tokio::test]
async fn a_receipt_can_only_be_of_the_kind_there_is() {
    let app = settled().await;
    let mut browser = app.signed_in().await;
    let refused = browser.post("/api/auth/logout?receipt=soon").await;
    assert_eq!(refused.outcome(), (400, "malformed".into()));
    assert_eq!(browser.me().await.status, 200, "nothing was ended");
    let again = browser.post("/api/auth/logout-all?receipt=effective").await.json();
    assert_eq!((&again["confirmed"], &again["of"]), (&json!(1), &json!(1)), "this server alone");
}
