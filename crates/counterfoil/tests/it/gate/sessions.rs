use super::{ask, question, said, set_roles, signed_in, signed_in_opaquely};
use crate::control;
use crate::oauth::{credential, introspect};
use crate::support::Browser;
use http::{Method, header};
use serde_json::{Value, json};

const HAND_OFF: &str = "[gate]\nupstream_audience = \"https://behind.example.com\"";

async fn hand_off(browser: &Browser, target: &str) -> String {
    let answer = ask(browser, "GET", target).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    said(&answer, "authorization").strip_prefix("Bearer ").unwrap().to_owned()
}

fn part(token: &str, which: usize) -> Value {
    let part = token.split('.').nth(which).unwrap();
    serde_json::from_slice(&counterfoil_guard::base64url_decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn s1_a_revocation_counts_at_the_next_request_also_of_a_session_looked_up_a_moment_ago() {
    for end in ["logout", "ban", "revoke"] {
        for (app, mut browser) in [signed_in("").await, signed_in_opaquely("").await] {
            let copy = browser.clone();
            let user = said(&ask(&copy, "GET", "/x").await, "x-user-id");
            assert_eq!(ask(&copy, "GET", "/x").await.status, 200);
            if end == "logout" {
                assert_eq!(browser.post("/api/auth/logout").await.status, 204);
            } else {
                let path = format!("/api/admin/users/{user}/{end}");
                assert_eq!(control::ask(&app, "POST", &path, Some(json!({}))).await.0, 204);
            }
            assert_eq!(ask(&copy, "GET", "/x").await.outcome(), (401, "session_revoked".into()), "{end}");
            app.pass(2);
            assert_eq!(ask(&copy, "GET", "/x").await.outcome(), (401, "session_revoked".into()), "{end}");
        }
    }
}

#[tokio::test]
async fn opaque_roles_count_at_once_and_the_session_ends_when_it_is_unused() {
    let (app, browser) = signed_in_opaquely("[[gate.rules]]\npath = \"/admin\"\nallow = \"role:editor\"").await;
    let user = said(&ask(&browser, "GET", "/x").await, "x-user-id");
    set_roles(&app, &user, &["editor"]).await;
    assert_eq!(ask(&browser, "GET", "/admin").await.status, 200, "no refresh needed, there is none");
    set_roles(&app, &user, &[]).await;
    assert_eq!(ask(&browser, "GET", "/admin").await.status, 403);
    app.pass(7 * 86_400);
    assert_eq!(ask(&browser, "GET", "/x").await.outcome(), (401, "session_revoked".into()));
}

#[tokio::test]
async fn expired_forged_and_foreign_tokens_do_not_pass() {
    let (app, mut browser) = signed_in("").await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    browser.set_cookie("__Host-cf_access", "/", &token);
    app.pass(301);
    assert_eq!(ask(&browser, "GET", "/x").await.outcome(), (401, "token_expired".into()));
    let (_, stranger) = signed_in("").await;
    let (name, foreign) = ("__Host-cf_access", stranger.cookie("__Host-cf_access").unwrap());
    for value in [foreign.as_str(), "made.up.token"] {
        browser.set_cookie(name, "/", value);
        assert_eq!(ask(&browser, "GET", "/x").await.outcome(), (401, "token_invalid".into()));
    }
    let refresh = browser.cookie("__Secure-cf_refresh").unwrap();
    browser.set_cookie("__Host-cf_access", "/", &refresh);
    assert_eq!(ask(&browser, "GET", "/x").await.outcome(), (401, "token_invalid".into()));
}

#[tokio::test]
async fn the_server_behind_is_handed_a_short_token_that_is_good_for_nothing_else() {
    for (app, mut browser) in [signed_in(HAND_OFF).await, signed_in_opaquely(HAND_OFF).await] {
        let user = said(&ask(&browser, "GET", "/x").await, "x-user-id");
        set_roles(&app, &user, &["editor"]).await;
        browser.refresh().await;
        let token = hand_off(&browser, "/x").await;
        let (head, claims) = (part(&token, 0), part(&token, 1));
        assert_eq!(head["typ"], "at+jwt");
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("https://app.example.com"), &json!("https://behind.example.com"))
        );
        assert_eq!(
            (&claims["sub"], &claims["roles"], &claims["acr"]),
            (&json!(user), &json!(["editor"]), &json!("aal1"))
        );
        assert!(claims["sid"].is_string() && claims["auth_time"] == 1_800_000_000);
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((57..=60).contains(&life), "{life}");
        let mut program = app.browser();
        program.peer = browser.peer;
        for (method, path) in [("GET", "/api/auth/me"), ("GET", "/api/auth/sessions"), ("DELETE", "/api/auth/sessions")]
        {
            let mut request = program.request(method.parse().unwrap(), path);
            request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
            assert_eq!(program.send(request).await.outcome(), (401, "token_invalid".into()), "{path}");
        }
        let mut logout = program.request(Method::POST, "/api/auth/logout");
        logout.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        program.send(logout).await;
        let mut again = question(&program, "GET", "/x");
        again.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        assert_eq!(program.send(again).await.outcome(), (401, "token_invalid".into()), "nor at the gate");
        assert_eq!(ask(&browser, "GET", "/x").await.status, 200, "it has signed nobody out");
        let introspector = credential(&app, "behind").await;
        let said = introspect(&app, &introspector, &token).await;
        assert_eq!((&said["active"], &said["aud"]), (&json!(true), &json!("https://behind.example.com")), "{said}");
        browser.post("/api/auth/logout").await;
        assert_eq!(introspect(&app, &introspector, &token).await["active"], false);
    }
}

#[tokio::test]
async fn a_token_is_handed_off_again_until_half_its_life_is_over_per_session_and_audience() {
    let rules = format!("{HAND_OFF}\n[[gate.rules]]\npath = \"/other\"\nupstream_audience = \"other\"");
    let (app, mut browser) = signed_in(&rules).await;
    let first = hand_off(&browser, "/x").await;
    let other = hand_off(&browser, "/other/y").await;
    assert_eq!(part(&other, 1)["aud"], "other");
    app.pass(25);
    assert_eq!(hand_off(&browser, "/z").await, first);
    app.pass(6);
    let second = hand_off(&browser, "/x").await;
    assert_ne!(second, first);
    browser.sign_in("ada@example.com").await;
    assert_ne!(hand_off(&browser, "/x").await, second, "another session");
    let user = said(&ask(&browser, "GET", "/x").await, "x-user-id");
    let before = hand_off(&browser, "/x").await;
    set_roles(&app, &user, &["editor"]).await;
    browser.refresh().await;
    assert_ne!(hand_off(&browser, "/x").await, before, "other roles");
    let (_, brief) = signed_in(&format!("[session]\naccess_lifetime = \"10s\"\n{HAND_OFF}")).await;
    let claims = part(&hand_off(&brief, "/x").await, 1);
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 10, "no longer than an access token");
}
