//! The README's walk-through with curl, run as it is written there, and the other documents that must not drift.

use crate::support::Server;
use counterfoil::config::Config;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../../../README.md");

/// The shell lines of the walk-through.
fn walkthrough() -> String {
    let start = README.find("<!-- walk-through -->").expect("the README has a walk-through");
    let block = README[start..].split("```sh\n").nth(1).expect("with a block of shell");
    block.split("```").next().unwrap().to_owned()
}

#[test]
fn the_readmes_walk_through_runs_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]);
    let script = walkthrough().replace("http://localhost:8080", &server.origin());
    assert!(!script.contains(":8080"));
    let output =
        Command::new("bash").args(["-euo", "pipefail", "-c", &script]).current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let codes: Vec<&str> =
        text.lines().filter_map(|line| line.split("\"code\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(codes, ["refresh_reuse", "session_revoked"], "{text}");
    assert!(text.contains("\"email\":\"ada@example.com\""), "{text}");
    server.stop();
}

#[test]
fn the_generated_reference_is_current() {
    for (name, text) in counterfoil::cli::reference_documents().unwrap() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name);
        let current = std::fs::read_to_string(&path).is_ok_and(|committed| committed == text);
        assert!(current, "{name} is out of date; run `make docs`");
    }
}

#[test]
fn the_documented_configuration_is_every_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/counterfoil.toml");
    let documented = Config::load(Some(&path), std::iter::empty()).unwrap();
    let defaults = Config::load(None, std::iter::empty()).unwrap();
    assert_eq!(format!("{documented:#?}"), format!("{defaults:#?}"));
}
