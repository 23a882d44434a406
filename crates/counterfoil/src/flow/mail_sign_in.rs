//! `POST /api/auth/mail-link/{start,finish}`: a link that signs in, in the browser that has asked for it. A link that is passed on, or that
//! somebody sends to another, opens nothing there. And `POST /api/auth/mail-code/…`: a code by mail, after the password.

use super::counts;
use super::mail_link::{self, MailLinkError, has_asked, office};
use super::sign_in::{LoginError, SignIn, admit, go_on};
use super::ticket::{Ceremony, Progress, Ticket};
use super::{Caller, second_step};
use crate::app::App;
use crate::clock::random;
use crate::config::DEFAULT_APPLICATION;
use crate::limits::Limited;
use crate::mail::{Asked, Held, Letter, What};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use counterfoil_core::Secret;
use counterfoil_core::assurance::Method;
use counterfoil_core::credential::mail_link::{Purpose, code, read_code};
use counterfoil_core::profile::Profile;
use counterfoil_core::user::Email;
use counterfoil_guard::dpop::Proof;

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailSignInError {
    /// The link.
    #[error(transparent)]
    Link(#[from] MailLinkError),
    /// The sign-in.
    #[error(transparent)]
    SignIn(#[from] LoginError),
}

/// Asks for a link. The answer is the same whether there is an account or not (P1): what the client keeps until it opens the link.
pub async fn start(
    app: &App,
    (email, client_id, remember): (&str, Option<String>, bool),
    caller: &Caller,
) -> Result<(Ticket, Profile), MailSignInError> {
    if !app.config.mail.sign_in {
        return Err(MailLinkError::Off.into());
    }
    let application = client_id.unwrap_or_else(|| DEFAULT_APPLICATION.to_owned());
    let profile = app.applications.get(&application).ok_or(LoginError::UnknownApplication)?.profile;
    let email = Email::parse(email).ok_or(MailLinkError::BadEmail)?;
    let (ticket, asked) = mail_link::ticket(app, Purpose::SignIn);
    mail_link::ask(app, email, (None, Held::SignIn { application, remember, asked }), caller).await?;
    Ok((ticket, profile))
}

/// Uses the link, in the browser that holds the ticket.
pub async fn finish(
    app: &App,
    (token, tickets): (&Secret<String>, &[&Ticket]),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, MailSignInError> {
    let opened = mail_link::look(app, Purpose::SignIn, token).await?;
    let (Held::SignIn { application, remember, asked }, Some(user)) = (&opened.held, opened.user) else {
        return Err(MailLinkError::Invalid.into());
    };
    if !has_asked(tickets, (Purpose::SignIn, *asked)) {
        return Err(MailLinkError::OtherBrowser.into());
    }
    admit(app, application, proof)?;
    mail_link::take(app, Purpose::SignIn, token).await?;
    let (application, remember) = (application.clone(), *remember);
    let progress = Progress {
        user,
        application,
        remember,
        methods: vec![Method::MailLink],
        password: None,
        legacy: None,
        trouble: None,
        noted: Vec::new(),
    };
    Ok(go_on(app, progress, None, proof, caller).await?)
}

/// Sends a code to whoever has shown a password and is asked for one. The ticket that goes with it takes the place of the sign-in's: the
/// code stands in it, sealed, and counts with nothing else (ASVS-6.6.2).
pub async fn send_code(app: &App, ticket: &Ticket, caller: &Caller) -> Result<Ticket, MailSignInError> {
    let progress = match &ticket.what {
        Ceremony::SignIn(progress) | Ceremony::MailCode { progress, .. } => progress.clone(),
        _ => return Err(LoginError::Expired.into()),
    };
    let office = office(app)?;
    let factors = app.store.factors(progress.user).await.map_err(LoginError::from)?.ok_or(LoginError::Expired)?;
    let to = factors.credential.user.email.clone();
    if !second_step::may_use_mail(app, &factors, &progress) {
        return Err(LoginError::Expired.into());
    }
    mail_link::count(app, &to, caller).await?;
    let code = code(&Secret::new(random()));
    let letter = Letter { code: Some(code.clone()), ..Letter::plain(What::Code) };
    office.ask(Asked::Letter { to, letter }).map_err(MailLinkError::from)?;
    Ok(Ticket::new(app, Ceremony::MailCode { progress, code: code.expose().clone() }))
}

/// Goes on with the code. A few tries, counted per account; each code once.
pub async fn verify_code(
    app: &App,
    (tickets, typed): (&[&Ticket], &Secret<String>),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, LoginError> {
    let Some(Ceremony::MailCode { progress, .. }) = tickets.first().map(|ticket| &ticket.what) else {
        return Err(LoginError::Expired);
    };
    let key = progress.user.to_string();
    counts::take(app, Limited::CodeAccount, &key, app.config.limits.login_per_account.rate()).await?;
    let typed = read_code(typed);
    // One that has been sent before counts too: letters overtake each other.
    let right = tickets.iter().find_map(|ticket| match (&ticket.what, &typed) {
        (Ceremony::MailCode { progress: of, code }, Some(typed)) if of.user == progress.user => {
            verify_slices_are_equal(code.as_bytes(), typed.expose().as_bytes()).is_ok().then_some((*ticket, of))
        }
        _ => None,
    });
    let Some((ticket, progress)) = right else {
        second_step::note_wrong(app, progress.user, caller).await?;
        return Err(LoginError::InvalidCode);
    };
    if !ticket.spend(app).await? {
        return Err(LoginError::Expired);
    }
    counts::give_back(app, Limited::CodeAccount, &key, None).await;
    let methods = [progress.methods.as_slice(), &[Method::MailCode]].concat();
    go_on(app, Progress { methods, ..progress.clone() }, None, proof, caller).await
}
