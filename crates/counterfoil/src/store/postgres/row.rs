//! Rows to values and back. A value that no version of this program writes is named as corrupt, not guessed at.

use super::id::Id;
use super::transact::Failure;
use crate::store::StoreError;
use crate::store::columns::{parse_binding, parse_roles};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::{Parent, Rotation};
use counterfoil_core::refresh::token::Nonce;
use counterfoil_core::session::{Assurance, EndReason, Ended, Handle, Session};
use counterfoil_core::user::{Ban, Email, User};
use counterfoil_core::{Sid, Timestamp, UserId};
use std::time::Duration;
use tokio_postgres::Row;

/// The session's columns in the order [`session`] reads them.
macro_rules! session_columns {
    () => {
        "s.handle, s.sid, s.account, s.application, s.profile, s.persistent, s.created_at, s.auth_time, s.last_seen_at, \
         s.idle, s.expires_at, s.acr, s.amr, s.device, s.network, s.ended_at, s.end_reason, s.bound_to, s.generation, \
         s.parent, s.handed_at, s.handed_twice, s.presented, s.rotated_1, s.rotated_2, s.rotated_3, s.device_key, s.copy_refused_at"
    };
}
pub(super) use session_columns;

/// How many columns [`session_columns`] has: the account's begin there.
pub(super) const SESSION_COLUMNS: usize = 28;

/// The account's columns in the order [`user`] reads them.
macro_rules! user_columns {
    () => {
        "a.id, a.email, a.name, a.roles, a.claims_version, a.created_at, a.banned_at, a.ban_reason, a.banned_until"
    };
}
pub(super) use user_columns;

/// How many columns [`user_columns`] has.
pub(super) const USER_COLUMNS: usize = 9;

pub(super) const fn corrupt(table: &'static str, column: &'static str) -> Failure {
    Failure::Store(StoreError::Corrupt { table, column })
}

pub(super) fn time(row: &Row, index: usize) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_millis(row.try_get(index)?))
}

pub(super) fn optional_time(row: &Row, index: usize) -> Result<Option<Timestamp>, Failure> {
    Ok(row.try_get::<_, Option<i64>>(index)?.map(Timestamp::from_millis))
}

pub(super) fn id(row: &Row, index: usize) -> Result<[u8; 16], Failure> {
    Ok(row.try_get::<_, Id>(index)?.0)
}

pub(super) fn optional_id(row: &Row, index: usize) -> Result<Option<[u8; 16]>, Failure> {
    Ok(row.try_get::<_, Option<Id>>(index)?.map(|id| id.0))
}

pub(super) fn session(row: &Row) -> Result<Session, Failure> {
    let ended = match (optional_time(row, 15)?, row.try_get::<_, Option<&str>>(16)?) {
        (None, _) => None,
        (Some(at), Some(word)) => {
            let reason = EndReason::from_name(word).ok_or_else(|| corrupt("session", "end_reason"))?;
            Some(Ended { at, reason })
        }
        (Some(_), None) => return Err(corrupt("session", "end_reason")),
    };
    let binding = parse_binding(row.try_get(17)?, row.try_get(26)?);
    Ok(Session {
        handle: Handle::from_bytes(id(row, 0)?),
        sid: Sid::from_bytes(id(row, 1)?),
        user: UserId::from_bytes(id(row, 2)?),
        application: row.try_get(3)?,
        profile: Profile::from_name(row.try_get(4)?).ok_or_else(|| corrupt("session", "profile"))?,
        persistent: row.try_get(5)?,
        created_at: time(row, 6)?,
        auth_time: time(row, 7)?,
        last_seen_at: time(row, 8)?,
        idle: Duration::from_millis(row.try_get::<_, i64>(9)?.unsigned_abs()),
        expires_at: time(row, 10)?,
        acr: Assurance::from_name(row.try_get(11)?).ok_or_else(|| corrupt("session", "acr"))?,
        amr: row.try_get::<_, &str>(12)?.split(' ').map(str::to_owned).collect(),
        device: row.try_get(13)?,
        network: row.try_get(14)?,
        ended,
        binding: binding.ok_or_else(|| corrupt("session", "device_key"))?,
        copy_refused_at: optional_time(row, 27)?,
        rotation: rotation(row)?,
    })
}

fn rotation(row: &Row) -> Result<Rotation, Failure> {
    let parent = match row.try_get::<_, Option<&[u8]>>(19)? {
        None => Parent::None,
        Some([]) => Parent::Any,
        Some(nonce) => Parent::Nonce(Nonce::from_bytes(nonce.try_into().map_err(|_| corrupt("session", "parent"))?)),
    };
    Ok(Rotation {
        generation: row.try_get::<_, i32>(18)?.cast_unsigned(),
        parent,
        handed_at: time(row, 20)?,
        handed_twice: row.try_get(21)?,
        presented: row.try_get(22)?,
        rotated_at: [optional_time(row, 23)?, optional_time(row, 24)?, optional_time(row, 25)?],
    })
}

/// Reads an account whose columns begin at `from`.
pub(super) fn user(row: &Row, from: usize) -> Result<User, Failure> {
    let banned = match optional_time(row, from + 6)? {
        Some(at) => {
            let reason = row.try_get::<_, Option<String>>(from + 7)?.unwrap_or_default();
            Some(Ban { at, until: optional_time(row, from + 8)?, reason })
        }
        None => None,
    };
    Ok(User {
        id: UserId::from_bytes(id(row, from)?),
        email: Email::parse(row.try_get(from + 1)?).ok_or_else(|| corrupt("account", "email"))?,
        name: row.try_get(from + 2)?,
        roles: parse_roles(row.try_get(from + 3)?).ok_or_else(|| corrupt("account", "roles"))?,
        claims_version: row.try_get::<_, i32>(from + 4)?.cast_unsigned(),
        created_at: time(row, from + 5)?,
        banned,
    })
}

/// Every row, read by `read`.
pub(super) fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Failure>) -> Result<Vec<T>, Failure> {
    rows.iter().map(read).collect()
}
