//! The page to create an account.

use maud::{Markup, html};

use super::RegisterView;
use super::layout::{Document, Field, document, status, submit, ticket, without_script};

/// The page to create an account, with or without an invitation.
pub(crate) fn register(view: &RegisterView<'_>) -> Markup {
    let heading = if view.invited_admin { "Become an administrator" } else { "Create an account" };
    let form = html! {
        h1 { (heading) }
        (introduction(view))
        (status())
        (without_script())
        form #register-form method="post" action="/register" data-invite=[view.invite]
            data-min-password-length=(view.min_password_length) novalidate {
            (NAME.optional_text())
            (EMAIL.email())
            div #with-passkey data-passkeys=[view.passkeys.then_some("true")] hidden {
                button.primary #passkey type="button" { "Continue with a passkey" }
                p.hint { "No password to remember: your device keeps it, and asks for your fingerprint, face or PIN." }
                p.or aria-hidden="true" { "or" }
            }
            (password(view.min_password_length))
            (submit("submit", "Create account", "Creating account…"))
        }
        (finished())
        p.aside { "Already have an account? " a #login-link href="/login" { "Sign in" } }
    };
    let page = Document {
        title: heading,
        service_name: view.service_name,
        script: "register.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    document(&page, &ticket(view.service_name, &form))
}

/// What this page is for, in one sentence.
fn introduction(view: &RegisterView<'_>) -> Markup {
    html! {
        p.intro #register-intro {
            @if view.invited_admin {
                "This link makes you an administrator of " strong { (view.service_name) } ". It works once."
            } @else if view.invite.is_some() {
                "You are invited to " strong { (view.service_name) } ". The invitation works once."
            } @else {
                "One account for everything at " strong { (view.service_name) } "."
            }
        }
    }
}

/// The field for the new password, with the rule it must keep.
fn password(min_length: usize) -> Markup {
    let hint = format!("At least {min_length} characters. A few unrelated words make a good one.");
    Field { id: "password", label: "Password", autocomplete: "new-password", hint: Some(&hint) }.password()
}

/// What is left to do once the account exists but could not be signed in to at once.
fn finished() -> Markup {
    html! {
        div #finished hidden {
            p #finished-detail {}
            a.button #finished-link href="/login" { "Go to sign-in" }
        }
    }
}

/// What to call the person.
const NAME: Field<'_> = Field { id: "name", label: "Name", autocomplete: "name", hint: None };

/// What the person will sign in with.
const EMAIL: Field<'_> = Field { id: "email", label: "Email", autocomplete: "username", hint: None };
