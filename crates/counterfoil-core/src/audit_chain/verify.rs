//! Is the chain whole? The entries are shown one by one, in their order; at the first that is not as it was sealed it is said
//! which, and how.

use super::{AuditKey, BATCH, HASH, Mark, Place, Row, commitment, hash};

/// Where the chain breaks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// At this entry; what comes before it is as it was sealed.
    pub seq: i64,
    /// How.
    pub how: How,
}

/// How the chain breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The entry says something else than when it was sealed.
    Changed,
    /// The entry is gone.
    Missing,
    /// The entry and the next one have changed places.
    OutOfOrder,
    /// The entry lies within the sealed part and has no seal, or a batch has lost its.
    Unsealed,
    /// This entry and those after it hang together, and were not sealed with this installation's key: one or more of them have
    /// been replaced, and the chain was made anew from there.
    Remade,
    /// All entries from this one on are gone.
    CutOff,
    /// Entries from this one on are sealed, and the head, the newest seal, is older: it has been put back.
    HeadOlder,
    /// The head is missing or was not sealed with this installation's key.
    NoHead,
    /// The beginning is missing or was not sealed with this installation's key: the oldest entries may have been taken away.
    NoAnchor,
    /// The head that was kept elsewhere is not in this chain.
    NotAsKept,
}

impl How {
    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::OutOfOrder => "out_of_order",
            Self::Unsealed => "unsealed",
            Self::Remade => "remade",
            Self::CutOff => "cut_off",
            Self::HeadOlder => "head_older",
            Self::NoHead => "no_head",
            Self::NoAnchor => "no_anchor",
            Self::NotAsKept => "not_as_kept",
        }
    }
}

/// What a whole chain consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many entries are as they were sealed.
    pub entries: u64,
    /// The last number that has been purged.
    pub anchor: i64,
    /// The last number that is sealed.
    pub head: i64,
    /// How many have had their network erased.
    pub erased: u64,
    /// How many numbers had no entry when the next one was sealed.
    pub gaps: u64,
    /// Whether the head that was kept elsewhere has been met; one from before the anchor cannot be.
    pub met: bool,
}

/// Goes through the chain.
#[derive(Debug)]
pub struct Verifier<'a> {
    key: &'a AuditKey,
    head: Mark,
    kept: Option<(i64, [u8; HASH])>,
    at: i64,
    hash: Vec<u8>,
    /// The entry after the last batch whose seal was good.
    batch: i64,
    since: usize,
    found: Found,
}

impl<'a> Verifier<'a> {
    /// From its marks, and a head that was kept elsewhere, if one was. `sealed_to` is the highest number that has a seal.
    pub fn begin(
        key: &'a AuditKey,
        (anchor, head): (Option<Mark>, Option<Mark>),
        sealed_to: i64,
        kept: Option<(i64, [u8; HASH])>,
    ) -> Result<Self, Break> {
        let at = anchor.as_ref().map_or(0, |anchor| anchor.seq);
        let first = at.saturating_add(1);
        let anchor = anchor.filter(|anchor| key.is_anchor(anchor)).ok_or(Break { seq: first, how: How::NoAnchor })?;
        let head = head.filter(|head| key.is_head(head)).ok_or(Break { seq: first, how: How::NoHead })?;
        if sealed_to > head.seq {
            return Err(Break { seq: head.seq.saturating_add(1), how: How::HeadOlder });
        }
        if let Some((seq, _)) = kept.filter(|(seq, _)| *seq > head.seq) {
            return Err(Break { seq, how: How::CutOff });
        }
        let found = Found { anchor: at, head: head.seq, ..Found::default() };
        let mut begun = Self { key, head, kept, at, hash: anchor.hash, batch: first, since: 0, found };
        begun.compare_kept()?;
        Ok(begun)
    }

    /// The last entry that is to be shown.
    pub const fn last(&self) -> i64 {
        self.head.seq
    }

    /// The entry that was shown last.
    pub const fn at(&self) -> i64 {
        self.at
    }

    /// How many entries have been shown.
    pub const fn entries(&self) -> u64 {
        self.found.entries
    }

    /// The oldest entries have been purged while this was going on: it goes on from where the log begins now.
    pub fn skip_to(&mut self, anchor: &Mark) -> bool {
        let later = anchor.seq > self.at && self.key.is_anchor(anchor);
        if later {
            (self.at, self.hash, self.since) = (anchor.seq, anchor.hash.clone(), 0);
            (self.batch, self.found.anchor) = (anchor.seq.saturating_add(1), anchor.seq);
        }
        later
    }

    /// The next entry, and the one after it where there is one.
    pub fn show(&mut self, row: &Row, next: Option<&Row>) -> Result<(), Break> {
        let expected = self.at.saturating_add(1);
        let broken = |seq: i64, how: How| Err(Break { seq, how });
        if row.seq < expected {
            return broken(expected, How::OutOfOrder);
        }
        let Some(seal) = &row.seal else { return broken(row.seq, How::Unsealed) };
        if hash(&self.hash, row, &seal.commitment).as_slice() != seal.hash {
            return broken(expected, if row.seq > expected { How::Missing } else { self.changed_how(row, next) });
        }
        match &seal.salt {
            Some(salt) if commitment(salt, &row.network).as_slice() == seal.commitment => {}
            // Erased: nothing is left of it.
            None if row.network.is_empty() => self.found.erased += 1,
            _ => return broken(row.seq, How::Changed),
        }
        self.found.gaps += (row.seq - expected).unsigned_abs();
        self.since += 1;
        self.found.entries += 1;
        self.at = row.seq;
        self.hash.clone_from(&seal.hash);
        match &seal.mac {
            Some(mac) if self.key.holds(Place::Batch, (row.seq, &seal.hash), mac) => {
                (self.batch, self.since) = (row.seq.saturating_add(1), 0);
            }
            Some(_) => return broken(self.batch, How::Remade),
            None if self.since >= BATCH => return broken(self.batch, How::Unsealed),
            None => {}
        }
        self.compare_kept()
    }

    /// All have been shown.
    pub fn finish(self) -> Result<Found, Break> {
        if self.at < self.head.seq {
            return Err(Break { seq: self.at.saturating_add(1), how: How::CutOff });
        }
        if self.hash != self.head.hash {
            return Err(Break { seq: self.batch, how: How::Remade });
        }
        if self.since > 0 {
            return Err(Break { seq: self.batch, how: How::Unsealed });
        }
        if let Some((seq, _)) = self.kept.filter(|(seq, _)| *seq > self.found.anchor && !self.found.met) {
            return Err(Break { seq, how: How::NotAsKept });
        }
        Ok(self.found)
    }

    /// Whether the next entry is what stood here.
    fn changed_how(&self, row: &Row, next: Option<&Row>) -> How {
        let Some(next) = next else { return How::Changed };
        let seals = [row, next].into_iter().filter_map(|row| row.seal.as_ref());
        let here = Row { seq: row.seq, seal: None, ..next.clone() };
        let mut seals = seals.clone().flat_map(|with| seals.clone().map(move |against| (with, against)));
        let stood_here =
            seals.any(|(with, against)| hash(&self.hash, &here, &with.commitment).as_slice() == against.hash);
        if stood_here { How::OutOfOrder } else { How::Changed }
    }

    fn compare_kept(&mut self) -> Result<(), Break> {
        match self.kept {
            Some((seq, hash)) if seq == self.at && hash.as_slice() != self.hash => {
                Err(Break { seq: self.batch.min(seq), how: How::NotAsKept })
            }
            Some((seq, _)) => {
                self.found.met |= seq == self.at;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
