//! `GET /api/auth/account/data`: everything that is kept of an account and concerns its user, for its user. Secrets are not among it, nor
//! what administrators noted.

use super::authenticate::Identity;
use super::factors::{FactorError, require_fresh};
use super::look_up::search;
use crate::app::App;
use crate::store::factors::Factors;
use crate::store::legacy::{AccountName, LegacyAccount};
use crate::store::risk::Familiar;
use crate::store::{Recorded, StoreError};
use counterfoil_core::UserId;
use counterfoil_core::audit_search::{By, Direction, Place, Wanted};
use counterfoil_core::session::Session;

/// How many entries are read at once.
const PAGE: usize = 500;

/// What there is beside the audit log.
#[derive(Debug)]
pub struct Kept {
    /// The account, its password's hash and its factors.
    pub factors: Factors,
    /// Its sessions, also those that are over and still kept.
    pub sessions: Vec<Session>,
    /// As what it was imported, if it was.
    pub imported: Option<LegacyAccount>,
    /// From where it is known.
    pub familiar: Vec<Familiar>,
}

/// Reads it. Needs a fresh proof: whoever finds an open screen shall not carry it all away.
pub async fn read(app: &App, identity: &Identity) -> Result<Kept, FactorError> {
    require_fresh(app, identity)?;
    let factors = app.store.factors(identity.user.id).await?.ok_or(FactorError::Unknown)?;
    let sessions = app.store.sessions_of(identity.user.id).await?;
    let familiar = app.store.history(identity.user.id).await?.familiar;
    let imported = app.store.legacy_account(AccountName::Own(identity.user.id)).await?;
    Ok(Kept { factors, sessions, imported, familiar })
}

/// Where the reading of the audit log stands.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// Among the entries about the account.
    About(Option<Place>),
    /// Among those of what it has done to others as an administrator.
    By(Option<Place>),
}

/// The next entries, oldest first, as their user may see them, and where to go on; nowhere at the end.
pub async fn entries(
    app: &App,
    user: UserId,
    reading: Reading,
) -> Result<(Vec<Recorded>, Option<Reading>), StoreError> {
    let all = Wanted::default();
    let (wanted, from) = match reading {
        Reading::About(from) => (Wanted { user: Some(user), ..all }, from),
        Reading::By(from) => (Wanted { actor: Some(By::Admin(user)), ..all }, from),
    };
    let (found, next) = search(app, &wanted, (Direction::Forward, from), PAGE).await?;
    let own = found.into_iter().filter(|one| matches!(reading, Reading::About(_)) || one.entry.user != Some(user));
    let hidden = |one: Recorded| match one.entry.actor.id() {
        Some(by) if by == user => one,
        _ => Recorded { entry: one.entry.for_its_user(), ..one },
    };
    let next = match (reading, next) {
        (Reading::About(_), Some(place)) => Some(Reading::About(Some(place))),
        (Reading::About(_), None) => Some(Reading::By(None)),
        (Reading::By(_), next) => next.map(|place| Reading::By(Some(place))),
    };
    Ok((own.map(hidden).collect(), next))
}
