//! `counterfoil import`: beside a running server and alone.

use super::{BCRYPT, BCRYPT_PASSWORD, vectors};
use crate::support::{BINARY, Exchange, Server, exchange, run};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A data folder, and files beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Made by `init`.
    fn initialised() -> Self {
        let place = Self::new();
        assert!(run(&["init", "--data", &place.data()], "").status.success());
        place
    }

    fn data(&self) -> String {
        self.path("data").to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Exit code, standard output, standard error.
    fn import(&self, args: &[&str]) -> (i32, String, String) {
        let data = self.data();
        let output = run(&[&["import", "--data", &data], args].concat(), "");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn import_json(&self, args: &[&str]) -> Value {
        let (_, report, error) = self.import(&[&["--json"], args].concat());
        serde_json::from_str(&report).unwrap_or_else(|_| panic!("{report}{error}"))
    }

    fn users(&self) -> Vec<Value> {
        let output = run(&["user", "list", "--json", "--data", &self.data()], "");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn login(server: &Server, email: &str, password: &str) -> Exchange {
    let body = json!({ "email": email, "password": password }).to_string();
    exchange(server.address, "POST /api/auth/login", &[("Content-Type", "application/json")], &body).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is wrong stands in the lines that are said below.
fn csv() -> Vec<u8> {
    let good = format!(
        "\u{feff}email,name,roles,created_at,banned,password_hash\r\n\
         ada@example.com,\"Ada, Countess\",editor;admin,2020-01-01T00:00:00Z,false,{BCRYPT}\r\n\
         not an address,,,,,\r\n\
         grace@example.com,\"Grace\r\nHopper\",,,,\r\n\
         ADA@example.com,,,,,{BCRYPT}\r\n\
         \r\n\
         kurt@example.com,,,,perhaps,\r\n\
         emmy@example.com,,,,true,5f4dcc3b5aa765d61d8327deb882cf99\r\n\
         alan@example.com,,,2020-13-01,,\r\n\
         lise@example.com,x\r\n"
    );
    [good.as_bytes(), b"m\xfcller@example.com,,,,,\r\nsofia@example.com,,,,t,"].concat()
}

fn wrong() -> Vec<(u64, &'static str)> {
    vec![
        (3, "`email` is not an email address"),
        (4, "`name` must be at most 200 bytes of printable text"),
        (6, "line 2 has the same address"),
        (8, "`banned` must be true or false"),
        (
            9,
            "`password_hash` is of no kind that is understood: bcrypt, scrypt, PBKDF2 with SHA-256 or SHA-512, Argon2, Firebase's scrypt",
        ),
        (10, "`created_at` must be a time such as 2026-11-21T08:00:00Z, from 1970 on (RFC 3339)"),
        (11, "it has 2 fields, the header line 6"),
        (12, "it is not UTF-8"),
    ]
}

#[test]
fn import_lists_wrong_lines_with_their_numbers_and_takes_the_rest() {
    let place = Place::initialised();
    let file = place.write("accounts.csv", csv());
    let report = place.path("report.jsonl");
    let with_report = ["--report", report.to_str().unwrap(), &file];

    let (code, text, error) = place.import(&[&["--dry-run"], &with_report[..]].concat());
    assert_eq!(code, 1, "{error}");
    assert!(
        text.ends_with("2 would be imported (1 without a password), 0 already there, 8 would be refused\n"),
        "{text}"
    );
    assert_eq!(place.users(), Vec::<Value>::new(), "nothing was written");

    let (code, text, error) = place.import(&with_report);
    assert_eq!((code, error.as_str()), (1, ""));
    let expected: Vec<String> = wrong().iter().map(|(line, why)| format!("line {line}: {why}")).collect();
    let said: Vec<&str> = text.lines().collect();
    assert_eq!(said[..8], expected);
    assert_eq!(said[8..], ["2 imported (1 without a password), 0 already there, 8 refused"]);
    let expected: Vec<Value> = wrong().iter().map(|(line, why)| json!({ "line": line, "why": why })).collect();
    let mut reported = lines(&report);
    reported.sort_by_key(|entry| entry["line"].as_u64());
    assert_eq!(reported, expected);

    let users = place.users();
    let of = |email: &str| users.iter().find(|user| user["email"] == email).unwrap();
    assert_eq!(users.len(), 2);
    let ada = of("ada@example.com");
    assert_eq!((&ada["name"], &ada["roles"]), (&json!("Ada, Countess"), &json!(["admin", "editor"])));
    assert_eq!(ada["created_at"], "2020-01-01T00:00:00Z");
    assert_eq!((&ada["banned"], of("sofia@example.com")["banned"].is_object()), (&Value::Null, true));

    let again = place.import_json(&[&file]);
    let counts = ["imported", "already_there", "refused"].map(|name| again[name].as_u64().unwrap());
    assert_eq!(counts, [0, 2, 8], "a repeat changes nothing");
    assert_eq!(again["refused_lines"], json!(expected));
    assert_eq!(place.users(), users);
}

#[test]
fn import_refuses_a_file_that_is_wrong_as_a_whole_before_anything_is_written() {
    let place = Place::initialised();
    let good = "email,name\na@example.com,A\n";
    for (name, text, args, why) in [
        ("a.csv", "email,nmae\na@example.com,A\n", &[][..], "unknown columns: nmae; there are email, name"),
        ("a.csv", "name\nA\n", &[], "there is no column email"),
        ("a.csv", "", &[], "the file is empty"),
        ("a.txt", good, &[], "--format csv or --format jsonl"),
        ("a.csv", "email;name\na@example.com;A\n", &[], "unknown columns: email;name"),
        ("a.csv", good, &["--firebase-config", "/nonexistent"], "cannot read /nonexistent"),
        ("a.csv", good, &["--report", "/nonexistent/report"], "cannot write /nonexistent/report"),
    ] {
        let file = place.write(name, text);
        let (code, out, error) = place.import(&[args, &[file.as_str()][..]].concat());
        assert!(code == 1 && out.is_empty() && error.contains(why), "{why}: {out}{error}");
    }
    let (code, _, error) = place.import(&["--format", "csv", place.0.path().to_str().unwrap()]);
    assert!(code == 1 && error.contains("not a regular file"), "{error}");
    assert_eq!(place.users(), Vec::<Value>::new());
}

#[test]
fn import_of_json_lines_beside_a_server_and_then_signing_in() {
    let place = Place::new();
    let server = Server::start(&place.path("data"), &[]);
    let mut text = String::new();
    for (n, vector) in vectors().iter().enumerate().filter(|(_, vector)| vector["firebase"].is_null()) {
        writeln!(text, "{}", json!({ "email": format!("u{n}@x.org"), "password_hash": vector["hash"] })).unwrap();
    }
    text.push_str("{\"email\":\"u0@x.org\"}\n\n{\"email\":\"long@x.org\",\"name\":\"");
    text.push_str(&"x".repeat(100_000));
    text.push_str("\"}\nnot json\n{\"email\":\"last@x.org\",\"roles\":[\"editor\"]}");
    let file = place.write("accounts.ndjson", &text);
    let report = place.import_json(&[&file]);
    let imported = vectors().iter().filter(|vector| vector["firebase"].is_null()).count() as u64;
    assert_eq!((&report["imported"], &report["without_password"]), (&json!(imported + 1), &json!(1)), "{report}");
    let expected = json!([
        { "line": imported + 1, "why": "line 1 has the same address" },
        { "line": imported + 3, "why": "it is longer than 16384 bytes" },
        { "line": imported + 4, "why": "it is not JSON, or has a member twice" },
    ]);
    assert_eq!(report["refused_lines"], expected);
    assert_eq!(login(&server, "u0@x.org", BCRYPT_PASSWORD).status, 200);
    assert_eq!(login(&server, "u0@x.org", "wrong").status, 401);
    assert_eq!(login(&server, "last@x.org", "").status, 401);
    server.stop();
}

#[test]
fn import_of_firebase_accounts_by_a_file_of_parameters_and_by_columns() {
    let place = Place::new();
    let server = Server::start(&place.path("data"), &[]);
    let of = |source: &str| {
        let found = vectors().into_iter().find(|vector| vector["source"] == source && vector["salt"].is_string());
        let vector = found.unwrap();
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let parameters =
            ["signer_key", "salt_separator", "rounds", "mem_cost"].map(|name| word(&vector["firebase"][name]));
        (["hash", "salt", "password"].map(|name| word(&vector[name])), parameters)
    };
    let (ada, [key, separator, rounds, cost]) = of("firebase/scrypt");
    let config = place.write(
        "project",
        format!(
            "hash_config {{\n  algorithm: SCRYPT,\n  base64_signer_key: {key},\n  base64_salt_separator: {separator},\n  \
             rounds: {rounds},\n  mem_cost: {cost},\n}}\n"
        ),
    );
    let (grace, parameters) = of("ory/kratos");
    let text = format!(
        "email,password_hash,password_salt,firebase_signer_key,firebase_salt_separator,firebase_rounds,firebase_mem_cost\n\
         ada@x.org,{},{},,,,\n\
         grace@x.org,{},{},{}\n\
         no-hash@x.org,,{},,,,\n\
         half@x.org,{},{},{},,,\n\
         none@x.org,,,,,,\n",
        ada[0],
        ada[1],
        grace[0],
        grace[1],
        parameters.join(","),
        ada[1],
        ada[0],
        ada[1],
        parameters[0]
    );
    let file = place.write("accounts.csv", text);
    let without = place.import_json(&["--dry-run", &file]);
    assert_eq!(without["imported"], 2);
    assert!(without["refused_lines"][0]["why"].as_str().unwrap().contains("--firebase-config FILE"), "{without}");

    let report = place.import_json(&["--firebase-config", &config, &file]);
    assert_eq!((&report["imported"], &report["refused"]), (&json!(3), &json!(2)), "{report}");
    for (email, [_, _, password]) in [("ada@x.org", &ada), ("grace@x.org", &grace)] {
        assert_eq!(login(&server, email, "wrong").status, 401);
        assert_eq!(login(&server, email, password).status, 200, "{email}");
        assert_eq!(login(&server, email, password).status, 200, "{email}");
    }
    server.stop();
    let files = ["counterfoil.db", "counterfoil.db-wal"].map(|name| std::fs::read(place.path("data").join(name)));
    let all: Vec<u8> = files.into_iter().flatten().flatten().collect();
    assert!(!all.windows(key.len()).any(|window| window == key.as_bytes()), "the signer key is kept nowhere");
}

/// Killed after some batches; what went in went in by whole batches, and the second run does the rest.
#[test]
fn import_that_is_killed_in_the_middle_goes_on_when_it_is_run_again() {
    const ACCOUNTS: usize = 20_000;
    let place = Place::initialised();
    let mut text = String::from("email,password_hash\n");
    for n in 0..ACCOUNTS {
        writeln!(text, "user{n}@example.com,{BCRYPT}").unwrap();
        if n == 700 {
            text.push_str("a line that is wrong,\n");
        }
    }
    let (file, report) = (place.write("accounts.csv", text), place.path("report.jsonl"));
    let mut command = Command::new(BINARY);
    command.args(["import", "--data", &place.data(), "--report", report.to_str().unwrap(), &file]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The report is written out after the batch that the wrong line is in: two batches are done by then.
    while std::fs::metadata(&report).map_or(0, |data| data.len()) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it was over before it could be killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let there = place.users().len();
    assert!((999..ACCOUNTS).contains(&there), "{there} accounts");
    assert_eq!(there % 500, 499, "whole batches of 500, one of them with a wrong line");
    let rest = place.import_json(&[&file]);
    let counts = ["imported", "already_there", "refused"].map(|name| rest[name].as_u64().unwrap());
    assert_eq!(counts, [(ACCOUNTS - there) as u64, there as u64, 1]);
    assert_eq!(place.users().len(), ACCOUNTS);
}
