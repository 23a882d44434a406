//! The sign-in page.

use maud::{Markup, html};

use super::LoginView;
use super::layout::{Document, Field, document, status, submit, ticket, without_script};

/// The sign-in page. Its script first tries the session the browser may still hold.
pub(crate) fn login(view: &LoginView<'_>) -> Markup {
    let form = html! {
        h1 { "Sign in" }
        (status())
        (without_script())
        form #login-form method="post" action="/login" data-redirect=(view.redirect) novalidate {
            (EMAIL.email())
            (PASSWORD.password())
            div.choice {
                input #remember name="remember" type="checkbox" checked;
                label for="remember" { "Keep me signed in" }
            }
            (submit("submit", "Sign in", "Signing in…"))
        }
        @if view.registration_open {
            p.aside { "New here? " a #register-link href="/register" { "Create an account" } }
        }
    };
    let page = Document {
        title: "Sign in",
        service_name: view.service_name,
        script: "login.js",
        asset_version: view.asset_version,
        class: "entry",
    };
    document(&page, &ticket(view.service_name, &form))
}

/// Says who signs in; a passkey may be offered here too.
const EMAIL: Field<'_> = Field { id: "email", label: "Email", autocomplete: "username webauthn", hint: None };

/// Proves it.
const PASSWORD: Field<'_> = Field { id: "password", label: "Password", autocomplete: "current-password", hint: None };
