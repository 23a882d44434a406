//! `counterfoil scan`, as a process.

use crate::support::run;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const STORED: &str = "localStorage.setItem('token', token)\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn scan(folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = run(&[&["scan", folder.to_str().unwrap()], more].concat(), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn findings_have_a_file_a_line_a_reason_and_a_fix() {
    let folder = folder(&[("src/a.js", STORED), ("src/b.ts", "export const b = 1\n")]);
    let (code, text) = scan(folder.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(text.starts_with("src/a.js:1:1  error    token-in-web-storage  a token is kept"), "{text}");
    assert!(text.contains("\n  why: ") && text.contains("\n  fix: "), "{text}");
    assert!(
        text.ends_with("files read: 2, left out (tests, bundles): 0, not readable: 0; errors: 1, warnings: 0\n"),
        "{text}"
    );

    let (code, text) = scan(folder.path(), &["--json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &json["findings"][0]["rule"], &json["findings"][0]["line"]),
        (Some(1), &"token-in-web-storage".into(), &1.into())
    );

    let (_, text) = scan(folder.path(), &["--sarif"]);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&sarif["version"], &result["ruleId"]), (&"2.1.0".into(), &"token-in-web-storage".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&"src/a.js".into(), &1.into()));
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));

    assert_eq!(scan(folder.path(), &["--rule", "no-rotation"]).0, Some(0));
}

#[test]
fn what_is_not_there_or_not_a_rule_is_said_and_is_no_finding() {
    let folder = folder(&[("a.js", STORED)]);
    for (path, more) in
        [(folder.path().join("nowhere"), &[][..]), (folder.path().to_owned(), &["--rule", "nothing"][..])]
    {
        let output = run(&[&["scan", path.to_str().unwrap()], more].concat(), "");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("not scanned: "));
    }
}

#[test]
fn broken_source_bundles_and_what_others_have_written_stop_nothing() {
    let deep = "[\n".repeat(100_000);
    let chain = format!("x = 1{}\n", " +\n1".repeat(100_000));
    let bundle = format!("var a={};", "1+".repeat(300_000));
    let files = [
        ("a.js", STORED),
        ("broken.ts", "const = ;"),
        ("deep.js", &deep),
        ("chain.js", &chain),
        ("bundle.js", &bundle),
        ("empty.js", ""),
        ("node_modules/x/a.js", STORED),
        ("dist/a.js", STORED),
        ("a.test.js", STORED),
        ("ignored.js", STORED),
        (".gitignore", "ignored.js\n"),
        ("a.d.ts", STORED),
        ("a.min.js", STORED),
    ];
    let folder = folder(&files);
    fs::write(folder.path().join("latin.js"), b"// caf\xe9\n").unwrap();
    let (code, text) = scan(folder.path(), &["--json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let names = |list: &Value| {
        list.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((code, names(&json["findings"])), (Some(1), vec!["a.js".to_owned()]));
    assert_eq!(names(&json["unreadable"]), ["broken.ts", "latin.js"]);
    assert_eq!((&json["files"], &json["skipped"]), (&2.into(), &4.into()));
}

/// The application that the guide leads away from, and the one that it leads to.
#[test]
fn the_example_has_mistakes_before_and_none_after() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/from-localstorage");
    let (code, text) = scan(&examples.join("before"), &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("token-in-web-storage") && text.contains("verify-without-algorithms"), "{text}");
    let (code, text) = scan(&examples.join("after"), &[]);
    assert_eq!(code, Some(0), "{text}");
}
