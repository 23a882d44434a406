//! The contract of the audit log as a chain, and of looking things up in it.

use super::{at, entry};
use counterfoil::clock::random;
use counterfoil::store::{SealedSecret, Store};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::audit_chain::{AuditKey, Batch, Break, Found, How, Mark, NOTHING, Verifier, forgettable, seal};
use counterfoil_core::audit_search::{By, Direction, Place, Wanted};
use counterfoil_core::{Secret, Sid, UserId};
use std::sync::Arc;

const ADA: UserId = UserId::from_bytes([1; 16]);
const EVE: UserId = UserId::from_bytes([2; 16]);
const ROOT: UserId = UserId::from_bytes([3; 16]);

fn key() -> AuditKey {
    AuditKey::new(&Secret::new([9; 32]))
}

fn sealed_key() -> SealedSecret {
    SealedSecret { purpose: "audit-key".into(), id: "1".into(), sealed: vec![1] }
}

/// The chain's beginning, with so many entries of Ada's behind it.
async fn begun(store: &Arc<dyn Store>, entries: i64) -> AuditKey {
    let key = key();
    let marks = (key.anchor(0, NOTHING), key.head(0, NOTHING));
    assert_eq!(store.begin_chain(Vec::new(), sealed_key(), marks).await, Ok(true));
    for n in 0..entries {
        store.append(of_ada(n)).await.unwrap();
    }
    key
}

fn of_ada(n: i64) -> AuditEntry {
    let network = format!("203.0.{n}.0/24");
    AuditEntry { actor: Actor::User(ADA), user: Some(ADA), network, detail: n.to_string(), ..entry(Event::SignedIn, n) }
}

async fn next_batch(store: &Arc<dyn Store>, key: &AuditKey, most: u32) -> Option<(Mark, Batch)> {
    let head = store.marks().await.unwrap().head.unwrap();
    let rows = store.links(head.seq, most).await.unwrap();
    seal(key, &head, rows, random).map(|batch| (head, batch))
}

async fn seal_all(store: &Arc<dyn Store>, key: &AuditKey, most: u32) {
    while let Some((head, batch)) = next_batch(store, key, most).await {
        assert_eq!(store.seal(head, batch).await, Ok(true));
    }
}

async fn verified(store: &Arc<dyn Store>, key: &AuditKey) -> Result<Found, Break> {
    let marks = store.marks().await.unwrap();
    let mut verifier = Verifier::begin(key, (marks.anchor, marks.head), marks.sealed_to, None)?;
    while verifier.at() < verifier.last() {
        let rows = store.links(verifier.at(), 7).await.unwrap();
        let Some(row) = rows.first() else { break };
        verifier.show(row, rows.get(1))?;
    }
    verifier.finish()
}

pub(super) async fn a_chain_is_begun_once_and_only_beside_the_secrets_that_were_read(store: Arc<dyn Store>) {
    let key = begun(&store, 0).await;
    let marks = || (key.anchor(5, NOTHING), key.head(5, NOTHING));
    assert_eq!(store.begin_chain(Vec::new(), sealed_key(), marks()).await, Ok(false));
    let known = store.secrets().await.unwrap();
    assert_eq!(known, [sealed_key()]);
    assert_eq!(store.marks().await.unwrap().head.map(|head| head.seq), Some(0));
}

pub(super) async fn what_is_sealed_is_whole_and_what_comes_after_is_not_sealed_yet(store: Arc<dyn Store>) {
    let key = begun(&store, 12).await;
    let marks = store.marks().await.unwrap();
    assert_eq!((marks.oldest, marks.newest, marks.sealed_to), (1, 12, 0));
    seal_all(&store, &key, 5).await;
    assert_eq!(verified(&store, &key).await.map(|found| found.entries), Ok(12));
    store.append(of_ada(12)).await.unwrap();
    let marks = store.marks().await.unwrap();
    assert_eq!((marks.newest, marks.sealed_to, marks.head.unwrap().seq), (13, 12, 12));
    assert!(store.links(12, 10).await.unwrap()[0].seal.is_none());
    assert_eq!(verified(&store, &key).await.map(|found| found.entries), Ok(12));
    seal_all(&store, &key, 5).await;
    assert_eq!(verified(&store, &key).await.map(|found| found.entries), Ok(13));
}

pub(super) async fn of_two_that_seal_the_same_one_does(store: Arc<dyn Store>) {
    let key = begun(&store, 40).await;
    let workers = (0..4).map(|_| {
        let store = Arc::clone(&store);
        async move {
            let (key, mut won) = (self::key(), 0);
            while let Some((head, batch)) = next_batch(&store, &key, 3).await {
                won += u32::from(store.seal(head, batch).await.unwrap());
            }
            won
        }
    });
    let won: u32 = crate::support::all(workers).await.into_iter().sum();
    assert_eq!(won, 14, "each batch once");
    assert_eq!(verified(&store, &key).await.map(|found| found.entries), Ok(40));
}

/// A batch that cannot be sealed as it was read leaves nothing behind, and the next round goes on where the head stands.
pub(super) async fn a_batch_is_sealed_whole_or_not_at_all(store: Arc<dyn Store>) {
    let key = begun(&store, 6).await;
    let (head, batch) = next_batch(&store, &key, 6).await.unwrap();
    assert_eq!(store.erase_networks(ADA, 1).await, Ok(1));
    assert_eq!(store.seal(head.clone(), batch).await, Ok(false), "one of them is not what it was");
    let marks = store.marks().await.unwrap();
    assert_eq!((marks.head, marks.sealed_to), (Some(head), 0));
    seal_all(&store, &key, 4).await;
    assert_eq!(verified(&store, &key).await.map(|found| found.entries), Ok(6));
}

pub(super) async fn an_erased_network_is_gone_with_its_salt_and_the_chain_is_whole(store: Arc<dyn Store>) {
    let key = begun(&store, 5).await;
    let network = || "198.51.100.0/24".to_owned();
    let by_root =
        AuditEntry { actor: Actor::Admin(ROOT), user: Some(ADA), network: network(), ..entry(Event::Banned, 9) };
    store.append(by_root).await.unwrap();
    let of_eve =
        AuditEntry { actor: Actor::User(EVE), user: Some(EVE), network: network(), ..entry(Event::SignedIn, 9) };
    store.append(of_eve).await.unwrap();
    seal_all(&store, &key, 3).await;
    assert_eq!(store.erase_networks(ADA, 3).await, Ok(3));
    assert_eq!(store.erase_networks(ADA, 3).await, Ok(2), "fewer: that was all");
    assert_eq!(store.erase_networks(ADA, 3).await, Ok(0));
    let left = |rows: Vec<counterfoil_core::audit_chain::Row>| {
        let with = |row: &&counterfoil_core::audit_chain::Row| {
            assert_eq!(row.network.is_empty(), row.seal.as_ref().unwrap().salt.is_none());
            !row.network.is_empty()
        };
        rows.iter().filter(with).map(|row| row.seq).collect::<Vec<_>>()
    };
    assert_eq!(left(store.links(0, 100).await.unwrap()), [6, 7], "an administrator's and others' stay");
    assert_eq!(store.erase_networks(ROOT, 3).await, Ok(1));
    assert_eq!(left(store.links(0, 100).await.unwrap()), [7]);
    assert_eq!(verified(&store, &key).await.map(|found| (found.entries, found.erased)), Ok((7, 6)));
}

pub(super) async fn what_is_forgotten_leaves_an_anchor_and_numbers_go_on(store: Arc<dyn Store>) {
    let key = begun(&store, 10).await;
    seal_all(&store, &key, 4).await;
    let marks = store.marks().await.unwrap();
    let (anchor, head) = (marks.anchor.unwrap(), marks.head.unwrap());
    let oldest = store.links(0, 100).await.unwrap();
    let next = forgettable(&key, (&anchor, &head), &oldest, (i64::MAX, i64::MAX)).unwrap();
    assert_eq!(store.forget(head.clone(), next.clone()).await, Ok(false), "from another place");
    assert_eq!(store.forget(anchor.clone(), next.clone()).await, Ok(true));
    assert_eq!(store.forget(anchor, next).await, Ok(false), "once");
    let marks = store.marks().await.unwrap();
    assert_eq!((marks.oldest, marks.newest), (10, 10), "the newest stays");
    store.append(of_ada(11)).await.unwrap();
    seal_all(&store, &key, 4).await;
    let found = verified(&store, &key).await.unwrap();
    assert_eq!((found.anchor, found.head, found.entries), (9, 11, 2));
    let missing = Verifier::begin(&key, (Some(key.anchor(8, NOTHING)), store.marks().await.unwrap().head), 11, None);
    let rows = store.links(8, 10).await.unwrap();
    assert_eq!(missing.unwrap().show(&rows[0], None), Err(Break { seq: 9, how: How::Missing }));
}

pub(super) async fn the_slowest_of_the_readers_that_are_asked_about_counts(store: Arc<dyn Store>) {
    begun(&store, 0).await;
    assert_eq!(store.slowest(vec!["a".into()]).await, Ok(None));
    for name in ["a", "b", "gone"] {
        store.reader(name).await.unwrap();
    }
    for n in 0..5 {
        store.append(of_ada(n)).await.unwrap();
    }
    store.move_reader("a", 4).await.unwrap();
    store.move_reader("b", 3).await.unwrap();
    assert_eq!(store.slowest(vec!["a".into(), "b".into(), "new".into()]).await, Ok(Some(3)));
    assert_eq!(store.slowest(Vec::new()).await, Ok(None));
}

/// Everything that can be asked for, against a list that is gone through one by one.
pub(super) async fn a_search_finds_what_is_wanted_in_order_page_by_page(store: Arc<dyn Store>) {
    let key = begun(&store, 0).await;
    let sids = [None, Some(Sid::from_bytes([7; 16])), Some(Sid::from_bytes([8; 16]))];
    let events = [Event::SignedIn, Event::SignInFailed, Event::Banned];
    let actors = [Actor::User(ADA), Actor::Admin(ROOT), Actor::Admin(EVE), Actor::Anonymous, Actor::System];
    let users = [Some(ADA), Some(EVE), None];
    let mut all = Vec::new();
    for n in 0..90 {
        let pick = |of: usize, salt: usize| (n * salt + n / 7) % of;
        let (event, actor) = (events[pick(3, 5)], actors[pick(5, 3)]);
        // Many at one time, and some earlier than those before them.
        let about = (users[pick(3, 7)], sids[pick(3, 11)]);
        let time = i64::try_from((n / 4) ^ 1).unwrap();
        let entry = AuditEntry { actor, user: about.0, sid: about.1, detail: n.to_string(), ..entry(event, time) };
        store.append(entry.clone()).await.unwrap();
        all.push((i64::try_from(n).unwrap() + 1, entry));
    }
    seal_all(&store, &key, 40).await;
    let base = Wanted { since: at(2), until: at(20), ..Wanted::default() };
    let wanted = [
        Wanted::default(),
        base,
        Wanted { user: Some(ADA), ..base },
        Wanted { sid: sids[1], ..base },
        Wanted { event: Some(Event::Banned), ..base },
        Wanted { actor: Some(By::Kind("admin")), ..base },
        Wanted { actor: Some(By::Admin(ROOT)), ..base },
    ];
    for wanted in wanted {
        for direction in [Direction::Back, Direction::Forward] {
            let mut expected: Vec<&(i64, AuditEntry)> = all.iter().filter(|(_, entry)| wanted.admits(entry)).collect();
            expected.sort_by_key(|(seq, entry)| (entry.at, *seq));
            if direction == Direction::Back {
                expected.reverse();
            }
            let (mut found, mut after): (Vec<(i64, AuditEntry)>, _) = (Vec::new(), None);
            loop {
                let page = store.find(wanted.stretch(direction, after), 4).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(Place { at: last.entry.at, seq: last.seq });
                assert!(page.iter().all(|one| one.sealed.as_ref().is_some_and(|(hash, _)| hash.len() == 32)));
                found.extend(page.into_iter().map(|one| (one.seq, one.entry)));
            }
            assert!(found.iter().eq(expected), "{wanted:?} {direction:?}");
            assert!(found.len() > 3, "{wanted:?}");
        }
    }
}

/// However long the log is, no look-up goes through all of it.
#[tokio::test]
async fn in_postgresql_every_look_up_goes_along_an_index() {
    let server = crate::support::Postgres::start();
    let store: Arc<dyn Store> = Arc::new(server.open().await);
    let rows = "INSERT INTO audit (at, seq, by_user, account, sid, event, actor, network, detail) \
                SELECT 1800000000000 + n, n, u, u, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'signed_in' ELSE 'banned' END, \
                  CASE WHEN n % 2 = 0 THEN 'user' ELSE 'admin' END, 'x', '' \
                FROM generate_series(1, 30000) n, LATERAL (SELECT md5((n % 100)::text)::uuid) AS of_account (u)";
    server.psql("counterfoil", rows);
    server.psql("counterfoil", "ANALYZE audit");
    let count = |sql: &str| server.psql("counterfoil", sql).trim().parse::<i64>().unwrap();
    let (all, sid) = (Wanted::default(), Some(Sid::from_bytes([7; 16])));
    let by = |kind| Some(By::Kind(kind));
    let wanted = [
        all,
        Wanted { user: Some(ADA), ..all },
        Wanted { sid, ..all },
        Wanted { event: Some(Event::Banned), ..all },
        Wanted { actor: by("admin"), ..all },
        Wanted { actor: Some(By::Admin(ROOT)), ..all },
    ];
    let scans = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'audit'";
    let used = "SELECT count(*) FROM pg_stat_user_indexes WHERE idx_scan > 0 AND indexrelname IN \
                ('audit_at', 'audit_account', 'audit_sid', 'audit_event', 'audit_actor', 'audit_admin')";
    let before = count(scans);
    for wanted in wanted {
        for direction in [Direction::Back, Direction::Forward] {
            store.find(wanted.stretch(direction, None), 100).await.unwrap();
        }
    }
    store.marks().await.unwrap();
    store.links(20_000, 100).await.unwrap();
    // A connection tells what it has done when it ends.
    store.close().await;
    for _ in 0..400 {
        if count(used) == 6 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let which =
        server.psql("counterfoil", "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = 'audit'");
    assert_eq!((count(used), count(scans) - before), (6, 0), "{which}");
}
