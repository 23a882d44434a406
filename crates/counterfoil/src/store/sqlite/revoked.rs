//! `revoked.log`: every revocation once more, in a file beside the database, so that a database that is put back from a backup
//! does not bring back what has ended since. Appended, and on the disk, before anybody is told.
//!
//! One line an entry: `number milliseconds kind target reason`; a line `log ID` before those of another log.

use crate::store::{Replayed, StoreError};
use counterfoil_core::session::EndReason;
use counterfoil_core::{Jti, Sid, Timestamp};
use counterfoil_guard::{LogId, Target, base64url_decode, base64url_encode};
use rusqlite::{Connection, OptionalExtension as _};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The file's name, beside the database.
pub(super) const NAME: &str = "revoked.log";

/// The file, open at its end.
#[derive(Debug)]
pub(super) struct RevokedLog {
    file: File,
    /// Up to where everything is in it: which log, and which entry.
    at: Option<([u8; 16], i64)>,
}

/// What was in the file.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Where it ended.
    pub(super) at: Option<([u8; 16], i64)>,
    /// What it says has ended.
    pub(super) entries: Vec<Replayed>,
}

impl RevokedLog {
    /// Opens the file, and makes it if it is not there. A last line that was cut off by a crash had been told to nobody.
    pub(super) fn open(path: &Path) -> std::io::Result<(Self, Found)> {
        let made = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        let (mut found, mut whole) = (Found::default(), 0);
        let mut reader = BufReader::new(&made);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
            whole += line.len() as u64;
            found.take(line.trim_end());
            line.clear();
        }
        drop(reader);
        made.set_len(whole)?;
        Ok((Self { file: made, at: found.at }, found))
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
                let sql = "SELECT min(seq) - 1 FROM revocation";
                let from: Option<i64> =
                    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.flatten();
                text = format!("log {}\n", base64url_encode(&head.0));
                from.unwrap_or(head.1)
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
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
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

impl Found {
    /// A line that nobody wrote is passed over: it names nothing.
    fn take(&mut self, line: &str) {
        if let Some(id) = line.strip_prefix("log ") {
            let id = base64url_decode(id).and_then(|id| id.try_into().ok());
            self.at = id.map(|id| (id, 0)).or(self.at);
        } else if let Some((seq, entry)) = entry(line) {
            self.at = self.at.map(|(log, _)| (log, seq));
            self.entries.push(entry);
        }
    }

    /// Whether the database is behind what the file says, or another one.
    pub(super) fn is_ahead_of(&self, head: &(LogId, u64)) -> bool {
        self.at.is_some_and(|(log, seq)| log != *head.0.as_bytes() || seq.cast_unsigned() > head.1)
    }
}

fn entry(line: &str) -> Option<(i64, Replayed)> {
    let mut words = line.split(' ');
    let (seq, at) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (kind, target) = (words.next()?, base64url_decode(words.next()?)?);
    let id = || <[u8; 16]>::try_from(target.as_slice()).ok();
    let what = match kind {
        "session" => Target::Session(Sid::from_bytes(id()?)),
        "token" => Target::Token(Jti::from_bytes(id()?)),
        "key" => Target::Key(std::str::from_utf8(&target).ok()?.parse().ok()?),
        // Roles go back with the account that has them.
        _ => return None,
    };
    let reason = words.next().and_then(EndReason::from_name).unwrap_or(EndReason::EndedByAdmin);
    Some((seq, Replayed { at: Timestamp::from_millis(at), what, reason }))
}

impl From<FollowError> for StoreError {
    fn from(error: FollowError) -> Self {
        tracing::error!(%error, "what has been revoked cannot be noted beside the database");
        Self::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, RevokedLog};
    use std::io::Write as _;

    #[test]
    fn what_nobody_wrote_and_what_was_cut_off_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(super::NAME);
        let id = super::base64url_encode(&[7; 16]);
        let mut file = std::fs::File::create(&path).expect("a file");
        let text = format!(
            "log {id}\n1 5 session {id} signed_out\nnonsense\n2 6 stale {id} roles_changed\n3 7 token {id} x\n4 8 sess"
        );
        file.write_all(text.as_bytes()).expect("written");
        let (log, Found { at, entries }) = RevokedLog::open(&path).expect("read");
        assert_eq!(at, Some(([7; 16], 3)));
        assert_eq!(log.at, at);
        assert_eq!(entries.len(), 2);
        assert!(std::fs::read_to_string(&path).expect("text").ends_with(" x\n"), "the cut line is gone");
    }
}
