//! What an entry of the audit log says to receivers outside, in the words of CAEP and RISC.

use super::event::EventType;
use crate::audit::{Actor, AuditEntry, Event};
use crate::session::Assurance;
use counterfoil_guard::{Sid, Timestamp, UserId};
use serde_json::{Map, Value, json};

/// One event about one user, or one of their sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Tells it from the others that the same entry makes; the same whenever it is asked for.
    pub tag: String,
    /// What kind of event.
    pub kind: EventType,
    /// Whom it is about.
    pub user: UserId,
    /// Which of their sessions, if it is about one.
    pub sid: Option<Sid>,
    /// When it happened.
    pub at: Timestamp,
    /// The members of the event.
    pub claims: Map<String, Value>,
}

/// The sessions that an entry has ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// Exactly these.
    These(&'a [Sid]),
    /// It is so long ago that nobody knows any more: all that there were of its user, to be on the safe side.
    Forgotten,
}

/// What an entry says, in the order in which it should be told: what is over first.
pub fn signals(entry: &AuditEntry, ended: Ended<'_>) -> Vec<Signal> {
    let Some(user) = entry.user else { return Vec::new() };
    let signal = |tag: String, kind, sid, claims| Signal { tag, kind, user, sid, at: entry.at, claims };
    let mut told: Vec<Signal> = revoked(entry, ended)
        .into_iter()
        .map(|sid| {
            let tag = sid.map_or_else(|| "all".to_owned(), |sid| sid.to_string());
            signal(tag, EventType::SessionRevoked, sid, said(entry, []))
        })
        .collect();
    told.extend(
        beside(entry).into_iter().map(|(tag, kind, sid, own)| signal(tag.to_owned(), kind, sid, said(entry, own))),
    );
    told
}

/// The sessions that are told to have ended; `None` for all of the user's.
fn revoked(entry: &AuditEntry, ended: Ended<'_>) -> Vec<Option<Sid>> {
    match (entry.event, entry.sid, ended) {
        (Event::SessionEnded | Event::RefreshReuse, Some(sid), _) => vec![Some(sid)],
        (_, _, Ended::These(sids)) => sids.iter().copied().map(Some).collect(),
        (event, _, Ended::Forgotten) if ends_all(event) => vec![None],
        (_, _, Ended::Forgotten) => Vec::new(),
    }
}

const fn ends_all(event: Event) -> bool {
    use Event::{AccountDeleted, Banned, PasswordChanged, PasswordReset, SessionsEnded};
    matches!(event, SessionsEnded | PasswordChanged | PasswordReset | Banned | AccountDeleted)
}

type Beside = (&'static str, EventType, Option<Sid>, Vec<(&'static str, Value)>);

/// What it says beside that.
fn beside(entry: &AuditEntry) -> Vec<Beside> {
    let credential = |tag, of: &str, change: &str| {
        let own = vec![("credential_type", json!(of)), ("change_type", json!(change))];
        (tag, EventType::CredentialChange, None, own)
    };
    match entry.event {
        Event::PasswordChanged | Event::PasswordReset => vec![credential("password", "password", "update")],
        // Whether it is built into a device or carried about is not kept; the wider word holds for both.
        Event::PasskeyAdded => vec![credential("passkey", "fido2-roaming", "create")],
        Event::PasskeyRemoved => vec![credential("passkey", "fido2-roaming", "delete")],
        Event::TotpAdded => vec![credential("totp", "app", "create")],
        Event::TotpRemoved => vec![credential("totp", "app", "delete")],
        Event::FactorsReset => {
            vec![credential("passkey", "fido2-roaming", "revoke"), credential("totp", "app", "revoke")]
        }
        Event::RolesChanged => {
            let roles: Vec<&str> = entry.detail.split_whitespace().collect();
            vec![("roles", EventType::TokenClaimsChange, None, vec![("claims", json!({ "roles": roles }))])]
        }
        Event::SteppedUp => raised(entry).into_iter().collect(),
        Event::Banned => vec![("disabled", EventType::AccountDisabled, None, Vec::new())],
        Event::Unbanned => vec![("enabled", EventType::AccountEnabled, None, Vec::new())],
        Event::AccountDeleted => vec![("purged", EventType::AccountPurged, None, Vec::new())],
        _ => Vec::new(),
    }
}

/// A level that is another than before.
fn raised(entry: &AuditEntry) -> Option<Beside> {
    let (from, to) = raised_in(&entry.detail)?;
    let level = |level: Assurance| json!(format!("nist-{}", level.as_str()));
    let own = vec![
        ("namespace", json!("NIST-AAL")),
        ("current_level", level(to)),
        ("previous_level", level(from)),
        ("change_direction", json!("increase")),
    ];
    Some(("assurance", EventType::AssuranceLevelChange, entry.sid, own))
}

/// What the audit log keeps of a step-up: the methods, and the levels if they differ.
pub fn step_up_detail(amr: &[String], from: Assurance, to: Assurance) -> String {
    let methods = amr.join(" ");
    if from == to { methods } else { format!("{methods} ({} to {})", from.as_str(), to.as_str()) }
}

fn raised_in(detail: &str) -> Option<(Assurance, Assurance)> {
    let (_, levels) = detail.strip_suffix(')')?.rsplit_once(" (")?;
    let (from, to) = levels.split_once(" to ")?;
    Some((Assurance::from_name(from)?, Assurance::from_name(to)?))
}

/// What every event says (CAEP section 2).
fn said(entry: &AuditEntry, own: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    let mut claims: Map<String, Value> = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    claims.insert("event_timestamp".into(), json!(entry.at.as_seconds()));
    claims.insert("initiating_entity".into(), json!(entity(entry)));
    claims.insert("reason_admin".into(), json!({ "en": reason(entry) }));
    claims
}

const fn entity(entry: &AuditEntry) -> &'static str {
    match (entry.event, entry.actor) {
        (Event::RefreshReuse, _) => "policy",
        (_, Actor::User(_)) => "user",
        (_, Actor::Admin(_) | Actor::ApiKey(_) | Actor::Operator) => "admin",
        (_, Actor::System | Actor::Anonymous | Actor::Client | Actor::Guard) => "system",
    }
}

/// Of what an administrator may have noted nothing goes out.
fn reason(entry: &AuditEntry) -> &'static str {
    match (entry.event, entry.detail.as_str()) {
        (Event::SessionEnded, "session_limit") => "It made room for a newer session of the same user",
        (Event::SessionEnded, _) => "The session was ended",
        (Event::SessionsEnded, _) => "Sessions of the user were ended",
        (Event::RefreshReuse, _) => "A spent refresh token was used again",
        (Event::PasswordChanged, _) => "The password was changed",
        (Event::PasswordReset, _) => "The password was replaced through a link in a mail",
        (Event::PasskeyAdded, _) => "A passkey was added",
        (Event::PasskeyRemoved, _) => "A passkey was removed",
        (Event::TotpAdded, _) => "An authenticator app was set up",
        (Event::TotpRemoved, _) => "The authenticator app was removed",
        (Event::FactorsReset, _) => "An administrator has removed all passkeys and second factors",
        (Event::RolesChanged, _) => "Roles were changed",
        (Event::SteppedUp, _) => "The user has proved themselves once more",
        (Event::Banned, _) => "The account was banned",
        (Event::Unbanned, _) => "The ban was lifted",
        (Event::AccountDeleted, _) => "The account was deleted",
        _ => "See the audit log",
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Signal, signals, step_up_detail};
    use crate::audit::{Actor, AuditEntry, Event};
    use crate::session::Assurance;
    use crate::ssf::event::EventType;
    use counterfoil_guard::{Sid, Timestamp, UserId};
    use serde_json::json;

    const USER: UserId = UserId::from_bytes([1; 16]);

    fn sid(byte: u8) -> Sid {
        Sid::from_bytes([byte; 16])
    }

    fn entry(event: Event) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_seconds(1_800_000_000),
            event,
            actor: Actor::Admin(UserId::from_bytes([9; 16])),
            user: Some(USER),
            sid: None,
            network: "192.0.2.0/24".into(),
            detail: String::new(),
        }
    }

    fn told(signals: &[Signal]) -> Vec<(&str, &'static str, Option<Sid>)> {
        signals.iter().map(|signal| (signal.tag.as_str(), signal.kind.name(), signal.sid)).collect()
    }

    #[test]
    fn what_is_over_is_told_session_by_session_and_first() {
        let sids = [sid(2), sid(3)];
        let banned = signals(&entry(Event::Banned), Ended::These(&sids));
        let (two, three) = (sid(2).to_string(), sid(3).to_string());
        let expected = [
            (two.as_str(), "session-revoked", Some(sid(2))),
            (three.as_str(), "session-revoked", Some(sid(3))),
            ("disabled", "account-disabled", None),
        ];
        assert_eq!(told(&banned), expected);
        assert!(banned.iter().all(|signal| signal.user == USER && signal.claims["initiating_entity"] == "admin"));
        assert_eq!(banned[0].claims["event_timestamp"], 1_800_000_000);
    }

    #[test]
    fn what_nobody_knows_any_more_is_told_of_all_and_only_where_something_ended() {
        let forgotten = |event| signals(&entry(event), Ended::Forgotten);
        assert_eq!(told(&forgotten(Event::SessionsEnded)), [("all", "session-revoked", None)]);
        assert_eq!(told(&forgotten(Event::Unbanned)), [("enabled", "account-enabled", None)]);
        let one = AuditEntry { sid: Some(sid(2)), ..entry(Event::SessionEnded) };
        let tag = sid(2).to_string();
        assert_eq!(told(&signals(&one, Ended::Forgotten)), [(tag.as_str(), "session-revoked", Some(sid(2)))]);
    }

    #[test]
    fn an_administrators_note_and_the_network_stay_here() {
        let noted = AuditEntry { detail: "she is my sister".into(), ..entry(Event::Banned) };
        let text = format!("{:?}", signals(&noted, Ended::These(&[])));
        assert!(!text.contains("sister") && !text.contains("192.0.2"), "{text}");
    }

    #[test]
    fn a_level_is_told_when_it_has_changed() {
        let amr = ["pwd".to_owned(), "otp".to_owned(), "mfa".to_owned()];
        let of = |from, to| {
            let detail = step_up_detail(&amr, from, to);
            let entry = AuditEntry { sid: Some(sid(4)), detail, ..entry(Event::SteppedUp) };
            signals(&entry, Ended::These(&[]))
        };
        assert!(of(Assurance::Aal2, Assurance::Aal2).is_empty());
        let raised = of(Assurance::Aal1, Assurance::Aal2);
        assert_eq!(told(&raised), [("assurance", "assurance-level-change", Some(sid(4)))]);
        assert_eq!(raised[0].claims["current_level"], "nist-aal2");
        assert_eq!(raised[0].claims["previous_level"], "nist-aal1");
    }

    #[test]
    fn what_concerns_no_user_or_nobody_outside_is_not_told() {
        assert!(signals(&AuditEntry { user: None, ..entry(Event::SessionEnded) }, Ended::Forgotten).is_empty());
        for event in [Event::SignedIn, Event::SignInFailed, Event::Registered, Event::EmailChanged, Event::TokenRevoked]
        {
            assert!(signals(&entry(event), Ended::These(&[])).is_empty(), "{event:?}");
        }
        let roles = AuditEntry { detail: "admin editor".into(), ..entry(Event::RolesChanged) };
        let roles = signals(&roles, Ended::These(&[]));
        assert_eq!(roles[0].claims["claims"], json!({ "roles": ["admin", "editor"] }));
        assert_eq!(roles[0].kind, EventType::TokenClaimsChange);
    }
}
