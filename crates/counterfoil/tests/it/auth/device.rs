//! Device bound sessions (DBSC): what Chromium sends, and what thieves do.

use crate::oauth::audit;
use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use counterfoil_guard::{base64url_encode, encode_signing_input};
use http::{HeaderName, Method, header};
use serde_json::{Value, json};

const REFRESH: &str = "__Secure-cf_refresh";
const DEVICE: &str = "__Secure-cf_device";
const PATH: &str = "/api/auth/refresh";
const REGISTER: &str = "/api/auth/refresh/device/register";
const PROVE: &str = "/api/auth/refresh/device";

/// What a browser keeps of a bound session: the key, and what it was told.
struct Device {
    pair: EcdsaKeyPair,
    sid: String,
    challenge: Option<String>,
}

impl Device {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { pair, sid: String::new(), challenge: None }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "x": base64url_encode(&point[1..33]), "y": base64url_encode(&point[33..]) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let input = encode_signing_input(&header.to_string(), claims.to_string().as_bytes());
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", base64url_encode(signature.as_ref()))
    }

    fn registration(&self, offer: &Offer) -> String {
        let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": self.jwk() });
        self.sign(&header, &json!({ "jti": offer.challenge, "authorization": offer.authorization }))
    }

    fn proof(&self, challenge: &str) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "dbsc+jwt" }), &json!({ "jti": challenge }))
    }

    /// Takes in what an accepted answer says.
    fn learn(&mut self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["session_identifier"].as_str().unwrap().clone_into(&mut self.sid);
        self.challenge = Some(challenge(answer).unwrap().0);
    }
}

/// What the answer to a sign-in offers.
struct Offer {
    challenge: String,
    authorization: String,
}

fn offered(answer: &Answer) -> Option<Offer> {
    let text = answer.headers.get("secure-session-registration")?.to_str().unwrap();
    let parameter =
        |name: &str| text.split(&format!(";{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(text.starts_with("(ES256);path=\"/api/auth/refresh/device/register\";"), "{text}");
    Some(Offer { challenge: parameter("challenge"), authorization: parameter("authorization") })
}

/// The challenge of an answer, and the session it is for.
fn challenge(answer: &Answer) -> Option<(String, String)> {
    let text = answer.headers.get("secure-session-challenge")?.to_str().unwrap();
    let (challenge, sid) = text.split_once(";id=").unwrap();
    Some((challenge.trim_matches('"').to_owned(), sid.trim_matches('"').to_owned()))
}

/// As Chromium sends it: no custom header, no body, no content type.
async fn ask(browser: &Browser, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = browser.request(Method::POST, path);
    request.headers_mut().remove("x-requested-with");
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), value.parse().unwrap());
    }
    browser.send_without_keeping(request).await
}

async fn register(browser: &mut Browser, proof: &str) -> Answer {
    let answer = ask(browser, REGISTER, &[("secure-session-response", proof)]).await;
    browser.keep(&answer);
    answer
}

async fn prove(browser: &mut Browser, sid: &str, proof: &str) -> Answer {
    let headers = [("sec-secure-session-id", sid), ("secure-session-response", proof)];
    let answer = ask(browser, PROVE, &headers).await;
    browser.keep(&answer);
    answer
}

async fn sign_in(app: &TestApp) -> (Browser, Answer) {
    let mut browser = app.browser();
    browser.post_json("/api/auth/register", &json!({ "email": EMAIL, "password": PASSWORD })).await;
    let answer = browser.sign_in(EMAIL).await;
    (browser, answer)
}

/// A browser whose session is bound, and has just shown it.
async fn bound(app: &TestApp) -> (Browser, Device) {
    let (mut browser, answer) = sign_in(app).await;
    let mut device = Device::new();
    let registered = register(&mut browser, &device.registration(&offered(&answer).unwrap())).await;
    device.learn(&registered);
    show(&mut browser, &mut device).await;
    assert_eq!(browser.refresh().await.status, 200);
    (browser, device)
}

/// Shows the key, as Chromium does before a refresh without the cookie.
async fn show(browser: &mut Browser, device: &mut Device) {
    let proof = device.proof(&device.challenge.clone().unwrap());
    let answer = prove(browser, &device.sid, &proof).await;
    device.learn(&answer);
}

async fn events(app: &TestApp, name: &str) -> Vec<Value> {
    audit(app).await.into_iter().filter(|entry| entry["event"] == name).collect()
}

/// Long enough for the device cookie and the grace to be over.
const LATER: u64 = 5 * 60;

#[tokio::test]
async fn dbsc_reg_a_browser_registers_a_key_and_proves_it_at_each_refresh() {
    let app = TestApp::new().await;
    let (mut browser, answer) = sign_in(&app).await;
    let mut device = Device::new();
    let registered = register(&mut browser, &device.registration(&offered(&answer).unwrap())).await;
    device.learn(&registered);
    assert_eq!(
        registered.json(),
        json!({
            "session_identifier": answer.json()["session"]["id"],
            "refresh_url": PROVE,
            "scope": { "origin": "https://app.example.com", "include_site": false, "scope_specification": [
                { "type": "exclude", "domain": "*", "path": "/" }, { "type": "include", "domain": "*", "path": PATH },
            ] },
            "credentials": [{
                "type": "cookie", "name": DEVICE, "attributes": "Path=/api/auth/refresh; HttpOnly; Secure; SameSite=Lax",
            }],
        })
    );
    assert!(registered.set_cookies().is_empty(), "the first refresh shall need a proof");
    assert_eq!(browser.refresh().await.status, 200, "and until there was one, none is asked for");
    assert_eq!(browser.me().await.json()["session"]["bound"], Value::Null);
    let proof = device.proof(&device.challenge.clone().unwrap());
    let shown = prove(&mut browser, &device.sid, &proof).await;
    assert_eq!(shown.json(), registered.json());
    let set = shown.set_cookies();
    assert!(set[0].ends_with("; Path=/api/auth/refresh; HttpOnly; Secure; SameSite=Lax; Max-Age=240"), "{set:?}");
    assert_eq!(browser.refresh().await.status, 200);
    for _ in 0..3 {
        app.pass(LATER);
        assert_eq!(browser.refresh().await.outcome(), (401, "proof_required".into()), "its cookie has run out");
        show(&mut browser, &mut device).await;
        assert_eq!(browser.refresh().await.status, 200);
    }
    assert_eq!(browser.me().await.json()["session"]["bound"], "device");
    assert_eq!(events(&app, "device_bound").await.len(), 1, "once");
}

#[tokio::test]
async fn atk37_a_copied_cookie_jar_is_refused_and_reported_and_the_session_lives() {
    let app = TestApp::new().await;
    let (mut victim, mut device) = bound(&app).await;
    let mut thief = victim.clone();
    thief.peer = "198.51.100.9".parse().unwrap();
    app.pass(LATER);
    for _ in 0..6 {
        let refused = thief.refresh().await;
        assert_eq!(refused.outcome(), (401, "proof_required".into()));
        assert!(refused.set_cookies().is_empty());
    }
    let asked = ask(&thief, PROVE, &[("sec-secure-session-id", &device.sid)]).await;
    assert_eq!(asked.outcome(), (403, "proof_required".into()), "he is asked to sign, and cannot");
    let (theirs, _) = challenge(&asked).unwrap();
    let forged = prove(&mut thief, &device.sid, &Device::new().proof(&theirs)).await;
    assert_eq!(forged.status, 403);
    let reported = events(&app, "device_proof_missing").await;
    assert_eq!(reported.len(), 3, "and not for ever");
    assert_eq!(reported[0]["session"].as_str(), Some(device.sid.as_str()));
    assert_eq!(reported[0]["network"], "198.51.100.0/24");
    show(&mut victim, &mut device).await;
    assert_eq!(victim.refresh().await.status, 200, "whoever has the key goes on");
    let me = victim.me().await.json();
    assert_eq!(me["session"]["bound"], "device");
    assert_eq!(me["session"]["copy_refused_at"], "2027-01-15T08:05:00Z");
    let list = victim.get("/api/auth/sessions").await.json();
    assert_eq!(list["sessions"][0]["copy_refused_at"], me["session"]["copy_refused_at"]);
}

#[tokio::test]
async fn a_copy_with_the_device_cookie_in_it_is_good_for_minutes_and_costs_the_owner_nothing() {
    let app = TestApp::new().await;
    let (mut victim, mut device) = bound(&app).await;
    let mut thief = victim.clone();
    assert_eq!(thief.refresh().await.status, 200, "the price, said openly");
    app.pass(241);
    assert_eq!(thief.refresh().await.outcome(), (401, "proof_required".into()));
    // The thief's rotation has left the owner with a token of the past: repeated, never theft.
    show(&mut victim, &mut device).await;
    assert_eq!(victim.refresh().await.status, 200);
    assert_eq!(events(&app, "refresh_reuse").await.len(), 0);
}

#[tokio::test]
async fn atk37_registrations_that_are_not_for_this_session_are_refused_and_change_nothing() {
    let app = TestApp::new().await;
    let (mut browser, answer) = sign_in(&app).await;
    let offer = offered(&answer).unwrap();
    let (mut other, answer) = (app.browser(), app.browser().sign_in(EMAIL).await);
    other.keep(&answer);
    let others = offered(&answer).unwrap();
    let device = Device::new();
    let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": device.jwk() });
    let signed = |challenge: &str, authorization: &str| {
        device.sign(&header, &json!({ "jti": challenge, "authorization": authorization }))
    };
    for proof in [
        signed(&others.challenge, &others.authorization),
        signed(&offer.challenge, &others.authorization),
        signed(&others.challenge, &offer.authorization),
        signed(&offer.authorization, &offer.challenge),
        signed("", ""),
        device.sign(&header, &json!({ "jti": offer.challenge })),
        device.proof(&offer.challenge),
        device.sign(
            &json!({ "alg": "none", "typ": "dbsc+jwt", "jwk": device.jwk() }),
            &json!({ "jti": offer.challenge }),
        ),
    ] {
        let refused = register(&mut browser, &proof).await;
        assert_eq!(refused.outcome(), (403, "forbidden".into()));
        assert!(refused.set_cookies().is_empty());
    }
    let stranger = app.browser();
    let good = signed(&offer.challenge, &offer.authorization);
    assert_eq!(ask(&stranger, REGISTER, &[("secure-session-response", &good)]).await.status, 403, "without the cookie");
    assert_eq!(ask(&browser, REGISTER, &[]).await.status, 403);
    let twice = [("secure-session-response", good.as_str()), ("secure-session-response", good.as_str())];
    assert_eq!(ask(&browser, REGISTER, &twice).await.status, 403);
    assert_eq!(events(&app, "device_registered").await.len(), 0);
    app.pass(121);
    assert_eq!(register(&mut browser, &good).await.status, 403, "too late");
    assert_eq!(browser.refresh().await.status, 200, "and the session goes on unbound");
}

#[tokio::test]
async fn atk37_a_session_gets_one_key_and_a_registration_is_repeated_only_until_the_key_is_shown() {
    let app = TestApp::new().await;
    let (mut browser, answer) = sign_in(&app).await;
    let offer = offered(&answer).unwrap();
    let (device, second) = (Device::new(), Device::new());
    let proof = device.registration(&offer);
    // Chromium sends the same thing up to three times when no answer comes.
    let before = browser.clone();
    assert_eq!(ask(&before, REGISTER, &[("secure-session-response", &proof)]).await.status, 200);
    assert_eq!(register(&mut browser, &second.registration(&offer)).await.status, 403, "never a second key");
    let again = register(&mut browser, &proof).await;
    assert_eq!(events(&app, "device_registered").await.len(), 1);
    let mut device = device;
    device.learn(&again);
    show(&mut browser, &mut device).await;
    assert_eq!(register(&mut browser, &proof).await.status, 403, "a replay");
    assert_eq!(register(&mut browser, &second.registration(&offer)).await.status, 403);
}

#[tokio::test]
async fn s3_a_registration_whose_answers_are_all_lost_signs_nobody_out() {
    let app = TestApp::new().await;
    let (mut browser, answer) = sign_in(&app).await;
    let proof = Device::new().registration(&offered(&answer).unwrap());
    for _ in 0..3 {
        assert_eq!(ask(&browser, REGISTER, &[("secure-session-response", &proof)]).await.status, 200);
    }
    // The browser has thrown its key away.
    for _ in 0..3 {
        app.pass(LATER);
        assert_eq!(browser.refresh().await.status, 200);
    }
    assert_eq!(browser.me().await.json()["session"]["bound"], Value::Null);
}

#[tokio::test]
async fn s4_until_a_key_is_shown_a_copy_is_treated_as_any_other_and_then_cut_off() {
    let app = TestApp::new().await;
    let (mut victim, answer) = sign_in(&app).await;
    let mut thief = victim.clone();
    let mut device = Device::new();
    let registered = register(&mut victim, &device.registration(&offered(&answer).unwrap())).await;
    device.learn(&registered);
    assert_eq!(thief.refresh().await.status, 200);
    app.pass(60);
    show(&mut victim, &mut device).await;
    assert_eq!(victim.refresh().await.status, 200, "it has the key: its old token is no theft");
    assert_eq!(thief.refresh().await.outcome(), (401, "proof_required".into()));
    assert_eq!(events(&app, "device_proof_missing").await.len(), 1);
}

#[tokio::test]
async fn dbsc_idem_a_lost_answer_is_repeated_and_several_challenges_are_good_at_a_time() {
    let app = TestApp::new().await;
    let (mut browser, device) = bound(&app).await;
    app.pass(LATER);
    let challenges = [
        device.challenge.clone().unwrap(),
        challenge(&ask(&browser, PROVE, &[("sec-secure-session-id", &device.sid)]).await).unwrap().0,
        challenge(&ask(&browser, PROVE, &[("sec-secure-session-id", &device.sid)]).await).unwrap().0,
    ];
    for challenge in &challenges {
        let proof = device.proof(challenge);
        for _ in 0..2 {
            let headers = [("sec-secure-session-id", device.sid.as_str()), ("secure-session-response", &proof)];
            assert_eq!(ask(&browser, PROVE, &headers).await.status, 200, "its answer is lost");
        }
        assert_eq!(prove(&mut browser, &device.sid, &proof).await.status, 200);
        assert_eq!(browser.refresh().await.status, 200);
    }
    app.pass(301);
    let stale = prove(&mut browser, &device.sid, &device.proof(&challenges[0])).await;
    assert_eq!(stale.outcome(), (403, "proof_required".into()), "never 400, 401, 404 or 429");
    let (fresh, sid) = challenge(&stale).unwrap();
    assert_eq!(sid, device.sid);
    assert_eq!(prove(&mut browser, &device.sid, &device.proof(&fresh)).await.status, 200);
}

#[tokio::test]
async fn atk37_proofs_that_are_not_this_sessions_get_a_challenge_and_nothing_else() {
    let app = TestApp::new().await;
    let (mut browser, device) = bound(&app).await;
    let (mut other_browser, other) = bound(&app).await;
    let mine = device.challenge.clone().unwrap();
    let theirs = other.challenge.clone().unwrap();
    let with_key = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": device.jwk() });
    let cookie = browser.cookie(DEVICE);
    for proof in [
        device.sign(&with_key, &json!({ "jti": mine })),
        device.sign(&json!({ "alg": "none", "typ": "dbsc+jwt" }), &json!({ "jti": mine })),
        device.sign(&json!({ "alg": "RS256", "typ": "dbsc+jwt" }), &json!({ "jti": mine })),
        device.sign(&json!({ "alg": "ES256", "typ": "dpop+jwt" }), &json!({ "jti": mine })),
        device.sign(
            &json!({ "alg": "ES256", "typ": "dbsc+jwt" }),
            &json!({ "jti": mine, "aud": "https://evil.example" }),
        ),
        device.proof(&theirs),
        other.proof(&mine),
        other.proof(&theirs),
        device.proof("made-up"),
        "not-a-jwt".to_owned(),
    ] {
        let refused = prove(&mut browser, &device.sid, &proof).await;
        assert_eq!(refused.outcome(), (403, "proof_required".into()));
        assert_eq!(challenge(&refused).unwrap().1, device.sid);
        assert!(refused.set_cookies().is_empty());
    }
    assert_eq!(browser.cookie(DEVICE), cookie);
    // A device cookie of another session proves nothing, beside its own it takes nothing away.
    app.pass(LATER);
    let theirs = prove(&mut other_browser, &other.sid, &other.proof(&theirs)).await;
    assert_eq!(theirs.status, 200);
    browser.set_cookie(DEVICE, PATH, &other_browser.cookie(DEVICE).unwrap());
    assert_eq!(browser.refresh().await.outcome(), (401, "proof_required".into()));
    let answer = prove(&mut browser, &device.sid, &device.proof(&mine)).await;
    assert_eq!(answer.status, 200);
    browser.set_cookie(DEVICE, "/api", &other_browser.cookie(DEVICE).unwrap());
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn dbsc_raw_both_spellings_of_headers_are_taken() {
    let app = TestApp::new().await;
    let (mut browser, answer) = sign_in(&app).await;
    let mut device = Device::new();
    let quoted = format!("\"{}\"", device.registration(&offered(&answer).unwrap()));
    let answer = register(&mut browser, &quoted).await;
    device.learn(&answer);
    let proof = device.proof(&device.challenge.clone().unwrap());
    let (sid, quoted) = (format!("\"{}\"", device.sid), format!("\"{proof}\""));
    assert_eq!(prove(&mut browser, &sid, &quoted).await.status, 200);
    assert_eq!(prove(&mut browser, &sid, &proof).await.status, 200);
    assert_eq!(prove(&mut browser, &device.sid, &quoted).await.status, 200);
    assert_eq!(prove(&mut browser, &device.sid, &format!("\"{proof}")).await.status, 403);
}

#[tokio::test]
async fn a_sign_out_ends_it_and_the_browser_is_told_to_forget_its_key() {
    let app = TestApp::new().await;
    let (mut browser, device) = bound(&app).await;
    let mut copy = browser.clone();
    assert_eq!(browser.delete(PATH).await.status, 204);
    assert_eq!((browser.cookie(REFRESH), browser.cookie(DEVICE)), (None, None));
    let proof = device.proof(&device.challenge.clone().unwrap());
    for browser in [&mut browser, &mut copy] {
        let answer = prove(browser, &device.sid, &proof).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["continue"]), (200, &json!(false)));
        assert!(answer.set_cookies().is_empty());
    }
    assert_eq!(copy.refresh().await.json()["reason"], "signed_out");
    let nobodys = "AAAAAAAAAAAAAAAAAAAAAA";
    for sid in [nobodys, "not an id", "\"\""] {
        let answer = prove(&mut browser, sid, &proof).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["continue"]), (200, &json!(false)));
    }
    assert_eq!(ask(&browser, PROVE, &[]).await.json(), json!({ "continue": false }));
}

#[tokio::test]
async fn a_sign_in_over_a_bound_session_takes_its_place() {
    let app = TestApp::new().await;
    let (mut browser, device) = bound(&app).await;
    let answer = browser.sign_in(EMAIL).await;
    let mut second = Device::new();
    let registered = register(&mut browser, &second.registration(&offered(&answer).unwrap())).await;
    second.learn(&registered);
    show(&mut browser, &mut second).await;
    app.pass(LATER);
    // Chromium still knows the first one, and asks for both; the cookie has room for one.
    let first = prove(&mut browser, &device.sid, &device.proof(&device.challenge.clone().unwrap())).await;
    assert_eq!(first.json(), json!({ "session_identifier": device.sid, "continue": false }));
    let next = prove(&mut browser, &second.sid, &second.proof(&second.challenge.clone().unwrap())).await;
    assert_eq!(next.status, 200);
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn a_new_password_gives_a_new_handle_and_the_key_stays() {
    let app = TestApp::new().await;
    let (mut browser, device) = bound(&app).await;
    let body = json!({ "current_password": PASSWORD, "new_password": "another horse, another battery" });
    assert!(browser.post_json("/api/auth/password/change", &body).await.status.is_success());
    app.pass(LATER);
    assert_eq!(browser.refresh().await.outcome(), (401, "proof_required".into()));
    assert_eq!(prove(&mut browser, &device.sid, &device.proof(&device.challenge.clone().unwrap())).await.status, 200);
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn browsers_without_it_go_on_as_before() {
    let app = TestApp::new().await;
    let (mut browser, answer) = sign_in(&app).await;
    assert!(offered(&answer).is_some());
    let mut thief = browser.clone();
    app.pass(LATER);
    assert_eq!(browser.refresh().await.status, 200);
    app.pass(31);
    assert_eq!(thief.refresh().await.outcome(), (401, "refresh_reuse".into()));
    let sid = answer.json()["session"]["id"].as_str().unwrap().to_owned();
    let asked = ask(&browser, PROVE, &[("sec-secure-session-id", &sid)]).await;
    assert_eq!(asked.json(), json!({ "session_identifier": sid, "continue": false }), "there is no key to prove");
}

#[tokio::test]
async fn it_is_offered_where_a_refresh_cookie_is_given_and_wanted() {
    let profiles = "[applications.spa]\nprofile = \"hybrid\"\n[applications.classic]\nprofile = \"opaque\"\n\
        [applications.phone]\nprofile = \"native\"";
    let app = TestApp::with(profiles).await;
    app.browser().register(EMAIL).await;
    for (application, offer) in [("web", true), ("spa", true), ("classic", false), ("phone", false)] {
        let body = json!({ "email": EMAIL, "password": PASSWORD, "client_id": application });
        let answer = app.browser().post_json("/api/auth/login", &body).await;
        assert_eq!(offered(&answer).is_some(), offer, "{application}");
    }
    let app = TestApp::with("[session]\ndevice_binding = \"off\"").await;
    let (_, answer) = sign_in(&app).await;
    assert!(offered(&answer).is_none());
}

#[tokio::test]
async fn pages_of_listed_origins_wait_for_the_cookie_and_cannot_read_how_it_is_got() {
    let origins = "[applications.web]\norigins = [\"https://www.example.com\", \"https://www.example.com:8443\"]";
    let app = TestApp::with(origins).await;
    let (mut browser, mut device) = bound(&app).await;
    let proof = device.proof(&device.challenge.clone().unwrap());
    let answer = prove(&mut browser, &device.sid, &proof).await;
    assert_eq!(answer.json()["allowed_refresh_initiators"], json!(["www.example.com"]));
    device.learn(&answer);
    let mut request = browser.request(Method::POST, PROVE);
    request.headers_mut().insert(header::ORIGIN, "https://www.example.com".parse().unwrap());
    request.headers_mut().insert("sec-secure-session-id", device.sid.parse().unwrap());
    let answer = browser.send_without_keeping(request).await;
    assert_eq!(answer.status, 403);
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    assert_eq!(answer.headers["cache-control"], "no-store");
}
