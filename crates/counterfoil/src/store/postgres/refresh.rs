//! A group of refreshes: load, decide, commit. What is committed has not changed since it was loaded, or it is decided again.

use super::connect::Connection;
use super::id::Id;
use super::lanes::Job;
use super::row::{SESSION_COLUMNS, all, id, session, session_columns, user, user_columns};
use super::transact::{Failure, committing};
use crate::store::columns::parent_column;
use crate::store::{Refreshed, StoreError};
use counterfoil_core::Timestamp;
use counterfoil_core::refresh::rotation::{Decision, Rotation};
use counterfoil_core::session::Session;
use counterfoil_core::user::User;
use std::collections::{HashMap, HashSet};

const LOAD: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    user_columns!(),
    " FROM unnest($1::uuid[]) u(handle) JOIN session s ON s.handle = u.handle JOIN account a ON a.id = s.account"
);

/// Compares all that a decision rests on and that can change while a session lives.
const ADVANCE: &str = "\
    UPDATE session s SET generation = u.generation, parent = u.parent, handed_at = u.handed_at, \
      handed_twice = u.handed_twice, presented = u.presented, rotated_1 = u.rotated_1, rotated_2 = u.rotated_2, \
      rotated_3 = u.rotated_3, last_seen_at = greatest(s.last_seen_at, u.last_seen_at), network = u.network \
    FROM unnest($1::uuid[], $2::integer[], $3::bytea[], $4::bigint[], $5::boolean[], $6::boolean[], $7::integer[], \
        $8::bytea[], $9::bigint[], $10::boolean[], $11::boolean[], $12::bigint[], $13::bigint[], $14::bigint[], \
        $15::bigint[], $16::text[]) \
      u(handle, was_generation, was_parent, was_handed_at, was_handed_twice, was_presented, generation, parent, \
        handed_at, handed_twice, presented, rotated_1, rotated_2, rotated_3, last_seen_at, network) \
    WHERE s.handle = u.handle AND s.ended_at IS NULL AND s.generation = u.was_generation \
      AND s.parent IS NOT DISTINCT FROM u.was_parent AND s.handed_at = u.was_handed_at \
      AND s.handed_twice = u.was_handed_twice AND s.presented = u.was_presented \
    RETURNING s.handle";

/// Locks the rows and so makes a commit of it, which only the primary can, with its standby where one has to confirm: an old
/// primary that has been cut off confirms nothing.
const CONFIRM: &str = "\
    SELECT s.handle FROM session s \
      JOIN unnest($1::uuid[], $2::integer[], $3::bytea[], $4::bigint[], $5::boolean[], $6::boolean[]) \
        u(handle, generation, parent, handed_at, handed_twice, presented) ON s.handle = u.handle \
    WHERE s.ended_at IS NULL AND s.generation = u.generation AND s.parent IS NOT DISTINCT FROM u.parent \
      AND s.handed_at = u.handed_at AND s.handed_twice = u.handed_twice AND s.presented = u.presented \
    FOR NO KEY UPDATE OF s";

/// What becomes of a job in this round.
enum Fate {
    /// The answer depends on nothing more.
    Settled(Result<Option<Refreshed>, StoreError>),
    /// The answer, if the row is still what it was.
    IfUnchanged(Refreshed),
    /// Another of the same session goes first.
    Later,
}

/// Answers what can be answered; those whose session has changed meanwhile stay in `jobs`.
pub(super) async fn together(connection: &Connection, jobs: &mut Vec<Job>) -> Result<(), Failure> {
    let handles: Vec<Id> = jobs.iter().map(|job| Id(*job.handle.as_bytes())).collect();
    let rows = connection.query(LOAD, &[&handles]).await?;
    let found = all(&rows, |row| Ok((id(row, 0)?, (session(row)?, user(row, SESSION_COLUMNS)?))))?;
    let found: HashMap<[u8; 16], (Session, User)> = found.into_iter().collect();
    let (mut advance, mut confirm) = (Columns::default(), Columns::default());
    let mut taken = HashSet::new();
    let mut fates = Vec::with_capacity(jobs.len());
    for job in jobs.iter() {
        let handle = job.handle.as_bytes();
        let fate = match found.get(handle) {
            None => Fate::Settled(Ok(None)),
            Some(_) if taken.contains(handle) => Fate::Later,
            Some((session, user)) => decide(job, session, user, (&mut advance, &mut confirm)),
        };
        if matches!(fate, Fate::IfUnchanged(_)) {
            taken.insert(*handle);
        }
        fates.push(fate);
    }
    let unchanged = commit(connection, &advance, &confirm).await?;
    let undecided = std::mem::take(jobs).into_iter().zip(fates).filter_map(|(job, fate)| {
        let answer = match fate {
            Fate::Settled(answer) => answer,
            Fate::IfUnchanged(refreshed) if unchanged.contains(job.handle.as_bytes()) => Ok(Some(refreshed)),
            Fate::IfUnchanged(_) | Fate::Later => return Some(job),
        };
        job.answer(answer);
        None
    });
    *jobs = undecided.collect();
    Ok(())
}

fn decide(job: &Job, was: &Session, user: &User, (advance, confirm): (&mut Columns, &mut Columns)) -> Fate {
    let decision = (job.rule)(was);
    let mut session = was.clone();
    let next = decision.as_ref().and_then(Decision::next);
    let refreshed = |session| Refreshed { session, user: user.clone(), decision };
    match (next, &decision) {
        // A rule that rotates an ended session is a mistake of ours, and must not bring the session back.
        (Some(_), _) if was.ended.is_some() => {
            Fate::Settled(Err(StoreError::Corrupt { table: "session", column: "ended_at" }))
        }
        (Some(to), _) => {
            session.rotation = to;
            session.last_seen_at = session.last_seen_at.max(job.seen.at);
            session.network.clone_from(&job.seen.network);
            advance.push(was, &session);
            Fate::IfUnchanged(refreshed(session))
        }
        (None, Some(Decision::Late | Decision::Hold(_))) => {
            confirm.push(was, was);
            Fate::IfUnchanged(refreshed(session))
        }
        (None, _) => Fate::Settled(Ok(Some(refreshed(session)))),
    }
}

/// The rotation of many sessions, column by column.
#[derive(Default)]
struct Rotations {
    generation: Vec<i32>,
    parent: Vec<Option<Vec<u8>>>,
    handed_at: Vec<i64>,
    handed_twice: Vec<bool>,
    presented: Vec<bool>,
    rotated: [Vec<Option<i64>>; 3],
}

impl Rotations {
    fn push(&mut self, rotation: &Rotation) {
        self.generation.push(rotation.generation.cast_signed());
        self.parent.push(parent_column(rotation.parent));
        self.handed_at.push(rotation.handed_at.as_millis());
        self.handed_twice.push(rotation.handed_twice);
        self.presented.push(rotation.presented);
        for (column, at) in self.rotated.iter_mut().zip(rotation.rotated_at) {
            column.push(at.map(Timestamp::as_millis));
        }
    }
}

/// What is to be committed.
#[derive(Default)]
struct Columns {
    handle: Vec<Id>,
    was: Rotations,
    to: Rotations,
    last_seen_at: Vec<i64>,
    network: Vec<String>,
}

impl Columns {
    fn push(&mut self, was: &Session, to: &Session) {
        self.handle.push(Id(*was.handle.as_bytes()));
        self.was.push(&was.rotation);
        self.to.push(&to.rotation);
        self.last_seen_at.push(to.last_seen_at.as_millis());
        self.network.push(to.network.clone());
    }
}

/// Returns the handles of the sessions that were still what they had been.
async fn commit(connection: &Connection, advance: &Columns, confirm: &Columns) -> Result<HashSet<[u8; 16]>, Failure> {
    let advanced = async {
        if advance.handle.is_empty() {
            return Ok(Vec::new());
        }
        let (was, to) = (&advance.was, &advance.to);
        let params: super::connect::Params<'_> = &[
            &advance.handle,
            &was.generation,
            &was.parent,
            &was.handed_at,
            &was.handed_twice,
            &was.presented,
            &to.generation,
            &to.parent,
            &to.handed_at,
            &to.handed_twice,
            &to.presented,
            &to.rotated[0],
            &to.rotated[1],
            &to.rotated[2],
            &advance.last_seen_at,
            &advance.network,
        ];
        connection.query(ADVANCE, params).await
    };
    let confirmed = async {
        if confirm.handle.is_empty() {
            return Ok(Vec::new());
        }
        let was = &confirm.was;
        let params: super::connect::Params<'_> =
            &[&confirm.handle, &was.generation, &was.parent, &was.handed_at, &was.handed_twice, &was.presented];
        connection.query(CONFIRM, params).await
    };
    let (advanced, confirmed) = futures_util::future::join(advanced, confirmed).await;
    let (advanced, confirmed) = (advanced.map_err(committing)?, confirmed.map_err(committing)?);
    if connection.is_doubtful() {
        return Err(Failure::Doubtful);
    }
    advanced.iter().chain(&confirmed).map(|row| id(row, 0)).collect()
}
