//! The pages around mail: asking for another password, what a link opens, and the outbox of development. Filled in by `mail.js`.

use maud::{Markup, PreEscaped, html};

use super::layout::{Document, Field, document, status, submit, ticket, without_script};
use crate::mail::Shown;
use counterfoil_core::credential::mail_link::Purpose;

/// What these pages need to know.
pub(crate) struct MailView<'a> {
    /// The name of the service.
    pub(crate) service_name: &'a str,
    /// The fewest characters a password may have.
    pub(crate) min_password_length: usize,
    /// Changes whenever an asset does.
    pub(crate) asset_version: &'a str,
}

/// `/forgot`.
pub(crate) fn forgot(view: &MailView<'_>) -> Markup {
    let form = html! {
        h1 #heading { "Forgotten your password?" }
        (status())
        (without_script())
        div #asking {
            p.intro { "Enter the address of your account. We send you a link to choose another password." }
            form #forgot-form method="post" action="/forgot" novalidate {
                (EMAIL.email())
                (submit("submit", "Send the link", "Sending…"))
            }
        }
        div #asked hidden {
            p { "If there is an account with this address, the link is in its mail within a minute. It works for an hour." }
            p.hint { "Nothing there? Look among the spam, and whether the address is right." }
        }
        p.aside { a href="/login" { "Back to sign-in" } }
    };
    page(view, "Forgotten your password?", &form)
}

/// `/mail/…`: nothing happens until its button is pressed, since programs that look at mail open links too.
pub(crate) fn link(view: &MailView<'_>, purpose: Purpose) -> Markup {
    let (heading, intro, label, busy) = words(purpose);
    let form = html! {
        h1 #heading tabindex="-1" { (heading) }
        (status())
        (without_script())
        div #opening data-purpose=(purpose.as_str()) hidden {
            p.intro { (intro) " " strong #address dir="auto" {} }
            form #link-form method="post" action="/login" data-min-password-length=(view.min_password_length) novalidate {
                input.visually-hidden #username name="username" type="email" autocomplete="username"
                    readonly tabindex="-1" aria-hidden="true";
                @match purpose {
                    Purpose::Register => div #with-password hidden { (CHOSEN_PASSWORD.password()) },
                    Purpose::Reset => (new_password(view.min_password_length)),
                    Purpose::SignUp | Purpose::SignIn | Purpose::ChangeEmail => {},
                }
                (submit("submit", label, busy))
            }
        }
        div #finished hidden {
            p #finished-detail {}
            a.button #finished-link href="/login" { "Go to sign-in" }
        }
    };
    page(view, heading, &form)
}

fn words(purpose: Purpose) -> (&'static str, &'static str, &'static str, &'static str) {
    match purpose {
        Purpose::Register => {
            ("Confirm your address", "Your account will be made for", "Create my account", "Creating account…")
        }
        Purpose::SignUp => (
            "Create your passkey",
            "This device will keep the passkey of",
            "Create a passkey",
            "Waiting for your device…",
        ),
        Purpose::Reset => ("Choose another password", "For the account of", "Use this password", "Changing password…"),
        Purpose::SignIn => ("Sign in", "You will be signed in as", "Sign in", "Signing in…"),
        Purpose::ChangeEmail => {
            ("Confirm your new address", "Your account will have the address", "Use this address", "Changing address…")
        }
    }
}

/// `/outbox`.
pub(crate) fn outbox(view: &MailView<'_>, mails: &[Shown], when: fn(counterfoil_core::Timestamp) -> String) -> Markup {
    let body = html! {
        main #main.outbox {
            h1 { "Outbox" }
            p.intro { "Mail that would have been sent, the newest first. It is kept in memory, and seen by whoever opens this page." }
            @if mails.is_empty() { p { "Nothing yet." } }
            @for (index, mail) in mails.iter().enumerate() {
                article {
                    h2 { (mail.subject) }
                    p.hint { "To " span dir="auto" { (mail.to) } " · " time { (when(mail.at)) } " · " a href={ "/outbox?html=" (index) } { "as HTML" } }
                    @for paragraph in mail.plain.expose().split("\n\n") {
                        p { @for word in paragraph.split_inclusive(' ') { (word_of(word)) } }
                    }
                }
            }
        }
    };
    let page = Document {
        title: "Outbox",
        service_name: view.service_name,
        script: "form.js",
        asset_version: view.asset_version,
        class: "home",
    };
    document(&page, &body)
}

/// An address in a text can be followed.
fn word_of(word: &str) -> Markup {
    let bare = word.trim();
    if bare.starts_with("http://") || bare.starts_with("https://") {
        return html! { a href=(bare) { (bare) } " " };
    }
    html! { (word) }
}

/// A mail as HTML, as mail programs show it.
pub(crate) fn as_html(mail: &Shown) -> Markup {
    PreEscaped(mail.html.expose().clone())
}

fn page(view: &MailView<'_>, title: &str, form: &Markup) -> Markup {
    let page = Document {
        title,
        service_name: view.service_name,
        script: "mail.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    document(&page, &ticket(view.service_name, form))
}

fn new_password(min_length: usize) -> Markup {
    let hint = format!("At least {min_length} characters. Every device is signed out.");
    Field { id: "password", label: "New password", autocomplete: "new-password", hint: Some(&hint) }.password()
}

/// Whose password is forgotten.
const EMAIL: Field<'_> = Field { id: "email", label: "Email", autocomplete: "username", hint: None };

/// The password of an account that another browser has asked for.
const CHOSEN_PASSWORD: Field<'_> = Field {
    id: "password",
    label: "Password",
    autocomplete: "current-password",
    hint: Some("The one that you chose for the account: this is another browser, or some time has passed."),
};
