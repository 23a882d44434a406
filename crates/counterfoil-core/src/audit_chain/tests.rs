use super::{
    AuditKey, BATCH, Break, Found, HASH, How, Mark, NOTHING, Row, SALT, Verifier, commitment, encoding, forgettable,
    hash, seal,
};
use crate::Secret;
use proptest::prelude::*;

fn key() -> AuditKey {
    AuditKey::new(&Secret::new([7; 32]))
}

fn number(count: usize) -> i64 {
    i64::try_from(count).expect("a small number")
}

fn row(seq: i64) -> Row {
    let text = |text: &str| text.as_bytes().to_vec();
    Row {
        seq,
        at: 1_800_000_000_000 + seq,
        event: text("signed_in"),
        actor: text("user"),
        by: Some(vec![1; 16]),
        user: Some(vec![1; 16]),
        sid: Some(seq.to_be_bytes().to_vec()),
        network: text("203.0.113.0/24"),
        detail: seq.to_string().into_bytes(),
        seal: None,
    }
}

/// A chain of so many entries, sealed this many at a time.
struct Chain {
    anchor: Mark,
    head: Mark,
    rows: Vec<Row>,
}

fn chain(entries: i64, batch: usize) -> Chain {
    let (key, mut n) = (key(), 0_u8);
    let mut made = Chain { anchor: key.anchor(0, NOTHING), head: key.head(0, NOTHING), rows: Vec::new() };
    let all: Vec<Row> = (1..=entries).map(row).collect();
    for rows in all.chunks(batch) {
        let mut salt = || {
            n = u8::wrapping_add(n, 1);
            [n; SALT]
        };
        let batch = seal(&key, &made.head, rows.to_vec(), &mut salt).expect("the head is ours");
        made.rows.extend(batch.rows);
        made.head = batch.head;
    }
    made
}

impl Chain {
    fn verify(&self) -> Result<Found, Break> {
        self.verify_against(None)
    }

    fn verify_against(&self, kept: Option<(i64, [u8; HASH])>) -> Result<Found, Break> {
        let sealed_to = self.rows.iter().filter(|row| row.seal.is_some()).map(|row| row.seq).max().unwrap_or(0);
        let key = key();
        let marks = (Some(self.anchor.clone()), Some(self.head.clone()));
        let mut verifier = Verifier::begin(&key, marks, sealed_to, kept)?;
        for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| row.seq <= self.head.seq) {
            verifier.show(row, self.rows.get(index + 1))?;
        }
        verifier.finish()
    }

    /// Makes the chain anew from this entry on, as somebody can who has the database and not the key.
    fn remake(&mut self, from: usize) {
        let mut before =
            self.rows[..from].last().and_then(|row| row.seal.clone()).map_or(NOTHING.to_vec(), |seal| seal.hash);
        for row in &mut self.rows[from..] {
            let mut seal = row.seal.clone().expect("sealed");
            seal.commitment = commitment(seal.salt.as_deref().expect("a salt"), &row.network).to_vec();
            seal.hash = hash(&before, row, &seal.commitment).to_vec();
            before.clone_from(&seal.hash);
            row.seal = Some(seal);
        }
    }
}

const fn broken(seq: i64, how: How) -> Result<Found, Break> {
    Err(Break { seq, how })
}

#[test]
fn a_chain_that_nobody_touched_is_whole_however_it_was_sealed() {
    for batch in [1, 3, 7, 100] {
        let found = chain(20, batch).verify().expect("whole");
        assert_eq!((found.entries, found.head, found.anchor, found.gaps), (20, 20, 0, 0), "{batch}");
    }
    assert_eq!(chain(0, 1).verify(), Ok(Found::default()));
    let found = chain(number(BATCH) * 2, BATCH).verify().expect("whole");
    assert_eq!(found.entries, BATCH as u64 * 2);
}

#[test]
fn a_change_of_any_field_is_found_at_its_entry() {
    let changes: [fn(&mut Row); 12] = [
        |row| row.at += 1,
        |row| row.event = b"signed_out".to_vec(),
        |row| row.actor = b"admin".to_vec(),
        |row| row.by = Some(vec![2; 16]),
        |row| row.by = None,
        |row| row.user = Some(Vec::new()),
        |row| row.sid = None,
        |row| row.network = b"198.51.100.0/24".to_vec(),
        |row| row.network.clear(),
        |row| row.detail.push(b'!'),
        |row| row.seal.as_mut().expect("sealed").salt = None,
        |row| row.seal.as_mut().expect("sealed").commitment[0] ^= 1,
    ];
    for (which, change) in changes.into_iter().enumerate() {
        for at in 0..9 {
            let mut chain = chain(9, 4);
            change(&mut chain.rows[at]);
            assert_eq!(chain.verify(), broken(number(at) + 1, How::Changed), "change {which}");
        }
    }
}

#[test]
fn what_is_missing_changed_places_or_is_cut_off_is_told_apart() {
    let mut missing = chain(9, 4);
    missing.rows.remove(4);
    assert_eq!(missing.verify(), broken(5, How::Missing));
    let mut first = chain(9, 4);
    first.rows.remove(0);
    assert_eq!(first.verify(), broken(1, How::Missing));
    let mut cut = chain(9, 4);
    cut.rows.truncate(6);
    assert_eq!(cut.verify(), broken(7, How::CutOff));
    // With their seals, and without.
    for with_seals in [true, false] {
        let mut swapped = chain(9, 4);
        swapped.rows.swap(2, 3);
        (swapped.rows[2].seq, swapped.rows[3].seq) = (3, 4);
        if !with_seals {
            let (third, fourth) = (swapped.rows[3].seal.clone(), swapped.rows[2].seal.clone());
            (swapped.rows[2].seal, swapped.rows[3].seal) = (third, fourth);
        }
        assert_eq!(swapped.verify(), broken(3, How::OutOfOrder), "{with_seals}");
    }
    let mut backwards = chain(9, 4);
    backwards.rows.swap(2, 3);
    assert_eq!(backwards.verify(), broken(3, How::Missing), "shown in another order");
    let mut unsealed = chain(9, 4);
    unsealed.rows[5].seal = None;
    assert_eq!(unsealed.verify(), broken(6, How::Unsealed));
}

#[test]
fn a_chain_that_is_made_anew_without_the_key_is_found_at_the_first_batch_that_is_not_ours() {
    let mut remade = chain(12, 4);
    remade.rows[5].detail = b"another".to_vec();
    remade.remake(5);
    assert_eq!(remade.verify(), broken(5, How::Remade));
    let hash = remade.rows[11].seal.clone().expect("sealed").hash;
    remade.head.hash = hash;
    assert_eq!(remade.verify(), broken(1, How::NoHead), "and the head cannot be made without it either");
    // Without the seals of the batches the head still says so.
    let mut stripped = chain(12, 4);
    stripped.rows[5].detail = b"another".to_vec();
    stripped.remake(5);
    for row in &mut stripped.rows {
        row.seal.as_mut().expect("sealed").mac = None;
    }
    assert_eq!(stripped.verify(), broken(1, How::Remade));
    let mut bare = chain(12, 4);
    bare.rows[11].seal.as_mut().expect("sealed").mac = None;
    assert_eq!(bare.verify(), broken(9, How::Unsealed));
}

#[test]
fn no_seal_of_one_kind_does_for_another() {
    let made = chain(12, 4);
    let batch = made.rows[7].seal.clone().expect("sealed");
    let end_of_batch = Mark { seq: 8, hash: batch.hash, mac: batch.mac.expect("the end of a batch") };
    let mut cut = chain(12, 4);
    cut.rows.truncate(8);
    cut.head = end_of_batch.clone();
    assert_eq!(cut.verify(), broken(1, How::NoHead), "a cut at a batch's end cannot be passed off as the end");
    let mut beheaded = chain(12, 4);
    beheaded.rows.drain(..8);
    beheaded.anchor = end_of_batch;
    assert_eq!(beheaded.verify(), broken(9, How::NoAnchor), "nor as what has been purged");
    let key = key();
    assert!(!key.is_head(&made.anchor) && !key.is_anchor(&made.head));
    let other = AuditKey::new(&Secret::new([8; 32]));
    assert!(!other.is_head(&made.head) && !other.is_anchor(&made.anchor));
}

#[test]
fn a_head_that_is_put_back_hides_a_cut_only_from_who_has_kept_none() {
    let (old, new) = (chain(8, 4), chain(12, 4));
    let mut put_back = chain(12, 4);
    put_back.head = old.head.clone();
    assert_eq!(put_back.verify(), broken(9, How::HeadOlder));
    put_back.rows.truncate(8);
    assert!(put_back.verify().is_ok(), "what it cannot show");
    let kept = |head: &Mark| Some((head.seq, head.hash.as_slice().try_into().expect("a hash")));
    assert_eq!(put_back.verify_against(kept(&new.head)), broken(12, How::CutOff));
    assert_eq!(put_back.verify_against(kept(&old.head)).map(|found| found.met), Ok(true));
    assert_eq!(new.verify_against(Some((6, [1; HASH]))), broken(5, How::NotAsKept));
}

#[test]
fn what_is_purged_from_the_old_end_leaves_the_rest_whole() {
    let (key, mut made) = (key(), chain(12, 4));
    let before = made.rows[9].at;
    let old = |to: i64| forgettable(&key, (&made.anchor, &made.head), &made.rows, (before, to));
    assert_eq!(old(i64::MAX).map(|mark| mark.seq), Some(9), "in the middle of a batch");
    assert_eq!(old(2).map(|mark| mark.seq), Some(2), "not what a reader has not passed");
    assert_eq!(old(0), None);
    assert_eq!(
        forgettable(&key, (&made.anchor, &made.head), &made.rows, (i64::MAX, i64::MAX)).map(|mark| mark.seq),
        Some(11)
    );
    let anchor = old(i64::MAX).expect("an anchor");
    let mut tampered = made.rows.clone();
    tampered[3].detail.push(b'!');
    let kept = forgettable(&key, (&made.anchor, &made.head), &tampered, (i64::MAX, i64::MAX));
    assert_eq!(kept.map(|mark| mark.seq), Some(3), "what has been tampered with is kept");
    made.rows.drain(..9);
    made.anchor = anchor;
    let found = made.verify().expect("whole");
    assert_eq!((found.entries, found.anchor, found.head), (3, 9, 12));
    made.rows.remove(0);
    assert_eq!(made.verify(), broken(10, How::Missing), "what is purged by somebody else is missing");
}

#[test]
fn the_unsealed_is_never_purged_and_nothing_is_sealed_on_a_head_that_is_not_ours() {
    let (key, mut made) = (key(), chain(4, 4));
    made.rows[1].seal = None;
    assert_eq!(
        forgettable(&key, (&made.anchor, &made.head), &made.rows, (i64::MAX, i64::MAX)).map(|mark| mark.seq),
        Some(1)
    );
    let mut forged = made.head.clone();
    forged.seq += 1;
    assert_eq!(seal(&key, &forged, vec![row(6)], || [0; SALT]), None);
    assert_eq!(seal(&key, &made.head, Vec::new(), || [0; SALT]), None);
}

#[test]
fn an_erased_network_leaves_the_chain_whole() {
    let mut made = chain(6, 4);
    for row in &mut made.rows[1..4] {
        row.network.clear();
        row.seal.as_mut().expect("sealed").salt = None;
    }
    assert_eq!(made.verify().map(|found| found.erased), Ok(3));
}

#[test]
fn numbers_that_had_no_entry_when_they_were_sealed_are_counted_and_not_held_against_the_chain() {
    let key = key();
    let head = key.head(0, NOTHING);
    let batch = seal(&key, &head, vec![row(3), row(4), row(7)], || [1; SALT]).expect("ours");
    let made = Chain { anchor: key.anchor(0, NOTHING), head: batch.head, rows: batch.rows };
    assert_eq!(made.verify().map(|found| found.gaps), Ok(4));
    assert_eq!(made.verify_against(Some((5, [1; HASH]))), broken(5, How::NotAsKept), "no head was ever there");
}

#[test]
fn a_purge_that_comes_between_is_followed() {
    let (key, made) = (key(), chain(12, 4));
    let marks = (Some(made.anchor.clone()), Some(made.head.clone()));
    let mut verifier = Verifier::begin(&key, marks, 12, None).expect("begun");
    verifier.show(&made.rows[0], None).expect("whole");
    let anchor =
        forgettable(&key, (&made.anchor, &made.head), &made.rows[..6], (i64::MAX, i64::MAX)).expect("an anchor");
    assert!(!verifier.skip_to(&made.head), "only an anchor that is ours");
    assert!(verifier.skip_to(&anchor) && verifier.at() == 6);
    for row in &made.rows[6..] {
        verifier.show(row, None).expect("whole");
    }
    assert_eq!(verifier.finish().map(|found| (found.entries, found.anchor)), Ok((7, 6)));
}

/// The encoding and the hash are part of the contract: exports can be checked by other programs.
#[test]
fn the_hash_is_what_the_guide_says() {
    let digest = hash(&NOTHING, &Row { seal: None, ..row(1) }, &commitment(&[1; SALT], b"203.0.113.0/24"));
    let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex.concat(), "79a1c8de5e98e4321e13dee55235443182d53e50f370b39e22b7551fa469008c");
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0, 1, b'a']), 0..4)
}

fn any_row() -> impl Strategy<Value = Row> {
    let ids = (prop::option::of(bytes()), prop::option::of(bytes()), prop::option::of(bytes()));
    (0_i64..3, 0_i64..3, bytes(), bytes(), ids, bytes()).prop_map(|(seq, at, event, actor, (by, user, sid), detail)| {
        Row { seq, at, event, actor, by, user, sid, network: Vec::new(), detail, seal: None }
    })
}

proptest! {
    #[test]
    fn two_entries_with_one_encoding_are_one(
        one in any_row(), other in any_row(), before in bytes(), before_other in bytes(), commit in bytes(), commit_other in bytes(),
    ) {
        let same = (&one, &before, &commit) == (&other, &before_other, &commit_other);
        let encoded = encoding(&before, &one, &commit) == encoding(&before_other, &other, &commit_other);
        prop_assert_eq!(same, encoded);
    }

    #[test]
    fn moving_a_byte_from_one_field_to_the_next_is_seen(row in any_row(), cut in 0_usize..4) {
        let joined = [row.event.clone(), row.actor.clone()].concat();
        let cut = cut.min(joined.len());
        let moved = Row { event: joined[..cut].to_vec(), actor: joined[cut..].to_vec(), ..row.clone() };
        prop_assert_eq!(moved == row, encoding(&NOTHING, &moved, &[]) == encoding(&NOTHING, &row, &[]));
    }

    #[test]
    fn any_tampering_with_any_entry_is_found_there_or_at_its_batch(
        entries in 1_i64..40, batch in 1_usize..10, at in 0_usize..40, what in 0_u8..5, remade in any::<bool>(),
    ) {
        let mut made = chain(entries, batch);
        let at = at % made.rows.len();
        match what {
            0 => made.rows[at].detail.push(b'x'),
            1 => made.rows[at].at += 1,
            2 => made.rows[at].sid = None,
            3 => made.rows[at].network = b"elsewhere".to_vec(),
            _ => { made.rows.remove(at); }
        }
        if remade && at < made.rows.len() {
            made.remake(at);
        }
        let found = made.verify().expect_err("tampered with");
        let first_of_batch = number(at - at % batch) + 1;
        prop_assert!((first_of_batch..=number(at) + 1).contains(&found.seq), "{:?} for {}", found, at + 1);
    }
}
