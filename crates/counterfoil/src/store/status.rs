//! Places in status lists, as the seam sees them.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::Sid;

/// A place: a list, from 1, and an index in it, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which list.
    pub list: u32,
    /// Which bit.
    pub index: u32,
}

/// What came of asking for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// It is this one; durable.
    There(Place),
    /// None of those that were proposed is free.
    Taken,
    /// The session has ended, or its user's roles have changed since: nothing that is minted now could be taken back by a place.
    Over,
}

/// A place that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupied {
    /// To this session.
    pub sid: Sid,
    /// For tokens that say the roles as of this version.
    pub version: u32,
    /// Which one.
    pub place: Place,
}

/// Places in status lists. None is given to anybody else before a week after its session's end.
#[async_trait]
pub trait StatusPlaces {
    /// The place of tokens on this session that say roles as of this version, if it has one.
    async fn status_place(&self, sid: Sid, version: u32) -> Result<Option<Place>, StoreError>;
    /// Gives it the first of these that is free, unless it has one already; while the session lives and the version is its user's, which no
    /// end that comes afterwards can overlook.
    async fn give_status_place(&self, sid: Sid, version: u32, proposed: Vec<Place>) -> Result<Given, StoreError>;
    /// All places of these sessions.
    async fn status_places_of(&self, sids: Vec<Sid>) -> Result<Vec<Occupied>, StoreError>;
    /// The last list of which a place has been given; 0 if there is none.
    async fn last_status_list(&self) -> Result<u32, StoreError>;
}
