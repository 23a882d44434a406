//! `[risk]`: what is unusual about a sign-in, a refresh or a step-up, and what is done about it.

mod decisions;
mod passwords;
mod refresh;
mod sign_in;

use crate::control::ask;
use crate::support::authenticator::Passkey;
use crate::support::mmdb::mmdb;
use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use serde_json::{Value, json};

const BERLIN: &str = "203.0.113.7";
const BERLIN_TOO: &str = "203.0.99.9";
const PARIS: &str = "192.0.2.7";
const SYDNEY: &str = "198.51.100.7";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36";

/// A file of places, and the lines of configuration that name it.
struct World {
    folder: tempfile::TempDir,
    toml: String,
}

fn city(name: &str, (country, code): (&str, &str), (latitude, longitude): (f64, f64)) -> Value {
    json!({
        "city": { "names": { "en": name } }, "country": { "iso_code": code, "names": { "en": country } },
        "location": { "latitude": latitude, "longitude": longitude, "accuracy_radius": 20 },
    })
}

impl World {
    fn with(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("places.mmdb");
        let rows = [
            ("203.0.0.0/16", city("Berlin", ("Germany", "DE"), (52.52, 13.4))),
            ("192.0.2.0/24", city("Paris", ("France", "FR"), (48.86, 2.35))),
            ("198.51.100.0/24", city("Sydney", ("Australia", "AU"), (-33.87, 151.21))),
            ("2001:db8::/32", city("Munich", ("Germany", "DE"), (48.14, 11.58))),
        ];
        std::fs::write(&path, mmdb(&rows)).unwrap();
        Self { toml: format!("[risk]\ngeoip = \"{}\"\n{rules}", path.display()), folder }
    }

    /// With a file of bad networks.
    fn with_bad(networks: &str, rules: &str) -> Self {
        let mut world = Self::with("");
        let path = world.folder.path().join("bad.txt");
        std::fs::write(&path, networks).unwrap();
        world.toml = format!("{}bad_networks = \"{}\"\n{rules}", world.toml, path.display());
        world
    }

    async fn app(&self) -> TestApp {
        TestApp::with(&self.toml).await
    }
}

async fn password(browser: &mut Browser) -> Answer {
    browser.post_json("/api/auth/login", &json!({ "email": EMAIL, "password": PASSWORD })).await
}

/// Another browser with nothing in its jar.
fn elsewhere(app: &TestApp, peer: &str, user_agent: Option<&'static str>) -> Browser {
    let mut browser = app.browser();
    browser.peer = peer.parse().unwrap();
    browser.user_agent = user_agent.unwrap_or(browser.user_agent);
    browser
}

/// The same jar in other hands, or carried to another place.
fn carried(from: &Browser, peer: &str, user_agent: Option<&'static str>) -> Browser {
    let mut browser = from.clone();
    browser.peer = peer.parse().unwrap();
    browser.user_agent = user_agent.unwrap_or(browser.user_agent);
    browser
}

/// What is written down, the oldest first.
async fn told(app: &TestApp) -> Vec<String> {
    let (status, body) = ask(app, "GET", "/api/admin/audit?event=risk_assessed", None).await;
    assert_eq!(status, 200);
    let entries = body["entries"].as_array().unwrap();
    entries.iter().rev().map(|entry| entry["detail"].as_str().unwrap().to_owned()).collect()
}

/// A passkey for whoever is signed in.
async fn add_passkey(browser: &mut Browser) -> Passkey {
    let options = browser.post_json("/api/auth/passkeys/register/start", &json!({})).await.json();
    let passkey = Passkey::make(&options);
    let credential = json!({ "credential": passkey.attest(&options) });
    let answer = browser.post_json("/api/auth/passkeys/register/finish", &credential).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    passkey
}

/// By a passkey, through these two addresses.
async fn by_passkey(browser: &mut Browser, passkey: &Passkey, path: &str) -> Answer {
    let options = browser.post_json(&format!("{path}/start"), &json!({})).await.json();
    browser.post_json(&format!("{path}/finish"), &json!({ "credential": passkey.assert(&options) })).await
}

const SIGN_IN: &str = "/api/auth/passkeys/login";
const STEP_UP: &str = "/api/auth/step-up/passkey";

fn denied() -> (u16, String) {
    (403, "risk_denied".into())
}

fn reauthenticate() -> (u16, String) {
    (401, "reauthentication_required".into())
}
