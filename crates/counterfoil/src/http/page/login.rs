//! The sign-in page.

use maud::{Markup, html};

use super::LoginView;
use super::layout::{Document, Field, document, status, submit, ticket, without_script};
use super::prove::{app_dialog, codes_dialog, prompt};

/// The sign-in page. Its script first tries the session the browser may still hold.
pub(crate) fn login(view: &LoginView<'_>) -> Markup {
    let form = html! {
        h1 #heading tabindex="-1" { "Sign in" }
        (status())
        (without_script())
        div.first #passkey-first data-passkeys=[view.passkeys.then_some("true")] hidden {
            button.primary #passkey type="button" { "Sign in with a passkey" }
            p.or aria-hidden="true" { "or" }
        }
        form #login-form method="post" action="/login" data-redirect=(view.redirect) novalidate {
            (EMAIL.email())
            (PASSWORD.password())
            div.choice {
                input #remember name="remember" type="checkbox" checked;
                label for="remember" { "Keep me signed in" }
            }
            (submit("submit", "Sign in", "Signing in…"))
            @if view.mail {
                div.others {
                    @if view.mail_sign_in { button.link #by-mail type="button" { "Sign in by a link in your mail" } }
                    a #forgot-link href="/forgot" { "Forgotten your password?" }
                }
            }
        }
        section #second aria-labelledby="heading" hidden {
            (prompt())
            p.aside { button.link #start-over type="button" { "Start over" } }
        }
        section #enrol aria-labelledby="heading" hidden {
            p.intro { "This account needs one more way to prove that it is you. It takes a minute, once." }
            button.primary #enrol-passkey type="button" { "Create a passkey" }
            p.hint #enrol-passkey-hint {
                "Your device keeps it, and asks for your fingerprint, face or PIN. Nobody can phish it."
            }
            button #enrol-app type="button" { "Set up an authenticator app" }
        }
        @if view.registration_open {
            p.aside #new-here { "New here? " a #register-link href="/register" { "Create an account" } }
        }
    };
    let page = Document {
        title: "Sign in",
        service_name: view.service_name,
        script: "login.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    let body = html! {
        (ticket(view.service_name, &form))
        (app_dialog())
        (codes_dialog())
    };
    document(&page, &body)
}

/// Says who signs in; a passkey may be offered here too.
const EMAIL: Field<'_> = Field { id: "email", label: "Email", autocomplete: "username webauthn", hint: None };

/// Proves it.
const PASSWORD: Field<'_> = Field { id: "password", label: "Password", autocomplete: "current-password", hint: None };
