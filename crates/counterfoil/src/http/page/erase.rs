//! The last part of the account page: taking one's data along, and leaving for good. Filled in by `erase.js`.

use maud::{Markup, html};

use super::layout::{Field, submit};
use crate::words::Words;

/// Data to download, and the way out.
pub(super) fn leaving(words: &Words) -> Markup {
    html! {
        section #leaving aria-labelledby="leaving-heading" {
            h2 #leaving-heading tabindex="-1" { (words.say("account.leaving.heading")) }
            p.intro { (words.say("account.leaving.intro")) }
            div.actions {
                button #download-data type="button" { (words.say("account.leaving.download")) }
                button.danger #delete-account type="button" { (words.say("account.leaving.delete")) }
            }
        }
    }
}

/// Asks for the address before an account goes for good: nobody types that by accident.
pub(super) fn delete_dialog(words: &Words) -> Markup {
    html! {
        dialog #delete-dialog aria-labelledby="delete-title" aria-describedby="delete-text" {
            h2 #delete-title { (words.say("account.leaving.delete_heading")) }
            p.status role="status" {}
            p #delete-text { (words.say("account.leaving.delete_what")) }
            form #delete-form method="post" action="/account" novalidate {
                (address(words).email())
                div.actions {
                    button #delete-cancel type="button" { (words.say("page.cancel")) }
                    (submit("delete-submit", words.say("account.leaving.delete_submit"), words.say("account.leaving.delete_busy")))
                }
            }
        }
    }
}

/// What only whoever means it types.
fn address(words: &Words) -> Field<'_> {
    let label = words.say("account.leaving.delete_address");
    Field { id: "delete-address", label, autocomplete: "off", hint: None }
}
