//! `revoked.log`: every revocation once more, in a file beside the database, so that a database that is put back from a backup
//! does not bring back what has ended since. Appended, and on the disk, before anybody is told.
//!
//! One line an entry: `number milliseconds kind target reason`. A line `log ID NUMBER` before those of another log: all its entries
//! from after that number follow.

use crate::store::{Replayed, StoreError};
use counterfoil_core::session::EndReason;
use counterfoil_core::{Jti, Sid, Timestamp};
use counterfoil_guard::{LogId, Target, base64url_decode, base64url_encode};
use rusqlite::{Connection, OptionalExtension as _};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The file's name, beside the database.
pub(super) const NAME: &str = "revoked.log";

/// No line is longer than this by far.
const LONGEST_LINE: u64 = 4096;

/// The file, open at its end.
#[derive(Debug)]
pub(super) struct RevokedLog {
    file: File,
    /// Up to where it is whole.
    length: u64,
    /// Up to where everything is in it: which log, and which entry.
    at: Option<([u8; 16], i64)>,
}

/// What the file covers.
#[derive(Debug, Default)]
pub(super) struct Covered {
    sections: Vec<Section>,
}

/// What follows one line that names a log.
#[derive(Debug)]
struct Section {
    log: [u8; 16],
    /// The file has all of its entries after this one; `None` if a line of it or after it cannot be read, so that nobody knows.
    after: Option<i64>,
    /// The last one it has.
    last: i64,
}

/// A line of the file.
enum Line {
    Log([u8; 16], i64),
    Entry(i64, Option<Replayed>),
}

impl RevokedLog {
    /// Opens the file, and makes it if it is not there. A last line that was cut off by a crash had been told to nobody.
    pub(super) fn open(path: &Path) -> std::io::Result<(Self, Covered)> {
        let made = !path.exists();
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        if made && let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        let mut covered = Covered::default();
        let length = each_line(&file, |line| covered.take(line.as_ref()))?;
        file.set_len(length)?;
        // After a line that cannot be read, a new beginning: what is in force is written once more, and from there on all.
        let whole = covered.sections.last().filter(|section| section.after.is_some());
        let at = whole.map(|section| (section.log, section.last));
        Ok((Self { file, length, at }, covered))
    }

    /// Appends what has been committed since the last time.
    pub(super) fn follow(&mut self, connection: &Connection) -> Result<(), FollowError> {
        let head = "SELECT id, seq FROM log_head";
        let head: ([u8; 16], i64) =
            connection.prepare_cached(head)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if self.at == Some(head) {
            return Ok(());
        }
        let mut text = String::new();
        let after = match self.at {
            Some((log, seq)) if log == head.0 => seq,
            // Another log: what came before it has been replayed, or is older than this file.
            _ => {
                let sql = "SELECT min(seq) - 1 FROM revocation WHERE kind <> 'key'";
                let from = connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0));
                let from = from.optional()?.flatten().unwrap_or(head.1);
                text = format!("log {} {from}\n", base64url_encode(&head.0));
                from
            }
        };
        let sql = "SELECT seq, at, kind, target, reason FROM revocation WHERE seq > ?1 AND seq <= ?2 ORDER BY seq";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([after, head.1])?;
        while let Some(row) = rows.next()? {
            let (seq, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (kind, target, reason): (String, Vec<u8>, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
            writeln!(text, "{seq} {at} {kind} {} {reason}", base64url_encode(&target)).expect("writing to a string");
        }
        // Whatever an append that failed has left behind must not be run into.
        self.file.set_len(self.length)?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.length += text.len() as u64;
        self.at = Some(head);
        Ok(())
    }
}

/// Why it could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    /// The database.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file.
    #[error("{NAME}: {0}")]
    File(#[from] std::io::Error),
}

impl Covered {
    fn take(&mut self, line: Option<&Line>) {
        match (line, self.sections.last_mut()) {
            (Some(Line::Log(id, after)), _) => {
                self.sections.push(Section { log: *id, after: Some(*after), last: *after });
            }
            (Some(Line::Entry(seq, _)), Some(section)) => section.last = section.last.max(*seq),
            (Some(Line::Entry(..)), None) => {}
            // It may have been an entry of this section, or the name of another; one more than was read, at any rate.
            (None, _) => {
                self.sections.iter_mut().for_each(|section| section.after = None);
                if let Some(section) = self.sections.last_mut() {
                    section.last += 1;
                }
            }
        }
    }

    /// Whether the database is behind what the file says, or another one.
    pub(super) fn is_ahead_of(&self, head: &(LogId, u64)) -> bool {
        let last = self.sections.last();
        last.is_some_and(|section| section.log != *head.0.as_bytes() || section.last.cast_unsigned() > head.1)
    }

    /// Whether the file has everything that has been revoked since the log stood there: it knows that log, and has all of it from
    /// there on.
    pub(super) fn reaches_back_to(&self, head: &(LogId, u64)) -> bool {
        let mut sections = self.sections.iter().filter(|section| section.log == *head.0.as_bytes());
        sections.any(|section| section.after.is_some_and(|after| after.cast_unsigned() <= head.1))
    }
}

/// Everything that the file says has been revoked.
pub(super) fn entries(path: &Path) -> std::io::Result<Vec<Replayed>> {
    let mut entries = Vec::new();
    each_line(&File::open(path)?, |line| {
        if let Some(Line::Entry(_, Some(entry))) = line {
            entries.push(entry);
        }
    })?;
    Ok(entries)
}

/// Reads line by line, up to the last whole one; returns where that ends. `None` is a line that cannot be read.
fn each_line(file: &File, mut take: impl FnMut(Option<Line>)) -> std::io::Result<u64> {
    let (mut reader, mut whole, mut bytes, mut unreadable) = (BufReader::new(file), 0, Vec::new(), 0_u64);
    loop {
        bytes.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        if read == 0 || (bytes.last() != Some(&b'\n') && (read as u64) < LONGEST_LINE) {
            if unreadable > 0 {
                tracing::warn!(
                    unreadable,
                    "lines of {NAME} cannot be read; a backup from before them ends every session"
                );
            }
            return Ok(whole);
        }
        whole += read as u64;
        let line = std::str::from_utf8(&bytes).ok().and_then(parse);
        unreadable += u64::from(line.is_none());
        take(line);
    }
}

fn parse(line: &str) -> Option<Line> {
    let mut words = line.trim_end().split(' ');
    let first = words.next()?;
    if first == "log" {
        let id = base64url_decode(words.next()?)?.try_into().ok()?;
        return Some(Line::Log(id, words.next()?.parse().ok()?));
    }
    let (seq, at) = (first.parse().ok()?, words.next()?.parse().ok()?);
    let (kind, target) = (words.next()?, base64url_decode(words.next()?)?);
    let reason = words.next().and_then(EndReason::from_name).unwrap_or(EndReason::EndedByAdmin);
    let id = || target.first_chunk::<16>().copied().filter(|_| target.len() == 16);
    let what = match kind {
        "session" => Target::Session(Sid::from_bytes(id()?)),
        "token" => Target::Token(Jti::from_bytes(id()?)),
        "key" => Target::Key(std::str::from_utf8(&target).ok()?.parse().ok()?),
        // Roles go back with the account that has them.
        "stale" => return Some(Line::Entry(seq, None)),
        _ => return None,
    };
    Some(Line::Entry(seq, Some(Replayed { at: Timestamp::from_millis(at), what, reason })))
}

impl From<FollowError> for StoreError {
    fn from(error: FollowError) -> Self {
        tracing::error!(%error, "what has been revoked cannot be noted beside the database");
        Self::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::{LogId, RevokedLog, base64url_encode, entries};

    #[test]
    fn what_was_cut_off_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(super::NAME);
        let id = base64url_encode(&[7; 16]);
        let text = format!(
            "log {id} 4\n5 5 session {id} signed_out\n6 7 token {id} x\n7 6 stale {id} roles_changed\n8 8 sess"
        );
        std::fs::write(&path, text).expect("written");
        let (log, covered) = RevokedLog::open(&path).expect("read");
        assert_eq!(log.at, Some(([7; 16], 7)), "numbers that name nothing count all the same");
        assert_eq!(entries(&path).expect("read").len(), 2);
        assert!(std::fs::read_to_string(&path).expect("text").ends_with(" roles_changed\n"), "the cut line is gone");
        let head = |seq| (LogId::from_bytes([7; 16]), seq);
        assert!(covered.is_ahead_of(&head(6)) && !covered.is_ahead_of(&head(7)));
        assert!(covered.reaches_back_to(&head(4)) && !covered.reaches_back_to(&head(3)), "3 and 4 are not in it");
        let another = (LogId::from_bytes([8; 16]), 9);
        assert!(covered.is_ahead_of(&another) && !covered.reaches_back_to(&another));
    }

    #[test]
    fn s1_nobody_relies_on_what_stands_before_a_line_that_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(super::NAME);
        let id = base64url_encode(&[7; 16]);
        let damaged = format!("log {id} 4\n5 5 session {id} signed_out\nnonsense\n7 7 session {id} signed_out\n");
        std::fs::write(&path, &damaged).expect("written");
        let (log, covered) = RevokedLog::open(&path).expect("read");
        let head = |seq| (LogId::from_bytes([7; 16]), seq);
        assert!(!covered.reaches_back_to(&head(5)) && covered.is_ahead_of(&head(6)));
        assert_eq!(log.at, None, "a new beginning is written");
        assert_eq!(entries(&path).expect("read").len(), 2, "what can be read still ends");
        for damaged in ["6 6 sessjon {id} signed_out", "\u{0}\u{0}"] {
            std::fs::write(&path, format!("log {id} 4\n5 5 session {id} signed_out\n{damaged}\n")).expect("written");
            let (_, covered) = RevokedLog::open(&path).expect("read");
            assert!(covered.is_ahead_of(&head(5)) && !covered.is_ahead_of(&head(6)), "there was one more");
            assert!(!covered.reaches_back_to(&head(5)));
        }
        std::fs::write(&path, format!("{damaged}log {id} 6\n7 7 session {id} signed_out\n")).expect("written");
        let (log, covered) = RevokedLog::open(&path).expect("read");
        assert!(covered.reaches_back_to(&head(6)) && !covered.reaches_back_to(&head(5)));
        assert_eq!(log.at, Some(([7; 16], 7)));
    }
}
