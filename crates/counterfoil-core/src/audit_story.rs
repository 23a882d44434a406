//! The story of one session, out of its row and the audit log: what happened to it in order, and above all whether, when, why and by
//! whose act it is over. A session that runs out by itself leaves no entry, and one whose row has been purged leaves no reason:
//! then it is worked out, and it is said how sure that is.

use crate::audit::{Actor, AuditEntry, Event};
use crate::session::{EndReason, Session};
use counterfoil_guard::{Sid, Timestamp, UserId};

/// An entry and its number.
pub type Numbered = (i64, AuditEntry);

/// What there is to tell it from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Its row, unless that has been purged.
    pub session: Option<&'a Session>,
    /// Entries about this session, oldest first.
    pub own: &'a [Numbered],
    /// Entries about its account that may have ended it, oldest first.
    pub of_account: &'a [Numbered],
}

/// A session's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Which.
    pub sid: Sid,
    /// Whose.
    pub user: UserId,
    /// When it began, if that is still known.
    pub began: Option<Timestamp>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// How it stands.
    pub outcome: Outcome,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// A word of the audit log, or `expired`.
    pub what: &'static str,
    /// Who did it; nobody did where it happened by itself.
    pub by: Option<Actor>,
    /// From where.
    pub network: String,
    /// Anything else.
    pub detail: String,
}

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It lives, and ends then if it is not used again.
    Alive(Timestamp),
    /// It is over.
    Over(End),
}

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When; not known where the row of a session that ran out has been purged.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: EndReason,
    /// By whose act, if it was anybody's.
    pub by: Option<Actor>,
    /// From where.
    pub network: String,
    /// Why, as exactly as it is known.
    pub cause: Cause,
}

/// What lies behind a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The row says so.
    Known,
    /// It was not used for long enough.
    Unused,
    /// It had reached the age at which every session ends.
    Age,
    /// The row is gone; an entry about this very session says it.
    Entry,
    /// The row is gone; an entry about all sessions of the account is the likeliest.
    Likely,
    /// The row is gone and no entry tells of an end: it ran out.
    Silence,
}

/// Tells it; `None` when nothing is known of such a session.
pub fn tell(sid: Sid, sources: Sources<'_>, now: Timestamp) -> Option<Story> {
    let Sources { session, own, of_account } = sources;
    let of = |(_, entry): &Numbered| entry.user;
    let user = session.map(|session| session.user).or_else(|| own.iter().find_map(of))?;
    let signed_in = own.iter().find(|(_, entry)| entry.event == Event::SignedIn);
    let began = session.map(|session| session.created_at).or_else(|| signed_in.map(|(_, entry)| entry.at));
    let (outcome, ended_by) = match session {
        Some(session) => of_row(session, own, of_account, now),
        None => of_entries(sid, own, of_account),
    };
    let mut told: Vec<&Numbered> =
        own.iter().chain(ended_by.filter(|(seq, _)| own.iter().all(|(own, _)| own != seq))).collect();
    told.sort_by_key(|(seq, entry)| (entry.at, *seq));
    let mut steps: Vec<Step> = told.into_iter().map(|(_, entry)| step(entry)).collect();
    if let Outcome::Over(End { at: Some(at), cause: Cause::Unused | Cause::Age, .. }) = &outcome {
        let (network, detail) = (String::new(), String::new());
        // Later attempts with its tokens come after its end.
        let place = steps.partition_point(|step| step.at <= *at);
        steps.insert(place, Step { at: *at, what: EndReason::Expired.as_str(), by: None, network, detail });
    }
    Some(Story { sid, user, began, steps, outcome })
}

fn step(entry: &AuditEntry) -> Step {
    let AuditEntry { at, event, actor, network, detail, .. } = entry.clone();
    Step { at, what: event.as_str(), by: Some(actor), network, detail }
}

/// Whether an entry about the session, or about all of the account's, can be that of its end.
const fn ends(event: Event) -> bool {
    matches!(
        event,
        Event::SessionEnded
            | Event::RefreshReuse
            | Event::SessionsEnded
            | Event::Banned
            | Event::PasswordChanged
            | Event::AccountDeleted
    )
}

/// Whether an entry of the account can be that of the end of this session, which it does not name. A password is changed in a session,
/// which stays.
fn may_end_others(entry: &AuditEntry, sid: Sid) -> bool {
    match entry.event {
        Event::PasswordChanged => entry.sid != Some(sid),
        event => ends(event) && entry.sid.is_none(),
    }
}

fn of_row<'a>(
    session: &Session,
    own: &'a [Numbered],
    of_account: &'a [Numbered],
    now: Timestamp,
) -> (Outcome, Option<&'a Numbered>) {
    let Some(ended) = session.ended else {
        let at = session.ends_unused_at();
        if now < at {
            return (Outcome::Alive(at), None);
        }
        let cause = if at < session.expires_at { Cause::Unused } else { Cause::Age };
        let (reason, network) = (EndReason::Expired, String::new());
        return (Outcome::Over(End { at: Some(at), reason, by: None, network, cause }), None);
    };
    // The session and the entry are of one transaction and one time.
    let then = |(_, entry): &&Numbered| entry.at == ended.at && ends(entry.event);
    let others = |entry: &&Numbered| then(entry) && may_end_others(&entry.1, session.sid);
    let by = own.iter().find(then).or_else(|| of_account.iter().find(others));
    let (actor, network) = acted(by);
    (Outcome::Over(End { at: Some(ended.at), reason: ended.reason, by: actor, network, cause: Cause::Known }), by)
}

fn of_entries<'a>(sid: Sid, own: &'a [Numbered], of_account: &'a [Numbered]) -> (Outcome, Option<&'a Numbered>) {
    let over = |by: Option<&'a Numbered>, reason: EndReason, cause: Cause| {
        let (actor, network) = acted(by);
        (Outcome::Over(End { at: by.map(|(_, entry)| entry.at), reason, by: actor, network, cause }), by)
    };
    let last = own.iter().rev().find(|(_, entry)| matches!(entry.event, Event::SessionEnded | Event::RefreshReuse));
    if let Some(entry) = last {
        return over(Some(entry), reason_of(&entry.1), Cause::Entry);
    }
    let after = own.first().map_or(i64::MIN, |(seq, _)| *seq);
    match of_account.iter().find(|(seq, entry)| *seq > after && may_end_others(entry, sid)) {
        Some(entry) => over(Some(entry), reason_of(&entry.1), Cause::Likely),
        None => over(None, EndReason::Expired, Cause::Silence),
    }
}

fn acted(by: Option<&Numbered>) -> (Option<Actor>, String) {
    (by.map(|(_, entry)| entry.actor), by.map(|(_, entry)| entry.network.clone()).unwrap_or_default())
}

/// The reason that an entry stands for, as near as it tells.
fn reason_of(entry: &AuditEntry) -> EndReason {
    match (entry.event, entry.actor) {
        (Event::RefreshReuse, _) => EndReason::SuspectedTheft,
        (Event::PasswordChanged, _) => EndReason::PasswordChanged,
        (Event::AccountDeleted, _) => EndReason::Deleted,
        (_, Actor::System) if entry.detail == EndReason::SessionLimit.as_str() => EndReason::SessionLimit,
        (Event::Banned, _) | (_, Actor::Admin(_) | Actor::ApiKey(_) | Actor::Operator | Actor::System) => {
            EndReason::EndedByAdmin
        }
        (Event::SessionEnded, _) => EndReason::SignedOut,
        _ => EndReason::EndedByYou,
    }
}

impl Story {
    /// As its user may see it: nothing of who administers, or from where, or what they noted; nor of the machines behind the service.
    #[must_use]
    pub fn for_its_user(mut self) -> Self {
        let hidden = |by: Option<Actor>| by.is_some_and(Actor::is_hidden_from_users);
        for step in self.steps.iter_mut().filter(|step| hidden(step.by)) {
            step.network.clear();
            step.detail.clear();
        }
        if let Outcome::Over(end) = &mut self.outcome
            && hidden(end.by)
        {
            end.network.clear();
        }
        self
    }
}

impl Outcome {
    /// One sentence that answers "why was I signed out?".
    pub const fn sentence(&self) -> &'static str {
        let Self::Over(end) = self else { return "The session is alive." };
        match (end.cause, end.reason) {
            (Cause::Likely, EndReason::PasswordChanged) => {
                "Its record is no longer kept; most likely it ended when the password was changed elsewhere."
            }
            (Cause::Likely, EndReason::EndedByAdmin) => {
                "Its record is no longer kept; most likely it ended when an administrator ended the account's sessions."
            }
            (Cause::Likely, EndReason::Deleted) => {
                "Its record is no longer kept; most likely it ended when the account was deleted."
            }
            (Cause::Likely, _) => {
                "Its record is no longer kept; most likely it ended when the user signed out of several devices at once."
            }
            (Cause::Silence, _) => "Its record is no longer kept, and nobody ended it: it ran out by itself.",
            (Cause::Unused, _) => "It was not used for as long as a session may stay unused.",
            (Cause::Age, _) | (_, EndReason::Expired) => "It reached the age at which every session ends.",
            (_, EndReason::SignedOut) => "The user signed out.",
            (_, EndReason::EndedByYou) => "The user ended it from another device, or signed out everywhere.",
            (_, EndReason::EndedByAdmin) => "An administrator ended it, or banned the account.",
            (_, EndReason::Deleted) => "The account was deleted.",
            (_, EndReason::PasswordChanged) => "The password was changed on another device.",
            (_, EndReason::SuspectedTheft) => {
                "A refresh token that had been used up was used again, as by a thief: the session was ended for safety."
            }
            (_, EndReason::SessionLimit) => {
                "The user had more sessions than allowed, and this one was unused the longest."
            }
        }
    }
}

#[cfg(test)]
#[path = "audit_story_tests.rs"]
mod tests;
