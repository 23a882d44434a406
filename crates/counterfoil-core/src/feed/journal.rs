//! The entries in force, in order, as the feed hands them out.

use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_guard::{Cursor, Entry, LogId, Target, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// What a guard has not seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Everything in force, because the guard's cursor is not a place in this log from which to go on.
    pub snapshot: bool,
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// Where the guard stands with them.
    pub cursor: Cursor,
}

/// The entries in force.
#[derive(Clone, Debug)]
pub struct Journal {
    log: LogId,
    /// The newest entry ever written, and its digest.
    head: (u64, u64),
    /// Entries that are past their time have left from the front; keys never leave.
    kept: VecDeque<(Entry, u64)>,
    keys: Vec<Entry>,
    waiting: BTreeMap<u64, Entry>,
    /// Every entry after this number is in `kept` or in `keys`: from here on a guard can go on without a snapshot.
    complete_after: u64,
}

impl Journal {
    /// From a store: the entries in force, in order, and the newest one ever written.
    pub fn new(log: LogId, head: Option<&Entry>, in_force: Vec<Entry>) -> Self {
        let head = head.map_or((0, 0), |entry| (entry.seq, hash(log, entry)));
        let (kept, keys, waiting) = Default::default();
        let mut journal = Self { log, head, kept, keys, waiting, complete_after: head.0 };
        let mut next = head.0 + 1;
        for entry in in_force.iter().rev() {
            // From the end back to the first gap nothing is missing.
            if entry.seq + 1 == next {
                next = entry.seq;
            } else {
                break;
            }
        }
        journal.complete_after = next - 1;
        for entry in in_force {
            journal.keep(entry);
        }
        journal
    }

    /// Takes new entries in. Those that are known already change nothing; those whose predecessor has not come by wait for
    /// it, because whoever acknowledges an entry acknowledges everything before it.
    pub fn append(&mut self, entries: &[Entry]) {
        for entry in entries {
            if entry.seq > self.head.0 {
                self.waiting.insert(entry.seq, entry.clone());
            }
        }
        while let Some(entry) = self.waiting.remove(&(self.head.0 + 1)) {
            self.head = (entry.seq, hash(self.log, &entry));
            self.keep(entry);
        }
    }

    /// The entries that wait for one before them, in order.
    pub fn into_waiting(self) -> Vec<Entry> {
        self.waiting.into_values().collect()
    }

    /// Whether entries wait for one before them.
    pub fn has_gap(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn keep(&mut self, entry: Entry) {
        let digest = hash(self.log, &entry);
        if matches!(entry.what, Target::Key(_)) {
            self.keys.push(entry.clone());
        }
        let at = self.kept.partition_point(|(kept, _)| kept.seq < entry.seq);
        self.kept.insert(at, (entry, digest));
    }

    /// Where a guard stands that has everything.
    pub const fn cursor(&self) -> Cursor {
        Cursor { log: self.log, seq: self.head.0, hash: self.head.1 }
    }

    /// Up to which entry this cursor acknowledges; `None` when it is not a place in this log as it is.
    pub fn acknowledged(&self, cursor: Cursor) -> Option<u64> {
        if cursor.log != self.log || cursor.seq < self.complete_after || cursor.seq > self.head.0 {
            return None;
        }
        let known = if cursor.seq == self.head.0 {
            Some(self.head.1)
        } else if cursor.seq == 0 {
            Some(0)
        } else {
            self.position(cursor.seq).map(|(_, digest)| *digest)
        };
        (known == Some(cursor.hash)).then_some(cursor.seq)
    }

    fn position(&self, seq: u64) -> Option<&(Entry, u64)> {
        let at = self.kept.partition_point(|(entry, _)| entry.seq < seq);
        self.kept.get(at).filter(|(entry, _)| entry.seq == seq)
    }

    /// What comes after the cursor, or everything.
    pub fn after(&self, cursor: Option<Cursor>) -> Page {
        let cursor_now = self.cursor();
        if let Some(seq) = cursor.and_then(|cursor| self.acknowledged(cursor)) {
            let from = self.kept.partition_point(|(entry, _)| entry.seq <= seq);
            let entries = self.kept.range(from..).map(|(entry, _)| entry.clone()).collect();
            return Page { snapshot: false, entries, cursor: cursor_now };
        }
        let keys = self.keys.iter().filter(|key| self.position(key.seq).is_none());
        let entries = keys.chain(self.kept.iter().map(|(entry, _)| entry)).cloned().collect();
        Page { snapshot: true, entries, cursor: cursor_now }
    }

    /// Drops entries past which no token they hit can be alive.
    pub fn forget_before(&mut self, now: Timestamp) {
        // Times go with numbers but for clocks that step: stop at the first that must stay.
        while let Some((entry, _)) = self.kept.front()
            && entry.until <= now
        {
            self.complete_after = self.complete_after.max(entry.seq);
            self.kept.pop_front();
        }
    }

    /// How many entries are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing is in force.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.keys.is_empty()
    }
}

/// A digest of an entry in its log. It stands for the whole entry and its time, so that a log which was put back and went on
/// differently is noticed.
fn hash(log: LogId, entry: &Entry) -> u64 {
    let (kind, target, version): (u8, &[u8], u32) = match &entry.what {
        Target::Session(sid) => (0, sid.as_bytes(), 0),
        Target::Token(jti) => (1, jti.as_bytes(), 0),
        Target::Key(kid) => (2, kid.as_str().as_bytes(), 0),
        Target::Stale(sid, version) => (3, sid.as_bytes(), *version),
    };
    let mut text = Vec::with_capacity(64);
    text.extend_from_slice(log.as_bytes());
    text.extend_from_slice(&entry.seq.to_be_bytes());
    text.extend_from_slice(&entry.until.as_millis().to_be_bytes());
    text.push(kind);
    text.extend_from_slice(&version.to_be_bytes());
    text.extend_from_slice(target);
    let digest = digest(&SHA256, &text);
    digest.as_ref().first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use counterfoil_guard::{Cursor, Entry, LogId, Sid, Target, Timestamp};

    const LOG: LogId = LogId::from_bytes([1; 16]);

    fn entry(seq: u64) -> Entry {
        let what = Target::Session(Sid::from_bytes([u8::try_from(seq).unwrap(); 16]));
        Entry { seq, until: Timestamp::from_seconds(1000 + seq.cast_signed()), what }
    }

    fn key(seq: u64) -> Entry {
        Entry { what: Target::Key("k".parse().unwrap()), ..entry(seq) }
    }

    fn seqs(journal: &Journal, cursor: Option<Cursor>) -> (bool, Vec<u64>) {
        let page = journal.after(cursor);
        assert_eq!(page.cursor, journal.cursor());
        (page.snapshot, page.entries.iter().map(|entry| entry.seq).collect())
    }

    #[test]
    fn a_guard_goes_on_where_it_stands() {
        let mut journal = Journal::new(LOG, None, Vec::new());
        let start = journal.cursor();
        assert_eq!(seqs(&journal, None), (true, vec![]));
        assert_eq!(seqs(&journal, Some(start)), (false, vec![]));
        journal.append(&[entry(1), entry(2)]);
        let two = journal.cursor();
        journal.append(&[entry(2), entry(3)]);
        assert_eq!(seqs(&journal, Some(start)), (false, vec![1, 2, 3]));
        assert_eq!(seqs(&journal, Some(two)), (false, vec![3]));
        assert_eq!(journal.acknowledged(two), Some(2));
    }

    #[test]
    fn what_is_not_a_place_in_this_log_gets_everything_and_acknowledges_nothing() {
        let mut journal = Journal::new(LOG, None, Vec::new());
        journal.append(&[entry(1), entry(2), entry(3)]);
        let good = journal.cursor();
        let foreign = Cursor { log: LogId::from_bytes([2; 16]), ..good };
        let other_entry = Cursor { hash: good.hash ^ 1, ..good };
        let ahead = Cursor { seq: 4, ..good };
        for cursor in [foreign, other_entry, ahead] {
            assert_eq!(journal.acknowledged(cursor), None);
            assert_eq!(seqs(&journal, Some(cursor)), (true, vec![1, 2, 3]));
        }
    }

    #[test]
    fn who_stands_before_what_was_forgotten_gets_everything() {
        let mut journal = Journal::new(LOG, None, Vec::new());
        let start = journal.cursor();
        journal.append(&[entry(1), key(2), entry(3)]);
        let three = journal.cursor();
        journal.forget_before(Timestamp::from_seconds(1002));
        assert_eq!(seqs(&journal, Some(start)), (true, vec![2, 3]), "a key never leaves");
        journal.forget_before(Timestamp::from_seconds(1003));
        assert_eq!(seqs(&journal, Some(three)), (false, vec![]), "the head is known after it has left");
        journal.append(&[entry(4)]);
        assert_eq!(seqs(&journal, Some(three)), (true, vec![2, 4]), "who stood there is told everything");
    }

    #[test]
    fn a_journal_read_from_a_store_knows_the_same_places() {
        let mut journal = Journal::new(LOG, None, Vec::new());
        journal.append(&[entry(1), key(2), entry(3), entry(4), entry(5)]);
        let read = Journal::new(LOG, Some(&entry(5)), vec![key(2), entry(4), entry(5)]);
        assert_eq!(read.cursor(), journal.cursor());
        let four = Journal::new(LOG, Some(&entry(4)), vec![]).cursor();
        assert_eq!(seqs(&read, Some(four)), (false, vec![5]));
        let two = Journal::new(LOG, Some(&key(2)), vec![]).cursor();
        assert_eq!(seqs(&read, Some(two)), (true, vec![2, 4, 5]), "3 is missing between");
    }

    #[test]
    fn an_entry_waits_for_the_one_before_it() {
        let mut journal = Journal::new(LOG, None, Vec::new());
        journal.append(&[entry(1)]);
        let one = journal.cursor();
        journal.append(&[entry(3)]);
        assert!(journal.has_gap());
        assert_eq!(seqs(&journal, Some(one)), (false, vec![]));
        journal.append(&[entry(2)]);
        assert!(!journal.has_gap());
        assert_eq!(seqs(&journal, Some(one)), (false, vec![2, 3]));
    }
}
