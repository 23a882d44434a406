//! What several pages need to let people prove who they are, and set up another way to do so. Filled in by `prove.js` and `enrol.js`.

use maud::{Markup, html};

use super::layout::{Field, submit};

/// The prompt: one way at a time, and the others below it.
pub(super) fn prompt() -> Markup {
    html! {
        p.intro #prove-intro {}
        button.primary #prove-passkey type="button" hidden { "Use a passkey" }
        form #prove-code-form method="post" action="/login" novalidate hidden {
            div.field {
                label #prove-code-label for="prove-code" { "Code" }
                input.code #prove-code name="code" type="text" autocomplete="one-time-code" inputmode="numeric"
                    autocapitalize="none" spellcheck="false" required aria-describedby="prove-code-error";
                p.error #prove-code-error {}
            }
            (submit("prove-code-submit", "Go on", "Checking…"))
        }
        p.aside { button.link #prove-again type="button" hidden { "Send another code" } }
        form #prove-password-form method="post" action="/login" novalidate hidden {
            (PASSWORD.password())
            (submit("prove-password-submit", "Go on", "Checking…"))
        }
        div.others #prove-others {}
    }
}

/// Asks who it is before something that must not be done at an open screen by somebody else.
pub(super) fn proof() -> Markup {
    html! {
        dialog #prove-dialog aria-labelledby="prove-title" {
            h2 #prove-title { "Confirm that it is you" }
            p.status role="status" {}
            (prompt())
            div.actions { button #prove-cancel type="button" { "Cancel" } }
        }
    }
}

/// What an authenticator app has to be told.
pub(super) fn app_dialog() -> Markup {
    html! {
        dialog.tall #app-dialog aria-labelledby="app-title" {
            h2 #app-title { "Set up an authenticator app" }
            p.status role="status" {}
            p { "Scan this with the app, or type the key below." }
            img.qr #app-picture alt="A picture for the app's camera. The key below says the same." width="232" height="232";
            p.key #app-secret {}
            p { a #app-link { "Open the app on this device" } }
            form #app-form method="post" action="/account" novalidate {
                div.field {
                    label for="app-code" { "Code" }
                    input.code #app-code name="code" type="text" autocomplete="one-time-code" inputmode="numeric"
                        maxlength="10" autocapitalize="none" spellcheck="false" required
                        aria-describedby="app-code-hint app-code-error";
                    p.hint #app-code-hint { "The six digits that the app shows now." }
                    p.error #app-code-error {}
                }
                div.actions {
                    button #app-cancel type="button" { "Cancel" }
                    (submit("app-submit", "Set up", "Checking…"))
                }
            }
        }
    }
}

/// Recovery codes, shown once.
pub(super) fn codes_dialog() -> Markup {
    html! {
        dialog.tall #codes-dialog aria-labelledby="codes-title" aria-describedby="codes-text" {
            h2 #codes-title { "Your recovery codes" }
            p #codes-text {
                "Each of them signs you in once when your app or your passkey is lost. Keep them where you keep other papers. "
                "They are not shown again."
            }
            p.status role="status" {}
            ul.codes #codes {}
            div.actions {
                button #codes-copy type="button" { "Copy" }
                a.button #codes-file download="recovery-codes.txt" { "Save as a file" }
            }
            p.hint #codes-copied role="status" {}
            button.primary #codes-done type="button" { "I have kept them" }
        }
    }
}

/// The password, once more.
const PASSWORD: Field<'_> =
    Field { id: "prove-password", label: "Password", autocomplete: "current-password", hint: None };
