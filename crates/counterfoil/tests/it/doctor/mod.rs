//! `counterfoil doctor` against servers of all kinds: ours, one that does everything wrong, and somebody else's that does it right.

mod sites;

use crate::support::{EMAIL, PASSWORD, Server, exchange, run};
use serde_json::Value;
use sites::Site;
use std::collections::BTreeSet;

/// Its exit code, report, and what it has said beside.
fn examined(args: &[&str], stdin: &str) -> (i32, Value, String) {
    let output = run(&[&["doctor", "--json"], args].concat(), stdin);
    let said = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), report, said)
}

/// The requirements with this verdict.
fn of<'a>(report: &'a Value, verdict: &str) -> BTreeSet<&'a str> {
    let findings = report["checks"].as_array().unwrap().iter().flat_map(|check| check["findings"].as_array().unwrap());
    findings.filter(|one| one["verdict"] == verdict).map(|one| one["id"].as_str().unwrap()).collect()
}

fn register(server: &Server) {
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let json = [("Content-Type", "application/json")];
    assert_eq!(exchange(server.address, "POST /api/auth/register", &json, &body).unwrap().status, 201);
}

#[test]
fn at_our_own_server_nothing_is_wrong_with_or_without_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    register(&server);
    let url = server.origin();
    let account: &[&str] = &[&url, "--yes", "--email", EMAIL, "--password-stdin", "--tries", "3"];
    let (code, report, _) = examined(account, PASSWORD);
    assert_eq!((code, of(&report, "wrong")), (0, BTreeSet::new()), "{report:#}");
    // What http on this machine cannot show, and the metrics, which this machine may read.
    assert_eq!(of(&report, "note"), ["ASVS-12.2.1", "ASVS-13.4.5"].into(), "{report:#}");
    let seen = of(&report, "fine");
    for id in ["ASVS-3.3.4", "ASVS-3.4.3", "CSRF-4", "FM-2", "CSRF-1", "ASVS-7.4.1", "JWK-9", "MD-1", "JWT-4.1.4"] {
        assert!(seen.contains(id), "{id}: {report:#}");
    }
    for id in ["ATK-40", "ATK-39", "ASVS-6.3.1", "ASVS-16.5.1", "BBA-8", "T1", "TOK-1", "ATK-35"] {
        assert!(seen.contains(id), "{id}: {report:#}");
    }
    let (code, report, said) = examined(&[&url], "");
    assert_eq!((code, of(&report, "wrong")), (0, BTreeSet::new()), "{report:#}");
    assert!(said.contains("> GET /login") && !said.contains("> POST"), "{said}");
    server.stop();
}

#[test]
fn each_thing_that_a_bad_site_does_is_found_by_its_requirement() {
    let site = Site::bad();
    let account = [site.url.as_str(), "--yes", "--email", EMAIL, "--password-stdin"];
    let (code, report, _) = examined(&account, PASSWORD);
    assert_eq!(code, 1, "{report:#}");
    let expected: BTreeSet<&str> = [
        "ASVS-3.3.4",
        "ASVS-3.3.2",
        "NIST-5.1.1",
        "CK-5.5",
        "CK-5.7b",
        "CK-5.7a",
        "ASVS-3.4.3",
        "SEC-4.16",
        "ASVS-3.4.4",
        "SEC-4.2",
        "ASVS-14.3.2",
        "TOK-1",
        "CSRF-5",
        "ASVS-3.4.2",
        "CSRF-4",
        "FM-2",
        "CSRF-1",
        "ASVS-7.4.1",
        "JWK-9",
        "JWT-BCP-3.1c",
        "JWA-3.3",
        "MD-1",
        "JWT-4.1.4",
        "ATK-40",
        "ATK-39",
        "ASVS-6.3.8",
        "ASVS-16.5.1",
        "ASVS-14.2.1",
        "BBA-8",
        "ASVS-13.4.5",
    ]
    .into();
    let found = of(&report, "wrong");
    assert_eq!(found, expected, "{report:#}");
    let notes = of(&report, "note");
    for id in ["ASVS-12.2.1", "ASVS-3.3.1", "ASVS-3.3.3", "ASVS-6.3.1", "ASVS-13.4.6", "T1", "ATK-35"] {
        assert!(notes.contains(id), "{id}: {report:#}");
    }
}

#[test]
fn what_was_handed_out_is_never_printed() {
    let site = Site::bad();
    for json in [true, false] {
        let mut args = vec!["doctor", site.url.as_str(), "--yes", "--email", EMAIL, "--password-stdin"];
        args.extend(json.then_some("--json"));
        let output = run(&args, PASSWORD);
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains(sites::HANDED_OUT) && !text.contains("eyJ") && !text.contains(PASSWORD), "{text}");
        }
    }
}

#[test]
fn somebody_elses_site_with_a_form_that_does_it_right_has_nothing_wrong() {
    let site = Site::good();
    let paths =
        ["--sign-in", "/enter", "--sign-out", "/leave", "--who", "/who", "--refresh", "/none", "--forgot", "/lost"];
    let account = [&[site.url.as_str(), "--yes", "--email", EMAIL, "--password-stdin"], &paths[..]].concat();
    let (code, report, _) = examined(&account, PASSWORD);
    assert_eq!((code, of(&report, "wrong")), (0, BTreeSet::new()), "{report:#}");
    let seen = of(&report, "fine");
    for id in ["CSRF-4", "FM-2", "CSRF-1", "ASVS-7.4.1", "ATK-39", "ASVS-6.3.8", "ASVS-6.3.1", "ASVS-3.3.4", "TOK-1"] {
        assert!(seen.contains(id), "{id}: {report:#}");
    }
}

#[test]
fn it_stays_within_its_bounds_and_says_who_it_is() {
    let site = Site::bad();
    let (_, _, said) = examined(&[&site.url, "--yes", "--email", EMAIL, "--password-stdin"], PASSWORD);
    let asked = site.asked();
    assert!(asked.len() <= 64, "{} requests", asked.len());
    assert_eq!(
        asked.len(),
        said.lines().filter(|line| line.starts_with("> ")).count(),
        "each is said beforehand: {said}"
    );
    assert!(asked.iter().all(|one| one.user_agent.starts_with("counterfoil-doctor/")));
    assert_eq!(site.most_at_once(), 1);
    let (_, report, said) = examined(&[&site.url], "");
    let after = site.asked().split_off(asked.len());
    assert!(after.iter().all(|one| matches!(one.method.as_str(), "GET" | "OPTIONS")), "{said}");
    assert!(of(&report, "unseen").contains("CSRF-4") && said.contains("Without --yes"), "{report:#}");
}

#[test]
fn with_a_certificate_that_is_not_trusted_the_rest_is_examined_and_no_password_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &[], &["--tls-self-signed"]);
    let url = format!("https://localhost:{}", server.address.port());
    let (code, report, _) = examined(&[&url, "--yes", "--tries", "1", "--email", EMAIL, "--password-stdin"], PASSWORD);
    assert_eq!((code, of(&report, "wrong")), (1, ["ASVS-12.2.2"].into()), "{report:#}");
    let seen = of(&report, "fine");
    assert!(["ASVS-12.1.1", "ASVS-3.4.1", "MD-1"].iter().all(|id| seen.contains(id)), "{report:#}");
    let text = report.to_string();
    assert!(text.contains("the password would go where its certificate is not trusted"), "{text}");
    server.stop();
}

#[test]
fn what_cannot_be_examined_is_said_and_exits_with_two() {
    let free = crate::support::free_port();
    let nobody = format!("http://127.0.0.1:{free}");
    let wrong: [(&[&str], &str); 5] = [
        (&[&nobody], "no connection to 127.0.0.1"),
        (&["ftp://example.com"], "expected one such as https://app.example.com"),
        (&["https://user:secret-word@example.com"], "--password-stdin"),
        (&[&nobody, "--sign-in", "https://example.com/x"], "no path of this site"),
        (&[&nobody, "--login-api", "/in", "--fields", "email"], "two names"),
    ];
    for (args, expected) in wrong {
        let (code, report, said) = examined(args, "");
        assert_eq!((code, &report), (2, &Value::Null), "{args:?}");
        assert!(said.contains(expected) && !said.contains("secret-word"), "{said}");
    }
}
