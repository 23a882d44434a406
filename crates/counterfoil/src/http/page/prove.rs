//! What several pages need to let people prove who they are, and set up another way to do so. Filled in by `prove.js` and `enrol.js`.

use maud::{Markup, html};

use super::layout::{Field, submit};
use crate::words::Words;

/// The prompt: one way at a time, and the others below it.
pub(super) fn prompt(words: &Words) -> Markup {
    html! {
        p.intro #prove-intro {}
        button.primary #prove-passkey type="button" hidden { (words.say("prove.passkey")) }
        form #prove-code-form method="post" action="/login" novalidate hidden {
            div.field {
                label #prove-code-label for="prove-code" { (words.say("prove.code")) }
                input.code #prove-code name="code" type="text" autocomplete="one-time-code" inputmode="numeric"
                    autocapitalize="none" spellcheck="false" required aria-describedby="prove-code-error";
                p.error #prove-code-error {}
            }
            (submit("prove-code-submit", words.say("prove.submit"), words.say("prove.busy")))
        }
        p.aside { button.link #prove-again type="button" hidden { (words.say("prove.again")) } }
        form #prove-password-form method="post" action="/login" novalidate hidden {
            (password(words).password(words))
            (submit("prove-password-submit", words.say("prove.submit"), words.say("prove.busy")))
        }
        div.others #prove-others {}
    }
}

/// Asks who it is before something that must not be done at an open screen by somebody else.
pub(super) fn proof(words: &Words) -> Markup {
    html! {
        dialog #prove-dialog aria-labelledby="prove-title" {
            h2 #prove-title { (words.say("prove.heading")) }
            p.status role="status" {}
            (prompt(words))
            div.actions { button #prove-cancel type="button" { (words.say("page.cancel")) } }
        }
    }
}

/// What an authenticator app has to be told.
pub(super) fn app_dialog(words: &Words) -> Markup {
    html! {
        dialog.tall #app-dialog aria-labelledby="app-title" {
            h2 #app-title { (words.say("app.heading")) }
            p.status role="status" {}
            p { (words.say("app.intro")) }
            img.qr #app-picture alt=(words.say("app.picture")) width="232" height="232";
            p.key #app-secret {}
            p { a #app-link { (words.say("app.open")) } }
            form #app-form method="post" action="/account" novalidate {
                div.field {
                    label for="app-code" { (words.say("app.code")) }
                    input.code #app-code name="code" type="text" autocomplete="one-time-code" inputmode="numeric"
                        maxlength="10" autocapitalize="none" spellcheck="false" required
                        aria-describedby="app-code-hint app-code-error";
                    p.hint #app-code-hint { (words.say("app.code_hint")) }
                    p.error #app-code-error {}
                }
                div.actions {
                    button #app-cancel type="button" { (words.say("page.cancel")) }
                    (submit("app-submit", words.say("app.submit"), words.say("app.busy")))
                }
            }
        }
    }
}

/// Recovery codes, shown once.
pub(super) fn codes_dialog(words: &Words) -> Markup {
    html! {
        dialog.tall #codes-dialog aria-labelledby="codes-title" aria-describedby="codes-text" {
            h2 #codes-title { (words.say("codes.heading")) }
            p #codes-text { (words.say("codes.intro")) }
            p.status role="status" {}
            ul.codes #codes {}
            div.actions {
                button #codes-copy type="button" { (words.say("codes.copy")) }
                a.button #codes-file download="recovery-codes.txt" { (words.say("codes.save")) }
            }
            p.hint #codes-copied role="status" {}
            button.primary #codes-done type="button" { (words.say("codes.done")) }
        }
    }
}

/// The password, once more.
fn password(words: &Words) -> Field<'_> {
    Field { id: "prove-password", label: words.say("form.password"), autocomplete: "current-password", hint: None }
}
