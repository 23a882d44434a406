//! Event streams of receivers elsewhere, as the seam sees them.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::ssf::stream::{Status, Stream, StreamId};
use counterfoil_core::{ClientName, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Event streams.
#[async_trait]
pub trait Streams {
    /// All of them, in order of their ids.
    async fn streams(&self) -> Result<Vec<Stream>, StoreError>;
    /// The one with this id.
    async fn stream(&self, id: StreamId) -> Result<Option<Stream>, StoreError>;
    /// Keeps a new one; `false`, and nothing done, if its client has `most` of them, or is no more. It goes with its client.
    async fn add_stream(&self, new: Stream, most: u32, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Puts a stream into the place of what is kept of it, if that still has the version it says; `false`, and nothing done, if it has not.
    /// From then on it has the next version. Its position never goes back.
    async fn replace_stream(&self, stream: Stream, audit: Option<AuditEntry>) -> Result<bool, StoreError>;
    /// Moves the position of a stream whose receiver has got everything up to there. It never goes back.
    async fn move_stream(&self, id: StreamId, to: i64) -> Result<(), StoreError>;
    /// Forgets a stream; `false` if there is none with this id.
    async fn remove_stream(&self, id: StreamId, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Makes somebody an exception of a stream.
    async fn except_subject(&self, id: StreamId, user: UserId) -> Result<(), StoreError>;
    /// Somebody is no exception any more.
    async fn include_subject(&self, id: StreamId, user: UserId) -> Result<(), StoreError>;
    /// Those of these users who are exceptions.
    async fn excepted_subjects(&self, id: StreamId, among: Vec<UserId>) -> Result<Vec<UserId>, StoreError>;
}

/// A stream as it lies in its columns.
pub(super) struct Columns {
    pub(super) id: [u8; 16],
    pub(super) client: String,
    pub(super) created_at: i64,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) settings: String,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) verified_at: Option<i64>,
    pub(super) position: i64,
    pub(super) acknowledged: String,
    pub(super) notes: String,
    pub(super) version: i64,
}

const fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt { table: "stream", column }
}

fn json<T: DeserializeOwned>(text: &str, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("strings, numbers and lists always serialise")
}

impl Columns {
    pub(super) fn of(stream: &Stream) -> Self {
        Self {
            id: *stream.id.as_bytes(),
            client: stream.client.as_str().to_owned(),
            created_at: stream.created_at.as_millis(),
            status: stream.status.as_str().to_owned(),
            reason: stream.reason.clone(),
            settings: text(&stream.settings),
            sealed: stream.sealed.clone(),
            verified_at: stream.verified_at.map(Timestamp::as_millis),
            position: stream.position,
            acknowledged: text(&stream.acknowledged),
            notes: text(&stream.notes),
            version: stream.version,
        }
    }

    pub(super) fn stream(self) -> Result<Stream, StoreError> {
        Ok(Stream {
            id: StreamId::from_bytes(self.id),
            client: self.client.parse::<ClientName>().map_err(|_| corrupt("client"))?,
            created_at: Timestamp::from_millis(self.created_at),
            status: Status::from_name(&self.status).ok_or_else(|| corrupt("status"))?,
            reason: self.reason,
            settings: json(&self.settings, "settings")?,
            sealed: self.sealed,
            verified_at: self.verified_at.map(Timestamp::from_millis),
            position: self.position,
            acknowledged: json(&self.acknowledged, "acknowledged")?,
            notes: json(&self.notes, "notes")?,
            version: self.version,
        })
    }
}
