//! Event streams that are pushed (RFC 8935): in order, at least once, over restarts, and nobody waits for anybody else.

use super::receiver::{Delivery, Receiver};
use super::{Installation, Person, eventually, metric};
use crate::ssf::{event, said};
use crate::support::{Exchange, Server, exchange, from_page};
use serde_json::{Value, json};
use std::process::Command;

fn config(receivers: &[&Receiver]) -> String {
    let origins: Vec<String> = receivers.iter().map(|receiver| format!("'http://{}'", receiver.address)).collect();
    format!(
        "[ssf]\nenabled = true\npush_origins = [{}]\n[clients.hub.resources]\nssf = ['ssf.manage', 'ssf.read']\n",
        origins.join(", ")
    )
}

/// The service whose streams these are.
struct Hub<'a> {
    server: &'a Server,
    token: String,
}

impl<'a> Hub<'a> {
    fn new(place: &Installation, server: &'a Server) -> Self {
        let added = Command::new(crate::support::BINARY)
            .args(["client", "add", "hub", "--data"])
            .arg(place.path().join("data"))
            .output()
            .unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let secret = String::from_utf8(added.stdout).unwrap();
        let secret = secret.trim();
        let form = format!("grant_type=client_credentials&client_id=hub&client_secret={secret}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = exchange(server.address, "POST /oauth/token", &headers, &form).unwrap();
        let token: Value = serde_json::from_str(&answer.body).unwrap();
        Self { server, token: token["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned() }
    }

    fn send(&self, line: &str, body: &Value) -> Exchange {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        exchange(self.server.address, line, &headers, &body.to_string()).unwrap()
    }

    /// A stream that is pushed to this path of the receiver's.
    fn stream(&self, receiver: &Receiver, path: &str) -> String {
        let url = format!("http://{}{path}", receiver.address);
        let delivery =
            json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": url, "authorization_header": "Bearer of-the-hub" });
        let made = self.send("POST /ssf/streams", &json!({ "delivery": delivery }));
        assert_eq!(made.status, 201, "{}", made.body);
        let made: Value = serde_json::from_str(&made.body).unwrap();
        made["stream_id"].as_str().unwrap().to_owned()
    }
}

/// The SETs that were taken, each time they came.
fn taken(receiver: &Receiver) -> Vec<Value> {
    let taken = |delivery: &Delivery| (200..300).contains(&delivery.answer).then(|| said(&delivery.body));
    receiver.deliveries().iter().filter_map(taken).collect()
}

fn takes(receiver: &Receiver, expected: &[&str]) -> Vec<Value> {
    eventually(&format!("{expected:?}"), || (taken(receiver).len() >= expected.len()).then_some(()));
    let sets = taken(receiver);
    let words: Vec<String> = sets.iter().map(|set| event(set).0).collect();
    assert_eq!(words, expected);
    sets
}

#[test]
fn push_2_events_come_in_order_as_the_standard_has_it() {
    let receiver = Receiver::start();
    let place = Installation::new(&config(&[&receiver]));
    let server = place.start(&[]);
    let hub = Hub::new(&place, &server);
    let stream = hub.stream(&receiver, "/events?of=ada");
    let verify = json!({ "stream_id": stream, "state": "hello" });
    assert_eq!(hub.send("POST /ssf/verify", &verify).status, 204);
    takes(&receiver, &["verification"]);
    Person::registers(&server);
    let (one, two) = (Person::signs_in(&server), Person::signs_in(&server));
    let sids = [one.sid(), two.sid()];
    one.signs_out();
    two.signs_out();
    let sets = takes(&receiver, &["verification", "session-revoked", "session-revoked"]);
    for (set, sid) in sets[1..].iter().zip(&sids) {
        assert_eq!(set["sub_id"]["session"]["id"], sid.as_str());
        assert_eq!(set["aud"], "hub");
    }
    for delivery in receiver.deliveries() {
        assert!(delivery.line.starts_with("POST /events?of=ada "), "{delivery:?}");
        assert_eq!(delivery.header("content-type"), "application/secevent+jwt");
        assert_eq!(delivery.header("accept"), "application/json");
        assert_eq!(delivery.header("authorization"), "Bearer of-the-hub");
    }
    server.stop();
}

#[test]
fn nothing_is_lost_over_restarts_while_the_receiver_is_down_and_another_does_not_wait_for_it() {
    let (down, up) = (Receiver::start(), Receiver::start());
    down.refuses(true);
    let place = Installation::new(&config(&[&down, &up]));
    let server = place.start(&[]);
    let hub = Hub::new(&place, &server);
    hub.stream(&down, "/down");
    hub.stream(&up, "/up");
    Person::registers(&server);
    Person::signs_in(&server).signs_out();
    takes(&up, &["session-revoked"]);
    eventually("an attempt", || (!down.deliveries().is_empty()).then_some(()));
    Person::signs_in(&server).signs_out();
    takes(&up, &["session-revoked", "session-revoked"]);
    let failed = "counterfoil_stream_attempts_total{outcome=\"failed\"}";
    eventually("a failure is counted", || metric(&server, failed).filter(|count| *count >= 1.0));
    eventually("how far it is behind", || metric(&server, "counterfoil_stream_lag_events").filter(|lag| *lag >= 2.0));
    server.kill();
    down.refuses(false);
    let server = place.start(&[]);
    let sets = takes(&down, &["session-revoked", "session-revoked"]);
    let first = said(&down.deliveries()[0].body);
    assert_eq!(first["jti"], sets[0]["jti"], "the same event has the same name");
    // What has been told is not told again, also after the next start.
    server.stop();
    let server = place.start(&[]);
    Person::signs_in(&server).signs_out();
    takes(&up, &["session-revoked"; 3]);
    takes(&down, &["session-revoked"; 3]);
    server.stop();
}

#[test]
fn a_receiver_that_moves_is_found_and_one_that_is_polled_or_removed_is_left_alone() {
    let (old, new) = (Receiver::start(), Receiver::start());
    old.refuses(true);
    let place = Installation::new(&config(&[&old, &new]));
    let server = place.start(&[]);
    let hub = Hub::new(&place, &server);
    let stream = hub.stream(&old, "/old");
    Person::registers(&server);
    Person::signs_in(&server).signs_out();
    eventually("an attempt", || (!old.deliveries().is_empty()).then_some(()));
    let url = format!("http://{}/new", new.address);
    let moved = json!({ "stream_id": stream, "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": url } });
    assert_eq!(hub.send("PATCH /ssf/streams", &moved).status, 200);
    takes(&new, &["session-revoked"]);
    assert!(new.deliveries()[0].headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("authorization")));
    let polled = json!({ "stream_id": stream, "delivery": { "method": "urn:ietf:rfc:8936" } });
    assert_eq!(hub.send("PATCH /ssf/streams", &polled).status, 200);
    Person::signs_in(&server).signs_out();
    let fetched = eventually("it is fetched", || {
        let answer = hub.send(&format!("POST /ssf/poll/{stream}"), &json!({ "returnImmediately": true }));
        let sets: Value = serde_json::from_str(&answer.body).unwrap();
        sets["sets"].as_object().filter(|sets| !sets.is_empty()).cloned()
    });
    assert_eq!(fetched.len(), 1);
    assert_eq!(hub.send(&format!("DELETE /ssf/streams?stream_id={stream}"), &json!({})).status, 204);
    let again = hub.stream(&new, "/again");
    assert_eq!(hub.send("POST /ssf/verify", &json!({ "stream_id": again })).status, 204);
    takes(&new, &["session-revoked", "verification"]);
    server.stop();
}

#[test]
fn redirects_are_not_followed_and_a_huge_answer_is_left_where_it_is() {
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    receiver.redirects_to(&format!("http://{}/elsewhere", elsewhere.address));
    receiver.says(&"x".repeat(10 << 20));
    receiver.answers(&[302, 500]);
    let place = Installation::new(&config(&[&receiver]));
    let server = place.start(&[]);
    let hub = Hub::new(&place, &server);
    hub.stream(&receiver, "/");
    Person::registers(&server);
    Person::signs_in(&server).signs_out();
    takes(&receiver, &["session-revoked"]);
    let answers: Vec<u16> = receiver.deliveries().iter().map(|delivery| delivery.answer).collect();
    assert_eq!(answers, [302, 500, 204]);
    assert!(elsewhere.deliveries().is_empty());
    let page = from_page(server.address, &server.origin(), "GET /healthz", "", "").unwrap();
    assert_eq!(page.status, 200);
    server.stop();
}

/// What the operator has taken back counts from the next start on, whatever there was before.
#[test]
fn where_events_may_not_go_any_more_none_goes() {
    let (gone, kept) = (Receiver::start(), Receiver::start());
    let place = Installation::new(&config(&[&gone, &kept]));
    let server = place.start(&[]);
    let hub = Hub::new(&place, &server);
    hub.stream(&gone, "/");
    hub.stream(&kept, "/");
    Person::registers(&server);
    Person::signs_in(&server).signs_out();
    takes(&gone, &["session-revoked"]);
    server.stop();
    std::fs::write(place.path().join("counterfoil.toml"), config(&[&kept])).unwrap();
    let server = place.start(&[]);
    Person::signs_in(&server).signs_out();
    takes(&kept, &["session-revoked", "session-revoked"]);
    assert_eq!(taken(&gone).len(), 1);
    server.stop();
}

/// RFC 8935 section 2.4. While it is tried again, a verification does not begin it anew.
#[test]
fn what_a_receiver_refuses_is_tried_again_and_nothing_is_told_twice_because_of_what_comes_between() {
    let receiver = Receiver::start();
    receiver.says(r#"{"err":"invalid_key","description":"not yet"}"#);
    receiver.answers(&[400, 400]);
    let place = Installation::new(&config(&[&receiver]));
    let server = place.start(&[]);
    let hub = Hub::new(&place, &server);
    let stream = hub.stream(&receiver, "/");
    Person::registers(&server);
    Person::signs_in(&server).signs_out();
    eventually("it is refused", || (!receiver.deliveries().is_empty()).then_some(()));
    assert_eq!(hub.send("POST /ssf/verify", &json!({ "stream_id": stream })).status, 204);
    takes(&receiver, &["session-revoked", "verification"]);
    let answers: Vec<u16> = receiver.deliveries().iter().map(|delivery| delivery.answer).collect();
    assert_eq!(answers, [400, 400, 204, 204]);
    server.stop();
}
