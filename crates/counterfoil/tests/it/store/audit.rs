//! The contract of the audit log and of those who read it.

use super::entry;
use counterfoil::store::Store;
use counterfoil_core::UserId;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use std::sync::Arc;

pub(super) async fn the_audit_log_pages_backwards(store: Arc<dyn Store>) {
    for n in 0..5 {
        let actor = Actor::Admin(UserId::from_bytes([7; 16]));
        store.append(AuditEntry { actor, detail: n.to_string(), ..entry(Event::Invited, n) }).await.unwrap();
    }
    let first = store.page(None, 2).await.unwrap();
    let details = |page: &[(i64, AuditEntry)]| page.iter().map(|(_, entry)| entry.detail.clone()).collect::<Vec<_>>();
    assert_eq!(details(&first), ["4", "3"]);
    assert_eq!(details(&store.page(Some(first[1].0), 10).await.unwrap()), ["2", "1", "0"]);
}

pub(super) async fn a_reader_begins_at_the_head_reads_forward_and_never_goes_back(store: Arc<dyn Store>) {
    assert_eq!((store.newest().await, store.reader("early").await), (Ok(0), Ok(0)));
    for n in 0..5 {
        store.append(AuditEntry { detail: n.to_string(), ..entry(Event::Invited, n) }).await.unwrap();
    }
    assert_eq!((store.newest().await, store.reader("late").await), (Ok(5), Ok(5)));
    assert_eq!(store.reader("early").await, Ok(0), "known readers stay where they were");
    let page = store.following(1, 3).await.unwrap();
    let numbers: Vec<_> = page.iter().map(|(seq, entry)| (*seq, entry.detail.as_str())).collect();
    assert_eq!(numbers, [(2, "1"), (3, "2"), (4, "3")]);
    store.move_reader("early", 4).await.unwrap();
    store.move_reader("early", 3).await.unwrap();
    store.move_reader("unknown", 3).await.unwrap();
    assert_eq!((store.reader("early").await, store.reader("unknown").await), (Ok(4), Ok(5)));
    assert_eq!(store.following(5, 10).await, Ok(Vec::new()));
}
