//! The account page.

use maud::{Markup, html};

use super::AccountView;
use super::erase::{delete_dialog, leaving};
use super::layout::{Document, Field, confirmation, document, status, submit, without_script};
use super::prove::{app_dialog, codes_dialog, proof};

/// The account page: profile, devices, password. The script fills it in.
pub(crate) fn account(view: &AccountView<'_>) -> Markup {
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        header.bar {
            p.service #service-name { (view.service_name) }
            div.actions {
                a #to-admin href="/admin" hidden { "Administration" }
                button #sign-out type="button" { "Sign out" }
            }
        }
        main #main tabindex="-1" {
            h1 { "Your account" }
            (without_script())
            (load_problem())
            div.columns {
                (profile())
                div.wide { (ways()) (devices()) (ended()) }
                div.narrow { (password()) @if view.mail { (address()) } (leaving()) }
            }
        }
        (status())
        (confirmation())
        (proof())
        (renaming())
        (delete_dialog())
        (app_dialog())
        (codes_dialog())
        (passkey_template())
        (device_template())
        (ended_template())
    };
    let page = Document {
        title: "Your account",
        service_name: view.service_name,
        script: "account.js",
        asset_version: view.asset_version,
        class: "home loading",
    };
    document(&page, &body)
}

/// What went wrong when the page could not be filled in, and a way to try again.
fn load_problem() -> Markup {
    html! {
        div.notice #load-problem role="alert" hidden {
            p #load-problem-text {}
            button #load-again type="button" { "Try again" }
        }
    }
}

/// Who is signed in.
fn profile() -> Markup {
    html! {
        section.ticket.profile #profile aria-labelledby="profile-heading" {
            div.stub {
                h2 #profile-heading { "Profile" }
                p.name #profile-name dir="auto" { "…" }
                p.email #profile-email {}
            }
            dl.slip {
                div #profile-roles-row hidden { dt { "Roles" } dd #profile-roles {} }
                div { dt { "Member since" } dd { time #profile-since { "…" } } }
                div { dt { "Signed in here" } dd { time #session-since { "…" } } }
                div { dt { "Signed in until" } dd { time #session-until { "…" } } }
            }
        }
    }
}

/// The ways to sign in, beside the password.
fn ways() -> Markup {
    html! {
        section #ways aria-labelledby="ways-heading" {
            h2 #ways-heading tabindex="-1" { "Ways to sign in" }
            div #passkeys-part {
                p.intro { "A passkey is kept by your device or password manager. It cannot be guessed, leaked or phished." }
                ul.keys #passkeys {}
                p.hint #no-passkeys hidden { "You have no passkey yet." }
                p.hint #one-device-only hidden {
                    "This one stays on its device. Add a second, so that you can still sign in when the device is lost."
                }
                div.actions { button.primary #add-passkey type="button" { "Add a passkey" } }
            }
            dl.ways {
                div {
                    dt { "Authenticator app" }
                    dd {
                        span #totp-state { "…" }
                        button #totp-add type="button" hidden { "Set up" }
                        button.danger #totp-remove type="button" hidden { "Remove" }
                    }
                }
                div #codes-row hidden {
                    dt { "Recovery codes" }
                    dd {
                        span #codes-state { "…" }
                        button #codes-make type="button" { "Make new codes" }
                    }
                }
            }
        }
    }
}

/// Asks for a passkey's name.
fn renaming() -> Markup {
    html! {
        dialog #name-dialog aria-labelledby="name-title" {
            h2 #name-title { "Name this passkey" }
            p.status role="status" {}
            form #name-form method="post" action="/account" novalidate {
                div.field {
                    label for="passkey-name" { "Name" }
                    input #passkey-name name="name" type="text" maxlength="60" autocomplete="off" required
                        aria-describedby="passkey-name-error";
                    p.error #passkey-name-error {}
                }
                div.actions {
                    button #name-cancel type="button" { "Cancel" }
                    (submit("name-submit", "Save", "Saving…"))
                }
            }
        }
    }
}

/// One passkey; the script copies it for each.
fn passkey_template() -> Markup {
    html! {
        template #passkey-template {
            li.key {
                div.what {
                    h3 data-part="name" dir="auto" {}
                    p { span data-part="kind" {} " · Added " time data-part="since" {} span data-part="used-words" { " · Last used " time data-part="used" {} } }
                }
                button type="button" data-part="rename" { "Rename" }
                button.danger type="button" data-part="remove" { "Remove" }
            }
        }
    }
}

/// The sessions that live, and the ways to end them.
fn devices() -> Markup {
    html! {
        section #devices aria-labelledby="devices-heading" {
            h2 #devices-heading tabindex="-1" { "Devices" }
            p.intro { "Where you are signed in. End whatever you do not recognise." }
            ul.stubs #sessions {}
            p.intro #no-others hidden { "You are not signed in anywhere else." }
            div.actions {
                button #end-others type="button" hidden { "End all others" }
                button.danger #sign-out-everywhere type="button" { "Sign out everywhere" }
            }
        }
    }
}

/// The sessions that ended lately, and why.
fn ended() -> Markup {
    html! {
        section #ended-section aria-labelledby="ended-heading" hidden {
            h2 #ended-heading { "Recently ended" }
            ul.ended #ended {}
        }
    }
}

/// The form to change the password. The address is there for password managers.
fn password() -> Markup {
    html! {
        section #password-section aria-labelledby="password-heading" {
            h2 #password-heading { "Password" }
            p.intro #password-intro { "A new password signs out every other device." }
            form #password-form method="post" action="/account" novalidate {
                input.visually-hidden #username name="username" type="email" autocomplete="username"
                    readonly tabindex="-1" aria-hidden="true";
                (CURRENT_PASSWORD.password())
                (NEW_PASSWORD.password())
                (submit("change-password", "Change password", "Changing password…"))
            }
        }
    }
}

/// The form for another mail address.
fn address() -> Markup {
    html! {
        section #address-section aria-labelledby="address-heading" {
            h2 #address-heading { "Mail address" }
            p.intro { "We send a link to the new address, and a word to the old one." }
            form #address-form method="post" action="/account" novalidate {
                (NEW_ADDRESS.email())
                (submit("change-address", "Change address", "Sending the link…"))
            }
        }
    }
}

/// One device; the script copies it for each session.
fn device_template() -> Markup {
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
                            p.current data-part="current" hidden { "This device" }
                            p.bound data-part="bound" hidden { "Bound to a key" }
                        }
                        p { "Last used " time data-part="seen" {} " from " span data-part="network" {} }
                        p.since { "Signed in " time data-part="since" {} }
                        p.refused data-part="refused" hidden {
                            "A copy of this session was used somewhere else " time data-part="refused-at" {}
                            ", and refused: it came without the key."
                        }
                    }
                    button type="button" data-part="end" { "End" }
                }
            }
        }
    }
}

/// One session that ended; the script copies it for each.
fn ended_template() -> Markup {
    html! {
        template #ended-template {
            li {
                p.what { span data-part="device" {} " · " span data-part="network" {} }
                p { span.reason data-part="reason" {} ", " time data-part="when" {} }
            }
        }
    }
}

/// Proves that it is still the same person.
const CURRENT_PASSWORD: Field<'_> =
    Field { id: "current-password", label: "Current password", autocomplete: "current-password", hint: None };

/// What the address shall be.
const NEW_ADDRESS: Field<'_> = Field { id: "new-address", label: "New address", autocomplete: "email", hint: None };

/// What the password shall be.
const NEW_PASSWORD: Field<'_> =
    Field { id: "new-password", label: "New password", autocomplete: "new-password", hint: None };
