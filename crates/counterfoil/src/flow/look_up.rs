//! Looking things up in the audit log: entries that are wanted, and the story of one session.

use crate::app::App;
use crate::store::{Recorded, StoreError};
use counterfoil_core::Sid;
use counterfoil_core::audit_search::{Direction, Place, Wanted};
use counterfoil_core::audit_story::{self, Numbered, Sources, Story};
use std::time::Duration;

/// How many entries are read at once.
const PAGE: u32 = 500;

/// How many are looked through for one answer. Where few of them are wanted the answer is short and says where to go on.
const LOOKED_THROUGH: u32 = 5000;

/// How many entries a story has at the most.
const STEPS: u32 = 500;

/// Up to `limit` entries that are wanted, and the place to go on from if there may be more.
pub async fn search(
    app: &App,
    wanted: &Wanted,
    (direction, after): (Direction, Option<Place>),
    limit: usize,
) -> Result<(Vec<Recorded>, Option<Place>), StoreError> {
    let (mut found, mut after) = (Vec::new(), after);
    for _ in 0..LOOKED_THROUGH / PAGE {
        let page = app.store.find(wanted.stretch(direction, after), PAGE.min(size(limit))).await?;
        let full = page.len() >= PAGE.min(size(limit)) as usize;
        for recorded in page {
            after = Some(Place { at: recorded.entry.at, seq: recorded.seq });
            if wanted.admits(&recorded.entry) {
                found.push(recorded);
            }
            if found.len() >= limit {
                return Ok((found, after));
            }
        }
        if !full {
            return Ok((found, None));
        }
    }
    Ok((found, after))
}

/// Never so few that a filter that hits seldom is asked for one by one.
fn size(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(PAGE).max(100)
}

/// The story of a session; `None` if nothing is known of it.
pub async fn story(app: &App, sid: Sid) -> Result<Option<Story>, StoreError> {
    let session = app.store.by_sid(sid).await?.map(|(session, _)| session);
    let of_session = Wanted { sid: Some(sid), ..Wanted::default() };
    let own = app.store.find(of_session.stretch(Direction::Back, None), STEPS).await?;
    let own: Vec<Numbered> = own.into_iter().rev().map(numbered).collect();
    let user = session.as_ref().map(|session| session.user).or_else(|| own.iter().find_map(|(_, entry)| entry.user));
    let all = Wanted { user, ..Wanted::default() };
    // What has ended it is of the very moment of its end; where that is not known any more, of any time since it began.
    let around = match (&session, own.first()) {
        (Some(session), _) => session.ended.map(|ended| {
            let until = ended.at.plus(Duration::from_millis(1));
            Wanted { since: ended.at, until, ..all }
        }),
        (None, Some((_, first))) => Some(Wanted { since: first.at, ..all }),
        (None, None) => None,
    };
    let of_account = match around.filter(|wanted| wanted.user.is_some()) {
        Some(wanted) => app.store.find(wanted.stretch(Direction::Forward, None), STEPS).await?,
        None => Vec::new(),
    };
    let of_account: Vec<Numbered> = of_account.into_iter().map(numbered).collect();
    let sources = Sources { session: session.as_ref(), own: &own, of_account: &of_account };
    Ok(audit_story::tell(sid, sources, app.clock.now()))
}

fn numbered(recorded: Recorded) -> Numbered {
    (recorded.seq, recorded.entry)
}
