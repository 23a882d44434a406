//! `/api/admin/activity`: what the charts show.

use crate::control::ask;
use crate::readers::source;
use crate::support::{Browser, EMAIL, TestApp};
use counterfoil::clock::Clock;
use counterfoil::readers::Readers;
use counterfoil::store::activity::Count;
use counterfoil_core::activity::{Activity, hour_of};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Counts what has been written down so far.
async fn count(app: &TestApp) {
    let readers = Readers::prepare(&app.app.config).unwrap();
    let newest = app.app.store.newest().await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(());
    let running = readers.start(&source(app), move || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.changed().await) }
    });
    while app.app.store.counted_to().await.unwrap() < newest {
        tokio::task::yield_now().await;
    }
    drop(stop);
    for task in running {
        task.await.unwrap();
    }
}

async fn shown(app: &TestApp, period: &str) -> Value {
    ask(app, "GET", &format!("/api/admin/activity?period={period}"), None).await.1
}

fn sum(shown: &Value, what: &str) -> u64 {
    shown["series"][what].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
}

async fn fail(browser: &mut Browser) {
    let wrong = json!({ "email": EMAIL, "password": "not the one at all" });
    assert_eq!(browser.post_json("/api/auth/login", &wrong).await.status, 401);
}

#[tokio::test]
async fn sign_ins_and_what_was_refused_are_counted_once_by_the_hour() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    fail(&mut browser.clone()).await;
    fail(&mut browser.clone()).await;
    let mut thief = browser.clone();
    browser.refresh().await;
    app.pass(3_600);
    assert_eq!(thief.refresh().await.code(), "refresh_reuse");
    count(&app).await;
    count(&app).await;
    let day = shown(&app, "day").await;
    assert_eq!(day["step_seconds"], 3_600);
    let of = |what: &str| day["series"][what].as_array().unwrap()[22..].to_vec();
    assert_eq!(of("registered"), [1, 0]);
    assert_eq!(of("signed_in"), [1, 0]);
    assert_eq!(of("sign_in_failed"), [2, 0]);
    assert_eq!(of("copy_refused"), [0, 1]);
    // By the day they are in one.
    let month = shown(&app, "month").await;
    assert_eq!(month["series"]["signed_in"].as_array().unwrap().len(), 30);
    assert_eq!((sum(&month, "sign_in_failed"), sum(&month, "copy_refused")), (2, 1));
    app.pass(24 * 3_600);
    assert_eq!(sum(&shown(&app, "day").await, "signed_in"), 0, "that was yesterday");
    assert_eq!(sum(&shown(&app, "month").await, "signed_in"), 1);
}

#[tokio::test]
async fn how_soon_a_revocation_is_in_force_is_counted() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    // No lease of a process before this one can be alive any more.
    app.pass(60);
    let (told, mut lags) = tokio::sync::mpsc::unbounded_channel();
    let feed = Arc::clone(&app.app.feed);
    let measuring = tokio::spawn(async move {
        feed.measure_lag(|lag| told.send(lag).unwrap()).await;
    });
    tokio::task::yield_now().await;
    assert_eq!(browser.post("/api/auth/logout").await.status, 204);
    // Nobody else verifies: it is in force at once.
    assert_eq!(lags.recv().await, Some(Duration::ZERO));
    measuring.abort();
}

#[tokio::test]
async fn counts_are_of_the_time_that_is_asked_for() {
    let app = TestApp::new().await;
    let hour = hour_of(app.clock.now());
    let what = Activity::of_revocation(Duration::from_millis(50));
    let counts = [hour - 24, hour - 23, hour, hour + 1].map(|hour| Count { hour, what, count: 1 });
    app.app.store.count(counts.to_vec(), None).await.unwrap();
    assert_eq!(sum(&shown(&app, "day").await, "in_force_100ms"), 2);
    for wrong in ["week", "", "day&period=month"] {
        let (status, answer) = ask(&app, "GET", &format!("/api/admin/activity?period={wrong}"), None).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("malformed")), "{wrong}");
    }
}
