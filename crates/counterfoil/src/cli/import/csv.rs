//! CSV (RFC 4180): a header line that names the columns, quotes, fields over several lines, either kind of line ending. A record
//! is read into a buffer of fixed size; what does not fit is passed over, and said.

use super::Record;
use super::draft::{Draft, Member};
use super::input::{Buffered, Input, MAX_LINE};
use anyhow::{Context as _, bail, ensure};
use counterfoil_core::Secret;
use csv_core::{ReadRecordResult, Reader};
use std::io::BufRead as _;

/// The most fields a record may have.
const MAX_FIELDS: usize = 64;

/// The accounts of a file.
pub(super) struct CsvRecords {
    reader: CsvReader,
    columns: Vec<Member>,
}

impl CsvRecords {
    /// Reads the header line. A column that is missing or unknown is said before anything is read.
    pub(super) fn new(Input(input): Input) -> anyhow::Result<Self> {
        let mut reader = CsvReader::new(input);
        let (_, header) = reader.next()?.context("the file is empty; its first line must name the columns")?;
        let header = header.map_err(|why| anyhow::anyhow!("the header line: {why}"))?;
        let unknown: Vec<&str> =
            header.iter().map(|name| name.trim()).filter(|name| Member::from_name(name).is_none()).collect();
        if !unknown.is_empty() {
            // Without a header line these are the first account's own values: its address, its hash.
            let plain =
                |name: &&str| name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphabetic() || "_- ;".contains(c));
            if !unknown.iter().all(plain) {
                bail!("the first line does not name the columns; there are {}", Member::names());
            }
            bail!("unknown columns: {}; there are {}", unknown.join(", "), Member::names());
        }
        let columns: Vec<Member> = header.iter().filter_map(|name| Member::from_name(name.trim())).collect();
        for (place, name) in header.iter().enumerate() {
            ensure!(!columns[..place].contains(&columns[place]), "two columns are called {}", name.trim());
        }
        ensure!(columns.contains(&Member::Email), "there is no column email");
        Ok(Self { reader, columns })
    }

    pub(super) fn next(&mut self) -> anyhow::Result<Option<Record>> {
        let Some((line, fields)) = self.reader.next()? else { return Ok(None) };
        Ok(Some(Record { line, draft: fields.and_then(|fields| self.draft(fields)) }))
    }

    fn draft(&self, fields: Vec<String>) -> Result<Draft, String> {
        if fields.len() != self.columns.len() {
            return Err(format!("it has {} fields, the header line {}", fields.len(), self.columns.len()));
        }
        let mut draft = Draft::default();
        for (member, field) in self.columns.iter().zip(fields) {
            let number = |name: &str| field.parse().map(Some).map_err(|_| format!("`{name}` must be a number"));
            match member {
                _ if field.is_empty() => {}
                Member::Email => draft.email = field,
                Member::Name => draft.name = Some(field),
                Member::Roles => draft.roles = roles(&field),
                Member::CreatedAt => draft.created_at = Some(field),
                Member::Banned => draft.banned = truth(&field).ok_or("`banned` must be true or false")?,
                Member::PasswordHash => draft.password_hash = Some(field),
                Member::ExternalId => draft.external_id = Some(field),
                Member::PasswordSalt => draft.salt = Some(field),
                Member::SignerKey => draft.signer_key = Some(Secret::new(field)),
                Member::SaltSeparator => draft.separator = Some(field),
                Member::Rounds => draft.rounds = number("firebase_rounds")?,
                Member::MemCost => draft.mem_cost = number("firebase_mem_cost")?,
            }
        }
        Ok(draft)
    }
}

fn roles(field: &str) -> Vec<String> {
    field.split(';').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned).collect()
}

/// As databases write it, too.
fn truth(field: &str) -> Option<bool> {
    match field.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" => Some(true),
        "false" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// Records as fields, with the line each begins at.
struct CsvReader {
    input: Buffered,
    core: Reader,
    fields: Vec<u8>,
    ends: Vec<usize>,
}

/// The fields of a record, or why it has none.
type Fields = Result<Vec<String>, String>;

impl CsvReader {
    fn new(input: Buffered) -> Self {
        Self { input, core: Reader::new(), fields: vec![0; MAX_LINE], ends: vec![0; MAX_FIELDS] }
    }

    fn next(&mut self) -> std::io::Result<Option<(u64, Fields)>> {
        self.pass_over_empty_lines()?;
        let line = self.core.line();
        let (mut bytes, mut count, mut too_long) = (0, 0, false);
        loop {
            let input = self.input.fill_buf()?;
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.fields[bytes..], &mut self.ends[count..]);
            self.input.consume(read);
            bytes += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    too_long = true;
                    (bytes, count) = (0, 0);
                }
                ReadRecordResult::Record if too_long => {
                    let why =
                        format!("it is longer than {MAX_LINE} bytes or {MAX_FIELDS} fields; is a quote not closed?");
                    return Ok(Some((line, Err(why))));
                }
                ReadRecordResult::Record => return Ok(Some((line, self.text(count)))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// They are no records, and the line a record begins at is not one of them.
    fn pass_over_empty_lines(&mut self) -> std::io::Result<()> {
        loop {
            match self.input.fill_buf()?.first() {
                Some(b'\n') => self.core.set_line(self.core.line() + 1),
                Some(b'\r') => {}
                _ => return Ok(()),
            }
            self.input.consume(1);
        }
    }

    fn text(&self, count: usize) -> Fields {
        let mut start = 0;
        let mut texts = Vec::with_capacity(count);
        for end in &self.ends[..count] {
            let text = std::str::from_utf8(&self.fields[start..*end]).map_err(|_| "it is not UTF-8")?;
            texts.push(text.to_owned());
            start = *end;
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::{CsvRecords, MAX_LINE};
    use crate::cli::import::input::Input;

    fn open(text: &[u8]) -> anyhow::Result<CsvRecords> {
        CsvRecords::new(Input::new(Box::new(std::io::Cursor::new(text.to_vec())))?)
    }

    /// Line, address or what is wrong, name.
    fn read(text: &[u8]) -> Vec<(u64, String, String)> {
        let mut records = open(text).expect("a header");
        let mut all = Vec::new();
        while let Some(record) = records.next().expect("reading from memory") {
            let (email, name) = match record.draft {
                Ok(draft) => (draft.email, draft.name.unwrap_or_default()),
                Err(why) => (why, "!".into()),
            };
            all.push((record.line, email, name));
        }
        all
    }

    #[test]
    fn import_records_of_csv_have_the_number_of_the_line_they_begin_at() {
        let text = b"\xef\xbb\xbfemail,name\r\na@x,A\r\n\r\n\r\nb@x,\"B \"\"the\nsecond\"\"\"\r\nc@x,C\nd@x\n\"e@x\",\xff\nf@x,F";
        let expected = [
            (2, "a@x", "A"),
            (5, "b@x", "B \"the\nsecond\""),
            (7, "c@x", "C"),
            (8, "it has 1 fields, the header line 2", "!"),
            (9, "it is not UTF-8", "!"),
            (10, "f@x", "F"),
        ];
        assert_eq!(read(text), expected.map(|(line, email, name)| (line, email.to_owned(), name.to_owned())));
    }

    #[test]
    fn import_passes_over_a_record_that_is_too_long_and_goes_on() {
        for (long, fields) in [("x".repeat(MAX_LINE), 1), ("x".repeat(3 * MAX_LINE), 1), (",".repeat(200), 200)] {
            let text = format!("email,name\na@x,A\n{long}\nb@x,B\n");
            let read = read(text.as_bytes());
            assert_eq!(read.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [2, 3, 4], "{fields}");
            assert!(read[1].1.contains("longer than 16384 bytes"), "{}", read[1].1);
            assert_eq!(read[2].1, "b@x");
        }
        let open_quote = format!("email,name\na@x,\"A\n{}", "b@x,B\n".repeat(5000));
        assert!(read(open_quote.as_bytes())[0].1.contains("is a quote not closed?"));
    }

    #[test]
    fn import_refuses_columns_that_are_missing_unknown_or_double_at_once() {
        for (header, why) in [
            ("", "the file is empty"),
            ("name\n", "there is no column email"),
            ("email,phone,nmae\n", "unknown columns: phone, nmae; there are email, name, roles"),
            ("email;name\n", "unknown columns: email;name"),
            ("ada@example.com,$2b$10$abc\n", "the first line does not name the columns"),
            ("email,$2b$10$abc\n", "the first line does not name the columns"),
            ("email,name,email\n", "two columns are called email"),
        ] {
            let error = open(header.as_bytes()).err().expect("refused").to_string();
            assert!(error.contains(why), "{error}");
        }
        let utf16 = open(b"\xff\xfee\0m\0").err().expect("refused").to_string();
        assert!(utf16.contains("UTF-16"), "{utf16}");
    }
}
