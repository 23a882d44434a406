//! Passwords that others know: refused when they are chosen, told of when they are used.

use super::{BERLIN, elsewhere, password, told};
use crate::support::{EMAIL, PASSWORD, TestApp};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;
use std::sync::Arc;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const OTHER: &str = "another horse and battery";

fn sha1(password: &str) -> String {
    let digits = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let digits: Vec<String> = digits.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    digits.concat()
}

/// A list on which these passwords stand, among others.
fn list(passwords: &[&str]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breached.txt");
    let mut lines: Vec<String> = (0..200).map(|n| sha1(&n.to_string())).collect();
    lines.extend(passwords.iter().map(|password| sha1(password)));
    lines.sort();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let toml = format!("[risk]\nbreached_passwords = \"{}\"\n", path.display());
    (folder, toml)
}

#[tokio::test]
async fn a_password_known_from_a_breach_is_not_chosen_any_more() {
    let (_folder, toml) = list(&[OTHER]);
    let app = TestApp::with(&toml).await;
    let mut ada = app.signed_in().await;
    let breached = json!({ "email": "bob@example.com", "password": OTHER });
    let refused = ada.post_json("/api/auth/register", &breached).await;
    assert_eq!(refused.outcome(), (422, "password_rejected".into()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("known from a breach"), "{}", refused.text);
    let change = json!({ "current_password": PASSWORD, "new_password": OTHER });
    let change = ada.post_json("/api/auth/password/change", &change).await;
    assert_eq!(change.outcome(), (422, "password_rejected".into()));
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200, "the old one is still good");
}

#[tokio::test]
async fn a_password_that_is_in_use_is_told_of_and_goes_on_being_good() {
    let (folder, toml) = list(&[]);
    let app = TestApp::with(&toml).await;
    app.signed_in().await;
    assert_eq!(told(&app).await, Vec::<String>::new());
    // The list is replaced while the server runs.
    let (newer, _) = list(&[PASSWORD]);
    std::fs::rename(newer.path().join("breached.txt"), folder.path().join("breached.txt")).unwrap();
    counterfoil::jobs::once(&app.app).await;
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    let expected = "at=sign_in action=notify rule=password score=30 signals=breached_password:30 application=web";
    assert_eq!(told(&app).await, [expected]);
}

/// A service in the manner of Have I Been Pwned, which answers this for every question; what it was asked.
async fn service(status: &'static str, body: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/range/", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap();
            noted.lock().unwrap().push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    (url, asked)
}

fn asks(url: &str) -> String {
    format!("[risk]\nbreached_passwords_service = \"{url}\"\nbreached_passwords_timeout = \"5s\"\n")
}

#[tokio::test]
async fn a_service_hears_five_digits_and_no_more() {
    let digits = sha1(OTHER);
    let body = format!("{}:7\r\n{}:0\r\n", &digits[5..], &sha1(PASSWORD)[5..]);
    let (url, asked) = service("200 OK", body).await;
    let app = TestApp::with(&asks(&url)).await;
    let mut ada = app.signed_in().await;
    let breached = json!({ "email": "bob@example.com", "password": OTHER });
    assert_eq!(ada.post_json("/api/auth/register", &breached).await.outcome(), (422, "password_rejected".into()));
    let asked = asked.lock().unwrap().clone();
    let last = asked.last().unwrap();
    assert!(last.starts_with(&format!("GET /range/{} HTTP/1.1\r\n", &digits[..5])), "{last}");
    assert!(last.to_ascii_lowercase().contains("add-padding: true"), "{last}");
    let says_more = |one: &String| one.contains(&digits[5..9]) || one.contains(EMAIL) || one.contains(OTHER);
    assert!(!asked.iter().any(says_more), "{asked:?}");
}

#[tokio::test]
async fn a_service_that_fails_stops_nobody_and_is_left_alone_for_a_while() {
    let (url, asked) = service("500 Internal Server Error", String::new()).await;
    let app = TestApp::with(&asks(&url)).await;
    app.signed_in().await;
    let count = || asked.lock().unwrap().len();
    assert_eq!(count(), 1, "asked at the registration, and then not at the sign-in");
    app.pass(31);
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    assert_eq!(count(), 2);
    assert_eq!(told(&app).await, Vec::<String>::new());
}
