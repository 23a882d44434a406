//! The page to create an account.

use maud::{Markup, html};

use super::RegisterView;
use super::layout::{Document, Field, document, placed, status, submit, ticket, without_script};
use crate::words::Words;

/// The page to create an account, with or without an invitation.
pub(crate) fn register(view: &RegisterView<'_>) -> Markup {
    let words = view.words;
    let heading = words.say(if view.invited_admin { "register.heading_admin" } else { "register.heading" });
    let login = html! { a #login-link href="/login" { (words.say("register.login")) } };
    let form = html! {
        h1 { (heading) }
        (introduction(view))
        (status())
        (without_script(words))
        form #register-form method="post" action="/register" data-invite=[view.invite]
            data-min-password-length=(view.min_password_length) novalidate {
            (name(words).optional_text(words))
            (email(words).email())
            div #with-passkey data-passkeys=[view.passkeys.then_some("true")] hidden {
                button.primary #passkey type="button" { (words.say("register.with_passkey")) }
                p.hint { (words.say("register.with_passkey_hint")) }
                p.or aria-hidden="true" { (words.say("page.or")) }
            }
            (password(words, view.min_password_length))
            (submit("submit", words.say("register.submit"), words.say("register.busy")))
        }
        (finished(words))
        p.aside { (placed(words, "register.have_account", &[("login", login)])) }
    };
    let page = Document {
        title: heading,
        service_name: view.service_name,
        words,
        script: "register.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    document(&page, &ticket(words, view.service_name, &form))
}

/// What this page is for, in one sentence.
fn introduction(view: &RegisterView<'_>) -> Markup {
    let key = match view.invite {
        _ if view.invited_admin => "register.intro_admin",
        Some(_) => "register.intro_invited",
        None => "register.intro",
    };
    let service = html! { strong { (view.service_name) } };
    html! { p.intro #register-intro { (placed(view.words, key, &[("service", service)])) } }
}

/// The field for the new password, with the rule it must keep.
fn password(words: &Words, min_length: usize) -> Markup {
    let hint = words.with("register.password_hint", &[("count", &min_length.to_string())]);
    let label = words.say("form.password");
    Field { id: "password", label, autocomplete: "new-password", hint: Some(&hint) }.password(words)
}

/// What is left to do once the account exists but could not be signed in to at once.
fn finished(words: &Words) -> Markup {
    html! {
        div #finished hidden {
            p #finished-detail {}
            a.button #finished-link href="/login" { (words.say("register.go_to_login")) }
        }
    }
}

/// What to call the person.
fn name(words: &Words) -> Field<'_> {
    Field { id: "name", label: words.say("register.name"), autocomplete: "name", hint: None }
}

/// What the person will sign in with.
fn email(words: &Words) -> Field<'_> {
    Field { id: "email", label: words.say("form.email"), autocomplete: "username", hint: None }
}
