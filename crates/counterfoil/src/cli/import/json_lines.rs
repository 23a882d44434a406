//! JSON lines: an object in each line, with the names of the columns of CSV. Lines are read into a buffer of bounded size.

use super::Record;
use super::draft::{Draft, Member};
use super::input::{Buffered, Input, MAX_LINE};
use counterfoil_core::Secret;
use counterfoil_guard::Strict;
use serde_json::{Map, Value};
use std::io::{BufRead as _, Read as _};

/// The accounts of a file.
pub(super) struct JsonLines {
    input: Buffered,
    line: u64,
}

impl JsonLines {
    pub(super) fn new(Input(input): Input) -> Self {
        Self { input, line: 0 }
    }

    pub(super) fn next(&mut self) -> anyhow::Result<Option<Record>> {
        loop {
            let mut bytes = Vec::new();
            let limit = MAX_LINE as u64 + 2;
            if self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if bytes.len() > MAX_LINE && bytes.last() != Some(&b'\n') {
                self.pass_over_the_rest()?;
                let why = format!("it is longer than {MAX_LINE} bytes");
                return Ok(Some(Record { line: self.line, draft: Err(why) }));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(Record { line: self.line, draft: draft(&bytes) }));
            }
        }
    }

    fn pass_over_the_rest(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let (length, done) = end.map_or((buffer.len(), buffer.is_empty()), |end| (end + 1, true));
            self.input.consume(length);
            if done {
                return Ok(());
            }
        }
    }
}

fn draft(bytes: &[u8]) -> Result<Draft, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    serde_json::from_str::<Strict>(text).map_err(|_| "it is not JSON, or has a member twice")?;
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| "it is not a JSON object")?;
    let mut draft = Draft::default();
    for (name, value) in members {
        let member = Member::from_name(&name)
            .ok_or_else(|| format!("unknown member {}; there are {}", shown(&name), Member::names()))?;
        if !value.is_null() {
            set(&mut draft, member, value).ok_or_else(|| format!("`{name}` {}", kind(member)))?;
        }
    }
    if draft.email.is_empty() { Err("there is no `email`".into()) } else { Ok(draft) }
}

/// Sets a member; `None` if the value is not of its kind.
fn set(draft: &mut Draft, member: Member, value: Value) -> Option<()> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    match member {
        Member::Roles => {
            let Value::Array(roles) = value else { return None };
            draft.roles = roles.iter().map(|role| role.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        }
        Member::Banned => draft.banned = value.as_bool()?,
        Member::Rounds => draft.rounds = Some(number?),
        Member::MemCost => draft.mem_cost = Some(number?),
        // Many systems number their accounts.
        Member::ExternalId if value.is_u64() => draft.external_id = Some(value.to_string()),
        texts => {
            let Value::String(text) = value else { return None };
            let text = Some(text).filter(|text| !text.is_empty());
            match texts {
                Member::Email => draft.email = text.unwrap_or_default(),
                Member::Name => draft.name = text,
                Member::CreatedAt => draft.created_at = text,
                Member::PasswordHash => draft.password_hash = text,
                Member::ExternalId => draft.external_id = text,
                Member::PasswordSalt => draft.salt = text,
                Member::SignerKey => draft.signer_key = text.map(Secret::new),
                _ => draft.separator = text,
            }
        }
    }
    Some(())
}

const fn kind(member: Member) -> &'static str {
    match member {
        Member::Roles => "must be an array of names",
        Member::Banned => "must be true or false",
        Member::Rounds | Member::MemCost => "must be a number",
        Member::ExternalId => "must be a string or a whole number",
        _ => "must be a string",
    }
}

/// A member's name, if it is one, and not a value that has come into its place.
fn shown(name: &str) -> String {
    let plain = name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if plain { Value::from(name).to_string() } else { "(not shown)".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{JsonLines, MAX_LINE};
    use crate::cli::import::input::Input;

    fn read(text: &[u8]) -> Vec<(u64, String)> {
        let mut records = JsonLines::new(Input::new(Box::new(std::io::Cursor::new(text.to_vec()))).expect("UTF-8"));
        let mut all = Vec::new();
        while let Some(record) = records.next().expect("reading from memory") {
            all.push((record.line, record.draft.map_or_else(|why| why, |draft| draft.email)));
        }
        all
    }

    #[test]
    fn import_says_what_is_wrong_with_a_json_line_and_never_shows_its_values() {
        let long = format!("{{\"email\":\"{}\"}}", "x".repeat(MAX_LINE));
        let lines: [(&[u8], &str); 13] = [
            (b"\xef\xbb\xbf{\"email\":\"a@x\"}\r", "a@x"),
            (b"", ""),
            (b"{\"email\":\"b@x\",\"name\":null,\"roles\":[\"r\"],\"banned\":true}", "b@x"),
            (b"{\"email\":\"c@x\",\"phone\":\"1\"}", "unknown member \"phone\"; there are email"),
            (b"{\"email\":\"c@x\",\"email\":\"d@x\"}", "it is not JSON, or has a member twice"),
            (b"[\"secret\"]", "it is not a JSON object"),
            (b"{\"email\":\"\xff\"}", "it is not UTF-8"),
            (b"{\"name\":\"A\"}", "there is no `email`"),
            (b"{\"email\":\"c@x\",\"banned\":\"secret\"}", "`banned` must be true or false"),
            (b"{\"email\":\"c@x\",\"roles\":\"secret\"}", "`roles` must be an array of names"),
            (b"{\"email\":\"c@x\",\"firebase_rounds\":-1}", "`firebase_rounds` must be a number"),
            (long.as_bytes(), "it is longer than 16384 bytes"),
            (b"{\"email\":\"e@x\"}", "e@x"),
        ];
        let text = lines.map(|(line, _)| line).join(&b'\n');
        let read = read(&text);
        let numbers: Vec<u64> = read.iter().map(|(line, _)| *line).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        let expected = lines.iter().filter(|(line, _)| !line.is_empty());
        for ((number, got), (_, wanted)) in read.iter().zip(expected) {
            assert!(got.starts_with(wanted) && !got.contains("secret"), "line {number}: {got}");
        }
    }
}
