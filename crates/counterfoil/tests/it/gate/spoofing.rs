use super::{ask, behind_a_proxy, question, question_with, signed_in, signed_in_opaquely};
use http::{HeaderName, HeaderValue, header};

const PUBLIC: &str = "[[gate.rules]]\npath = \"/public\"\nallow = \"public\"";

#[tokio::test]
async fn atk35_only_trusted_proxies_are_listened_to() {
    let (_, mut browser) = signed_in(PUBLIC).await;
    assert_eq!(ask(&browser, "GET", "/public").await.status, 200);
    for peer in ["10.0.0.2", "127.0.0.1", "203.0.113.7"] {
        browser.peer = peer.parse().unwrap();
        let request = question_with(&browser, ("GET", "/public"), &[("x-forwarded-for", Some("10.0.0.1"))]);
        let answer = browser.send_without_keeping(request).await;
        assert_eq!(answer.outcome(), (403, "forbidden".into()), "{peer}");
        assert!(answer.text.contains("trusted_proxies") && !answer.text.contains(peer), "{}", answer.text);
    }
}

#[tokio::test]
async fn atk35_a_request_that_brings_an_identity_is_refused_in_any_spelling_also_on_public_paths() {
    let (_, browser) = signed_in(PUBLIC).await;
    for name in [
        "X-User-Id",
        "X-Session-Id",
        "X-User-Roles",
        "X-Auth-Location",
        "X_User_Id",
        "x-user_id",
        "X.User.Id",
        "x_USER-roles",
        "X~Session~Id",
        "X-Auth-User",
        "X-Forwarded-User",
        "Remote-User",
        "Remote_User",
        "X-Remote-User",
        "X-Original-URL",
        "X-Rewrite-Url",
        "X_Rewrite_URL",
        "X-HTTP-Method-Override",
    ] {
        for target in ["/public", "/x"] {
            let answer =
                browser.send_without_keeping(question_with(&browser, ("GET", target), &[(name, Some(""))])).await;
            assert_eq!(answer.outcome(), (403, "forbidden".into()), "{name}");
            assert!(answer.text.contains(&name.to_ascii_lowercase()), "{}", answer.text);
        }
    }
    for name in ["X-User-Agent", "X-Users-Id", "User-Id", "X-User-Id2"] {
        let request = question_with(&browser, ("GET", "/x"), &[(name, Some("1"))]);
        assert_eq!(browser.send_without_keeping(request).await.status, 200, "{name}");
    }
    for (value, status) in
        [("keep-alive, X-User-Id", 403), ("close,x_user_roles", 403), ("Authorization", 403), ("close", 200)]
    {
        let request = question_with(&browser, ("GET", "/x"), &[("connection", Some(value))]);
        assert_eq!(browser.send_without_keeping(request).await.status, status, "{value}");
    }
}

#[tokio::test]
async fn atk35_a_public_prefix_never_opens_another_path() {
    let (_, stranger) = behind_a_proxy(PUBLIC).await;
    assert_eq!(ask(&stranger, "GET", "/public/a.b?x=/../;%00").await.status, 200);
    for target in [
        "/public/../admin",
        "/public/..",
        "/public/./x",
        "/public/%2e%2e/admin",
        "/public/.%2E/admin",
        "/public//../admin",
        "//public",
        "/public/%2e%2e%2fadmin",
        "/public%2f..%2fadmin",
        "/public/..;/admin",
        "/public;/../admin",
        "/public/%3b",
        "/public\\..\\admin",
        "/public/..%5cadmin",
        "/public/%00",
        "/public/%0a",
        "/public/%252e%252e/admin",
        "/public#/../admin",
        "/public/%",
        "/public/%zz",
        "/public/%c0%ae",
        "/public /x",
        "public",
        "",
        "*",
        "http://app.example.com/public",
        "/public/%ff",
    ] {
        let answer = ask(&stranger, "GET", target).await;
        assert_eq!(answer.outcome(), (403, "malformed".into()), "{target}");
    }
}

#[tokio::test]
async fn atk35_what_the_proxy_does_not_say_or_says_twice_is_refused() {
    let (_, browser) = signed_in(PUBLIC).await;
    let status = |headers: Vec<(&'static str, Option<&'static str>)>| {
        let request = question_with(&browser, ("GET", "/x"), &headers);
        let answer = browser.send_without_keeping(request);
        async move {
            let answer = answer.await;
            (answer.outcome(), answer.text)
        }
    };
    for (name, expected) in [("x-original-method", "X-Forwarded-Method"), ("x-original-uri", "X-Forwarded-Uri")] {
        let (outcome, text) = status(vec![(name, None)]).await;
        assert_eq!(outcome, (403, "malformed".into()));
        assert!(text.contains(expected), "{text}");
    }
    let forwarded = |uri| {
        let original = [("x-original-method", None), ("x-original-uri", None)];
        original.into_iter().chain([("x-forwarded-method", Some("GET")), ("x-forwarded-uri", Some(uri))]).collect()
    };
    assert_eq!(status(forwarded("/x")).await.0.0, 200);
    assert_eq!(status(vec![("x-forwarded-uri", Some("/x"))]).await.0.0, 200, "twice the same");
    for differing in [("x-forwarded-uri", Some("/public")), ("x-forwarded-method", Some("POST"))] {
        assert_eq!(status(vec![differing]).await.0, (403, "malformed".into()), "{differing:?}");
    }
    let mut twice = question(&browser, "GET", "/x");
    twice.headers_mut().append("x-original-uri", HeaderValue::from_static("/public"));
    assert_eq!(browser.send_without_keeping(twice).await.outcome(), (403, "malformed".into()));
    for method in ["", "get", "Get", "GET ", "G\u{c9}T"] {
        let mut request = question(&browser, "GET", "/x");
        request.headers_mut().insert("x-original-method", HeaderValue::from_bytes(method.as_bytes()).unwrap());
        assert_eq!(browser.send_without_keeping(request).await.outcome(), (403, "malformed".into()), "{method:?}");
    }
}

#[tokio::test]
async fn atk35_no_method_and_no_upgrade_gets_an_exemption() {
    let (_, stranger) = behind_a_proxy(PUBLIC).await;
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "CONNECT", "PROPFIND"] {
        assert_eq!(ask(&stranger, method, "/x").await.outcome(), (401, "token_missing".into()), "{method}");
    }
    let preflight = [("access-control-request-method", Some("GET")), ("upgrade", Some("websocket"))];
    let request = question_with(&stranger, ("OPTIONS", "/x"), &preflight);
    assert_eq!(stranger.send_without_keeping(request).await.status, 401);
}

const CROSS_SITE: [&[(&str, Option<&str>)]; 5] = [
    &[("sec-fetch-site", Some("cross-site")), ("origin", Some("https://evil.example"))],
    &[("sec-fetch-site", Some("same-site")), ("origin", Some("https://evil.app.example.com"))],
    &[("sec-fetch-site", None), ("origin", Some("null"))],
    &[("sec-fetch-site", None), ("origin", None)],
    &[("sec-fetch-site", Some("none")), ("origin", None)],
];

#[tokio::test]
async fn c1_with_a_cookie_an_unsafe_method_needs_our_origin_and_the_custom_header_and_a_form_only_our_origin() {
    let rules = "[[gate.rules]]\npath = \"/form\"\ncsrf = \"origin-only\"";
    for (_app, browser) in [signed_in(rules).await, signed_in_opaquely(rules).await] {
        let outcome = |asked, headers: &[(&str, Option<&str>)]| {
            let answer = browser.send_without_keeping(question_with(&browser, asked, headers));
            async move { answer.await.outcome() }
        };
        let refused = (403, "cross_site".to_owned());
        for method in ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "CONNECT"] {
            assert_eq!(outcome((method, "/x"), &[]).await.0, 200);
            assert_eq!(outcome((method, "/x"), &[("x-requested-with", None)]).await, refused, "{method}");
            assert_eq!(outcome((method, "/form"), &[("x-requested-with", None)]).await.0, 200, "{method}");
            for attack in CROSS_SITE {
                assert_eq!(outcome((method, "/x"), attack).await, refused, "{attack:?}");
                assert_eq!(outcome((method, "/form"), attack).await, refused, "{attack:?}");
            }
        }
        assert_eq!(outcome(("GET", "/x"), CROSS_SITE[0]).await.0, 200, "a link from elsewhere");
        let upgrade = [("upgrade", Some("websocket")), ("x-requested-with", None)];
        let key = [("sec-websocket-key", Some("x")), ("x-requested-with", None)];
        for socket in [upgrade, key] {
            assert_eq!(outcome(("GET", "/socket"), &socket).await.0, 200, "our own pages may open sockets");
            let foreign = [CROSS_SITE[0], &socket].concat();
            assert_eq!(outcome(("GET", "/socket"), &foreign).await, refused);
            assert_eq!(outcome(("POST", "/x"), &socket).await, refused, "no way around the custom header");
        }
    }
}

#[tokio::test]
async fn c1_a_bearer_token_rests_on_no_cookie_and_two_credentials_are_refused() {
    let (app, mut browser) = signed_in("").await;
    let bearer = format!("Bearer {}", browser.cookie("__Host-cf_access").unwrap());
    let mut both = question(&browser, "GET", "/x");
    both.headers_mut().insert(header::AUTHORIZATION, bearer.parse().unwrap());
    assert_eq!(browser.send(both).await.outcome(), (403, "ambiguous_credentials".into()));
    let mut program = app.browser();
    program.peer = browser.peer;
    let mut request = question_with(&program, ("POST", "/x"), CROSS_SITE[0]);
    request.headers_mut().remove(HeaderName::from_static("x-requested-with"));
    request.headers_mut().insert(header::AUTHORIZATION, bearer.parse().unwrap());
    assert_eq!(program.send(request).await.status, 200);
}
