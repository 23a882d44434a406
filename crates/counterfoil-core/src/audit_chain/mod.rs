//! The audit log as a chain: each entry's hash covers the one before it, and a secret key seals where the chain begins, every
//! batch of it, and where it ends. Whoever can write the database and does not have the master key can change entries, and
//! cannot hide it.
//!
//! What is personal (`network`) stands beside the chain, which holds only a salted hash of it: with its salt it can be erased,
//! and the chain stays whole.
//!
//! What it does *not* show: changes to entries before they are sealed (a second, while a server runs), and a database that has
//! been put back as a whole, head and all; against that a head is kept elsewhere ([`Mark`]).

mod verify;

pub use verify::{Break, Found, How, Verifier};

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_lc_rs::hmac;

/// What an entry's hash is over begins with this.
const ENTRY: &[u8] = b"counterfoil audit entry 1\0";

/// Bytes of a hash.
pub const HASH: usize = 32;

/// Bytes of a salt.
pub const SALT: usize = 16;

/// How many entries are sealed at once at the most. Between two seals of batches there are never more.
pub const BATCH: usize = 500;

/// A SHA-256 hash.
pub type Hash = [u8; HASH];

/// What comes before the first entry of all.
pub const NOTHING: Hash = [0; HASH];

/// An entry as its row says, whatever that is: a row that has been tampered with must be readable too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub seq: i64,
    /// When, in milliseconds.
    pub at: i64,
    /// What, in a word.
    pub event: Vec<u8>,
    /// Who, in a word.
    pub actor: Vec<u8>,
    /// The acting account.
    pub by: Option<Vec<u8>>,
    /// Whose account.
    pub user: Option<Vec<u8>>,
    /// Which session.
    pub sid: Option<Vec<u8>>,
    /// From which network; empty once erased.
    pub network: Vec<u8>,
    /// Anything else.
    pub detail: Vec<u8>,
    /// What it was sealed with, if it has been.
    pub seal: Option<Seal>,
}

/// What stands beside an entry that has been sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// What the network was hashed with; gone when that has been erased.
    pub salt: Option<Vec<u8>>,
    /// [`commitment`] to the network.
    pub commitment: Vec<u8>,
    /// The entry's hash.
    pub hash: Vec<u8>,
    /// At the end of a batch: the batch's seal.
    pub mac: Option<Vec<u8>>,
}

/// A place in the chain, sealed: where it begins or where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The entry's number.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The seal on both, and on what kind of place it is.
    pub mac: Vec<u8>,
}

/// What kind of place is sealed. Each has a seal of its own, so that none can be made out of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The last entry that has been purged; the chain goes on from it.
    Anchor,
    /// The last entry of a batch.
    Batch,
    /// The newest entry sealed.
    Head,
}

impl Place {
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Anchor => b"counterfoil audit anchor 1\0",
            Self::Batch => b"counterfoil audit batch 1\0",
            Self::Head => b"counterfoil audit head 1\0",
        }
    }
}

/// The key of the seals.
#[derive(Debug)]
pub struct AuditKey(hmac::Key);

impl AuditKey {
    /// From 32 random bytes.
    pub fn new(secret: &crate::Secret<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
    }

    fn seal(&self, place: Place, seq: i64, hash: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, &said(place, seq, hash)).as_ref().to_vec()
    }

    fn holds(&self, place: Place, (seq, hash): (i64, &[u8]), mac: &[u8]) -> bool {
        hmac::verify(&self.0, &said(place, seq, hash), mac).is_ok()
    }

    /// The chain begins after this entry.
    pub fn anchor(&self, seq: i64, hash: Hash) -> Mark {
        Mark { seq, hash: hash.to_vec(), mac: self.seal(Place::Anchor, seq, &hash) }
    }

    /// The chain ends with this entry.
    pub fn head(&self, seq: i64, hash: Hash) -> Mark {
        Mark { seq, hash: hash.to_vec(), mac: self.seal(Place::Head, seq, &hash) }
    }

    /// Whether this key has sealed this head.
    pub fn is_head(&self, mark: &Mark) -> bool {
        self.holds(Place::Head, (mark.seq, &mark.hash), &mark.mac)
    }

    /// Whether this key has sealed this anchor.
    pub fn is_anchor(&self, mark: &Mark) -> bool {
        self.holds(Place::Anchor, (mark.seq, &mark.hash), &mark.mac)
    }
}

fn said(place: Place, seq: i64, hash: &[u8]) -> Vec<u8> {
    [place.domain(), &seq.to_be_bytes(), &length(hash), hash].concat()
}

fn length(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_be_bytes()
}

/// What the chain holds of a network: nothing that can be guessed once the salt is gone.
pub fn commitment(salt: &[u8], network: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(salt);
    context.update(network);
    as_hash(context.finish().as_ref())
}

/// The hash of an entry that comes after the one with this hash.
pub fn hash(previous: &[u8], row: &Row, commitment: &[u8]) -> Hash {
    as_hash(digest(&SHA256, &encoding(previous, row, commitment)).as_ref())
}

/// Unambiguous: every part has its length in front, and what is absent is told from what is empty.
fn encoding(previous: &[u8], row: &Row, commitment: &[u8]) -> Vec<u8> {
    let mut bytes = ENTRY.to_vec();
    let mut part = |text: &[u8]| {
        bytes.extend_from_slice(&length(text));
        bytes.extend_from_slice(text);
    };
    let optional = |id: &Option<Vec<u8>>| id.as_ref().map_or(vec![0], |id| [&[1], id.as_slice()].concat());
    part(previous);
    part(&row.seq.to_be_bytes());
    part(&row.at.to_be_bytes());
    part(&row.event);
    part(&row.actor);
    part(&optional(&row.by));
    part(&optional(&row.user));
    part(&optional(&row.sid));
    part(&row.detail);
    part(commitment);
    bytes
}

fn as_hash(digest: &[u8]) -> Hash {
    digest.try_into().expect("SHA-256 has 32 bytes")
}

/// What the next entries are sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The entries, as they were read, each with its seal.
    pub rows: Vec<Row>,
    /// The head there is then.
    pub head: Mark,
}

/// Seals `rows`, which come after `head` in their order. `salt` gives 16 fresh random bytes each time. `None` when there is
/// nothing to seal, or the head is not one that this key has sealed: nothing may be built on that.
pub fn seal(key: &AuditKey, head: &Mark, rows: Vec<Row>, mut salt: impl FnMut() -> [u8; SALT]) -> Option<Batch> {
    let mut hash = NOTHING;
    if !key.is_head(head) || head.hash.len() != HASH {
        return None;
    }
    hash.copy_from_slice(&head.hash);
    let last = rows.last()?.seq;
    let rows = rows
        .into_iter()
        .map(|row| {
            let salt = salt();
            let commitment = commitment(&salt, &row.network);
            hash = self::hash(&hash, &row, &commitment);
            let mac = (row.seq == last).then(|| key.seal(Place::Batch, row.seq, &hash));
            let seal = Seal { salt: Some(salt.to_vec()), commitment: commitment.to_vec(), hash: hash.to_vec(), mac };
            Row { seal: Some(seal), ..row }
        })
        .collect();
    Some(Batch { rows, head: key.head(last, hash) })
}

/// How far the log may be purged: `oldest` are the entries after `anchor` in their order. Up to and including the last one that is
/// as it was sealed, from before `before`, and not beyond `to`; the newest entry sealed stays, and so does what has been tampered
/// with, and all after it. Returns the anchor that is then.
pub fn forgettable(
    key: &AuditKey,
    (anchor, head): (&Mark, &Mark),
    oldest: &[Row],
    (before, to): (i64, i64),
) -> Option<Mark> {
    if !key.is_anchor(anchor) || !key.is_head(head) {
        return None;
    }
    let mut place = (anchor.seq, anchor.hash.clone());
    for row in oldest {
        let Some(seal) = &row.seal else { break };
        let whole = hash(&place.1, row, &seal.commitment).as_slice() == seal.hash;
        if !whole || row.at >= before || row.seq > to || row.seq >= head.seq {
            break;
        }
        place = (row.seq, seal.hash.clone());
    }
    let hash = place.1.as_slice().try_into().ok()?;
    (place.0 > anchor.seq).then(|| key.anchor(place.0, hash))
}

#[cfg(test)]
mod tests;
