//! At sign-in: told of what is new, asked for more where it is out of the ordinary, refused only what the operator has listed.

use super::{
    BERLIN, BERLIN_TOO, CHROME, PARIS, SIGN_IN, SYDNEY, World, add_passkey, by_passkey, denied, elsewhere, password,
    told,
};
use crate::support::mmdb::mmdb;
use crate::support::{EMAIL, TestApp};
use serde_json::json;

#[tokio::test]
async fn privacy_addresses_and_mobile_networks_are_nothing_new() {
    let app = World::with("").app().await;
    app.signed_in().await;
    for peer in [BERLIN_TOO, "203.0.200.1", "2001:db8:1:2::3", "2001:db8:ffff:ffff:1::1"] {
        assert_eq!(password(&mut elsewhere(&app, peer, None)).await.status, 200);
    }
    assert_eq!(told(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_first_sign_in_is_no_news_and_a_new_device_is_told_once() {
    let app = TestApp::new().await;
    app.signed_in().await;
    assert_eq!(told(&app).await, Vec::<String>::new(), "of an account of which nothing is known nothing is new");
    for _ in 0..2 {
        assert_eq!(password(&mut elsewhere(&app, BERLIN, Some(CHROME))).await.status, 200);
    }
    let expected = "at=sign_in action=notify rule=new score=20 signals=new_device:20 application=web";
    assert_eq!(told(&app).await, [expected], "the second time it is known");
}

#[tokio::test]
async fn a_new_country_and_a_new_device_are_told_together() {
    let app = World::with("").app().await;
    app.signed_in().await;
    app.pass(24 * 3600);
    assert_eq!(password(&mut elsewhere(&app, PARIS, Some(CHROME))).await.status, 200);
    let signals = "signals=new_device:20,new_network:10,new_country:25";
    assert_eq!(told(&app).await, [format!("at=sign_in action=notify rule=new score=55 {signals} application=web")]);
}

#[tokio::test]
async fn what_is_out_of_the_ordinary_asks_for_the_factor_that_there_is() {
    let app = World::with("").app().await;
    let mut ada = app.signed_in().await;
    let passkey = add_passkey(&mut ada).await;
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.json()["next"], json!(null), "not at home");
    app.pass(3600);
    let mut browser = elsewhere(&app, SYDNEY, None);
    let first = password(&mut browser).await;
    assert_eq!(first.json(), json!({ "next": "passkey", "options": ["passkey"] }));
    assert!(!first.sets("__Host-cf_access"));
    let told_of = told(&app).await;
    assert_eq!(told_of.len(), 1);
    assert!(told_of[0].starts_with("at=sign_in action=step_up rule=travel score=85 "), "{told_of:?}");
    assert!(told_of[0].contains("impossible_travel:50:1"), "{told_of:?}");
    let second = by_passkey(&mut browser, &passkey, SIGN_IN).await;
    assert_eq!(second.json()["session"]["acr"], "aal2", "{}", second.text);
    assert_eq!(told(&app).await.len(), 1, "what was asked for is no news when it has been given");
    app.pass(60);
    assert_eq!(password(&mut elsewhere(&app, SYDNEY, None)).await.status, 200, "known from now on");
    assert_eq!(told(&app).await.len(), 1);
}

#[tokio::test]
async fn a_passkey_is_all_that_could_be_asked_for() {
    let app = World::with("").app().await;
    let mut ada = app.signed_in().await;
    let passkey = add_passkey(&mut ada).await;
    app.pass(3600);
    let answer = by_passkey(&mut elsewhere(&app, SYDNEY, None), &passkey, SIGN_IN).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["session"]["acr"], "aal2");
    assert!(told(&app).await[0].starts_with("at=sign_in action=step_up rule=travel "));
}

#[tokio::test]
async fn nobody_is_locked_out_for_want_of_a_factor() {
    let app = World::with("").app().await;
    app.signed_in().await;
    app.pass(3600);
    assert_eq!(password(&mut elsewhere(&app, SYDNEY, None)).await.status, 200);
    let told = told(&app).await;
    assert!(told[0].starts_with("at=sign_in action=notify rule=travel:step_up "), "{told:?}");
}

#[tokio::test]
async fn p1_a_bad_network_is_refused_to_those_only_who_know_the_password() {
    let world = World::with_bad("# a comment\n192.0.2.0/28  # and another\n\n2001:db8:bad::/48\n", "");
    let app = world.app().await;
    let ada = app.signed_in().await;
    let mut browser = elsewhere(&app, PARIS, None);
    let wrong = json!({ "email": EMAIL, "password": "not the password" });
    let unknown = json!({ "email": "nobody@example.com", "password": "not the password" });
    let (wrong, unknown) =
        (browser.post_json("/api/auth/login", &wrong).await, browser.post_json("/api/auth/login", &unknown).await);
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert_eq!(wrong.outcome(), (401, "invalid_credentials".into()));
    assert_eq!(told(&app).await, Vec::<String>::new());
    let refused = password(&mut browser).await;
    assert_eq!(refused.outcome(), denied());
    assert!(refused.json()["detail"].as_str().unwrap().contains("ask whoever runs this server"), "{}", refused.text);
    assert!(refused.set_cookies().is_empty());
    assert!(told(&app).await[0].starts_with("at=sign_in action=deny rule=bad-network "));
    let sessions = ada.clone().get("/api/auth/sessions").await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "nothing was opened");
    assert_eq!(password(&mut elsewhere(&app, "192.0.2.99", None)).await.status, 200, "beside it");
    assert_eq!(password(&mut elsewhere(&app, "2001:db8:bad:1::1", None)).await.outcome(), denied());
}

#[tokio::test]
async fn many_failures_are_unusual_for_a_quarter_of_an_hour() {
    let rule = "[risk.rules.guessing]\naction = \"deny\"\nwhen = { all = [\"failures_account\"] }\n";
    let app = TestApp::with(&format!("[limits]\nenabled = false\n{rule}")).await;
    app.signed_in().await;
    let mut thief = elsewhere(&app, SYDNEY, None);
    let wrong = json!({ "email": EMAIL, "password": "not the password" });
    for attempt in 0..5 {
        assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200, "{attempt}");
        thief.post_json("/api/auth/login", &wrong).await;
    }
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.outcome(), denied());
    assert!(told(&app).await[0].contains("signals=failures_account:20:5 "));
    app.pass(31 * 60);
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
}

#[tokio::test]
async fn failures_from_a_network_and_everywhere_count_for_accounts_that_there_are_not() {
    let rules = "[risk.failures]\nnetwork = 3\nfleet = 5\n[risk.rules.network]\naction = \"deny\"\nwhen = { all = [\"failures_network\"] }\n\
                 [risk.rules.fleet]\naction = \"notify\"\nwhen = { all = [\"failures_fleet\"] }\n";
    let app = TestApp::with(rules).await;
    app.signed_in().await;
    for attempt in 0..5 {
        let mut thief = elsewhere(&app, if attempt < 3 { SYDNEY } else { PARIS }, None);
        let wrong = json!({ "email": format!("{attempt}@example.com"), "password": "not the password" });
        assert_eq!(thief.post_json("/api/auth/login", &wrong).await.status, 401);
    }
    assert_eq!(password(&mut elsewhere(&app, SYDNEY, None)).await.outcome(), denied());
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    assert!(told(&app).await[1].contains("rule=fleet score=10 signals=failures_fleet:10:5 "), "{:?}", told(&app).await);
}

#[tokio::test]
async fn a_rule_that_is_only_tried_is_written_down_and_does_nothing() {
    let rule = "[risk.rules.strict]\naction = \"deny\"\nwhen = { any = [\"new_device\"] }\ndry_run = true\n";
    let app = TestApp::with(rule).await;
    app.signed_in().await;
    assert_eq!(password(&mut elsewhere(&app, BERLIN, Some(CHROME))).await.status, 200);
    let expected =
        "at=sign_in action=notify rule=new dry_run=strict:deny score=20 signals=new_device:20 application=web";
    assert_eq!(told(&app).await, [expected]);

    let app = World::with_bad("192.0.2.0/24", "dry_run = true\n").app().await;
    app.signed_in().await;
    assert_eq!(password(&mut elsewhere(&app, PARIS, None)).await.status, 200, "all of them");
    assert!(told(&app).await[0].starts_with("at=sign_in action=allow dry_run=bad-network:deny "));
}

#[tokio::test]
async fn what_is_switched_off_looks_at_nothing() {
    let app = World::with_bad("192.0.2.0/24", "enabled = false\n").app().await;
    app.signed_in().await;
    assert_eq!(password(&mut elsewhere(&app, PARIS, Some(CHROME))).await.status, 200);
    assert_eq!(told(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn reuse_makes_the_next_sign_in_unusual_for_a_day() {
    let rule = "[risk.rules.reuse]\naction = \"notify\"\nwhen = { all = [\"refresh_reuse\"] }\n";
    let app = TestApp::with(rule).await;
    let mut ada = app.signed_in().await;
    let thief = ada.clone();
    ada.refresh().await;
    app.pass(31);
    let mut thief = thief;
    assert_eq!(thief.refresh().await.code(), "refresh_reuse");
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    assert!(told(&app).await[0].contains("rule=reuse score=30 signals=refresh_reuse:30 "));
    app.pass(24 * 3600 + 1);
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    assert_eq!(told(&app).await.len(), 1);
}

#[tokio::test]
async fn one_carrier_is_one_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("systems.mmdb");
    let of = |number: u32| json!({ "autonomous_system_number": number });
    let rows = [("203.0.0.0/16", of(65_550)), ("198.51.100.0/24", of(65_550)), ("192.0.2.0/24", of(65_551))];
    std::fs::write(&path, mmdb(&rows)).unwrap();
    let rule = "[risk.rules.network]\naction = \"notify\"\nwhen = { any = [\"new_network\"] }\n";
    let app = TestApp::with(&format!("[risk]\ngeoip_asn = \"{}\"\n{rule}", path.display())).await;
    app.signed_in().await;
    assert_eq!(password(&mut elsewhere(&app, SYDNEY, None)).await.status, 200);
    assert_eq!(told(&app).await, Vec::<String>::new());
    assert_eq!(password(&mut elsewhere(&app, PARIS, None)).await.status, 200);
    assert_eq!(told(&app).await.len(), 1);
}

#[tokio::test]
async fn a_trusted_network_says_nothing_of_where_somebody_is() {
    let app = World::with("trusted_networks = [\"198.51.100.0/24\"]\n").app().await;
    app.signed_in().await;
    app.pass(60);
    assert_eq!(password(&mut elsewhere(&app, SYDNEY, None)).await.status, 200);
    assert_eq!(told(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn lists_of_devices_say_where_they_are() {
    let app = World::with("").app().await;
    let mut ada = app.signed_in().await;
    assert_eq!(ada.get("/api/auth/sessions").await.json()["sessions"][0]["place"], "Berlin, Germany");
    let id = ada.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let (_, seen) = crate::control::ask(&app, "GET", &format!("/api/admin/users/{id}/sessions"), None).await;
    assert_eq!(seen["sessions"][0]["place"], "Berlin, Germany");
    let app = TestApp::new().await;
    let mut ada = app.signed_in().await;
    assert_eq!(ada.get("/api/auth/sessions").await.json()["sessions"][0].get("place"), None, "without a file");
}
