//! Rows to values and back. A value that no version of this program writes is named as corrupt, not guessed at.

use super::writer::Failure;
use crate::store::StoreError;
use crate::store::columns::{parse_binding, parse_roles};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::{Parent, Rotation};
use counterfoil_core::refresh::token::Nonce;
use counterfoil_core::session::{Assurance, Binding, EndReason, Ended, Handle, Session};
use counterfoil_core::user::{Ban, Email, User};
use counterfoil_core::{Sid, Timestamp, UserId};
use rusqlite::Row;
use std::time::Duration;

/// The session's columns in the order [`session`] reads them.
pub(super) const SESSION: &str = "s.handle, s.sid, s.account, s.application, s.profile, s.persistent, s.created_at, \
    s.auth_time, s.last_seen_at, s.idle, s.expires_at, s.acr, s.amr, s.device, s.network, s.ended_at, s.end_reason, \
    s.bound_to, s.generation, s.parent, s.handed_at, s.handed_twice, s.presented, s.rotated_1, s.rotated_2, s.rotated_3, \
    s.device_key, s.copy_refused_at";

/// How many columns [`SESSION`] has: the account's begin there.
pub(super) const SESSION_COLUMNS: usize = 28;

/// The account's columns in the order [`user`] reads them.
pub(super) const USER: &str =
    "a.id, a.email, a.name, a.roles, a.claims_version, a.created_at, a.banned_at, a.ban_reason, a.banned_until";

const fn corrupt(table: &'static str, column: &'static str) -> Failure {
    Failure::Store(StoreError::Corrupt { table, column })
}

pub(super) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn optional_time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(time))
}

pub(super) fn session(row: &Row<'_>) -> Result<Session, Failure> {
    let text =
        |index: usize| row.get_ref(index).map_err(Failure::from)?.as_str().map_err(|_| corrupt("session", "text"));
    let ended = match (optional_time(row, 15)?, row.get::<_, Option<String>>(16)?) {
        (None, _) => None,
        (Some(at), Some(word)) => {
            let reason = EndReason::from_name(&word).ok_or_else(|| corrupt("session", "end_reason"))?;
            Some(Ended { at, reason })
        }
        (Some(_), None) => return Err(corrupt("session", "end_reason")),
    };
    Ok(Session {
        handle: Handle::from_bytes(row.get(0)?),
        sid: Sid::from_bytes(row.get(1)?),
        user: UserId::from_bytes(row.get(2)?),
        application: text(3)?.to_owned(),
        profile: Profile::from_name(text(4)?).ok_or_else(|| corrupt("session", "profile"))?,
        persistent: row.get(5)?,
        created_at: time(row.get(6)?),
        auth_time: time(row.get(7)?),
        last_seen_at: time(row.get(8)?),
        idle: Duration::from_millis(row.get::<_, i64>(9)?.unsigned_abs()),
        expires_at: time(row.get(10)?),
        acr: Assurance::from_name(text(11)?).ok_or_else(|| corrupt("session", "acr"))?,
        amr: text(12)?.split(' ').map(str::to_owned).collect(),
        device: text(13)?.to_owned(),
        network: text(14)?.to_owned(),
        ended,
        binding: binding(row)?,
        copy_refused_at: optional_time(row, 27)?,
        rotation: rotation(row)?,
    })
}

fn binding(row: &Row<'_>) -> Result<Binding, Failure> {
    let wrong = || corrupt("session", "device_key");
    let bytes = |index: usize| row.get_ref(index).map_err(Failure::from)?.as_blob_or_null().map_err(|_| wrong());
    parse_binding(bytes(17)?, bytes(26)?).ok_or_else(wrong)
}

fn rotation(row: &Row<'_>) -> Result<Rotation, Failure> {
    let parent = match row.get_ref(19)?.as_blob_or_null().map_err(|_| corrupt("session", "parent"))? {
        None => Parent::None,
        Some([]) => Parent::Any,
        Some(nonce) => Parent::Nonce(Nonce::from_bytes(nonce.try_into().map_err(|_| corrupt("session", "parent"))?)),
    };
    Ok(Rotation {
        generation: row.get(18)?,
        parent,
        handed_at: time(row.get(20)?),
        handed_twice: row.get(21)?,
        presented: row.get(22)?,
        rotated_at: [optional_time(row, 23)?, optional_time(row, 24)?, optional_time(row, 25)?],
    })
}

/// Reads an account whose columns begin at `from`.
pub(super) fn user(row: &Row<'_>, from: usize) -> Result<User, Failure> {
    let email: String = row.get(from + 1)?;
    let roles: String = row.get(from + 3)?;
    let banned = match optional_time(row, from + 6)? {
        Some(at) => {
            let reason = row.get::<_, Option<String>>(from + 7)?.unwrap_or_default();
            Some(Ban { at, until: optional_time(row, from + 8)?, reason })
        }
        None => None,
    };
    Ok(User {
        id: UserId::from_bytes(row.get(from)?),
        email: Email::parse(&email).ok_or_else(|| corrupt("account", "email"))?,
        name: row.get(from + 2)?,
        roles: parse_roles(&roles).ok_or_else(|| corrupt("account", "roles"))?,
        claims_version: row.get(from + 4)?,
        created_at: time(row.get(from + 5)?),
        banned,
    })
}

/// The first row, read by `read`, or `None`.
pub(super) fn first<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    rows.next()?.map(read).transpose()
}

/// Every row, read by `read`.
pub(super) fn all<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}
