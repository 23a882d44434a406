//! What identity providers elsewhere tell (RFC 8935): done before it is acknowledged, once, and only if everything about it holds.

use crate::control::ask;
use crate::oauth::{audit, sign_in_to};
use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use counterfoil::clock::Clock as _;
use counterfoil_core::Secret;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_guard::{Algorithm, base64url_encode, encode_signing_input};
use http::{Method, header};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{CAEP, RISC};

const ISSUER: &str = "https://idp.example.com";

/// An identity provider: its key, and a server that has the public half.
struct Idp {
    key: SigningKey,
    address: SocketAddr,
    jwks: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

fn key(byte: u8) -> SigningKey {
    SigningKey::new(Algorithm::EdDsa, &Secret::new(vec![byte; 32])).unwrap()
}

fn jwk(key: &SigningKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid().as_str(), "x": base64url_encode(key.public()) })
}

impl Idp {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, key) = (listener.local_addr().unwrap(), key(1));
        let (jwks, asked) =
            (Arc::new(Mutex::new(json!({ "keys": [jwk(&key)] }).to_string())), Arc::<AtomicUsize>::default());
        let (served, counted) = (Arc::clone(&jwks), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let body = served.lock().clone();
                let status = if body.is_empty() { "500 x" } else { "200 OK" };
                let answer =
                    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                drop(reader.get_mut().write_all(answer.as_bytes()));
            }
        });
        Self { key, address, jwks, asked }
    }

    fn config(&self, rest: &str) -> String {
        format!(
            "[upstreams.idp]\nissuer = \"{ISSUER}\"\njwks_uri = \"http://{}/keys\"\ndomains = [\"example.com\"]\n{rest}",
            self.address
        )
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// What a SET says: an event about the user with the address [`EMAIL`].
fn claims(app: &TestApp, jti: &str, uri: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": format!("{}/ssf/events/idp", app.app.public.issuer()), "jti": jti,
        "iat": app.clock.now().as_seconds(), "sub_id": { "format": "email", "email": EMAIL }, "events": { uri: {} },
    })
}

fn set(key: &SigningKey, claims: &Value) -> String {
    key.sign_as("secevent+jwt", claims.to_string().as_bytes())
}

async fn push(app: &TestApp, set: &str, authorization: &str) -> Answer {
    push_as(app, set, ("application/secevent+jwt", authorization)).await
}

async fn push_as(app: &TestApp, set: &str, (media, authorization): (&str, &str)) -> Answer {
    let browser = app.browser();
    let mut request = browser.request(Method::POST, "/ssf/events/idp");
    *request.body_mut() = set.to_owned().into();
    request.headers_mut().insert(header::CONTENT_TYPE, media.parse().unwrap());
    if !authorization.is_empty() {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    }
    browser.send_without_keeping(request).await
}

/// Status and error code in one.
fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["err"].as_str().unwrap_or_default().to_owned())
}

async fn alive(browser: &Browser) -> bool {
    browser.clone().me().await.status == 200
}

fn caep(word: &str) -> String {
    format!("{CAEP}{word}")
}

fn risc(word: &str) -> String {
    format!("{RISC}{word}")
}

#[tokio::test]
async fn an_upstreams_event_ends_sessions_here_and_says_why() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("")).await;
    for (number, uri) in
        [caep("session-revoked"), risc("sessions-revoked"), risc("credential-compromise")].into_iter().enumerate()
    {
        let (browser, _) = sign_in_to(&app, "web").await;
        let answer = push(&app, &set(&idp.key, &claims(&app, &format!("j{number}"), &uri)), "").await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""), "{uri}");
        assert!(!alive(&browser).await, "{uri}");
    }
    let ended = audit(&app).await.into_iter().find(|line| line["event"] == "sessions_ended").unwrap();
    assert_eq!((&ended["actor"], &ended["detail"]), (&json!("system"), &json!("upstream idp: credential-compromise")));
    assert_eq!(idp.asked(), 1, "its keys are kept");
}

#[tokio::test]
async fn an_account_that_is_disabled_there_is_banned_here_until_it_is_enabled_again() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("")).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let told = async |jti: &str, uri: String| push(&app, &set(&idp.key, &claims(&app, jti, &uri)), "").await.status;
    assert_eq!(told("1", risc("account-disabled")).await, 202);
    assert!(!alive(&browser).await);
    let login = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(browser.post_json("/api/auth/login", &login).await.status, 401);
    assert_eq!(told("2", risc("account-enabled")).await, 202);
    assert_eq!(browser.post_json("/api/auth/login", &login).await.status, 200);
    // A ban of ours is not theirs to lift, nor to give another reason.
    let user = browser.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    ask(&app, "POST", &format!("/api/admin/users/{user}/ban"), Some(json!({ "reason": "spam" }))).await;
    assert_eq!((told("3", risc("account-purged")).await, told("4", risc("account-enabled")).await).1, 202);
    let banned = async || {
        let (_, shown) = ask(&app, "GET", &format!("/api/admin/users/{user}"), None).await;
        shown["user"]["banned"].clone()
    };
    assert_eq!(banned().await["reason"], "spam");
    // One that has an end does not end what was disabled there.
    ask(&app, "POST", &format!("/api/admin/users/{user}/unban"), Some(json!({}))).await;
    let tomorrow = json!({ "reason": "rude", "until": "2027-01-16T08:00:00Z" });
    assert_eq!(ask(&app, "POST", &format!("/api/admin/users/{user}/ban"), Some(tomorrow)).await.0, 204);
    assert_eq!(told("5", risc("account-disabled")).await, 202);
    assert_eq!(banned().await["reason"], "disabled at the upstream idp; before that: rude");
    assert_eq!(banned().await["until"], Value::Null);
    assert_eq!(told("6", risc("account-enabled")).await, 202);
    assert!(banned().await.is_object(), "a person lifts it");
}

#[tokio::test]
async fn an_upstream_can_be_let_end_sessions_only() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("on_disabled = \"end-sessions\"\n")).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    assert_eq!(push(&app, &set(&idp.key, &claims(&app, "1", &risc("account-disabled"))), "").await.status, 202);
    assert!(!alive(&browser).await);
    assert_eq!(browser.sign_in(EMAIL).await.status, 200);
}

/// PUSH-2b.
#[tokio::test]
async fn an_event_that_comes_again_does_nothing_more() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("")).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let event = set(&idp.key, &claims(&app, "once", &caep("session-revoked")));
    assert_eq!(push(&app, &event, "").await.status, 202);
    browser.sign_in(EMAIL).await;
    app.pass(6 * 24 * 60 * 60);
    browser.sign_in(EMAIL).await;
    assert_eq!(push(&app, &event, "").await.status, 202);
    assert!(alive(&browser).await, "a session that began after it lives");
    // So long after it its age alone is enough.
    app.pass(2 * 24 * 60 * 60);
    assert_eq!(refusal(&push(&app, &event, "").await), (400, "invalid_request".into()));
}

/// P1, and nobody is touched whom the upstream does not speak for.
#[tokio::test]
async fn what_is_about_nobody_here_is_acknowledged_like_everything_else() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("")).await;
    let (browser, _) = sign_in_to(&app, "web").await;
    let other = json!({ "email": "bob@elsewhere.example", "password": PASSWORD });
    assert_eq!(ask(&app, "POST", "/api/admin/users", Some(other)).await.0, 201);
    let mut foreign = app.browser();
    foreign.sign_in("bob@elsewhere.example").await;
    let user = browser.clone().me().await.json()["user"]["id"].clone();
    let ours = |iss: &str| json!({ "format": "iss_sub", "iss": iss, "sub": user });
    for (number, subject) in [
        json!({ "format": "email", "email": "nobody@example.com" }),
        json!({ "format": "email", "email": "bob@elsewhere.example" }),
        json!({ "format": "email", "email": "not an address" }),
        json!({ "format": "opaque", "id": "x" }),
        ours(ISSUER),
        json!({ "format": "complex", "session": { "format": "opaque", "id": "x" } }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut said = claims(&app, &number.to_string(), &risc("account-disabled"));
        said["sub_id"] = subject.clone();
        let answer = push(&app, &set(&idp.key, &said), "").await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""), "{subject}");
    }
    assert!(alive(&browser).await && alive(&foreign).await);
    // As our own tokens name them, with whatever session of theirs.
    let mut said = claims(&app, "ours", &caep("session-revoked"));
    let issuer = app.app.public.issuer();
    said["sub_id"] = json!({ "format": "complex", "user": ours(issuer), "session": { "format": "opaque", "id": "x" } });
    assert_eq!(push(&app, &set(&idp.key, &said), "").await.status, 202);
    assert!(!alive(&browser).await);
    for (number, uri) in
        [caep("session-established"), caep("credential-change"), "https://example.com/x".into()].iter().enumerate()
    {
        let said = claims(&app, &format!("i{number}"), uri);
        assert_eq!(push(&app, &set(&idp.key, &said), "").await.status, 202, "{uri} means nothing here");
    }
}

const REQUEST: &str = "invalid_request";

/// Sets whose claims are wrong: what of them, the SET, and the code.
fn wrong_claims(idp: &Idp, good: &Value, now: i64) -> Vec<(&'static str, String, &'static str)> {
    let with = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        set(&idp.key, &claims)
    };
    let without = |member: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(member);
        set(&idp.key, &claims)
    };
    let text = good.to_string();
    let twice = format!("{},\"iss\":\"https://idp.example.com\"}}", &text[..text.len() - 1]);
    vec![
        ("another issuer", with("iss", json!("https://other.example.com")), "invalid_issuer"),
        ("for another audience", with("aud", json!("https://other.example.com")), "invalid_audience"),
        ("for others", with("aud", json!(["https://other.example.com"])), "invalid_audience"),
        ("for nobody", without("aud"), REQUEST),
        ("no jti", without("jti"), REQUEST),
        ("an empty jti", with("jti", json!("")), REQUEST),
        ("no iat", without("iat"), REQUEST),
        ("from the future", with("iat", json!(now + 3_600)), REQUEST),
        ("a week old", with("iat", json!(now - 8 * 24 * 60 * 60)), REQUEST),
        ("exp", with("exp", json!(now + 60)), REQUEST),
        ("sub", with("sub", json!("ada")), REQUEST),
        ("no events", without("events"), REQUEST),
        ("an empty set of events", with("events", json!({})), REQUEST),
        ("two events", with("events", json!({ "https://a.example": {}, "https://b.example": {} })), REQUEST),
        ("an event that is no object", with("events", json!({ "https://a.example": 1 })), REQUEST),
        ("no subject", without("sub_id"), REQUEST),
        ("a subject that is none", with("sub_id", json!({ "format": "email" })), REQUEST),
        ("a member twice", idp.key.sign_as("secevent+jwt", twice.as_bytes()), REQUEST),
    ]
}

/// Sets whose signature or header is wrong.
fn wrong_signatures(idp: &Idp, good: &Value) -> Vec<(&'static str, String, &'static str)> {
    let (text, kid) = (good.to_string(), idp.key.kid().as_str());
    let headed = |header: Value| {
        let input = encode_signing_input(&header.to_string(), text.as_bytes());
        format!("{input}.{}", base64url_encode(&idp.key.signature_over(input.as_bytes())))
    };
    let typ = |typ: &str| idp.key.sign_as(typ, text.as_bytes());
    let unsigned = base64url_encode(br#"{"alg":"none","typ":"secevent+jwt"}"#);
    let token = set(&idp.key, good);
    let parts: Vec<&str> = token.split('.').collect();
    let other = base64url_encode(text.replace("\"j\"", "\"k\"").as_bytes());
    let impostor = key(2).named(kid.parse().unwrap());
    let with = |alg: &str| headed(json!({ "alg": alg, "kid": kid, "typ": "secevent+jwt" }));
    let key_inside = json!({ "alg": "EdDSA", "kid": kid, "typ": "secevent+jwt", "jwk": jwk(&idp.key) });
    let key_elsewhere = json!({ "alg": "EdDSA", "kid": kid, "typ": "secevent+jwt", "jku": "https://evil.example" });
    let unknown = "invalid_key";
    vec![
        ("unsigned", format!("{unsigned}.{}.", base64url_encode(text.as_bytes())), unknown),
        ("the right name, another's key", set(&impostor, good), unknown),
        ("tampered with", format!("{}.{other}.{}", parts[0], parts[2]), unknown),
        ("HS256", with("HS256"), unknown),
        ("another algorithm than the key's", with("Ed25519"), unknown),
        ("crit", headed(json!({ "alg": "EdDSA", "kid": kid, "typ": "secevent+jwt", "crit": ["x"], "x": 1 })), REQUEST),
        ("jwk", headed(key_inside), REQUEST),
        ("jku", headed(key_elsewhere), REQUEST),
        ("no typ", headed(json!({ "alg": "EdDSA", "kid": kid })), REQUEST),
        ("an access token", typ("at+jwt"), REQUEST),
        ("a logout token", typ("logout+jwt"), REQUEST),
        ("JWT", typ("JWT"), REQUEST),
        ("nothing", String::new(), REQUEST),
        ("four parts", "a.b.c.d".into(), REQUEST),
    ]
}

/// RFC 8417, SSF-4.1a, PUSH-2, and ATK-01, 02, 08, 09, 10, 12, 13, 24: nothing of it has any effect.
#[tokio::test]
async fn what_does_not_hold_in_every_part_is_refused_and_changes_nothing() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("")).await;
    let (browser, _) = sign_in_to(&app, "web").await;
    let good = claims(&app, "j", &caep("session-revoked"));
    let claims = wrong_claims(&idp, &good, app.clock.now().as_seconds());
    for (what, token, code) in claims.into_iter().chain(wrong_signatures(&idp, &good)) {
        assert_eq!(refusal(&push(&app, &token, "").await), (400, code.to_owned()), "{what}");
    }
    let huge = "x".repeat(20_000);
    assert_eq!(push(&app, &huge, "").await.outcome(), (413, "too_large".into()));
    let token = set(&idp.key, &good);
    for media in ["application/jwt", "text/plain", "application/json"] {
        assert_eq!(refusal(&push_as(&app, &token, (media, "")).await), (400, REQUEST.into()), "{media}");
    }
    assert!(alive(&browser).await);
    let mut elsewhere = app.browser().request(Method::POST, "/ssf/events/other");
    *elsewhere.body_mut() = token.clone().into();
    elsewhere.headers_mut().insert(header::CONTENT_TYPE, "application/secevent+jwt".parse().unwrap());
    assert_eq!(app.browser().send_without_keeping(elsewhere).await.outcome(), (404, "not_found".into()));
    // None of them has used the name up.
    assert_eq!(push(&app, &token, "").await.status, 202);
    assert!(!alive(&browser).await);
}

#[tokio::test]
async fn whoever_was_to_send_a_header_must_send_it() {
    let idp = Idp::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("header");
    std::fs::write(&file, "Bearer agreed-on\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let app = TestApp::with(&idp.config(&format!("authorization_file = \"{}\"\n", file.display()))).await;
    let (browser, _) = sign_in_to(&app, "web").await;
    let token = set(&idp.key, &claims(&app, "j", &caep("session-revoked")));
    for header in ["", "Bearer agreed-o", "Bearer agreed-on2", "bearer agreed-on"] {
        assert_eq!(refusal(&push(&app, &token, header).await), (401, "authentication_failed".into()), "{header}");
    }
    assert!(alive(&browser).await && idp.asked() == 0);
    assert_eq!(push(&app, &token, "Bearer agreed-on").await.status, 202);
    assert!(!alive(&browser).await);
}

#[tokio::test]
async fn keys_are_fetched_when_they_are_needed_and_nobody_makes_it_a_storm() {
    let idp = Idp::start();
    let app = TestApp::with(&idp.config("")).await;
    let (browser, _) = sign_in_to(&app, "web").await;
    // They cannot be had: the sender is to come again, and nothing is remembered.
    let served = std::mem::take(&mut *idp.jwks.lock());
    let token = set(&idp.key, &claims(&app, "j", &caep("session-revoked")));
    let unready = push(&app, &token, "").await;
    assert_eq!(unready.outcome(), (503, "overloaded".into()));
    assert!(unready.headers.contains_key("retry-after"));
    for _ in 0..20 {
        push(&app, &token, "").await;
    }
    assert_eq!(idp.asked(), 1);
    app.pass(10);
    *idp.jwks.lock() = served;
    assert_eq!(push(&app, &token, "").await.status, 202);
    assert!(!alive(&browser).await && idp.asked() == 2);
    // A new key is found within seconds; made-up ones are not looked for each time.
    app.pass(10);
    let new = key(3);
    *idp.jwks.lock() = json!({ "keys": [jwk(&idp.key), jwk(&new)] }).to_string();
    assert_eq!(push(&app, &set(&new, &claims(&app, "n", &caep("session-revoked"))), "").await.status, 202);
    // It may have come with the last fetch or since then: who sends it is to send it again. When it has just been looked for it is none.
    for round in 0..20 {
        let made_up = key(4).named(format!("k{round}").parse().unwrap());
        let token = set(&made_up, &claims(&app, "m", &caep("session-revoked")));
        assert_eq!(push(&app, &token, "").await.status, 503);
    }
    assert_eq!(idp.asked(), 3);
    app.pass(10);
    let made_up = key(4).named("k".parse().unwrap());
    let none = push(&app, &set(&made_up, &claims(&app, "m", &caep("session-revoked"))), "").await;
    assert_eq!((refusal(&none), idp.asked()), ((400, "invalid_key".into()), 4));
    // A new key, while none can be had: it is not refused for good.
    app.pass(10);
    let served = std::mem::take(&mut *idp.jwks.lock());
    let newer = set(&key(5), &claims(&app, "newer", &caep("session-revoked")));
    assert_eq!(push(&app, &newer, "").await.status, 503);
    *idp.jwks.lock() = served;
    // A key that was taken back counts no more after ten minutes.
    *idp.jwks.lock() = json!({ "keys": [jwk(&new)] }).to_string();
    app.pass(10 * 60);
    assert_eq!(
        refusal(&push(&app, &set(&idp.key, &claims(&app, "old", &caep("session-revoked"))), "").await).1,
        "invalid_key"
    );
    // While none can be had the last ones count, and not for ever.
    idp.jwks.lock().clear();
    app.pass(11 * 60);
    assert_eq!(push(&app, &set(&new, &claims(&app, "late", &caep("session-revoked"))), "").await.status, 202);
    app.pass(24 * 60 * 60);
    assert_eq!(push(&app, &set(&new, &claims(&app, "later", &caep("session-revoked"))), "").await.status, 503);
}
