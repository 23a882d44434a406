//! The account page.

use maud::{Markup, html};

use super::AccountView;
use super::erase::{delete_dialog, leaving};
use super::layout::{Document, Field, confirmation, document, placed, status, submit, without_script};
use super::prove::{app_dialog, codes_dialog, proof};
use crate::words::Words;

/// The account page: profile, devices, password. The script fills it in.
pub(crate) fn account(view: &AccountView<'_>) -> Markup {
    let words = view.words;
    let body = html! {
        a.skip href="#main" { (words.say("page.skip")) }
        header.bar {
            p.service #service-name { (view.service_name) }
            div.actions {
                a #to-admin href="/admin" hidden { (words.say("account.administration")) }
                button #sign-out type="button" { (words.say("account.sign_out")) }
            }
        }
        main #main tabindex="-1" {
            h1 { (words.say("account.heading")) }
            (without_script(words))
            (load_problem(words))
            div.columns {
                (profile(words))
                div.wide { (ways(words)) (devices(words)) (ended(words)) }
                div.narrow { (password(words)) @if view.mail { (address(words)) } (leaving(words)) }
            }
        }
        (status())
        (confirmation(words))
        (proof(words))
        (renaming(words))
        (delete_dialog(words))
        (app_dialog(words))
        (codes_dialog(words))
        (passkey_template(words))
        (device_template(words))
        (ended_template(words))
    };
    let page = Document {
        title: words.say("account.heading"),
        service_name: view.service_name,
        words,
        script: "account.js",
        asset_version: view.asset_version,
        class: "home loading",
    };
    document(&page, &body)
}

/// What went wrong when the page could not be filled in, and a way to try again.
fn load_problem(words: &Words) -> Markup {
    html! {
        div.notice #load-problem role="alert" hidden {
            p #load-problem-text {}
            button #load-again type="button" { (words.say("page.try_again")) }
        }
    }
}

/// Who is signed in.
fn profile(words: &Words) -> Markup {
    html! {
        section.ticket.profile #profile aria-labelledby="profile-heading" {
            div.stub {
                h2 #profile-heading { (words.say("account.profile")) }
                p.name #profile-name dir="auto" { "…" }
                p.email #profile-email {}
            }
            dl.slip {
                div #profile-roles-row hidden { dt { (words.say("account.roles")) } dd #profile-roles {} }
                div { dt { (words.say("account.member_since")) } dd { time #profile-since { "…" } } }
                div { dt { (words.say("account.signed_in_here")) } dd { time #session-since { "…" } } }
                div { dt { (words.say("account.signed_in_until")) } dd { time #session-until { "…" } } }
            }
        }
    }
}

/// The ways to sign in, beside the password.
fn ways(words: &Words) -> Markup {
    html! {
        section #ways aria-labelledby="ways-heading" {
            h2 #ways-heading tabindex="-1" { (words.say("account.ways.heading")) }
            div #passkeys-part {
                p.intro { (words.say("account.ways.passkeys")) }
                ul.keys #passkeys {}
                p.hint #no-passkeys hidden { (words.say("account.ways.no_passkeys")) }
                p.hint #one-device-only hidden { (words.say("account.ways.one_device_only")) }
                div.actions { button.primary #add-passkey type="button" { (words.say("account.ways.add_passkey")) } }
            }
            dl.ways {
                div {
                    dt { (words.say("account.ways.app")) }
                    dd {
                        span #totp-state { "…" }
                        button #totp-add type="button" hidden { (words.say("account.ways.app_add")) }
                        button.danger #totp-remove type="button" hidden { (words.say("account.ways.remove")) }
                    }
                }
                div #codes-row hidden {
                    dt { (words.say("account.ways.codes")) }
                    dd {
                        span #codes-state { "…" }
                        button #codes-make type="button" { (words.say("account.ways.codes_make")) }
                    }
                }
            }
        }
    }
}

/// Asks for a passkey's name.
fn renaming(words: &Words) -> Markup {
    html! {
        dialog #name-dialog aria-labelledby="name-title" {
            h2 #name-title { (words.say("account.ways.name_heading")) }
            p.status role="status" {}
            form #name-form method="post" action="/account" novalidate {
                div.field {
                    label for="passkey-name" { (words.say("account.ways.name")) }
                    input #passkey-name name="name" type="text" maxlength="60" autocomplete="off" required
                        aria-describedby="passkey-name-error";
                    p.error #passkey-name-error {}
                }
                div.actions {
                    button #name-cancel type="button" { (words.say("page.cancel")) }
                    (submit("name-submit", words.say("account.ways.name_submit"), words.say("account.ways.name_busy")))
                }
            }
        }
    }
}

/// One passkey; the script copies it for each.
fn passkey_template(words: &Words) -> Markup {
    html! {
        template #passkey-template {
            li.key {
                div.what {
                    h3 data-part="name" dir="auto" {}
                    p {
                        span data-part="kind" {} " · " (placed(words, "account.ways.added", &[("date", part("since"))]))
                        span data-part="used-words" { " · " (placed(words, "account.ways.last_used", &[("time", part("used"))])) }
                    }
                }
                button type="button" data-part="rename" { (words.say("account.ways.rename")) }
                button.danger type="button" data-part="remove" { (words.say("account.ways.remove")) }
            }
        }
    }
}

/// The sessions that live, and the ways to end them.
fn devices(words: &Words) -> Markup {
    html! {
        section #devices aria-labelledby="devices-heading" {
            h2 #devices-heading tabindex="-1" { (words.say("account.devices.heading")) }
            p.intro { (words.say("account.devices.intro")) }
            ul.stubs #sessions {}
            p.intro #no-others hidden { (words.say("account.devices.no_others")) }
            div.actions {
                button #end-others type="button" hidden { (words.say("account.devices.end_others")) }
                button.danger #sign-out-everywhere type="button" { (words.say("account.devices.everywhere")) }
            }
        }
    }
}

/// The sessions that ended lately, and why.
fn ended(words: &Words) -> Markup {
    html! {
        section #ended-section aria-labelledby="ended-heading" hidden {
            h2 #ended-heading { (words.say("account.ended.heading")) }
            ul.ended #ended {}
        }
    }
}

/// The form to change the password. The address is there for password managers.
fn password(words: &Words) -> Markup {
    html! {
        section #password-section aria-labelledby="password-heading" {
            h2 #password-heading { (words.say("account.password.heading")) }
            p.intro #password-intro { (words.say("account.password.intro")) }
            form #password-form method="post" action="/account" novalidate {
                input.visually-hidden #username name="username" type="email" autocomplete="username"
                    readonly tabindex="-1" aria-hidden="true";
                (current_password(words).password(words))
                (new_password(words).password(words))
                (submit("change-password", words.say("account.password.submit"), words.say("account.password.busy")))
            }
        }
    }
}

/// The form for another mail address.
fn address(words: &Words) -> Markup {
    html! {
        section #address-section aria-labelledby="address-heading" {
            h2 #address-heading { (words.say("account.address.heading")) }
            p.intro { (words.say("account.address.intro")) }
            form #address-form method="post" action="/account" novalidate {
                (new_address(words).email())
                (submit("change-address", words.say("account.address.submit"), words.say("account.address.busy")))
            }
        }
    }
}

/// One device; the script copies it for each session.
fn device_template(words: &Words) -> Markup {
    let network = html! { span data-part="network" {} };
    html! {
        template #device-template {
            li.device {
                div.stub aria-hidden="true" {
                    span.icon {}
                    span.serial data-part="serial" {}
                }
                div.slip {
                    div.what {
                        div.head {
                            h3 data-part="device" {}
                            p.current data-part="current" hidden { (words.say("account.devices.this_one")) }
                            p.bound data-part="bound" hidden { (words.say("account.devices.bound")) }
                        }
                        p { (placed(words, "account.devices.last_used", &[("time", part("seen")), ("network", network)])) }
                        p.since { (placed(words, "account.devices.since", &[("date", part("since"))])) }
                        p.refused data-part="refused" hidden {
                            (placed(words, "account.devices.copy_refused", &[("time", part("refused-at"))]))
                        }
                    }
                    button type="button" data-part="end" { (words.say("account.devices.end")) }
                }
            }
        }
    }
}

/// One session that ended; the script copies it for each.
fn ended_template(words: &Words) -> Markup {
    let reason = html! { span.reason data-part="reason" {} };
    html! {
        template #ended-template {
            li {
                p.what { span data-part="device" {} " · " span data-part="network" {} }
                p { (placed(words, "account.ended.when", &[("reason", reason), ("time", part("when"))])) }
            }
        }
    }
}

/// A time that the script fills in.
fn part(name: &str) -> Markup {
    html! { time data-part=(name) {} }
}

/// Proves that it is still the same person.
fn current_password(words: &Words) -> Field<'_> {
    let label = words.say("account.password.current");
    Field { id: "current-password", label, autocomplete: "current-password", hint: None }
}

/// What the address shall be.
fn new_address(words: &Words) -> Field<'_> {
    Field { id: "new-address", label: words.say("account.address.new"), autocomplete: "email", hint: None }
}

/// What the password shall be.
fn new_password(words: &Words) -> Field<'_> {
    Field { id: "new-password", label: words.say("form.new_password"), autocomplete: "new-password", hint: None }
}
