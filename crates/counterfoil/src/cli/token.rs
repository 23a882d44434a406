//! `counterfoil token inspect`: explains a token offline. Needs no store, no key and no running server.

use anyhow::Context as _;
use counterfoil_core::inspect::{self, Finding, MAX_INPUT, Part, Report, Severity};
use counterfoil_guard::Timestamp;
use serde::Serialize;
use std::io::{Read, Write};
use std::process::ExitCode;

/// How wide text is wrapped: fits a terminal and a pasted comment.
const WIDTH: usize = 100;
const INDENT: usize = 2;
/// Names longer than this get a line of their own instead of widening the column for all.
const MAX_COLUMN: usize = 20;

/// What can be done with a token.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TokenCommand {
    /// Explain every part of a token and flag what is wrong with it. Offline; verifies nothing.
    Inspect {
        /// The token; `-` or nothing reads it from standard input, which keeps it out of the shell's history.
        token: Option<String>,
        /// Print JSON for machines.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command. The exit code is 1 when an error was found, so that scripts can rest on it.
pub(crate) fn run(command: TokenCommand, out: &mut impl Write, now: Timestamp) -> anyhow::Result<ExitCode> {
    run_from(command, &mut std::io::stdin().lock(), out, now)
}

fn run_from(
    command: TokenCommand,
    input: &mut impl Read,
    out: &mut impl Write,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    let TokenCommand::Inspect { token, json } = command;
    let given = token.filter(|token| token != "-");
    let from_argument = given.is_some();
    let text = given.map_or_else(|| read(input), Ok)?;
    let report = inspect::inspect(&text, now);
    if json {
        write_json(&report, out)?;
    } else {
        write_text(&report, out)?;
        if from_argument && report.kind.is_opaque() {
            writeln!(out, "\nThe shell's history now holds this credential. Next time: counterfoil token inspect -")?;
        }
    }
    out.flush()?;
    Ok(if report.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads one byte more than is allowed, so that the inspection sees that it was too much. The one line break that
/// `echo` and editors add is not the token's fault.
fn read(input: &mut impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_INPUT).unwrap_or(u64::MAX).saturating_add(3);
    input.take(limit).read_to_end(&mut bytes).context("reading the token from standard input")?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// The machine form: the report, and that nothing was verified.
#[derive(Serialize)]
struct Json<'a> {
    verified: bool,
    has_errors: bool,
    #[serde(flatten)]
    report: &'a Report,
}

fn write_json(report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    let json = Json { verified: false, has_errors: report.has_errors(), report };
    serde_json::to_writer_pretty(&mut *out, &json)?;
    writeln!(out)?;
    Ok(())
}

fn write_text(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{}, {} bytes", capitalised(report.kind.describe()), report.size)?;
    writeln!(out, "NOT VERIFIED: no key was used. Nothing below is proven; anybody can write such a token.")?;
    for part in &report.parts {
        write_part(part, out)?;
    }
    write_findings(&report.findings, out)
}

fn write_part(part: &Part, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "\n{}", part.name.to_uppercase())?;
    if part.members.is_empty() {
        writeln!(out, "  (nothing that could be read)")?;
    }
    let longest = part.members.iter().map(|member| member.name.chars().count()).filter(|length| *length <= MAX_COLUMN);
    let column = INDENT + longest.max().unwrap_or(MAX_COLUMN) + INDENT;
    for member in &part.members {
        let source = if member.source.is_empty() { String::new() } else { format!(" [{}]", member.source) };
        write_labelled(&member.name, &member.value, column, out)?;
        write_wrapped(&format!("{}{source}", member.meaning), column, out)?;
    }
    Ok(())
}

fn write_findings(findings: &[Finding], out: &mut impl Write) -> std::io::Result<()> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note].map(count);
    let of = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    writeln!(out, "\nFINDINGS: {}, {}, {}", of(errors, "error"), of(warnings, "warning"), of(notes, "note"))?;
    let ids = findings.iter().map(|finding| finding.id.len()).max().unwrap_or(0);
    let column = INDENT + "warning".len() + INDENT + ids + INDENT;
    for finding in findings {
        let label = format!("{:<9}{}", word(finding.severity), finding.id);
        write_labelled(&label, &finding.message, column, out)?;
        write_wrapped(&format!("→ {}", finding.fix), column, out)?;
    }
    Ok(())
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A label, and beside it (below it, when it is too long) a text that may take several lines.
fn write_labelled(label: &str, text: &str, column: usize, out: &mut impl Write) -> std::io::Result<()> {
    let taken = INDENT + label.chars().count();
    write!(out, "{:INDENT$}{label}", "")?;
    if taken + 1 > column {
        writeln!(out)?;
        return write_wrapped(text, column, out);
    }
    let mut lines = wrap(text, WIDTH.saturating_sub(column)).into_iter();
    writeln!(out, "{:fill$}{}", "", lines.next().unwrap_or_default(), fill = column - taken)?;
    lines.try_for_each(|line| writeln!(out, "{:column$}{line}", ""))
}

fn write_wrapped(text: &str, column: usize, out: &mut impl Write) -> std::io::Result<()> {
    wrap(text, WIDTH.saturating_sub(column)).into_iter().try_for_each(|line| writeln!(out, "{:column$}{line}", ""))
}

/// Breaks at spaces; a word longer than a line is left whole, to be copied whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{MAX_INPUT, TokenCommand, WIDTH, run_from};
    use counterfoil_guard::{Timestamp, base64url_encode};
    use std::process::ExitCode;

    fn inspected(token: Option<&str>, json: bool, input: &[u8]) -> (String, bool) {
        let command = TokenCommand::Inspect { token: token.map(str::to_owned), json };
        let mut out = Vec::new();
        let code = run_from(command, &mut &*input, &mut out, Timestamp::from_seconds(1_700_000_000)).expect("ran");
        (String::from_utf8(out).expect("text"), format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS))
    }

    fn token(alg: &str) -> String {
        let id = base64url_encode(&[1; 16]);
        let header = format!(r#"{{"alg":"{alg}","kid":"k1","typ":"at+jwt"}}"#);
        let claims = format!(
            r#"{{"iss":"https://app.example","sub":"{id}","aud":"web","client_id":"web","iat":1699999900,"exp":1700000200,"jti":"{id}","sid":"{id}","auth_time":1699990000,"acr":"aal1","amr":["pwd"]}}"#
        );
        let parts = [header.as_bytes(), claims.as_bytes(), &[7; 64]].map(base64url_encode);
        parts.join(".")
    }

    #[test]
    fn the_exit_code_tells_whether_errors_were_found() {
        let (text, success) = inspected(Some(&token("EdDSA")), false, b"");
        assert!(success && text.contains("NOT VERIFIED") && text.contains("0 errors"), "{text}");
        let (text, success) = inspected(Some(&token("none")), false, b"");
        assert!(!success && text.contains("ERROR") && text.contains("ATK-01"), "{text}");
    }

    #[test]
    fn standard_input_is_read_when_no_token_or_a_dash_is_given() {
        let expected = inspected(Some(&token("EdDSA")), false, b"");
        for given in [None, Some("-")] {
            for ending in ["", "\n", "\r\n"] {
                let input = format!("{}{ending}", token("EdDSA"));
                assert_eq!(inspected(given, false, input.as_bytes()), expected, "{given:?} {ending:?}");
            }
        }
        let (text, success) = inspected(None, false, &vec![b'a'; MAX_INPUT + 100]);
        assert!(!success && text.contains("ATK-21"), "{text}");
        assert!(!inspected(None, false, &[0xff, 0xfe, b'\n']).1);
    }

    #[test]
    fn the_machine_form_is_json_that_says_nothing_was_verified() {
        let (text, _) = inspected(Some(&token("HS256")), true, b"");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&json["verified"], &json["has_errors"]), (&false.into(), &true.into()));
        assert_eq!((&json["kind"], &json["parts"][0]["name"]), (&"jws".into(), &"header".into()));
        assert_eq!((&json["findings"][0]["id"], &json["findings"][0]["severity"]), (&"ATK-02".into(), &"error".into()));
    }

    #[test]
    fn lines_fit_a_terminal_and_no_signature_is_shown() {
        let token = token("EdDSA");
        let (text, _) = inspected(Some(&token), false, b"");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let (_, signature) = token.rsplit_once('.').expect("three parts");
        assert!(!text.contains(signature));
    }

    #[test]
    fn s6_an_opaque_token_is_not_repeated_and_its_place_in_the_history_is_told() {
        let token = format!("cfr_{}", base64url_encode(&[9; 62]));
        let (text, success) = inspected(Some(&token), false, b"");
        assert!(success && text.contains("history") && !text.contains(&token[4..]), "{text}");
        assert!(!inspected(None, false, token.as_bytes()).0.contains("history"));
    }
}
