//! What the pages say, and in which language. That every word of them is in the file, a browser shows: `tests/browser/words.test.mjs`.

use crate::support::{Answer, Server, TestApp, run};
use counterfoil::http::problem::Code;
use counterfoil::words::BUILT_IN;
use counterfoil_core::audit::Event;
use counterfoil_core::risk::Signal;
use counterfoil_core::session::EndReason;
use counterfoil_core::ssf::stream::Status;
use http::{HeaderValue, Method, header};
use std::collections::BTreeSet;
use std::path::Path;

/// Names that are made of a code, and where the codes are from. Everything else stands in the source as it is.
const OF_CODES: [(&str, &str); 19] = [
    ("device", "words of the server for a device"),
    ("network", "words of the server for a network"),
    ("problem", "codes of answers with their reasons; those of the scripts' own"),
    ("ended", "reasons of ended sessions, and of the gate"),
    ("account.why", "reasons of ended sessions"),
    ("admin.why", "reasons of ended sessions"),
    ("prove_by", "ways to prove who one is"),
    ("prove_instead", "ways to prove who one is"),
    ("admin.key_state", "states of keys"),
    ("admin.stream_delivery", "ways in which streams are told"),
    ("admin.stream_status", "states of streams"),
    ("admin.key_carries", "states of keys"),
    ("admin.risk_found", "signals"),
    ("admin.risk_moment", "moments of an assessment"),
    ("admin.risk_done", "moments and actions"),
    ("admin.risk_instead", "actions"),
    ("admin.risk_asks", "actions"),
    ("admin.actor", "actors of the audit log"),
    ("admin.event", "events of the audit log"),
];

/// The names of all messages of a file.
fn names(table: &toml::Table, prefix: &str, found: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) if !inner.contains_key("other") => names(inner, &key, found),
            _ => {
                found.insert(key);
            }
        }
    }
}

fn english() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    names(&BUILT_IN.parse().unwrap(), "", &mut found);
    found
}

/// The code of every page: templates and scripts, without comments.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for (folder, ending) in [(folder.join("src/http/page"), "rs"), (folder.join("assets"), "js")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with(['/', '*']));
                found.push((path.display().to_string(), code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// Whether a text in quotes looks like the name of a message, or of a table of them.
fn is_name(text: &str, tables: &BTreeSet<&str>) -> bool {
    let plain =
        text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    let file = [".js", ".json", ".jsonl", ".css"].iter().any(|ending| text.ends_with(ending));
    let (table, _) = text.split_once('.').unwrap_or_default();
    plain && !file && tables.contains(table)
}

#[test]
fn every_message_that_is_said_is_in_the_file_and_every_one_in_the_file_is_said() {
    let english = english();
    let tables: BTreeSet<&str> = english.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    let of_code = |name: &str| OF_CODES.iter().any(|(group, _)| *group == name);
    let mut said = BTreeSet::new();
    for (path, text) in sources() {
        for name in text.split('"').filter(|text| is_name(text, &tables)) {
            assert!(english.contains(name) || of_code(name), "{path}: \"{name}\" is not in messages/en.toml");
            said.insert(name.to_owned());
        }
        // `group.${code}`, and inWordsOf("group", code, …).
        let filled = text.split('`').filter_map(|text| text.split_once(".${"));
        let called = text.split("inWordsOf(\"").skip(1).filter_map(|text| text.split_once('"'));
        for group in filled
            .chain(called)
            .map(|(group, _)| group)
            .filter(|group| tables.contains(group.split('.').next().unwrap_or_default()))
        {
            assert!(of_code(group), "{path}: names are made in \"{group}\"; say in OF_CODES of which codes");
            said.insert(group.to_owned());
        }
    }
    let is_said = |name: &String| said.contains(name) || name.rsplit_once('.').is_some_and(|(group, _)| of_code(group));
    let never: Vec<&String> = english.iter().filter(|name| !is_said(name)).collect();
    assert!(never.is_empty(), "nobody says {never:?}: take them out of messages/en.toml");
    let unused: Vec<&str> = OF_CODES.iter().map(|(group, _)| *group).filter(|group| !said.contains(*group)).collect();
    assert!(unused.is_empty(), "no names are made in {unused:?}: take them out of OF_CODES");
}

/// The names in this table.
fn below<'a>(english: &'a BTreeSet<String>, group: &str) -> BTreeSet<&'a str> {
    english.iter().filter_map(|name| name.strip_prefix(group)?.strip_prefix('.')).collect()
}

#[test]
fn what_the_codes_can_be_has_words() {
    let english = english();
    let of = |group: &str| below(&english, group);
    assert_eq!(of("admin.event"), Event::all().map(Event::as_str).collect());
    assert_eq!(of("admin.risk_found"), Signal::ALL.into_iter().map(Signal::as_str).collect());
    for group in ["ended", "account.why", "admin.why"] {
        let others = ["unknown", "reauthenticate", "unproven"];
        let reasons: BTreeSet<&str> = of(group).into_iter().filter(|name| !others.contains(name)).collect();
        assert!(reasons.iter().all(|name| EndReason::from_name(name).is_some()), "{group}: {reasons:?}");
        assert_eq!(reasons.len(), 8, "{group}: {reasons:?}");
    }
    let own =
        ["network", "timeout", "passkey_cancelled", "passkey_failed", "something_wrong", "something_wrong_status"];
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let is_code = |name: &str| {
        codes.iter().any(|code| name.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
    };
    let strange: Vec<&str> = of("problem").into_iter().filter(|name| !own.contains(name) && !is_code(name)).collect();
    assert!(strange.is_empty(), "no answer has these codes: {strange:?}");
    assert_eq!(of("prove_by"), of("prove_instead"));
    assert_eq!(of("admin.key_state"), of("admin.key_carries"));
    assert!(of("admin.stream_status").into_iter().all(|word| Status::from_name(word).is_some()));
    assert_eq!((of("admin.stream_status").len(), of("admin.stream_delivery")), (3, ["poll", "push"].into()));
}

#[test]
fn no_words_stand_in_the_templates_or_the_scripts() {
    for (path, text) in sources() {
        let sentence = |text: &&str| {
            let plain = text.chars().all(|c| c.is_alphabetic() || " ,.;:?!'…".contains(c));
            plain && text.starts_with(char::is_uppercase) && text.split(' ').filter(|word| word.len() > 1).count() > 1
        };
        let found: Vec<&str> = text.split(['"', '`']).filter(sentence).collect();
        assert!(found.is_empty(), "{path}: {found:?} belongs into messages/en.toml");
    }
}

/// An application with a folder of these files.
async fn speaking(files: &[(&str, &str)]) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    (TestApp::with(&format!("[pages]\nmessages = '{}'", folder.path().display())).await, folder)
}

/// A page in the language that is asked for.
async fn page(app: &TestApp, path: &str, accepted: &'static str) -> Answer {
    let mut browser = app.browser();
    let mut request = browser.request(Method::GET, path);
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
    browser.send(request).await
}

#[tokio::test]
async fn rfc9110_12_5_4_pages_are_in_the_language_that_the_browser_prefers() {
    let (app, _folder) =
        speaking(&[("de.toml", "[login]\nheading = \"Anmelden\"\n[account]\nheading = \"Ihr Konto\"")]).await;
    for (accepted, language, heading) in
        [("de-CH, en;q=0.9", "de", "Anmelden"), ("fr", "en", "Sign in"), ("", "en", "Sign in")]
    {
        let login = page(&app, "/login", accepted).await;
        assert_eq!(login.headers[header::CONTENT_LANGUAGE], language);
        assert_eq!(login.headers[header::VARY], "accept-language");
        assert!(login.text.contains(&format!("<html lang=\"{language}\" dir=\"ltr\">")), "{}", login.text);
        assert!(login.text.contains(&format!("tabindex=\"-1\">{heading}</h1>")), "{}", login.text);
        assert!(login.text.contains(&format!("&amp;lang={language}\"")), "the scripts know it: {}", login.text);
    }
    for path in ["/login", "/register", "/account", "/admin/users", "/admin/users/x", "/admin/audit"] {
        assert_eq!(page(&app, path, "de").await.headers[header::CONTENT_LANGUAGE], "de", "{path}");
    }
    assert!(page(&app, "/account", "de").await.text.contains("<h1>Ihr Konto</h1>"));
}

#[tokio::test]
async fn the_scripts_get_the_same_messages_and_may_keep_them() {
    let (app, _folder) = speaking(&[("de.toml", "[login]\nheading = \"Anmelden\"")]).await;
    let login = page(&app, "/login", "de").await.text;
    let start = login.find("/assets/messages.js").unwrap();
    let address: String = login[start..].chars().take_while(|c| *c != '"').collect();
    let script = app.browser().get(&address.replace("&amp;", "&")).await;
    assert_eq!(
        (script.status.as_u16(), &script.headers[header::CONTENT_TYPE]),
        (200, &HeaderValue::from_static("text/javascript; charset=utf-8"))
    );
    assert!(script.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(script.text.contains("\"login.heading\":\"Anmelden\""), "{}", script.text);
    // Whoever asks for a language that is not here gets English, and nobody keeps it as something else.
    for unknown in ["/assets/messages.js", "/assets/messages.js?lang=fr", "/assets/messages.js?lang=%22%3E"] {
        let english = app.browser().get(unknown).await;
        assert!(english.text.contains("\"login.heading\":\"Sign in\""), "{unknown}");
        assert_eq!(english.headers[header::CACHE_CONTROL], "no-store", "{unknown}");
    }
    let other = page(&app, "/login", "en").await.text;
    assert!(!other.contains(&address), "another language has another address");
}

#[tokio::test]
async fn messages_are_text_and_never_html() {
    let hostile = "[login]\nheading = '<img src=x onerror=alert(1)>'\nnew_here = '<b>{register}</b>'\n[register]\nintro = '</p><script>{service}'";
    let (app, _folder) = speaking(&[("de.toml", hostile)]).await;
    let text = page(&app, "/login", "de").await.text;
    assert!(!text.contains("<img src") && text.contains("&lt;img src=x onerror=alert(1)&gt;"), "{text}");
    assert!(text.contains("&lt;b&gt;<a id=\"register-link\""), "an element stands where its placeholder is: {text}");
    let text = page(&app, "/register", "de").await.text;
    assert!(text.contains("&lt;/p&gt;&lt;script&gt;<strong>Counterfoil</strong>"), "{text}");
}

#[tokio::test]
async fn a_language_from_the_right_is_written_from_the_right() {
    let (app, _folder) = speaking(&[("ar.toml", "[login]\nheading = \"تسجيل الدخول\"")]).await;
    let text = page(&app, "/login", "ar-EG").await.text;
    assert!(text.contains("<html lang=\"ar\" dir=\"rtl\">") && text.contains(">تسجيل الدخول</h1>"), "{text}");
}

#[tokio::test]
async fn a_wrong_file_stops_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("de.toml"), "[login]\nheadng = \"Anmelden\"").unwrap();
    let refused = TestApp::try_with(&format!("[pages]\nmessages = '{}'", folder.path().display())).await.err().unwrap();
    let expected = format!(
        "configuration key `pages.messages`: {}/de.toml: `login.headng` is the name of no message; `counterfoil messages` prints all",
        folder.path().display()
    );
    assert_eq!(refused.to_string(), expected);
}

#[tokio::test]
async fn why_a_password_is_refused_is_said_in_a_stable_word() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    for (password, reason) in
        [("short", "too_short"), ("abcdefghijklmnopqrst", "predictable"), (&"x1".repeat(600), "too_long")]
    {
        let answer = browser
            .post_json("/api/auth/register", &serde_json::json!({ "email": "a@example.com", "password": password }))
            .await;
        assert_eq!(
            (answer.code().as_str(), &answer.json()["reason"]),
            ("password_rejected", &reason.into()),
            "{}",
            answer.text
        );
        assert_eq!(answer.json().get("most").is_some(), reason == "too_long");
    }
}

#[test]
fn what_is_missing_is_said_once_at_the_start_and_listed_by_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let german = "[login]\nheading = \"Anmelden\"\n";
    std::fs::write(folder.path().join("de.toml"), german).unwrap();
    std::fs::write(folder.path().join("fr.toml"), BUILT_IN).unwrap();
    let path = folder.path().to_str().unwrap();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[("COUNTERFOIL__PAGES__MESSAGES", path)]);
    let log = server.stop();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("messages are missing")).collect();
    let missing = english().len() - 1;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("\"language\":\"de\"") && told[0].contains(&format!("\"missing\":{missing}")), "{told:?}");

    let (ok, printed, _) = said(&["messages"]);
    assert!(ok && printed == BUILT_IN);
    let (ok, listed, _) = said(&["messages", "--check", path]);
    assert!(
        ok && listed.starts_with(&format!("de: 1 of {} messages\n  account.address.busy\n", missing + 1)),
        "{listed}"
    );
    assert!(
        listed.ends_with(&format!("fr: {0} of {0} messages\n", missing + 1)) && !listed.contains("login.heading"),
        "{listed}"
    );
    std::fs::write(folder.path().join("de.toml"), "[login]\nheading = 1").unwrap();
    let (ok, _, error) = said(&["messages", "--check", path]);
    assert!(!ok && error.contains("de.toml: `login.heading` is an integer; expected a text"), "{error}");
}

fn said(args: &[&str]) -> (bool, String, String) {
    let output = run(args, "");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}
