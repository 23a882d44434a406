//! What goes on in a mail: confirming an address, choosing another password, signing in, another address. The mail is read in the outbox;
//! that it reaches a server is `mail_server.rs`.

use crate::control::ask;
use crate::support::authenticator::Passkey;
use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use counterfoil::mail::Shown;
use counterfoil_core::Secret;
use counterfoil_core::credential::totp;
use serde_json::{Value, json};

pub(super) const MAIL: &str = "[mail]\noutbox = true";
const NEW: &str = "another long passphrase of mine";

/// Waits until so many mails have been written; the newest first.
pub(super) async fn mails(app: &TestApp, count: usize) -> Vec<Shown> {
    let outbox = app.app.mail.as_ref().unwrap().outbox().unwrap();
    outbox.count().wait_for(|there| *there >= count).await.unwrap();
    let all = outbox.all();
    assert_eq!(all.len(), count, "{:?}", all.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    all
}

/// The purpose and the token of the link in the newest of so many mails.
async fn link(app: &TestApp, count: usize) -> (String, String) {
    let mail = mails(app, count).await.remove(0);
    let text = mail.plain.expose().clone();
    let line = text.lines().find(|line| line.contains("/mail/")).unwrap_or_else(|| panic!("no link: {text}"));
    let (purpose, token) = line.split_once("/mail/").unwrap().1.split_once('#').unwrap();
    assert!(mail.html.expose().contains(token), "the same in HTML");
    (purpose.to_owned(), token.to_owned())
}

pub(super) async fn token(app: &TestApp, purpose: &str, count: usize) -> String {
    let (of, token) = link(app, count).await;
    assert_eq!(of, purpose);
    token
}

pub(super) fn outcome(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

pub(super) async fn register(browser: &mut Browser) -> Answer {
    browser
        .post_json("/api/auth/register", &json!({ "email": EMAIL, "password": PASSWORD, "name": "<b>Ada</b>" }))
        .await
}

pub(super) async fn confirm(browser: &mut Browser, token: &str, password: Option<&str>) -> Answer {
    browser.post_json("/api/auth/register/confirm", &json!({ "token": token, "password": password })).await
}

/// Somebody whose address has been confirmed, signed in. One mail has been sent.
pub(super) async fn member(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    assert_eq!(register(&mut browser).await.status, 201);
    let token = token(app, "confirm", 1).await;
    assert_eq!(confirm(&mut browser, &token, None).await.status, 201);
    browser.sign_in(EMAIL).await;
    browser
}

async fn forgot(browser: &mut Browser, email: &str) -> Answer {
    browser.post_json("/api/auth/password/forgot", &json!({ "email": email })).await
}

async fn reset(browser: &mut Browser, token: &str, password: &str) -> Answer {
    browser.post_json("/api/auth/password/reset", &json!({ "token": token, "new_password": password })).await
}

pub(super) async fn login(browser: &mut Browser, email: &str, password: &str) -> Answer {
    browser.post_json("/api/auth/login", &json!({ "email": email, "password": password })).await
}

/// What tells two answers apart, beside the secrets in them.
pub(super) fn shape(answer: &Answer) -> (u16, String, Vec<String>, Vec<String>) {
    let cookies = answer.set_cookies().iter().map(|cookie| cookie.split('=').next().unwrap().to_owned()).collect();
    let headers = answer.headers.keys().map(ToString::to_string).collect();
    (answer.status.as_u16(), answer.text.clone(), cookies, headers)
}

#[tokio::test]
async fn an_account_is_there_once_its_address_is_confirmed() {
    let app = TestApp::with(MAIL).await;
    let mut browser = app.browser();
    let answer = register(&mut browser).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (201, json!({ "next": "mail" })));
    assert_eq!(login(&mut browser, EMAIL, PASSWORD).await.outcome(), outcome(401, "invalid_credentials"));
    let token = token(&app, "confirm", 1).await;
    let mail = &mails(&app, 1).await[0];
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (EMAIL, "Confirm your address for Counterfoil"));
    assert!(!mail.plain.expose().contains("Ada"), "no words of whoever has typed the address");
    let look = |purpose: &str| json!({ "purpose": purpose, "token": token });
    for _ in 0..2 {
        let seen = browser.post_json("/api/auth/mail/look", &look("confirm")).await;
        assert_eq!(seen.json(), json!({ "email": EMAIL, "here": true }), "looking uses nothing up");
    }
    let answer = confirm(&mut browser, &token, None).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["user"]["email"]), (201, &json!(EMAIL)));
    assert_eq!(browser.me().await.status, 401, "nobody is signed in by that");
    assert_eq!(confirm(&mut browser, &token, None).await.outcome(), outcome(410, "link_invalid"), "ATK-28");
    assert_eq!(login(&mut browser, EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn p1_whether_there_is_an_account_is_said_in_its_mail_and_nowhere_else() {
    let app = TestApp::with(MAIL).await;
    member(&app).await;
    let sign_up = json!({ "email": EMAIL });
    let free = json!({ "email": "free@example.com" });
    let asked = [
        (
            "/api/auth/register",
            json!({ "email": EMAIL, "password": PASSWORD }),
            json!({ "email": "free@example.com", "password": PASSWORD }),
        ),
        ("/api/auth/passkeys/sign-up/start", sign_up.clone(), free.clone()),
        ("/api/auth/password/forgot", sign_up.clone(), free.clone()),
    ];
    for (path, taken, free) in &asked {
        let (known, unknown) = (app.browser().post_json(path, taken).await, app.browser().post_json(path, free).await);
        assert!(known.status.is_success(), "{}", known.text);
        assert_eq!(shape(&known), shape(&unknown), "{path}");
    }
    let all = mails(&app, 6).await;
    let to = |address: &str| {
        let mut subjects: Vec<_> =
            all.iter().filter(|mail| mail.to == address).map(|mail| mail.subject.as_str()).collect();
        subjects.sort_unstable();
        subjects
    };
    assert_eq!(
        to(EMAIL),
        [
            "Choose another password for Counterfoil",
            "Confirm your address for Counterfoil",
            "You have an account at Counterfoil already",
            "You have an account at Counterfoil already"
        ]
    );
    assert_eq!(to("free@example.com"), ["Confirm your address for Counterfoil"; 2], "and none about a password");
}

#[tokio::test]
async fn a_stranger_cannot_have_an_account_with_their_password_confirmed_by_the_owner_of_the_address() {
    let app = TestApp::with(MAIL).await;
    register(&mut app.browser()).await;
    let token = token(&app, "confirm", 1).await;
    let mut owner = app.browser();
    let look = json!({ "purpose": "confirm", "token": token });
    assert_eq!(owner.post_json("/api/auth/mail/look", &look).await.json()["here"], false);
    assert_eq!(confirm(&mut owner, &token, None).await.outcome(), outcome(403, "link_other_browser"));
    assert_eq!(
        confirm(&mut owner, &token, Some("not it, not at all")).await.outcome(),
        outcome(401, "invalid_credentials")
    );
    let mut other = app.browser();
    let asked =
        other.post_json("/api/auth/register", &json!({ "email": "eve@example.com", "password": PASSWORD })).await;
    assert_eq!(asked.status, 201);
    assert_eq!(
        confirm(&mut other, &token, None).await.outcome(),
        outcome(403, "link_other_browser"),
        "of another request"
    );
    // Whoever has chosen the password, on their telephone.
    assert_eq!(confirm(&mut owner, &token, Some(PASSWORD)).await.status, 201);
}

#[tokio::test]
async fn guesses_at_the_password_of_a_link_are_counted() {
    let app =
        TestApp::with("[mail]\noutbox = true\n[limits]\nlogin_per_account = { burst = 2, interval = '1m' }").await;
    register(&mut app.browser()).await;
    let token = token(&app, "confirm", 1).await;
    let mut other = app.browser();
    for _ in 0..2 {
        assert_eq!(confirm(&mut other, &token, Some("a guess of somebody's")).await.status, 401);
    }
    assert_eq!(confirm(&mut other, &token, Some(PASSWORD)).await.outcome(), outcome(429, "rate_limited"));
}

#[tokio::test]
async fn asvs_6_4_3_a_reset_ends_every_session_signs_nobody_in_and_leaves_the_second_factor() {
    let app = TestApp::with(MAIL).await;
    let mut browser = member(&app).await;
    let offer = browser.post_json("/api/auth/totp/enrol/start", &json!({})).await.json();
    let typed = offer["secret"].as_str().unwrap().replace(' ', "");
    let secret = base32::decode(base32::Alphabet::Rfc4648 { padding: false }, &typed).unwrap();
    let code = totp::code(&Secret::new(secret.try_into().unwrap()), app.app.clock.now());
    assert_eq!(browser.post_json("/api/auth/totp/enrol/finish", &json!({ "code": code })).await.status, 200);
    let mut elsewhere = app.browser();
    let answer = forgot(&mut elsewhere, EMAIL).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (202, json!({ "next": "mail" })));
    let older = token(&app, "reset", 2).await;
    forgot(&mut elsewhere, "ADA@example.com").await;
    let token = token(&app, "reset", 3).await;
    let look = json!({ "purpose": "reset", "token": token });
    assert_eq!(elsewhere.post_json("/api/auth/mail/look", &look).await.json()["email"], EMAIL);
    assert_eq!(reset(&mut elsewhere, &token, "short").await.outcome(), outcome(422, "password_rejected"));
    assert_eq!(
        reset(&mut elsewhere, &token, EMAIL).await.outcome(),
        outcome(422, "password_rejected"),
        "their own address"
    );
    assert_eq!(browser.me().await.status, 200, "nothing has changed yet");
    let done = reset(&mut elsewhere, &token, NEW).await;
    assert_eq!((done.status.as_u16(), done.set_cookies().len()), (204, 0));
    assert_eq!(browser.me().await.outcome(), outcome(401, "session_revoked"));
    assert_eq!(browser.refresh().await.outcome(), outcome(401, "refresh_invalid"));
    assert_eq!(reset(&mut elsewhere, &token, NEW).await.outcome(), outcome(410, "link_invalid"), "ATK-28");
    assert_eq!(
        reset(&mut elsewhere, &older, NEW).await.outcome(),
        outcome(410, "link_invalid"),
        "the older one ends with it"
    );
    assert_eq!(login(&mut elsewhere, EMAIL, PASSWORD).await.outcome(), outcome(401, "invalid_credentials"));
    assert_eq!(login(&mut elsewhere, EMAIL, NEW).await.json()["next"], "totp", "what else is asked for stays");
    let page = app.app.store.page(None, 50).await.unwrap();
    assert!(
        page.iter().any(|(_, entry)| entry.event.as_str() == "password_reset" && entry.network == "203.0.113.0/24")
    );
}

#[tokio::test]
async fn of_any_number_that_use_one_link_at_once_one_does() {
    let app = TestApp::with(MAIL).await;
    member(&app).await;
    forgot(&mut app.browser(), EMAIL).await;
    let token = token(&app, "reset", 2).await;
    let tries = (0..4).map(|number| {
        let (mut browser, token) = (app.browser(), token.clone());
        async move { reset(&mut browser, &token, &format!("passphrase number {number} of four")).await.outcome() }
    });
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.0 == 204).count(), 1, "{outcomes:?} ATK-28");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.1 == "link_invalid").count(), 3);
}

#[tokio::test]
async fn a_link_does_its_own_work_in_its_time_and_no_others() {
    let app = TestApp::with("[mail]\noutbox = true\nsign_in = true").await;
    let mut browser = member(&app).await;
    forgot(&mut browser, EMAIL).await;
    let token = token(&app, "reset", 2).await;
    let invalid = outcome(410, "link_invalid");
    let with = |token: &str| json!({ "token": token, "new_password": NEW, "password": PASSWORD });
    for path in [
        "/api/auth/register/confirm",
        "/api/auth/mail-link/finish",
        "/api/auth/email/change/finish",
        "/api/auth/passkeys/sign-up/start",
    ] {
        assert_eq!(browser.post_json(path, &with(&token)).await.outcome(), invalid, "{path}");
    }
    for wrong in ["", "cfm_", &token[1..], &format!("{token}A"), &token.replace("cfm_", "cfr_"), &"x".repeat(5000)] {
        assert_eq!(browser.post_json("/api/auth/password/reset", &with(wrong)).await.outcome(), invalid);
    }
    let look = |purpose: &str| json!({ "purpose": purpose, "token": token });
    for purpose in ["confirm", "sign-up", "sign-in", "change", "code", ""] {
        assert_eq!(browser.post_json("/api/auth/mail/look", &look(purpose)).await.outcome(), invalid, "{purpose}");
    }
    app.pass(3599);
    assert_eq!(browser.post_json("/api/auth/mail/look", &look("reset")).await.status, 200);
    app.pass(1);
    assert_eq!(reset(&mut browser, &token, NEW).await.outcome(), invalid, "an hour is over");
}

#[tokio::test]
async fn a_passkey_account_begins_with_a_link_and_has_no_password_to_reset() {
    let app = TestApp::with(MAIL).await;
    let mut browser = app.browser();
    let start = "/api/auth/passkeys/sign-up/start";
    let answer = browser.post_json(start, &json!({ "email": EMAIL })).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "next": "mail" })));
    let token = token(&app, "sign-up", 1).await;
    let both = json!({ "email": EMAIL, "token": token });
    assert_eq!(browser.post_json(start, &both).await.outcome(), outcome(400, "malformed"));
    assert_eq!(browser.post_json(start, &json!({})).await.outcome(), outcome(400, "malformed"));
    // The device of whoever reads the mail makes the passkey, wherever it was asked for; a second try is one.
    let mut phone = app.browser();
    let abandoned = phone.post_json(start, &json!({ "token": token })).await.json();
    let options = phone.post_json(start, &json!({ "token": token })).await.json();
    assert_ne!(abandoned["publicKey"]["challenge"], options["publicKey"]["challenge"]);
    let finish = |passkey: Value| json!({ "credential": passkey });
    let made = Passkey::make(&options).attest(&options);
    let answer = phone.post_json("/api/auth/passkeys/sign-up/finish", &finish(made)).await;
    assert_eq!(answer.json()["user"]["email"], EMAIL, "{}", answer.text);
    assert_eq!(phone.me().await.status, 200);
    let again = app.browser().post_json(start, &json!({ "token": token })).await;
    assert_eq!(again.outcome(), outcome(410, "link_invalid"), "ATK-28");
    forgot(&mut browser, EMAIL).await;
    let mail = &mails(&app, 2).await[0];
    assert_eq!(mail.subject, "Your account at Counterfoil has no password");
    assert!(!mail.plain.expose().contains("/mail/"), "whoever reads the mail must not come past the passkey");
}

#[tokio::test]
async fn asvs_6_4_6_an_administrator_resets_factors_and_only_the_owner_of_the_address_chooses_what_comes_instead() {
    // Without mail nobody could sign in to an account that has no password.
    let app = TestApp::new().await;
    let (mut browser, path) = passkey_account(&app, None).await;
    assert_eq!(ask(&app, "POST", &path, None).await.1["code"], "mail_unavailable");
    assert_eq!(browser.me().await.status, 200, "nothing was changed");
    let app = TestApp::with(MAIL).await;
    let (mut browser, path) = passkey_account(&app, Some("sign-up")).await;
    assert_eq!(ask(&app, "POST", &path, None).await.0, 204);
    assert_eq!(browser.me().await.outcome(), outcome(401, "session_revoked"));
    let token = token(&app, "reset", 2).await;
    assert_eq!(reset(&mut browser, &token, NEW).await.status, 204);
    assert_eq!(login(&mut browser, EMAIL, NEW).await.json()["user"]["email"], EMAIL);
    let known = browser.get("/api/auth/factors").await.json();
    assert_eq!((&known["password"], &known["passkeys"]), (&json!(true), &json!([])));
    // A password is left as it is, and nothing has to be sent.
    assert_eq!(ask(&app, "POST", &path, None).await.0, 204);
    assert_eq!(login(&mut browser, EMAIL, NEW).await.status, 200);
    mails(&app, 2).await;
    let nobody = "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/reset";
    assert_eq!(ask(&app, "POST", nobody, None).await.0, 404);
}

/// Somebody signed in who has a passkey and no password, and where their factors are reset.
async fn passkey_account(app: &TestApp, by_mail: Option<&str>) -> (Browser, String) {
    let mut browser = app.browser();
    let start = "/api/auth/passkeys/sign-up/start";
    let mut options = browser.post_json(start, &json!({ "email": EMAIL })).await.json();
    if let Some(purpose) = by_mail {
        let token = token(app, purpose, 1).await;
        options = browser.post_json(start, &json!({ "token": token })).await.json();
    }
    let credential = json!({ "credential": Passkey::make(&options).attest(&options) });
    let answer = browser.post_json("/api/auth/passkeys/sign-up/finish", &credential).await;
    let id = answer.json()["user"]["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    (browser, format!("/api/admin/users/{id}/reset"))
}

pub(super) async fn by_mail(browser: &mut Browser, email: &str) -> Answer {
    browser.post_json("/api/auth/mail-link/start", &json!({ "email": email })).await
}

async fn change(browser: &mut Browser, to: &str) -> Answer {
    browser.post_json("/api/auth/email/change", &json!({ "email": to })).await
}

async fn changed(browser: &mut Browser, token: &str) -> Answer {
    browser.post_json("/api/auth/email/change/finish", &json!({ "token": token })).await
}

#[tokio::test]
async fn asvs_7_5_1_an_address_changes_after_a_fresh_proof_and_by_its_own_link_and_the_old_one_is_told() {
    let app = TestApp::with("[mail]\noutbox = true\n[session]\nfresh = '10m'").await;
    let mut browser = member(&app).await;
    app.pass(601);
    browser.refresh().await;
    assert_eq!(change(&mut browser, "new@example.com").await.outcome(), outcome(401, "reauthentication_required"));
    browser.post_json("/api/auth/step-up/password", &json!({ "password": PASSWORD })).await;
    let asked = change(&mut browser, "New@example.com").await;
    assert_eq!((asked.status.as_u16(), asked.json()), (202, json!({ "next": "mail" })));
    let token = token(&app, "change", 2).await;
    assert_eq!(mails(&app, 2).await[0].to, "New@example.com");
    // Somebody else's session, and none.
    assert_eq!(changed(&mut app.browser(), &token).await.status, 401);
    let mut eve = app.browser();
    let wish = json!({ "email": "eve@example.com", "password": PASSWORD });
    eve.post_json("/api/auth/register", &wish).await;
    let own = self::token(&app, "confirm", 3).await;
    confirm(&mut eve, &own, None).await;
    eve.sign_in("eve@example.com").await;
    assert_eq!(changed(&mut eve, &token).await.outcome(), outcome(403, "forbidden"));
    assert_eq!(changed(&mut browser, &token).await.json(), json!({ "email": "New@example.com" }));
    assert_eq!(changed(&mut browser, &token).await.outcome(), outcome(410, "link_invalid"), "ATK-28");
    let notice = &mails(&app, 4).await[0];
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (EMAIL, "Your account at Counterfoil has another address")
    );
    assert!(!notice.plain.expose().contains("New@"), "the old address is not told the new one");
    assert_eq!(login(&mut app.browser(), EMAIL, PASSWORD).await.outcome(), outcome(401, "invalid_credentials"));
    assert_eq!(login(&mut app.browser(), "new@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn p1_moving_to_an_address_that_is_taken_is_said_to_its_owner_and_not_to_whoever_asks() {
    let app = TestApp::with(MAIL).await;
    let mut browser = member(&app).await;
    let mut bob = app.browser();
    bob.post_json("/api/auth/register", &json!({ "email": "bob@example.com", "password": PASSWORD })).await;
    let own = token(&app, "confirm", 2).await;
    confirm(&mut bob, &own, None).await;
    let (bobs, free) = (change(&mut browser, "bob@example.com").await, change(&mut browser, "free@example.com").await);
    assert_eq!(shape(&bobs), shape(&free));
    let all = mails(&app, 4).await;
    let bobs = all.iter().find(|mail| mail.to == "bob@example.com" && mail.subject.contains("was entered")).unwrap();
    assert!(!bobs.plain.expose().contains("/mail/"));
    // Free when it was asked for, and taken when the link is opened.
    let text = all.iter().find(|mail| mail.to == "free@example.com").unwrap().plain.expose().clone();
    let token = text.split('#').nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let wish = json!({ "email": "free@example.com", "password": PASSWORD });
    let mut quick = app.browser();
    quick.post_json("/api/auth/register", &wish).await;
    let theirs = self::token(&app, "confirm", 5).await;
    assert_eq!(confirm(&mut quick, &theirs, None).await.status, 201);
    assert_eq!(changed(&mut browser, &token).await.outcome(), outcome(409, "email_taken"));
    assert_eq!(browser.me().await.json()["user"]["email"], EMAIL);
}

#[tokio::test]
async fn nobody_is_flooded_with_mail() {
    let app = TestApp::with("[mail]\noutbox = true\n[limits]\nmail_per_address = { burst = 2, interval = '10m' }\nmail_per_network = { burst = 4, interval = '1m' }").await;
    let mut browser = app.browser();
    for email in [EMAIL, "ADA@example.com"] {
        assert_eq!(forgot(&mut browser, email).await.status, 202);
    }
    // Whether it is anybody's or not, and by whatever way it is asked for.
    let full = outcome(429, "rate_limited");
    assert_eq!(forgot(&mut app.browser(), EMAIL).await.outcome(), full);
    let mut elsewhere = app.browser();
    elsewhere.peer = "198.51.100.9".parse().unwrap();
    assert_eq!(register(&mut elsewhere).await.outcome(), full);
    assert!(forgot(&mut browser, "b@example.com").await.status == 202);
    assert_eq!(forgot(&mut browser, "c@example.com").await.outcome(), full, "the network's");
    assert_eq!(forgot(&mut elsewhere, "c@example.com").await.status, 202);
    assert_eq!(forgot(&mut browser, "not an address").await.outcome(), outcome(400, "malformed"));
}

#[tokio::test]
async fn an_account_that_is_deleted_takes_its_links_along_and_its_owner_is_told() {
    let app = TestApp::with(MAIL).await;
    let mut browser = member(&app).await;
    forgot(&mut browser, EMAIL).await;
    let token = token(&app, "reset", 2).await;
    assert_eq!(browser.delete("/api/auth/account").await.status, 204);
    let last = &mails(&app, 3).await[0];
    assert_eq!((last.to.as_str(), last.subject.as_str()), (EMAIL, "Your account at Counterfoil was deleted"));
    assert_eq!(reset(&mut browser, &token, NEW).await.outcome(), outcome(410, "link_invalid"));
}

#[tokio::test]
async fn where_no_mail_is_sent_nothing_offers_it() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let off = outcome(409, "mail_unavailable");
    assert_eq!(forgot(&mut browser, EMAIL).await.outcome(), off);
    assert_eq!(by_mail(&mut browser, EMAIL).await.outcome(), off);
    assert_eq!(change(&mut browser, "new@example.com").await.outcome(), off);
    for page in ["/forgot", "/mail/reset", "/outbox"] {
        assert_eq!(browser.get(page).await.status, 404, "{page}");
    }
    let sign_in = browser.get("/login").await.text;
    assert!(!sign_in.contains("forgot-link") && !sign_in.contains("by-mail"));
    // With mail, but not for signing in.
    let app = TestApp::with(MAIL).await;
    assert_eq!(by_mail(&mut app.browser(), EMAIL).await.outcome(), off);
    let sign_in = app.browser().get("/login").await.text;
    assert!(sign_in.contains("forgot-link") && !sign_in.contains("by-mail"));
    assert_eq!(app.browser().get("/mail/nothing").await.status, 404);
    assert_eq!(app.browser().get("/outbox").await.status, 200);
}

#[tokio::test]
async fn the_outbox_shows_mail_and_runs_nothing() {
    let app = TestApp::with(MAIL).await;
    let mut browser = app.browser();
    register(&mut browser).await;
    let token = token(&app, "confirm", 1).await;
    let page = browser.get("/outbox").await;
    assert!(page.text.contains(&format!("/mail/confirm#{token}\"")), "it can be followed");
    let html = browser.get("/outbox?html=0").await;
    assert!(html.text.contains(&token));
    let policy = html.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
    assert_eq!(browser.get("/outbox?html=1").await.status, 404);
}
