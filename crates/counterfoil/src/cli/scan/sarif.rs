//! Findings as SARIF 2.1.0 (OASIS), as code hosts and editors read it.

use super::Outcome;
use super::tell::word;
use counterfoil_scan::Rule;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(super) fn write(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(outcome))?;
    writeln!(out)
}

fn document(outcome: &Outcome) -> Value {
    let rule = |rule: &Rule| {
        json!({
            "id": rule.id(),
            "shortDescription": { "text": rule.title() },
            "fullDescription": { "text": rule.why() },
            "help": { "text": rule.fix() },
            "defaultConfiguration": { "level": word(rule.level()) },
        })
    };
    let results = outcome.findings.iter().flat_map(|(path, findings)| {
        findings.iter().map(move |finding| {
            json!({
                "ruleId": finding.rule.id(),
                "level": word(finding.rule.level()),
                "message": { "text": format!("{}. {}", finding.rule.title(), finding.rule.fix()) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri(path) },
                    "region": { "startLine": finding.line, "startColumn": finding.column },
                } }],
            })
        })
    });
    let notes = outcome.unreadable.iter().map(|one| {
        json!({
            "level": "note",
            "message": { "text": format!("not read: {}", one.why) },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&one.path) } } }],
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "counterfoil scan",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://github.com/counterfoil/counterfoil/blob/main/docs/guides/scan.md",
                "rules": Rule::ALL.iter().map(rule).collect::<Vec<_>>(),
            } },
            "results": results.collect::<Vec<_>>(),
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notes.collect::<Vec<_>>() }],
        }],
    })
}

/// A path as a relative reference (RFC 3986): what is none of its characters is encoded.
fn uri(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/()[]@+".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let digit = |of: u8| char::from_digit(of.into(), 16).unwrap_or('0').to_ascii_uppercase();
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
        text
    })
}
