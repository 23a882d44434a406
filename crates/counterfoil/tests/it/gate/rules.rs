use super::{ask, behind_a_proxy, question_with, said, set_roles, signed_in};
use http::header;

#[tokio::test]
async fn without_a_rule_whoever_is_signed_in_passes_and_the_server_behind_learns_who() {
    let (_, mut browser) = behind_a_proxy("").await;
    let answer = ask(&browser, "GET", "/page?x=1&y=/z").await;
    assert_eq!(answer.outcome(), (401, "token_missing".into()));
    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
    let location = "https://app.example.com/login?redirect=/page%3Fx%3D1%26y%3D/z";
    assert_eq!(said(&answer, "x-auth-location"), location);
    let body = browser.sign_in("ada@example.com").await.json();
    let answer = ask(&browser, "GET", "/page").await;
    assert_eq!(answer.status, 200);
    assert_eq!(said(&answer, "x-user-id"), body["user"]["id"]);
    assert_eq!(said(&answer, "x-session-id"), body["session"]["id"]);
    assert_eq!(answer.headers["x-user-roles"], "");
    assert!(!answer.headers.contains_key(header::AUTHORIZATION) && answer.text.is_empty());
}

#[tokio::test]
async fn pages_are_redirected_if_asked_for_and_nothing_else_is() {
    let (_, browser) = behind_a_proxy("").await;
    let navigation = [("accept", Some("text/html,*/*;q=0.8")), ("sec-fetch-mode", Some("navigate"))];
    let with = |asked, headers: &[(&str, Option<&str>)]| {
        let mut request = question_with(&browser, asked, headers);
        *request.uri_mut() = "/gate?redirect=1".parse().unwrap();
        browser.send_without_keeping(request)
    };
    let page = with(("GET", "/a?b"), &navigation).await;
    assert_eq!(page.status, 303);
    assert_eq!(said(&page, "location"), "https://app.example.com/login?redirect=/a%3Fb");
    assert_eq!(with(("GET", "/a"), &navigation[..1]).await.status, 303, "a browser without fetch metadata");
    assert_eq!(with(("POST", "/a"), &navigation).await.outcome(), (401, "token_missing".into()));
    assert_eq!(with(("GET", "/a"), &[("accept", Some("application/json"))]).await.status, 401);
    assert_eq!(with(("GET", "/a"), &[navigation[0], ("sec-fetch-mode", Some("cors"))]).await.status, 401);
    assert_eq!(with(("GET", "/../a"), &navigation).await.status, 403);
    let elsewhere = [navigation[0], ("x-forwarded-host", Some("other.example.com"))];
    assert_eq!(said(&with(("GET", "/a"), &elsewhere).await, "location"), "https://app.example.com/login", "ATK-40");
    let plain = browser.send_without_keeping(question_with(&browser, ("GET", "/a"), &navigation)).await;
    assert_eq!(plain.status, 401, "not asked for");
}

#[tokio::test]
async fn public_paths_ask_nobody_and_say_nobody() {
    let rules = "[gate]\nupstream_audience = \"behind\"\n[[gate.rules]]\npath = \"/public\"\nallow = \"public\"\n\
                 [[gate.rules]]\nexact = \"/\"\nallow = \"public\"";
    let (app, browser) = signed_in(rules).await;
    let mut stranger = app.browser();
    stranger.peer = browser.peer;
    for who in [&browser, &stranger] {
        for (method, target) in [("GET", "/public"), ("POST", "/public/x"), ("GET", "/")] {
            let answer = ask(who, method, target).await;
            assert_eq!(answer.status, 200);
            for name in ["x-user-id", "x-session-id", "x-user-roles", "authorization"] {
                assert_eq!(answer.headers[name], "", "empty, so that it replaces what a client sent: {name}");
            }
        }
    }
    for target in ["/publicity", "/Public", "/x"] {
        assert_eq!(ask(&stranger, "GET", target).await.status, 401, "{target}");
    }
}

#[tokio::test]
async fn a_role_is_needed_where_a_rule_says_so_and_counts_as_soon_as_it_is_given_or_taken() {
    let rules = "[applications.web]\nclaims = [\"roles\"]\n[[gate.rules]]\npath = \"/admin\"\nallow = \"role:editor\"\n\
                 [[gate.rules]]\npath = \"/admin/help\"";
    let (app, mut browser) = signed_in(rules).await;
    let user = said(&ask(&browser, "GET", "/").await, "x-user-id");
    for target in ["/admin", "/admin/", "/admin/x", "/%61dmin"] {
        let answer = ask(&browser, "GET", target).await;
        assert_eq!(answer.outcome(), (403, "forbidden".into()), "{target}");
        assert!(said(&answer, "x-auth-location").starts_with("https://app.example.com/login?"));
    }
    assert_eq!(ask(&browser, "GET", "/admin/help").await.status, 200, "the longer path wins");
    set_roles(&app, &user, &["editor", "support"]).await;
    assert_eq!(ask(&browser, "GET", "/admin").await.outcome(), (401, "token_stale".into()));
    browser.refresh().await;
    let answer = ask(&browser, "GET", "/admin").await;
    assert_eq!((answer.status.as_u16(), said(&answer, "x-user-roles")), (200, "editor,support".into()));
    set_roles(&app, &user, &[]).await;
    assert_eq!(ask(&browser, "GET", "/admin").await.status, 401);
    browser.refresh().await;
    assert_eq!(ask(&browser, "GET", "/admin").await.status, 403);
}

#[tokio::test]
async fn rules_for_methods_and_hosts() {
    let rules = "[[gate.rules]]\npath = \"/docs\"\nmethods = [\"GET\"]\nallow = \"public\"\n\
                 [[gate.rules]]\nhost = \"admin.example.com\"\npath = \"/\"\nallow = \"role:admin\"";
    let (_, browser) = signed_in(rules).await;
    let (_, stranger) = behind_a_proxy(rules).await;
    let on = |browser, host, method, target| {
        let request = question_with(browser, (method, target), &[("x-forwarded-host", host)]);
        browser.send_without_keeping(request)
    };
    let app = Some("app.example.com:443");
    assert_eq!(on(&stranger, app, "GET", "/docs").await.status, 200);
    assert_eq!(on(&stranger, app, "HEAD", "/docs").await.status, 200, "GET includes HEAD");
    for method in ["POST", "OPTIONS", "PROPFIND", "TRACE", "CONNECT"] {
        assert!(!on(&stranger, app, method, "/docs").await.status.is_success(), "{method}");
    }
    assert_eq!(on(&browser, app, "GET", "/x").await.status, 200);
    assert_eq!(on(&browser, Some("ADMIN.example.com"), "GET", "/x").await.outcome(), (403, "forbidden".into()));
    let answer = on(&browser, None, "GET", "/x").await;
    assert_eq!(answer.outcome(), (403, "malformed".into()));
    assert!(answer.text.contains("X-Forwarded-Host"), "{}", answer.text);
    for host in ["a, b", "admin.example.com.", ""] {
        assert_eq!(on(&browser, Some(host), "GET", "/x").await.outcome(), (403, "malformed".into()), "{host:?}");
    }
}

#[tokio::test]
async fn step_1_a_sign_in_too_old_or_too_weak_is_challenged_as_rfc_9470_says() {
    let rules = "[[gate.rules]]\npath = \"/pay\"\nmax_age = \"5m\"\n\
                 [[gate.rules]]\npath = \"/vault\"\nacr = \"aal2\"\nmax_age = \"1m\"";
    let (app, mut browser) = signed_in(rules).await;
    assert_eq!(ask(&browser, "GET", "/pay").await.status, 200);
    let vault = ask(&browser, "GET", "/vault").await;
    assert_eq!(vault.outcome(), (401, "reauthentication_required".into()));
    let challenge = "Bearer error=\"insufficient_user_authentication\", acr_values=\"aal2\", max_age=\"60\"";
    assert_eq!(vault.headers[header::WWW_AUTHENTICATE], challenge);
    let there = "https://app.example.com/login?redirect=/vault&ended=reauthenticate&acr_values=aal2";
    assert_eq!(said(&vault, "x-auth-location"), there, "and the page is told what to ask for");
    app.pass(301);
    browser.refresh().await;
    assert_eq!(ask(&browser, "GET", "/").await.status, 200, "the session lives on");
    let pay = ask(&browser, "GET", "/pay").await;
    assert_eq!(pay.outcome(), (401, "reauthentication_required".into()), "a refresh is no sign-in");
    assert!(said(&pay, "www-authenticate").ends_with(", max_age=\"300\""));
    assert_eq!(said(&pay, "x-auth-location"), "https://app.example.com/login?redirect=/pay&ended=reauthenticate");
    browser.sign_in("ada@example.com").await;
    assert_eq!(ask(&browser, "GET", "/pay").await.status, 200);
}

#[test]
fn the_guides_configuration_is_accepted_as_it_stands() {
    let guide = include_str!("../../../../../docs/guides/gate.md");
    let blocks: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), block).unwrap();
        counterfoil::config::Config::load(Some(file.path()), std::iter::empty()).unwrap();
    }
}
