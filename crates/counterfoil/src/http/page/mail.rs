//! The pages around mail: asking for another password, what a link opens, and the outbox of development. Filled in by `mail.js`.

use maud::{Markup, PreEscaped, html};

use super::layout::{Document, Field, document, placed, status, submit, ticket, without_script};
use crate::mail::Shown;
use crate::words::Words;
use counterfoil_core::credential::mail_link::Purpose;

/// What these pages need to know.
pub(crate) struct MailView<'a> {
    /// The name of the service.
    pub(crate) service_name: &'a str,
    /// The fewest characters a password may have.
    pub(crate) min_password_length: usize,
    /// What they say.
    pub(crate) words: &'a Words,
    /// Changes whenever an asset does.
    pub(crate) asset_version: &'a str,
}

/// `/forgot`.
pub(crate) fn forgot(view: &MailView<'_>) -> Markup {
    let words = view.words;
    let form = html! {
        h1 #heading { (words.say("forgot.heading")) }
        (status())
        (without_script(words))
        div #asking {
            p.intro { (words.say("forgot.intro")) }
            form #forgot-form method="post" action="/forgot" novalidate {
                (email(words).email())
                (submit("submit", words.say("forgot.submit"), words.say("forgot.busy")))
            }
        }
        div #asked hidden {
            p { (words.say("forgot.asked")) }
            p.hint { (words.say("forgot.asked_hint")) }
        }
        p.aside { a href="/login" { (words.say("forgot.back")) } }
    };
    page(view, words.say("forgot.heading"), &form)
}

/// `/mail/…`: nothing happens until its button is pressed, since programs that look at mail open links too.
pub(crate) fn link(view: &MailView<'_>, purpose: Purpose) -> Markup {
    let words = view.words;
    let (heading, intro, label, busy) = keys(purpose);
    let address = html! { strong #address dir="auto" {} };
    let form = html! {
        h1 #heading tabindex="-1" { (words.say(heading)) }
        (status())
        (without_script(words))
        div #opening data-purpose=(purpose.as_str()) hidden {
            p.intro { (placed(words, intro, &[("address", address)])) }
            form #link-form method="post" action="/login" data-min-password-length=(view.min_password_length) novalidate {
                input.visually-hidden #username name="username" type="email" autocomplete="username"
                    readonly tabindex="-1" aria-hidden="true";
                @match purpose {
                    Purpose::Register => div #with-password hidden { (chosen_password(words).password(words)) },
                    Purpose::Reset => (new_password(words, view.min_password_length)),
                    Purpose::SignUp | Purpose::SignIn | Purpose::ChangeEmail => {},
                }
                (submit("submit", words.say(label), words.say(busy)))
            }
        }
        div #finished hidden {
            p #finished-detail {}
            a.button #finished-link href="/login" { (words.say("register.go_to_login")) }
        }
    };
    page(view, words.say(heading), &form)
}

/// The heading, what will happen, the button's words, and those while it happens.
fn keys(purpose: Purpose) -> (&'static str, &'static str, &'static str, &'static str) {
    match purpose {
        Purpose::Register => ("link.confirm", "link.confirm_intro", "link.confirm_submit", "link.confirm_busy"),
        Purpose::SignUp => ("link.sign_up", "link.sign_up_intro", "link.sign_up_submit", "link.sign_up_busy"),
        Purpose::Reset => ("link.reset", "link.reset_intro", "link.reset_submit", "link.reset_busy"),
        Purpose::SignIn => ("link.sign_in", "link.sign_in_intro", "link.sign_in_submit", "link.sign_in_busy"),
        Purpose::ChangeEmail => ("link.change", "link.change_intro", "link.change_submit", "link.change_busy"),
    }
}

/// `/outbox`.
pub(crate) fn outbox(view: &MailView<'_>, mails: &[Shown], when: fn(counterfoil_core::Timestamp) -> String) -> Markup {
    let words = view.words;
    let to = |mail: &Shown| placed(words, "outbox.to", &[("address", html! { span dir="auto" { (mail.to) } })]);
    let body = html! {
        main #main.outbox {
            h1 { (words.say("outbox.heading")) }
            p.intro { (words.say("outbox.intro")) }
            @if mails.is_empty() { p { (words.say("outbox.nothing")) } }
            @for (index, mail) in mails.iter().enumerate() {
                article {
                    h2 { (mail.subject) }
                    p.hint {
                        (to(mail)) " · " time { (when(mail.at)) } " · "
                        a href={ "/outbox?html=" (index) } { (words.say("outbox.as_html")) }
                    }
                    @for paragraph in mail.plain.expose().split("\n\n") {
                        p { @for word in paragraph.split_inclusive(' ') { (word_of(word)) } }
                    }
                }
            }
        }
    };
    let page = Document {
        title: words.say("outbox.heading"),
        service_name: view.service_name,
        words,
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
        words: view.words,
        script: "mail.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    document(&page, &ticket(view.words, view.service_name, form))
}

fn new_password(words: &Words, min_length: usize) -> Markup {
    let hint = words.with("link.reset_hint", &[("count", &min_length.to_string())]);
    let label = words.say("form.new_password");
    Field { id: "password", label, autocomplete: "new-password", hint: Some(&hint) }.password(words)
}

/// Whose password is forgotten.
fn email(words: &Words) -> Field<'_> {
    Field { id: "email", label: words.say("form.email"), autocomplete: "username", hint: None }
}

/// The password of an account that another browser has asked for.
fn chosen_password(words: &Words) -> Field<'_> {
    Field {
        id: "password",
        label: words.say("form.password"),
        autocomplete: "current-password",
        hint: Some(words.say("link.confirm_password_hint")),
    }
}
