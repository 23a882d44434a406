//! What no compiler checks: sizes, directions of dependence, words. Each rule is in CONTRIBUTING.md or an Architecture
//! Invariant in docs/architecture.md.
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below `folder` with this ending, as (path from the root, text).
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !matches!(name, "target" | "node_modules" | "corpus" | "grown" | ".git") {
                open.push(path);
            } else if name.ends_with(ending) {
                let short = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((short, read_to_string(&path).expect("text")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

/// Lines that are code: in front of the tests of the file, not blank.
fn code(text: &str) -> usize {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or(text);
    before_tests.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn no_file_is_longer_than_its_budget() {
    let all = files("crates", ".rs").into_iter().chain(files("bench", ".rs"));
    for (path, text) in all.filter(|(path, _)| !path.ends_with("tests.rs")) {
        assert!(code(&text) <= MOST_LINES, "{path}: {} lines; split it by idea", code(&text));
    }
}

/// The longest function, by the indentation of its closing brace; rustfmt makes that reliable. Clippy checks the same where
/// it looks; this looks everywhere, tests included.
#[test]
fn no_function_is_longer_than_sixty_lines() {
    for (path, text) in files("crates", ".rs").into_iter().chain(files("bench", ".rs")) {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let trimmed = line.trim_start();
            let is_function =
                ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "async fn ", "pub async fn ", "const fn "]
                    .iter()
                    .any(|head| trimmed.starts_with(head));
            // A trait's method without a body ends its signature with a semicolon, perhaps lines further down.
            let signature_ends = lines[start..].iter().find(|line| line.ends_with(['{', ';']));
            if !is_function || signature_ends.is_none_or(|line| line.ends_with(';')) {
                continue;
            }
            let indent = &line[..line.len() - trimmed.len()];
            let closing = format!("{indent}}}");
            let length = lines[start..].iter().position(|line| *line == closing).unwrap_or(0);
            assert!(length <= 60, "{path}:{}: a function of {length} lines", start + 1);
        }
    }
}

/// (files, what may not stand in them, why)
const FORBIDDEN: [(&str, &[&str], &str); 13] = [
    (
        "crates/counterfoil-guard/src",
        &["std::fs", "TcpStream", "UdpSocket", "std::env", "SystemTime", "Instant::now", "rand::"],
        "A1: pure",
    ),
    (
        "crates/counterfoil-core/src",
        &["std::fs", "TcpStream", "UdpSocket", "std::env", "SystemTime", "Instant::now", "rand::", "tokio", "http::"],
        "A1: pure",
    ),
    (
        "crates/counterfoil/src/store",
        &["crate::http", "crate::flow", "crate::cli", "crate::app"],
        "nothing points back",
    ),
    (
        "crates/counterfoil/src/flow",
        &["crate::http", "crate::cli", "axum", "rusqlite", "tokio_postgres", "StatusCode"],
        "flows know no HTTP and no SQL",
    ),
    (
        "crates/counterfoil/src/readers",
        &["crate::http", "crate::flow", "crate::cli", "crate::app", "axum"],
        "readers know the store, the feed and the clock",
    ),
    (
        "crates/counterfoil/src/doctor",
        &["crate::http", "crate::flow", "crate::store", "crate::app", "crate::config", "crate::cli"],
        "the doctor sees what anybody sees",
    ),
    ("crates/counterfoil/src/limits", &["crate::http", "crate::flow", "crate::store"], "nothing points back"),
    ("crates/counterfoil/src/words", &["crate::http", "crate::flow", "crate::store"], "nothing points back"),
    ("crates/counterfoil/src/config", &["crate::http", "crate::flow", "crate::store"], "nothing points back"),
    (
        "crates/counterfoil/src/http",
        &["rusqlite", "tokio_postgres", "crate::cli", "store.refresh(", ".revoke(", ".open("],
        "A4: state changes only through flows",
    ),
    ("crates/counterfoil/src/store/sqlite", &["tokio_postgres"], "one engine each"),
    ("crates/counterfoil/src/cli", &["rusqlite", "tokio_postgres", ".revoke("], "A4: state changes only through flows"),
    ("crates/counterfoil/src", &["unsafe {", "todo!(", "unimplemented!(", "#[allow(", ".unwrap()"], "CONTRIBUTING"),
];

/// What is counted is described, and what is described is counted.
#[test]
fn every_metric_is_in_the_table() {
    let mut used = std::collections::BTreeSet::new();
    let mut described = std::collections::BTreeSet::new();
    for (path, text) in files("crates/counterfoil/src", ".rs") {
        let found = if path.ends_with("telemetry/table.rs") { &mut described } else { &mut used };
        for (at, _) in text.match_indices("\"counterfoil_") {
            let name = text[at + 1..].split('"').next().unwrap_or_default();
            let before = text[..at].trim_end();
            if before.ends_with("!(") || path.ends_with("telemetry/table.rs") {
                found.insert(name.to_owned());
            }
        }
    }
    assert_eq!(used, described);
}

#[test]
fn nothing_is_imported_that_points_back() {
    for (folder, words, why) in FORBIDDEN {
        for (path, text) in files(folder, ".rs") {
            // The guard's one part that does input and output, behind a feature.
            if why == "A1: pure" && path.contains("counterfoil-guard/src/client/") {
                continue;
            }
            let production = text.split("#[cfg(test)]").next().unwrap_or(&text);
            for word in words {
                // ECDSA needs a one-time number; the library makes it itself and ignores what it is passed.
                if path.ends_with("keys/signing.rs") && *word == "rand::" {
                    continue;
                }
                let found = production.lines().find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
                assert!(found.is_none(), "{path}: `{word}` ({why}): {}", found.unwrap_or_default());
            }
        }
    }
}

#[test]
fn rusqlite_stays_behind_the_seam_and_revocation_goes_one_way() {
    for (path, text) in files("crates/counterfoil/src", ".rs") {
        if !path.contains("/store/sqlite/") {
            assert!(!text.contains("rusqlite"), "{path}: SQL types end at the seam");
        }
        if text.contains("store.revoke(") {
            assert!(
                path.ends_with("flow/access.rs"),
                "{path}: every way of ending access goes through flow::access::end"
            );
        }
    }
}

/// Of two for one status only the last would be in the contract.
#[test]
fn an_operation_has_one_answer_for_each_status() {
    for (path, text) in files("crates/counterfoil/src/http", ".rs") {
        for (start, _) in text.match_indices("#[utoipa::path(") {
            let operation = text[start..].split(")]\n").next().unwrap_or_default();
            let found = operation.match_indices("(status = ");
            let mut statuses: Vec<&str> = found.map(|(at, before)| &operation[at + before.len()..][..3]).collect();
            statuses.sort_unstable();
            assert!(statuses.windows(2).all(|pair| pair[0] != pair[1]), "{path}: {statuses:?} in {operation}");
        }
    }
}

#[test]
fn names_are_the_fields_own() {
    for (path, _) in files("crates", ".rs") {
        let stem = Path::new(&path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let vague = ["utils", "util", "helpers", "common", "misc", "manager", "service"];
        assert!(!vague.contains(&stem), "{path}: say what is in it");
    }
}

#[test]
fn every_module_says_what_it_is() {
    for folder in ["crates/counterfoil-guard/src", "crates/counterfoil-core/src", "crates/counterfoil/src"] {
        for (path, text) in files(folder, ".rs") {
            let tests = path.ends_with("tests.rs");
            assert!(tests || text.starts_with("//!"), "{path}: begin with what, why, and what not");
        }
    }
}

/// Every test that the threat model names exists.
#[test]
fn the_threat_models_tests_exist() {
    let model = read_to_string(root().join("docs/threat-model.md")).expect("the threat model");
    let mut named = 0;
    for reference in model.split('`').filter(|text| [".rs::", ".mjs::", ".ts::"].iter().any(|kind| text.contains(kind)))
    {
        let (path, test) = reference.split_once("::").expect("a path and a test");
        let source = read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{reference}: {error}"));
        let name = test.rsplit("::").next().unwrap_or(test);
        assert!(source.contains(name), "{reference} does not exist");
        named += 1;
    }
    assert!(named >= 30, "the threat model names only {named} tests");
}
