//! How unusual a sign-in, a refresh or a step-up is: what is known of the account is loaded, `counterfoil_core::risk` decides, and what is
//! news is told. Only those who have shown that they are who they say, or hold a session, learn what comes of it (P1).

use super::Caller;
use super::sign_in::{LoginError, asked_of};
use super::step_up::{Way, ways};
use super::ticket::{Ceremony, Progress, Ticket};
use crate::app::App;
use crate::limits::Limited;
use crate::store::StoreError;
use crate::store::factors::Factors;
use crate::store::risk::Familiar;
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_core::assurance::{Challenge, Requirement};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::password::Password;
use counterfoil_core::limit::Rate;
use counterfoil_core::profile::Profile;
use counterfoil_core::risk::{
    self, Action, Assessed, Explanation, Facts, Known, Means, Moment, PasswordTrouble, Signal,
};
use counterfoil_core::session::{Binding, Session};
use counterfoil_core::user::User;
use counterfoil_core::{Secret, Sid, UserId};
use std::time::Duration;

/// For how long the reuse of a refresh token makes everything else about the account look unusual.
const REUSE_FOR: Duration = Duration::from_hours(24);

/// The same about the same session is news once a day.
const ONCE_A_DAY: Rate = Rate { burst: 1, interval: Duration::from_hours(24) };

/// What is looked at.
struct Asked<'a> {
    moment: Moment,
    application: &'a str,
    user: UserId,
    session: Option<&'a Session>,
    trouble: Option<PasswordTrouble>,
    means: Means,
}

/// What was found, and the beginning of the entry that says so.
pub(super) struct Unusual {
    assessed: Assessed,
    noted: Vec<Signal>,
    entry: AuditEntry,
}

/// What is wrong with a password that has turned out to be right.
pub(super) async fn trouble(app: &App, password: &Secret<String>) -> Option<PasswordTrouble> {
    match Password::new(password) {
        Ok(password) if app.risk.is_on() => app.risk.trouble(&password, app.clock.now()).await,
        _ => None,
    }
}

/// A sign-in of which so much has been shown as `progress` says. `Denied` where a rule forbids it.
pub(super) async fn sign_in(
    app: &App,
    progress: &Progress,
    factors: &Factors,
    caller: &Caller,
) -> Result<Unusual, LoginError> {
    // A passkey that no browser uses at this address is nothing to step up to.
    let passkey = app.passkeys.is_some() && !factors.passkeys.is_empty();
    let means = if passkey || factors.totp.is_some() { Means::Some } else { Means::None };
    let (application, user) = (progress.application.as_str(), progress.user);
    let asked = Asked { moment: Moment::SignIn, application, user, session: None, trouble: progress.trouble, means };
    let found = assess(app, &asked, caller).await?;
    let unusual = Unusual { noted: progress.noted.clone(), ..found };
    if unusual.assessed.action == Action::Deny {
        unusual.tell(app, None).await?;
        return Err(LoginError::Denied);
    }
    Ok(unusual)
}

impl Unusual {
    /// What is asked of the sign-in, whatever else is.
    pub(super) fn asks(&self) -> Requirement {
        if self.assessed.action == Action::StepUp { Requirement::TwoFactor } else { Requirement::OneFactor }
    }

    /// Tells of it, unless that has been done.
    pub(super) async fn tell(self, app: &App, sid: Option<Sid>) -> Result<(), StoreError> {
        let new = self.assessed.found.iter().any(|(found, _)| !self.noted.contains(&found.signal));
        if !self.assessed.is_news() || !new {
            return Ok(());
        }
        notify(app, &self.assessed, AuditEntry { sid, ..self.entry }).await
    }

    /// Tells of it where it makes a sign-in ask for a step more, and gives what has been told by now.
    pub(super) async fn tell_of_step(self, app: &App, noted: Vec<Signal>) -> Result<Vec<Signal>, StoreError> {
        if self.assessed.action != Action::StepUp {
            return Ok(noted);
        }
        let now = self.assessed.found.iter().map(|(found, _)| found.signal).collect();
        self.tell(app, None).await?;
        Ok(now)
    }
}

/// Tells of an assessment. Who reads the audit log learns of all; so does what writes to the account's owner, where the action is `notify` or
/// more (`readers/notices.rs`).
async fn notify(app: &App, assessed: &Assessed, entry: AuditEntry) -> Result<(), StoreError> {
    count(assessed);
    app.store.append(entry).await
}

fn count(assessed: &Assessed) {
    metrics::counter!("counterfoil_risk_assessed_total", "action" => assessed.action.as_str()).increment(1);
}

/// What a refresh that is asked for a proof needs, and what its client brings along with it.
#[derive(Clone, Debug)]
pub struct Asks {
    /// What would be enough.
    pub challenge: Challenge,
    /// How it can be given, the best first.
    pub ways: Vec<Way>,
    /// In the place of an access token.
    pub ticket: Ticket,
    /// How the client gets it.
    pub profile: Profile,
}

/// A refresh from another network, or by another browser, than before. `None`: it goes on, and what is new about it is known from now on.
pub(super) async fn refresh(
    app: &App,
    (session, user): (&Session, &User),
    caller: &Caller,
) -> Result<Option<Asks>, StoreError> {
    let Some(factors) = app.store.factors(user.id).await? else { return Ok(None) };
    let asked = asked_of(app, user, &session.application).max(strongest(app, &factors));
    let ways: Vec<Way> = ways(&factors, asked).into_iter().filter(|way| is_usable(app, *way)).collect();
    let means = if ways.is_empty() { Means::None } else { Means::Some };
    let unusual = assess(app, &of_session(Moment::Refresh, session, means), caller).await?;
    let Unusual { assessed, entry, .. } = unusual;
    let entry = AuditEntry { sid: Some(session.sid), ..entry };
    let news = is_new(app, &assessed, &entry).then_some(entry);
    if assessed.action < Action::StepUp {
        if news.is_some() {
            count(&assessed);
        }
        app.store.note_familiar(user.id, seen(app, caller), news).await?;
        return Ok(None);
    }
    if let Some(entry) = news {
        notify(app, &assessed, entry).await?;
    }
    let what = Ceremony::Prove { sid: session.sid, handle: handle_of(session) };
    let challenge = asked.challenge(app.config.session.fresh.0);
    Ok(Some(Asks { challenge, ways, ticket: Ticket::new(app, what), profile: session.profile }))
}

/// A step-up by `way`, which has succeeded. `Denied` where a rule forbids it, `Stronger` where the account has more to show than that.
pub(super) async fn step_up(
    app: &App,
    (session, user): (&Session, &User),
    way: Way,
    caller: &Caller,
) -> Result<(), LoginError> {
    let factors = app.store.factors(user.id).await?.ok_or(LoginError::InvalidCredentials)?;
    let strongest = strongest(app, &factors);
    let means = if way == Way::Password && strongest > Requirement::OneFactor { Means::Some } else { Means::None };
    let Unusual { assessed, entry, .. } = assess(app, &of_session(Moment::StepUp, session, means), caller).await?;
    let entry = AuditEntry { sid: Some(session.sid), actor: Actor::User(user.id), ..entry };
    if is_new(app, &assessed, &entry) {
        notify(app, &assessed, entry).await?;
    }
    match assessed.action {
        Action::Deny => Err(LoginError::Denied),
        Action::StepUp => Err(LoginError::Stronger(strongest.challenge(app.config.session.fresh.0))),
        Action::Allow | Action::Notify => Ok(()),
    }
}

/// From where a caller is seen.
pub(super) fn seen(app: &App, caller: &Caller) -> Familiar {
    Familiar { device: caller.device.clone(), network: caller.network(), last_at: app.clock.now() }
}

/// What a ticket remembers of a session's handle.
pub(super) fn handle_of(session: &Session) -> [u8; 32] {
    digest(&SHA256, session.handle.as_bytes()).as_ref().try_into().expect("SHA-256 is 32 bytes")
}

/// The most that an account can show, beyond a password.
fn strongest(app: &App, factors: &Factors) -> Requirement {
    let more = factors.totp.is_some() || app.passkeys.is_some() && !factors.passkeys.is_empty();
    if more { Requirement::TwoFactor } else { Requirement::OneFactor }
}

fn is_usable(app: &App, way: Way) -> bool {
    way != Way::Passkey || app.passkeys.is_some()
}

/// A session whose key has been shown is on the device it has always been on.
fn of_session(moment: Moment, session: &Session, means: Means) -> Asked<'_> {
    let by_key = matches!(session.binding, Binding::Dpop(_) | Binding::Device(_));
    let (application, user) = (session.application.as_str(), session.user);
    Asked { moment, application, user, session: Some(session).filter(|_| !by_key), trouble: None, means }
}

/// Whether this has not been written down of this session lately.
fn is_new(app: &App, assessed: &Assessed, entry: &AuditEntry) -> bool {
    let signals: Vec<&str> = assessed.found.iter().map(|(found, _)| found.signal.as_str()).collect();
    let sid = entry.sid.map(|sid| sid.to_string()).unwrap_or_default();
    // What a proof was asked for is no news again when it is given.
    let denied = if assessed.action == Action::Deny { "denied" } else { "" };
    let key = format!("{sid} {} {denied} {}", entry.network, signals.join(","));
    assessed.is_news() && app.limiter.take(Limited::Unusual, &key, ONCE_A_DAY, entry.at).is_ok()
}

async fn assess(app: &App, asked: &Asked<'_>, caller: &Caller) -> Result<Unusual, StoreError> {
    let now = app.clock.now();
    let entry = caller.audit(Event::RiskAssessed, Actor::Anonymous, now);
    let entry = AuditEntry { user: Some(asked.user), ..entry };
    if !app.risk.is_on() {
        return Ok(Unusual { assessed: Assessed::nothing(), noted: Vec::new(), entry });
    }
    let history = app.store.history(asked.user).await?;
    let place = |device: String, network: &str, last_at| Known { device, spot: app.risk.spot_of(network), last_at };
    let known: Vec<Known> =
        history.familiar.into_iter().map(|one| place(one.device, &one.network, one.last_at)).collect();
    let session = asked.session.map(|session| place(session.device.clone(), &session.network, session.last_seen_at));
    let failures = app.risk.velocity.lately(asked.user, &caller.source(), now);
    let facts = Facts {
        now,
        device: &caller.device,
        spot: &app.risk.spot(caller.address),
        bad_network: app.risk.is_bad(caller.address),
        known: &known,
        session: session.as_ref(),
        failures: (failures, app.risk.thresholds),
        password: asked.trouble,
        reuse: history.reuse_at.is_some_and(|at| now.since(at) <= REUSE_FOR),
    };
    let found = risk::signals(&facts);
    let at = (asked.moment, asked.application);
    let assessed = risk::assess(&app.risk.rules, (&found, &app.risk.weights), at, asked.means);
    let detail = Explanation { moment: asked.moment, application: asked.application, assessed: &assessed }.to_string();
    Ok(Unusual { assessed, noted: Vec::new(), entry: AuditEntry { detail, ..entry } })
}
