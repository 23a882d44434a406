//! Notices by mail: people are told of what happens to their accounts, so that what they have not done themselves is noticed
//! (ASVS-6.3.5, ASVS-6.3.7). Read from the audit log, so that no way of changing something can forget them, and none waits for a mail.

use super::Source;
use super::webhook::keep;
use crate::mail::{Letter, Mail, Seen, SendError, What};
use crate::store::StoreError;
use counterfoil_core::UserId;
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::user::Email;
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

/// The reader.
pub(super) struct Notices(pub(super) Arc<Mail>);

impl Notices {
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
                if let Some(what) = notice_of(entry.event) {
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

    async fn tell(&self, source: &Source, what: What, entry: &AuditEntry) {
        let (to, letter) = loop {
            match letter(source, what, entry).await {
                Ok(Some(found)) => break found,
                Ok(None) => return,
                Err(_) => tokio::time::sleep(super::EVERY).await,
            }
        };
        for tried in 0.. {
            let outcome = self.0.send(&to, &letter, source.clock.now()).await;
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
const fn notice_of(event: Event) -> Option<What> {
    Some(match event {
        Event::SignedIn => What::NewDevice,
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

/// To whom, and what it says; nothing for an account that is gone, or a device that is known.
async fn letter(source: &Source, what: What, entry: &AuditEntry) -> Result<Option<(Email, Letter)>, StoreError> {
    let Some(user) = entry.user else { return Ok(None) };
    let device = if what == What::NewDevice {
        let Some(device) = new_device(source, user, entry).await? else { return Ok(None) };
        device
    } else {
        String::new()
    };
    let Some(credential) = source.store.credential_of(user).await? else { return Ok(None) };
    let seen = Seen { at: entry.at, network: entry.network.clone(), device };
    Ok(Some((credential.user.email, Letter { seen: Some(seen), ..Letter::plain(what) })))
}

/// The device of the session that has begun, if the account has been used before, and not from a device like it. A network alone is not
/// news: telephones change theirs all day.
async fn new_device(source: &Source, user: UserId, entry: &AuditEntry) -> Result<Option<String>, StoreError> {
    let sessions = source.store.sessions_of(user).await?;
    let Some(new) = sessions.iter().find(|session| Some(session.sid) == entry.sid) else { return Ok(None) };
    let mut earlier = sessions.iter().filter(|session| session.created_at < new.created_at).peekable();
    let first = earlier.peek().is_none();
    let known = earlier.any(|session| session.device == new.device);
    Ok((!first && !known).then(|| new.device.clone()))
}
