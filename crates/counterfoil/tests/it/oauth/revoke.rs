use super::{audit, credential, introspect, refusal, send, sign_in_to};
use crate::support::{Browser, EMAIL, TestApp};
use http::header;
use serde_json::{Value, json};

const PATH: &str = "/oauth/revoke";
const ACCESS: &str = "__Host-cf_access";
const REFRESH: &str = "__Secure-cf_refresh";

fn by_client(browser: &Browser, cookie: &str) -> String {
    format!("client_id=web&token={}", browser.cookie(cookie).unwrap())
}

#[tokio::test]
async fn rev_2_revoking_a_refresh_token_ends_the_session_and_its_access_tokens() {
    let app = TestApp::new().await;
    let bearer = format!("Bearer {}", credential(&app, "api").await);
    for by_guard in [true, false] {
        let mut browser = app.signed_in_again().await;
        let mut other = app.signed_in_again().await;
        let (authorization, body) = if by_guard {
            (bearer.as_str(), format!("token={}", browser.cookie(REFRESH).unwrap()))
        } else {
            ("", by_client(&browser, REFRESH))
        };
        let answer = send(&app, PATH, authorization, &body).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
        assert!(answer.set_cookies().is_empty());
        assert_eq!(browser.me().await.code(), "session_revoked");
        assert_eq!(browser.refresh().await.json()["reason"], "signed_out");
        assert_eq!(other.refresh().await.status, 200, "one session, not the user's others");
        let line = audit(&app).await[0].clone();
        let (actor, detail) = if by_guard { ("guard", "api") } else { ("user", "") };
        assert_eq!(
            (&line["event"], &line["actor"], line["detail"].as_str().unwrap_or_default()),
            (&json!("session_ended"), &json!(actor), detail)
        );
    }
}

#[tokio::test]
async fn a_session_token_ends_its_session_and_any_generation_of_a_refresh_token_does() {
    let app = TestApp::with("[applications.classic]\nprofile = \"opaque\"").await;
    let (mut classic, _) = sign_in_to(&app, "classic").await;
    let token = classic.cookie("__Host-cf_session").unwrap();
    assert_eq!(send(&app, PATH, "", &format!("client_id=classic&token={token}")).await.status, 200);
    assert_eq!(classic.me().await.code(), "session_revoked");

    let mut browser = app.signed_in_again().await;
    let first = by_client(&browser, REFRESH);
    browser.refresh().await;
    app.pass(31);
    browser.refresh().await;
    assert_eq!(send(&app, PATH, "", &first).await.status, 200);
    assert_eq!(browser.refresh().await.json()["reason"], "signed_out", "as at sign-out");
}

#[tokio::test]
async fn an_access_token_ends_alone_and_once() {
    let app = TestApp::new().await;
    let credential = credential(&app, "api").await;
    let mut browser = app.signed_in().await;
    let older = browser.clone();
    browser.refresh().await;
    for _ in 0..3 {
        assert_eq!(send(&app, PATH, "", &by_client(&older, ACCESS)).await.status, 200);
    }
    assert_eq!(app.app.feed.head(), 1, "repeating it writes nothing");
    let lines = audit(&app).await;
    assert_eq!(lines.iter().filter(|line| line["event"] == "token_revoked").count(), 1);
    assert_eq!(older.clone().me().await.code(), "session_revoked");
    let said = introspect(&app, &credential, &older.cookie(ACCESS).unwrap()).await;
    assert_eq!(said, json!({ "active": false, "reason": "session_revoked" }));
    assert_eq!(browser.me().await.status, 200, "its session's other access tokens go on");
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn rev_1_a_client_revokes_only_what_was_issued_to_it() {
    let app = TestApp::with("[applications.other]\nprofile = \"native\"").await;
    let (mut browser, (_, native)) = (app.signed_in_again().await, sign_in_to(&app, "other").await);
    let tokens = [
        ("other", browser.cookie(ACCESS).unwrap()),
        ("other", browser.cookie(REFRESH).unwrap()),
        ("web", native["access_token"].as_str().unwrap().to_owned()),
        ("web", native["refresh_token"].as_str().unwrap().to_owned()),
    ];
    for (client, token) in &tokens {
        let answer = send(&app, PATH, "", &format!("client_id={client}&token={token}")).await;
        assert_eq!(refusal(&answer), (400, "invalid_grant".into()), "{client}");
    }
    for client in ["", "client_id=", "client_id=nobody", "client_id=WEB", "client_id=web%20"] {
        let answer = send(&app, PATH, "", &format!("{client}&token={}", tokens[0].1)).await;
        assert_eq!(refusal(&answer), (401, "invalid_client".into()), "{client}");
        assert_eq!(answer.headers.get_all(header::WWW_AUTHENTICATE).iter().count(), 2);
    }
    assert_eq!(app.app.feed.head(), 0, "nothing was revoked");
    assert_eq!(
        (browser.me().await.status, browser.refresh().await.status),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
}

#[tokio::test]
async fn a_guard_that_is_not_known_does_not_become_a_client_and_none_is_both() {
    let app = TestApp::new().await;
    let (known, mut browser) = (credential(&app, "api").await, app.signed_in().await);
    let body = by_client(&browser, REFRESH);
    for (authorization, expected) in [
        ("Bearer cfg_wrong".to_owned(), (401, "invalid_client".to_owned())),
        ("Basic d2ViOng=".to_owned(), (401, "invalid_client".to_owned())),
        (format!("Bearer {known}"), (400, "invalid_request".to_owned())),
    ] {
        assert_eq!(refusal(&send(&app, PATH, &authorization, &body).await), expected, "{authorization}");
    }
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn s5_rev_1_what_is_unknown_forged_or_over_is_200_and_writes_nothing() {
    let app = TestApp::new().await;
    let bearer = format!("Bearer {}", credential(&app, "api").await);
    let mut browser = app.signed_in().await;
    let (access, refresh) = (browser.cookie(ACCESS).unwrap(), browser.cookie(REFRESH).unwrap());
    app.pass(301);
    let mut ended = app.signed_in_again().await;
    let over = [ended.cookie(ACCESS).unwrap(), ended.cookie(REFRESH).unwrap()];
    ended.post("/api/auth/logout").await;
    let (head, lines) = (app.app.feed.head(), audit(&app).await.len());
    let mut tokens = vec![access, "x".into(), "cfr_".into(), format!("{refresh}A"), "A".repeat(5000)];
    tokens.extend(over);
    tokens.extend((4..refresh.len()).step_by(5).map(|n| {
        let mut bytes = refresh.clone().into_bytes();
        bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    }));
    for token in tokens {
        for (authorization, body) in [(bearer.as_str(), ""), ("", "client_id=web&")] {
            let answer = send(&app, PATH, authorization, &format!("{body}token={token}")).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""), "{token}");
        }
    }
    assert_eq!((app.app.feed.head(), audit(&app).await.len()), (head, lines));
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn a_receipt_comes_in_place_of_the_empty_answer() {
    let app = TestApp::new().await;
    app.pass(6);
    let mut browser = app.signed_in().await;
    let refused = send(&app, "/oauth/revoke?receipt=soon", "", &by_client(&browser, REFRESH)).await;
    assert_eq!(refusal(&refused), (400, "invalid_request".into()));
    assert_eq!(browser.me().await.status, 200, "nothing was ended");
    for (cookie, seq) in [(ACCESS, 1), (REFRESH, 2), (REFRESH, 2)] {
        let answer = send(&app, "/oauth/revoke?receipt=effective", "", &by_client(&browser, cookie)).await;
        let expected = json!({ "seq": seq, "effective": true, "ms": 0, "confirmed": 1, "of": 1 });
        assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    }
}

#[tokio::test]
async fn c1_no_cookie_counts_here() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    // A form on another site: the browser sends every cookie along, and the attacker has no token to put in.
    for body in ["client_id=web", "client_id=web&token=x"] {
        let mut foreign = browser.request(http::Method::POST, PATH);
        let headers = foreign.headers_mut();
        headers.insert(header::CONTENT_TYPE, super::FORM.parse().unwrap());
        headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
        *foreign.body_mut() = body.into();
        let answer = browser.send(foreign).await;
        assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) && answer.set_cookies().is_empty());
    }
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn clients_without_a_credential_are_limited_per_network_and_guards_are_not() {
    let app = TestApp::with("[limits]\nrevoke_per_network = { burst = 3, interval = \"10s\" }").await;
    let bearer = format!("Bearer {}", credential(&app, "api").await);
    let mut browser = app.signed_in().await;
    for _ in 0..3 {
        assert_eq!(send(&app, PATH, "", "client_id=web&token=x").await.status, 200);
    }
    let refused = send(&app, PATH, "", &by_client(&browser, REFRESH)).await;
    assert_eq!(refusal(&refused), (429, "temporarily_unavailable".into()));
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(browser.me().await.status, 200);
    for _ in 0..5 {
        assert_eq!(send(&app, PATH, &bearer, "token=x").await.status, 200);
    }
    app.pass(11);
    assert_eq!(send(&app, PATH, "", &by_client(&browser, REFRESH)).await.status, 200);
    browser.sign_in(EMAIL).await;
    assert_ne!(browser.me().await.json(), Value::Null);
}
