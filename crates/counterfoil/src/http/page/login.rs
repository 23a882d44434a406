//! The sign-in page.

use maud::{Markup, html};

use super::LoginView;
use super::layout::{Document, Field, document, placed, status, submit, ticket, without_script};
use super::prove::{app_dialog, codes_dialog, prompt};
use crate::words::Words;

/// The sign-in page. Its script first tries the session the browser may still hold.
pub(crate) fn login(view: &LoginView<'_>) -> Markup {
    let words = view.words;
    let register = html! { a #register-link href="/register" { (words.say("login.register")) } };
    let form = html! {
        h1 #heading tabindex="-1" { (words.say("login.heading")) }
        (status())
        (without_script(words))
        div.first #passkey-first data-passkeys=[view.passkeys.then_some("true")] hidden {
            button.primary #passkey type="button" { (words.say("login.with_passkey")) }
            p.or aria-hidden="true" { (words.say("page.or")) }
        }
        form #login-form method="post" action="/login" data-redirect=(view.redirect) novalidate {
            (email(words).email())
            (password(words).password(words))
            div.choice {
                input #remember name="remember" type="checkbox" checked;
                label for="remember" { (words.say("login.remember")) }
            }
            (submit("submit", words.say("login.submit"), words.say("login.busy")))
            @if view.mail {
                div.others {
                    @if view.mail_sign_in { button.link #by-mail type="button" { (words.say("login.by_mail")) } }
                    a #forgot-link href="/forgot" { (words.say("login.forgotten")) }
                }
            }
        }
        section #second aria-labelledby="heading" hidden {
            (prompt(words))
            p.aside { button.link #start-over type="button" { (words.say("login.start_over")) } }
        }
        section #enrol aria-labelledby="heading" hidden {
            p.intro { (words.say("login.enrol")) }
            button.primary #enrol-passkey type="button" { (words.say("login.enrol_passkey")) }
            p.hint #enrol-passkey-hint { (words.say("login.enrol_passkey_hint")) }
            button #enrol-app type="button" { (words.say("login.enrol_app")) }
        }
        @if view.registration_open {
            p.aside #new-here { (placed(words, "login.new_here", &[("register", register)])) }
        }
    };
    let page = Document {
        title: words.say("login.heading"),
        service_name: view.service_name,
        words,
        script: "login.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    let body = html! {
        (ticket(words, view.service_name, &form))
        (app_dialog(words))
        (codes_dialog(words))
    };
    document(&page, &body)
}

/// Says who signs in; a passkey may be offered here too.
fn email(words: &Words) -> Field<'_> {
    Field { id: "email", label: words.say("form.email"), autocomplete: "username webauthn", hint: None }
}

/// Proves it.
fn password(words: &Words) -> Field<'_> {
    Field { id: "password", label: words.say("form.password"), autocomplete: "current-password", hint: None }
}
