//! The last part of the account page: taking one's data along, and leaving for good. Filled in by `erase.js`.

use maud::{Markup, html};

use super::layout::{Field, submit};

/// Data to download, and the way out.
pub(super) fn leaving() -> Markup {
    html! {
        section #leaving aria-labelledby="leaving-heading" {
            h2 #leaving-heading tabindex="-1" { "Your data" }
            p.intro { "Everything that is kept of your account, as a file: who you are, where you are signed in, and what happened." }
            div.actions {
                button #download-data type="button" { "Download my data" }
                button.danger #delete-account type="button" { "Delete account…" }
            }
        }
    }
}

/// Asks for the address before an account goes for good: nobody types that by accident.
pub(super) fn delete_dialog() -> Markup {
    html! {
        dialog #delete-dialog aria-labelledby="delete-title" aria-describedby="delete-text" {
            h2 #delete-title { "Delete your account?" }
            p.status role="status" {}
            p #delete-text {
                "You are signed out everywhere, and your name, address, passkeys and devices are erased. This cannot be undone."
            }
            form #delete-form method="post" action="/account" novalidate {
                (ADDRESS.email())
                div.actions {
                    button #delete-cancel type="button" { "Cancel" }
                    (submit("delete-submit", "Delete account", "Deleting…"))
                }
            }
        }
    }
}

/// What only whoever means it types.
const ADDRESS: Field<'_> =
    Field { id: "delete-address", label: "Type your email address to confirm", autocomplete: "off", hint: None };
