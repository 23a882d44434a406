//! Links by mail: asked for by whoever types an address, written once nobody waits for it any more, opened by whoever reads the mail.
//!
//! What a request says and how long it takes does not depend on whether there is an account (P1): it counts, it leaves a note in a queue,
//! and that is all. Only the one who works on the queue looks the address up.

use super::Caller;
use super::counts::{self, Limit};
use super::ticket::{Ceremony, Ticket};
use crate::app::App;
use crate::clock::random;
use crate::limits::Limited;
use crate::mail::{Asked, Held, Letter, Mail, QueueFull, SendError, What};
use crate::store::StoreError;
use crate::store::mail::MailLink;
use counterfoil_core::credential::factor_key::Use;
use counterfoil_core::credential::mail_link::{self, Purpose};
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::user::{Email, User};
use counterfoil_core::{Secret, UserId};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;

/// How many letters are on their way at once, most of them waiting to be tried again: addresses at servers that answer "later" must not hold up
/// everybody else's.
const AT_ONCE: usize = 256;

/// How often it is tried to send one, and how long is waited in between.
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_mins(1)];

/// For how long what was asked for is still sent when the server has been told to stop.
const LAST: Duration = Duration::from_secs(5);

/// Why nothing was sent, or a link does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailLinkError {
    /// No mail is sent here.
    #[error("this server sends no mail")]
    Off,
    /// Not an address.
    #[error("that is not an email address")]
    BadEmail,
    /// The link is unknown, has been used, or is over.
    #[error("the link has been used, or is over")]
    Invalid,
    /// It counts only in the browser in which it was asked for.
    #[error("the link counts in another browser")]
    OtherBrowser,
    /// Too much mail.
    #[error("too many attempts")]
    RateLimited(Duration),
    /// More waits than is taken on.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Limit> for MailLinkError {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Wait(wait) => Self::RateLimited(wait),
            Limit::Store(error) => Self::Store(error),
        }
    }
}

/// The post office, if there is one.
pub(super) fn office(app: &App) -> Result<&Mail, MailLinkError> {
    app.mail.as_deref().ok_or(MailLinkError::Off)
}

/// Counts a mail to this address from this caller.
pub(super) async fn count(app: &App, to: &Email, caller: &Caller) -> Result<(), MailLinkError> {
    counts::take_from_network(app, Limited::MailNetwork, app.config.limits.mail_per_network, caller).await?;
    counts::take(app, Limited::MailAddress, &to.key(), app.config.limits.mail_per_address.rate()).await?;
    Ok(())
}

/// Counts, and leaves a note.
pub(super) async fn ask(
    app: &App,
    to: Email,
    (by, held): (Option<UserId>, Held),
    caller: &Caller,
) -> Result<(), MailLinkError> {
    let office = office(app)?;
    count(app, &to, caller).await?;
    Ok(office.ask(Asked::Link { to, by, held })?)
}

/// What a browser keeps of having asked, and the same for the link.
pub(super) fn ticket(app: &App, purpose: Purpose) -> (Ticket, [u8; 16]) {
    let asked = random();
    (Ticket::new(app, Ceremony::MailAsked { purpose: purpose.as_str().to_owned(), asked }), asked)
}

/// Whether this browser has made the request that the link goes on with.
pub fn has_asked(tickets: &[&Ticket], (purpose, wanted): (Purpose, [u8; 16])) -> bool {
    tickets.iter().any(|ticket| {
        matches!(&ticket.what, Ceremony::MailAsked { purpose: of, asked } if of == purpose.as_str() && *asked == wanted)
    })
}

/// A link that still counts.
#[derive(Debug)]
pub struct Opened {
    /// Whose.
    pub user: Option<UserId>,
    /// What it does.
    pub held: Held,
}

/// What a link is for. It goes on to count: programs that look at mail open links, and so do people, twice.
pub async fn look(app: &App, purpose: Purpose, token: &Secret<String>) -> Result<Opened, MailLinkError> {
    let hash = mail_link::hash(token).ok_or(MailLinkError::Invalid)?;
    open(app, app.store.mail_link(hash, purpose, app.clock.now()).await?)
}

/// The same, and it counts no more.
pub(super) async fn take(app: &App, purpose: Purpose, token: &Secret<String>) -> Result<Opened, MailLinkError> {
    let hash = mail_link::hash(token).ok_or(MailLinkError::Invalid)?;
    open(app, app.store.take_mail_link(hash, purpose, app.clock.now()).await?)
}

fn open(app: &App, link: Option<MailLink>) -> Result<Opened, MailLinkError> {
    let link = link.ok_or(MailLinkError::Invalid)?;
    let plain = app.factors.open(Use::MailLink(link.hash), &link.sealed).map_err(|_| MailLinkError::Invalid)?;
    let held: Held = serde_json::from_slice(plain.expose()).map_err(|_| MailLinkError::Invalid)?;
    if held.purpose() == link.purpose { Ok(Opened { user: link.user, held }) } else { Err(MailLinkError::Invalid) }
}

/// To whom a link goes, for the page that it opens.
pub async fn address_of(app: &App, opened: &Opened) -> Result<String, MailLinkError> {
    match &opened.held {
        Held::Register { email, .. } | Held::SignUp { email, .. } => Ok(email.clone()),
        Held::ChangeEmail { to, .. } => Ok(to.clone()),
        Held::Reset | Held::SignIn { .. } => Ok(owner(app, opened).await?.email.as_str().to_owned()),
    }
}

/// The account of a link that is somebody's.
pub(super) async fn owner(app: &App, opened: &Opened) -> Result<User, MailLinkError> {
    let user = opened.user.ok_or(MailLinkError::Invalid)?;
    Ok(app.store.credential_of(user).await?.ok_or(MailLinkError::Invalid)?.user)
}

/// Writes and sends what is asked for, until `stop` resolves and what is left has been sent, or has had its time.
pub async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let Some(mut queue) = app.mail.as_ref().and_then(|mail| mail.queue()) else { return stop.await };
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = under_way.next() => {}
            Some(asked) = queue.recv(), if under_way.len() < AT_ONCE => under_way.push(carry_out(&app, asked)),
            () = &mut stop => break,
        }
    }
    queue.close();
    let rest = async {
        while let Some(()) = under_way.next().await {}
        while let Some(asked) = queue.recv().await {
            carry_out(&app, asked).await;
        }
    };
    if tokio::time::timeout(LAST, rest).await.is_err() {
        tracing::warn!("mail that had been asked for was not sent before the stop");
    }
}

/// One of them. What goes wrong is nobody's answer: it is in the log and in the metrics.
async fn carry_out(app: &App, asked: Asked) {
    match written(app, asked).await {
        Ok(Some((to, letter))) => post(app, &to, &letter).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a mail could not be written"),
    }
}

/// The letter for it; none where there is nobody to write to.
async fn written(app: &App, asked: Asked) -> Result<Option<(Email, Letter)>, MailLinkError> {
    let (to, by, held) = match asked {
        Asked::Letter { to, letter } => return Ok(Some((to, letter))),
        Asked::Link { to, by, held } => (to, by, held),
    };
    let found = app.store.credential(&to.key()).await?;
    let plain = |what| Ok(Some((to.clone(), Letter::plain(what))));
    let of = match (&held, found) {
        (Held::Register { .. } | Held::SignUp { .. }, None) => None,
        (Held::Register { .. } | Held::SignUp { .. }, Some(_)) => return plain(What::AlreadyHere),
        (Held::ChangeEmail { .. }, Some(other)) if Some(other.user.id) != by => return plain(What::AddressInUse),
        (Held::ChangeEmail { .. }, _) => by,
        (Held::Reset | Held::SignIn { .. }, None) => return Ok(None),
        (Held::Reset, Some(found)) if found.hash == NO_PASSWORD && has_passkeys(app, found.user.id).await? => {
            return plain(What::NoPassword);
        }
        (Held::Reset | Held::SignIn { .. }, Some(found)) => Some(found.user.id),
    };
    let purpose = held.purpose();
    let token = keep(app, of, &held).await?;
    let letter = Letter { link: Some((purpose, token)), ..Letter::plain(What::with_link_for(purpose)) };
    Ok(Some((to, letter)))
}

async fn has_passkeys(app: &App, user: UserId) -> Result<bool, StoreError> {
    Ok(app.store.factors(user).await?.is_some_and(|factors| !factors.passkeys.is_empty()))
}

/// Keeps a link; returns its token, which stands in the mail and nowhere else.
async fn keep(app: &App, user: Option<UserId>, held: &Held) -> Result<Secret<String>, MailLinkError> {
    let token = mail_link::write(&Secret::new(random()));
    let hash = mail_link::hash(&token).expect("it has just been written");
    let plain = Secret::new(serde_json::to_vec(held).expect("it can be written"));
    let sealed = app.factors.seal(Use::MailLink(hash), random(), plain.expose());
    let purpose = held.purpose();
    let expires_at = app.clock.now().plus(purpose.lasts());
    app.store.keep_mail_link(MailLink { hash, purpose, user, sealed, expires_at }).await?;
    Ok(token)
}

/// Sends a letter, and tries again where that may help.
async fn post(app: &App, to: &Email, letter: &Letter) {
    let Some(mail) = app.mail.as_deref() else { return };
    for wait in WAITS.map(Some).into_iter().chain([None]) {
        match mail.send(to, letter, app.clock.now()).await {
            Ok(()) => return,
            Err(error) => {
                let may_help = matches!(error, SendError::Later(_) | SendError::Unreachable(_));
                let Some(wait) = wait.filter(|_| may_help) else {
                    tracing::warn!(letter = letter.what.name(), error = error.without(to), "a mail was not sent");
                    return;
                };
                tracing::info!(letter = letter.what.name(), error = error.without(to), "a mail has to wait");
                tokio::time::sleep(wait).await;
            }
        }
    }
}
