//! Where the status of a token is to be found, for verifiers that follow no feed: each session has a place in a status list, another one
//! whenever its user's roles have changed, and nobody can guess whose a place is (TSL-13).

use crate::app::App;
use crate::clock::random;
use crate::store::StoreError;
use crate::store::status::{Given, Place};
use counterfoil_core::Sid;
use counterfoil_core::issue::MintPolicy;
use counterfoil_guard::StatusReference;

/// How many places are proposed at once. If all are taken the lists are fuller than they should be, and there is another.
const PROPOSED: usize = 24;

/// Where it is, if tokens under this policy say so. Nowhere if the session has ended meanwhile, or its roles have changed: such a
/// token is refused by whoever looks for its place, and the next one will have one.
pub(super) async fn place(
    app: &App,
    policy: &MintPolicy,
    (sid, version): (Sid, u32),
) -> Result<Option<StatusReference>, StoreError> {
    if !policy.with_status {
        return Ok(None);
    }
    if let Some(place) = app.store.status_place(sid, version).await? {
        return Ok(Some(reference(app, place)));
    }
    let mut lists = app.store.last_status_list().await?.max(1);
    loop {
        match app.store.give_status_place(sid, version, propose(lists, app.config.status_lists.size)).await? {
            Given::There(place) => {
                if app.status_lists.list(place.list).is_none() {
                    app.status_lists.wanted.notify_one();
                }
                return Ok(Some(reference(app, place)));
            }
            Given::Over => return Ok(None),
            Given::Taken => lists += 1,
        }
    }
}

/// Random places, in any of the lists.
fn propose(lists: u32, size: u32) -> Vec<Place> {
    let any = |below: u32| {
        let number = u64::from_be_bytes(random());
        u32::try_from(number % u64::from(below)).expect("less than 32 bits")
    };
    (0..PROPOSED).map(|_| Place { list: 1 + any(lists), index: any(size) }).collect()
}

/// As a token says it.
pub(super) fn reference(app: &App, place: Place) -> StatusReference {
    StatusReference { index: place.index, uri: uri(app, place.list) }
}

/// A list's address.
pub fn uri(app: &App, list: u32) -> String {
    app.public.absolute(&format!("/status-lists/{list}"))
}
