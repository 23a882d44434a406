//! `/ssf/*`: event streams, as receivers elsewhere have them.

mod events;
mod poll;
mod streams;

use crate::control::ask;
use crate::oauth::send;
use crate::support::{Answer, TestApp};
use counterfoil_guard::base64url_decode;
use http::{Method, header};
use serde_json::{Value, json};

pub(crate) const ON: &str = "[ssf]\nenabled = true\npush_origins = [\"https://receiver.example.com\"]\n\
    [clients.hub.resources]\nssf = [\"ssf.manage\", \"ssf.read\"]\n\
    [clients.other.resources]\nssf = [\"ssf.manage\", \"ssf.read\"]\n";

pub(crate) const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
pub(crate) const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";
const POLL: &str = "urn:ietf:rfc:8936";
const PUSH: &str = "urn:ietf:rfc:8935";

/// A receiver elsewhere, with a token.
pub(crate) struct Hub<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Hub<'a> {
    /// As the service of this name, with this scope.
    pub(crate) async fn of(app: &'a TestApp, name: &str, scope: &str) -> Self {
        let (_, made) = ask(app, "POST", "/api/admin/clients", Some(json!({ "name": name }))).await;
        let secret = made["client_secret"].as_str().unwrap();
        let form = format!("grant_type=client_credentials&client_id={name}&client_secret={secret}&scope={scope}");
        let answer = send(app, "/oauth/token", "", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self { app, token: answer.json()["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn new(app: &'a TestApp) -> Self {
        Self::of(app, "hub", "ssf.manage+ssf.read").await
    }

    /// The same service with another token.
    pub(crate) async fn again(app: &'a TestApp) -> Self {
        let (_, made) = ask(app, "POST", "/api/admin/clients/hub/renew", Some(json!({}))).await;
        let secret = made["client_secret"].as_str().unwrap();
        let form = format!("grant_type=client_credentials&client_id=hub&client_secret={secret}");
        let answer = send(app, "/oauth/token", "", &form).await;
        Self { app, token: answer.json()["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let browser = self.app.browser();
        let mut request = match body {
            Value::Null => browser.request(Method::GET, path),
            body => browser.json_request(path, body),
        };
        *request.method_mut() = method.parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {}", self.token).parse().unwrap());
        browser.send_without_keeping(request).await
    }

    /// A new stream, as it is shown.
    pub(crate) async fn stream(&self, wanted: Value) -> Value {
        let made = self.send("POST", "/ssf/streams", &wanted).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()
    }

    /// What a poll with these members brings: the SETs by their `jti`, and whether there is more.
    pub(crate) async fn poll(&self, stream: &Value, body: Value) -> (Vec<(String, Value)>, bool) {
        let url = stream["delivery"]["endpoint_url"].as_str().unwrap();
        let path = url.strip_prefix(self.app.app.public.issuer()).unwrap();
        let mut asked = json!({ "returnImmediately": true });
        asked.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let answer = self.send("POST", path, &asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = answer.json();
        let sets = answer["sets"].as_object().unwrap();
        let sets = sets.iter().map(|(jti, set)| (jti.clone(), said(set.as_str().unwrap()))).collect();
        (sets, answer["moreAvailable"].as_bool().unwrap())
    }

    /// Fetches and acknowledges until there is nothing more; returns all events as `type subject`, in the order of their entries.
    pub(crate) async fn drain(&self, stream: &Value) -> Vec<Value> {
        let (mut all, mut acks) = (Vec::new(), Vec::<String>::new());
        loop {
            let (sets, _) = self.poll(stream, json!({ "ack": acks })).await;
            if sets.is_empty() {
                return all;
            }
            acks = sets.iter().map(|(jti, _)| jti.clone()).collect();
            all.extend(sets.into_iter().map(|(_, set)| set));
        }
    }
}

/// What a SET says.
pub(crate) fn said(set: &str) -> Value {
    serde_json::from_slice(&base64url_decode(set.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The one event of a SET: the last part of its type, and its members.
pub(crate) fn event(set: &Value) -> (String, Value) {
    let events = set["events"].as_object().unwrap();
    assert_eq!(events.len(), 1, "one event a SET: {set}");
    let (uri, members) = events.iter().next().unwrap();
    assert!([CAEP, RISC, SSF].iter().any(|family| uri.starts_with(family)), "{uri}");
    (uri.rsplit('/').next().unwrap().to_owned(), members.clone())
}

/// The words of the events, sorted.
pub(crate) fn words(sets: &[Value]) -> Vec<String> {
    let mut words: Vec<String> = sets.iter().map(|set| event(set).0).collect();
    words.sort();
    words
}
