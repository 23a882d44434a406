//! Notices by mail: people are told of what happens to their accounts, so that what they have not done themselves is noticed
//! (ASVS-6.3.5, ASVS-6.3.7). Read from the audit log, so that no way of changing something can forget them, and none waits for a mail.

use super::Source;
use super::teller::keep;
use crate::mail::{Letter, Mail, Seen, SendError, What};
use crate::store::StoreError;
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::risk::{Action, Explained, Signal};
use counterfoil_core::user::Email;
use counterfoil_core::{Timestamp, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Under which name its place in the log is kept.
pub(crate) const PLACE: &str = "mail:notices";

/// How many entries are read at a time.
const PAGE: u32 = 100;

/// How long is waited before a server that cannot be reached is tried again: longer each time, and never longer than the last.
const WAITS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(2), Duration::from_mins(5)];

/// How often a server that answers "not now" is asked to take one letter: others wait behind it.
const TRIES: usize = 3;

/// How often somebody is told that their password is known from a breach: each sign-in finds it anew.
const BREACH_AGAIN: Duration = Duration::from_hours(30 * 24);

/// Of how many it is remembered that they have been told. Beyond it all is forgotten, and some are told once more.
const MOST_TOLD: usize = 10_000;

/// The reader.
pub(super) struct Notices {
    mail: Arc<Mail>,
    /// When whose password was said to be known from a breach.
    told: Mutex<HashMap<UserId, Timestamp>>,
}

impl Notices {
    pub(super) fn new(mail: Arc<Mail>) -> Self {
        Self { mail, told: Mutex::default() }
    }

    /// Never ends by itself.
    pub(super) async fn run(&self, source: &Source) {
        let mut news = source.feed.news();
        let mut at = self.start(source).await;
        loop {
            let page = match source.store.following(at, PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::debug!(%error, "the audit log cannot be read now");
                    Vec::new()
                }
            };
            if page.is_empty() {
                source.news(&mut news).await;
            }
            for (seq, entry) in page {
                if let Some(what) = notice_of(&entry).filter(|what| self.is_news(*what, &entry)) {
                    self.tell(source, what, &entry).await;
                    keep(source, PLACE, seq).await;
                }
                at = seq;
            }
            keep(source, PLACE, at).await;
        }
    }

    /// Where it stands; waits for a store that cannot say it now.
    async fn start(&self, source: &Source) -> i64 {
        loop {
            match source.store.reader(PLACE).await {
                Ok(at) => return at,
                Err(_) => tokio::time::sleep(super::EVERY).await,
            }
        }
    }

    /// Whether it is worth a mail.
    fn is_news(&self, what: What, entry: &AuditEntry) -> bool {
        let (What::BreachedPassword, Some(user)) = (what, entry.user) else { return true };
        let mut told = self.told.lock();
        if told.get(&user).is_some_and(|at| entry.at.since(*at) < BREACH_AGAIN) {
            return false;
        }
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        told.insert(user, entry.at);
        true
    }

    async fn tell(&self, source: &Source, what: What, entry: &AuditEntry) {
        let (to, letter) = loop {
            match letter(source, what, entry).await {
                Ok(Some(found)) => break found,
                Ok(None) => return,
                Err(_) => tokio::time::sleep(super::EVERY).await,
            }
        };
        for tried in 0.. {
            let outcome = self.mail.send(&to, &letter, source.clock.now()).await;
            let wait = WAITS[tried.min(WAITS.len() - 1)];
            match outcome {
                Ok(()) => return,
                Err(SendError::Unreachable(reason)) => tracing::warn!(reason, "notices wait for the mail server"),
                Err(SendError::Later(_)) if tried + 1 < TRIES => {}
                Err(error) => {
                    return tracing::warn!(notice = what.name(), error = error.without(&to), "a notice was not sent");
                }
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// What is said of an event, if anything is.
fn notice_of(entry: &AuditEntry) -> Option<What> {
    Some(match entry.event {
        Event::RiskAssessed => return of_risk(&entry.detail),
        Event::PasswordChanged => What::PasswordChanged,
        Event::PasswordReset => What::PasswordReset,
        Event::PasskeyAdded => What::PasskeyAdded,
        Event::PasskeyRemoved => What::PasskeyRemoved,
        Event::TotpAdded => What::TotpAdded,
        Event::TotpRemoved => What::TotpRemoved,
        Event::RecoveryCodesMade => What::RecoveryCodesMade,
        Event::RecoveryCodeUsed => What::RecoveryCodeUsed,
        Event::FactorsReset => What::FactorsReset,
        Event::RefreshReuse => What::SessionCopied,
        _ => return None,
    })
}

/// What is said of an assessment by which somebody is to be told, or more.
fn of_risk(detail: &str) -> Option<What> {
    let assessed = Explained::parse(detail)?.assessed;
    if assessed.action < Action::Notify {
        return None;
    }
    let found = |signal| assessed.found.iter().any(|(found, _)| found.signal == signal);
    Some(match assessed.action {
        Action::Notify if found(Signal::NewDevice) || found(Signal::NewCountry) => What::NewDevice,
        Action::Notify if found(Signal::BreachedPassword) => What::BreachedPassword,
        _ => What::Unusual,
    })
}

/// To whom, and what it says; nothing for an account that is gone.
async fn letter(source: &Source, what: What, entry: &AuditEntry) -> Result<Option<(Email, Letter)>, StoreError> {
    let Some(user) = entry.user else { return Ok(None) };
    let session = match entry.sid {
        Some(sid) => source.store.by_sid(sid).await?,
        None => None,
    };
    let device = session.map_or_else(|| "a device".to_owned(), |(session, _)| session.device);
    let Some(credential) = source.store.credential_of(user).await? else { return Ok(None) };
    let seen = Seen { at: entry.at, network: entry.network.clone(), device };
    Ok(Some((credential.user.email, Letter { seen: Some(seen), ..Letter::plain(what) })))
}
