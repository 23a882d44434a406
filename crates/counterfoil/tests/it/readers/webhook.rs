//! Webhooks: in order, signed, at least once, and nobody waits for anybody else.

use super::receiver::Receiver;
use super::{Installation, Person, eventually, file, metric};
use crate::support::EMAIL;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const ENV: [(&str, &str); 1] = [("HOOK_SECRET", SECRET)];
const GUIDE: &str = include_str!("../../../../../docs/guides/webhooks.md");

fn webhook(name: &str, receiver: &Receiver, events: &str) -> String {
    let url = format!("http://{}/hook", receiver.address);
    format!("[[webhooks]]\nname = '{name}'\nurl = '{url}'\nsecret_env = 'HOOK_SECRET'\nevents = [{events}]\n")
}

/// Waits until the receiver has taken these events, and no others.
fn takes(receiver: &Receiver, expected: &[&str]) {
    let what = format!("{expected:?}");
    eventually(&what, || (receiver.taken().len() >= expected.len()).then_some(()));
    assert_eq!(receiver.taken(), expected);
}

#[test]
fn events_come_in_order_signed_and_with_nothing_personal() {
    let receiver = Receiver::start();
    let place = Installation::new(&webhook("a", &receiver, "'*'"));
    let server = place.start(&ENV);
    Person::registers(&server);
    let person = Person::signs_in(&server);
    let sid = person.sid();
    person.signs_out();
    // The first administrator's invitation was there before the webhook was: a new one begins at the head.
    takes(&receiver, &["registered", "signed_in", "session_ended"]);
    let deliveries = receiver.deliveries();
    let now = std::fs::metadata(place.path()).unwrap().modified().unwrap();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for delivery in &deliveries {
        assert!(delivery.line.starts_with("POST /hook "), "{delivery:?}");
        assert_eq!(delivery.header("content-type"), "application/json");
        assert!(delivery.is_signed_with(SECRET));
        assert!(!delivery.is_signed_with("whsec_NDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
        assert!(delivery.header("webhook-timestamp").parse::<u64>().unwrap().abs_diff(now) < 60);
        assert!(!delivery.body.contains(EMAIL) && !delivery.body.contains("machine"), "{}", delivery.body);
    }
    let ids: BTreeSet<_> = deliveries.iter().map(|delivery| delivery.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(deliveries[1].json()["data"]["session"], sid.as_str());
    assert_eq!(deliveries[2].json()["data"]["session"], sid.as_str());
    server.stop();
}

#[test]
fn what_is_refused_comes_again_before_anything_later_and_redirects_are_not_followed() {
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    receiver.redirects_to(&format!("http://{}/elsewhere", elsewhere.address));
    receiver.answers(&[500, 302]);
    let place = Installation::new(&webhook("a", &receiver, "'signed_in', 'registered'"));
    let server = place.start(&ENV);
    Person::registers(&server);
    let person = Person::signs_in(&server);
    person.signs_out();
    takes(&receiver, &["registered", "signed_in"]);
    let words: Vec<_> = receiver.deliveries().iter().map(|delivery| (delivery.word(), delivery.answer)).collect();
    let words: Vec<_> = words.iter().map(|(word, answer)| (word.as_str(), *answer)).collect();
    assert_eq!(words, [("registered", 500), ("registered", 302), ("registered", 204), ("signed_in", 204)]);
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries[0].header("webhook-id"), deliveries[2].header("webhook-id"), "to be told by");
    assert!(deliveries.iter().all(|delivery| delivery.is_signed_with(SECRET)));
    assert!(elsewhere.deliveries().is_empty());
    server.stop();
}

#[test]
fn nothing_is_lost_or_told_twice_across_restarts_while_the_receiver_is_down() {
    let receiver = Receiver::start();
    receiver.refuses(true);
    let place = Installation::new(&webhook("a", &receiver, "'*'"));
    let server = place.start(&ENV);
    Person::registers(&server);
    let person = Person::signs_in(&server);
    eventually("an attempt", || (!receiver.deliveries().is_empty()).then_some(()));
    person.signs_out();
    server.kill();
    receiver.refuses(false);
    let server = place.start(&ENV);
    // Between them the invitation that each start makes while there is no administrator.
    let expected = ["registered", "signed_in", "session_ended", "invited"];
    takes(&receiver, &expected);
    eventually("the cursor", || {
        (metric(&server, "counterfoil_webhook_lag_events{name=\"a\"}") == Some(0.0)).then_some(())
    });
    server.stop();
    let server = place.start(&ENV);
    Person::signs_in(&server);
    takes(&receiver, &["registered", "signed_in", "session_ended", "invited", "invited", "signed_in"]);
    server.stop();
}

#[test]
fn a_receiver_that_never_answers_stops_no_other_and_not_the_server() {
    let (slow, quick) = (Receiver::start(), Receiver::start());
    slow.says_nothing();
    let config = webhook("slow", &slow, "'*'") + &webhook("quick", &quick, "'*'");
    let place = Installation::new(&config);
    let server = place.start(&ENV);
    Person::registers(&server);
    eventually("the slow one is asked", || (!slow.deliveries().is_empty()).then_some(()));
    for _ in 0..3 {
        Person::signs_in(&server);
    }
    takes(&quick, &["registered", "signed_in", "signed_in", "signed_in"]);
    assert!(slow.taken().is_empty());
    eventually("the lag", || {
        let lag = |name: &str| metric(&server, &format!("counterfoil_webhook_lag_events{{name=\"{name}\"}}"));
        (lag("slow") == Some(4.0) && lag("quick") == Some(0.0)).then_some(())
    });
    server.stop();
}

#[test]
fn an_https_receiver_must_have_a_certificate_that_this_machine_trusts() {
    let ((receiver, trusted), (_, other)) = (Receiver::start_with_tls(), Receiver::start_with_tls());
    let folder = tempfile::tempdir().unwrap();
    let (trusted, other) = (file(folder.path(), "a.pem", &trusted, 0o600), file(folder.path(), "b.pem", &other, 0o600));
    let config = webhook("a", &receiver, "'registered'");
    let place = Installation::new(&config.replace("http://127.0.0.1", "https://localhost"));
    let server = place.start(&[ENV[0], ("SSL_CERT_FILE", other.to_str().unwrap())]);
    Person::registers(&server);
    let failed = "counterfoil_webhook_attempts_total{name=\"a\",outcome=\"failed\"}";
    eventually("an attempt", || metric(&server, failed).filter(|attempts| *attempts > 0.0));
    assert!(receiver.deliveries().is_empty(), "nothing was said to a stranger");
    server.stop();
    let server = place.start(&[ENV[0], ("SSL_CERT_FILE", trusted.to_str().unwrap())]);
    takes(&receiver, &["registered"]);
    server.stop();
}

#[test]
fn s6_a_failing_receiver_is_logged_once_and_neither_secret_nor_path_ever() {
    let receiver = Receiver::start();
    receiver.answers(&[500, 500, 500, 500]);
    let config = webhook("a", &receiver, "'*'").replace("/hook", "/hooks/T0KEN?k=S3CRET");
    let place = Installation::new(&config);
    let server = place.start(&[ENV[0], ("COUNTERFOIL_LOG", "trace")]);
    Person::registers(&server);
    takes(&receiver, &["registered"]);
    assert!(receiver.deliveries()[0].line.contains("T0KEN"));
    let log = server.stop();
    let raw = "0123456789abcdef0123456789abcdef";
    for secret in [SECRET, &SECRET[6..], raw, "T0KEN", "S3CRET", receiver.deliveries()[0].header("webhook-signature")] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert_eq!(log.matches("does not take events").count(), 1, "{log}");
    assert_eq!(log.matches("answers again").count(), 1, "{log}");
}

#[test]
fn s6_a_bad_secret_stops_the_start_and_is_not_repeated() {
    let receiver = Receiver::start();
    let place = Installation::new(&webhook("a", &receiver, "'*'"));
    let said = place.refusal(&[]);
    assert!(said.contains("webhooks.a.secret_env") && said.contains("HOOK_SECRET is not set"), "{said}");
    let said = place.refusal(&[("HOOK_SECRET", "whsec_c2hvcnQ=")]);
    assert!(said.contains("32 to 64 random bytes") && !said.contains("c2hvcnQ"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let open = file(folder.path(), "open", SECRET, 0o644);
    let config =
        webhook("a", &receiver, "'*'").replace("secret_env = 'HOOK_SECRET'", &format!("secret_file = {open:?}"));
    let said = Installation::new(&config).refusal(&[]);
    assert!(said.contains("can be read by other users (mode 644)"), "{said}");
    file(folder.path(), "open", SECRET, 0o600);
    let place = Installation::new(&config);
    let server = place.start(&[]);
    Person::registers(&server);
    takes(&receiver, &["registered"]);
    assert!(receiver.deliveries()[0].is_signed_with(SECRET));
    server.stop();
}

/// What the guide tells receivers to do, done as it is written there.
#[test]
fn the_guides_receiver_accepts_what_is_signed_and_refuses_the_rest() {
    let receiver = Receiver::start();
    let place = Installation::new(&webhook("a", &receiver, "'*'"));
    let server = place.start(&ENV);
    Person::registers(&server);
    takes(&receiver, &["registered"]);
    server.stop();
    let snippet = GUIDE.split("```js\n").nth(1).expect("a script").split("```").next().unwrap();
    let delivery = receiver.deliveries().remove(0);
    let script = format!(
        "{snippet}\nconst [headers, body, seconds] = JSON.parse(process.argv[1]);\n\
         try {{ console.log(verify(headers, Buffer.from(body), process.env.HOOK_SECRET, seconds).type) }}\n\
         catch (error) {{ console.log('refused') }}"
    );
    let verify = |body: &str, secret: &str, later: u64| {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), delivery.header(name).into())).collect();
        let now = delivery.header("webhook-timestamp").parse::<u64>().unwrap() + later;
        let argument = serde_json::json!([headers, body, now]).to_string();
        let mut command = Command::new("node");
        command.args(["--input-type=module", "-e", &script, &argument]).env("HOOK_SECRET", secret);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(verify(&delivery.body, SECRET, 0), "registered");
    assert_eq!(verify(&delivery.body.replace("registered", "banned"), SECRET, 0), "refused");
    assert_eq!(verify(&delivery.body, "whsec_NDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", 0), "refused");
    assert_eq!(verify(&delivery.body, SECRET, 301), "refused");
}
