//! The contract of links by mail, and of addresses.

use super::{at, entry};
use counterfoil::store::mail::{EmailChanged, MailLink};
use counterfoil::store::{NewAccount, Registered, Store};
use counterfoil_core::UserId;
use counterfoil_core::audit::Event;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::{Email, User};
use std::sync::Arc;

fn link(hash: u8, purpose: Purpose, user: Option<UserId>) -> MailLink {
    MailLink { hash: [hash; 32], purpose, user, sealed: vec![hash], expires_at: at(10) }
}

fn address(text: &str) -> Email {
    Email::parse(text).unwrap()
}

async fn account(store: &dyn Store, id: u8, email: &str) -> UserId {
    let id = UserId::from_bytes([id; 16]);
    let (email, created_at) = (address(email), at(0));
    let user = User { id, email, name: None, roles: Vec::new(), claims_version: 0, created_at, banned: None };
    let new = NewAccount { user, hash: "h".into(), passkey: None, invite: None, most: None };
    assert_eq!(store.register(new, entry(Event::Registered, 0)).await, Ok(Registered::Done));
    id
}

pub(super) async fn a_link_counts_once_for_its_purpose_and_in_time(store: Arc<dyn Store>) {
    let one = link(1, Purpose::Register, None);
    store.keep_mail_link(one.clone()).await.unwrap();
    let take = |purpose, now| store.take_mail_link([1; 32], purpose, at(now));
    assert_eq!(take(Purpose::Reset, 1).await, Ok(None), "not for this");
    assert_eq!(take(Purpose::Register, 10).await, Ok(None), "over");
    assert_eq!(store.mail_link([2; 32], Purpose::Register, at(1)).await, Ok(None), "unknown");
    for _ in 0..2 {
        assert_eq!(
            store.mail_link([1; 32], Purpose::Register, at(9)).await,
            Ok(Some(one.clone())),
            "looking takes nothing"
        );
    }
    assert_eq!(store.mail_link([1; 32], Purpose::Register, at(10)).await, Ok(None), "over");
    let all = futures_util::future::join_all((0..16).map(|_| take(Purpose::Register, 9))).await;
    assert_eq!(all.iter().filter(|taken| **taken == Ok(Some(one.clone()))).count(), 1, "ATK-28");
    assert_eq!(all.iter().filter(|taken| **taken == Ok(None)).count(), 15);
    // What an account has been sent for the same purpose ends with the first that is used.
    let ada = account(store.as_ref(), 1, "ada@example.com").await;
    for (hash, purpose) in [(4, Purpose::Reset), (5, Purpose::Reset), (6, Purpose::SignIn)] {
        store.keep_mail_link(link(hash, purpose, Some(ada))).await.unwrap();
    }
    assert!(store.take_mail_link([4; 32], Purpose::Reset, at(9)).await.unwrap().is_some());
    assert_eq!(store.mail_link([5; 32], Purpose::Reset, at(9)).await, Ok(None));
    assert!(store.take_mail_link([6; 32], Purpose::SignIn, at(9)).await.unwrap().is_some(), "another purpose");
    // What is over goes with the rest.
    store.keep_mail_link(link(3, Purpose::SignIn, None)).await.unwrap();
    let purged = store.purge(at(11), 10).await.unwrap();
    assert!(purged.removed == 1 && purged.at_end);
}

pub(super) async fn an_address_moves_once_and_takes_the_links_with_it(store: Arc<dyn Store>) {
    let ada = account(store.as_ref(), 1, "ada@example.com").await;
    let bob = account(store.as_ref(), 2, "bob@example.com").await;
    store.keep_mail_link(link(1, Purpose::Reset, Some(ada))).await.unwrap();
    store.keep_mail_link(link(2, Purpose::Reset, Some(bob))).await.unwrap();
    let change = |user, from: &str, to: &str| {
        store.change_email(user, (address(from), address(to)), entry(Event::EmailChanged, 1))
    };
    assert_eq!(change(ada, "ada@example.com", "BOB@example.com").await, Ok(EmailChanged::Taken));
    assert_eq!(change(ada, "other@example.com", "new@example.com").await, Ok(EmailChanged::Unknown));
    assert!(store.mail_link([1; 32], Purpose::Reset, at(1)).await.unwrap().is_some(), "nothing was changed");
    assert_eq!(change(ada, "ada@example.com", "New@Example.com").await, Ok(EmailChanged::Done));
    assert!(store.credential("ada@example.com").await.unwrap().is_none());
    let found = store.credential("new@example.com").await.unwrap().unwrap();
    assert_eq!((found.user.id, found.user.email.as_str()), (ada, "New@Example.com"));
    assert_eq!(store.mail_link([1; 32], Purpose::Reset, at(1)).await, Ok(None), "it went to the old address");
    assert!(store.mail_link([2; 32], Purpose::Reset, at(1)).await.unwrap().is_some(), "somebody else's");
    // The same address in other letters is no other account's.
    assert_eq!(change(ada, "new@example.com", "new@example.com").await, Ok(EmailChanged::Done));
    // Two that want the same at once.
    let (one, other) =
        tokio::join!(change(ada, "new@example.com", "x@example.com"), change(bob, "bob@example.com", "x@example.com"));
    let mut both = [one.unwrap(), other.unwrap()];
    both.sort_by_key(|outcome| *outcome != EmailChanged::Done);
    assert_eq!(both, [EmailChanged::Done, EmailChanged::Taken]);
}
