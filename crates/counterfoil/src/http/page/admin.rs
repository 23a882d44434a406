//! The administration: one page for each section. It holds no data; its scripts fetch what whoever is signed in may see.

use maud::{Markup, html};

use super::layout::{Document, confirmation, document, status, submit, without_script};
use super::prove::proof;
use crate::words::Words;

/// A section of the administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Accounts and their sessions.
    Users,
    /// Charts.
    Activity,
    /// Invitations.
    Invitations,
    /// Applications, services and guards.
    Services,
    /// What programs administer with.
    ApiKeys,
    /// Signing keys.
    Keys,
    /// What was out of the ordinary.
    Risk,
    /// The audit log.
    Audit,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Users,
        Self::Invitations,
        Self::Activity,
        Self::Services,
        Self::ApiKeys,
        Self::Keys,
        Self::Risk,
        Self::Audit,
    ];

    /// The section of this name in the address.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Activity => "activity",
            Self::Invitations => "invitations",
            Self::Services => "services",
            Self::ApiKeys => "api-keys",
            Self::Keys => "keys",
            Self::Risk => "risk",
            Self::Audit => "audit",
        }
    }

    /// The message above it.
    const fn title(self) -> &'static str {
        match self {
            Self::Users => "admin.users.heading",
            Self::Invitations => "admin.invitations.heading",
            Self::Activity => "admin.activity.heading",
            Self::Services => "admin.services.heading",
            Self::ApiKeys => "admin.api_keys.heading",
            Self::Keys => "admin.keys.heading",
            Self::Risk => "admin.risk.heading",
            Self::Audit => "admin.audit.heading",
        }
    }

    /// The message that leads to it.
    const fn link(self) -> &'static str {
        match self {
            Self::Users => "admin.users.link",
            Self::Invitations => "admin.invitations.link",
            Self::Activity => "admin.activity.link",
            Self::Services => "admin.services.link",
            Self::ApiKeys => "admin.api_keys.link",
            Self::Keys => "admin.keys.link",
            Self::Risk => "admin.risk.link",
            Self::Audit => "admin.audit.link",
        }
    }
}

/// The page of a section.
pub(crate) fn admin(words: &Words, service_name: &str, section: Section, asset_version: &str) -> Markup {
    let body = html! {
        a.skip href="#main" { (words.say("page.skip")) }
        header.bar {
            p.service #service-name { (service_name) }
            a href="/account" { (words.say("admin.account")) }
        }
        nav.sections aria-label=(words.say("admin.heading")) {
            @for each in Section::ALL {
                a href={ "/admin/" (each.name()) } aria-current=[(each == section).then_some("page")] { (words.say(each.link())) }
            }
        }
        main #main tabindex="-1" data-section=(section.name()) {
            h1 #heading tabindex="-1" { (words.say(section.title())) }
            (without_script(words))
            div.notice #load-problem role="alert" hidden {
                p #load-problem-text {}
                button #load-again type="button" { (words.say("page.try_again")) }
            }
            div #content aria-live="off" {}
        }
        (status())
        (confirmation(words))
        (proof(words))
        (ban_dialog(words))
        (once_dialog(words))
    };
    let page = Document {
        title: words.say(section.title()),
        service_name,
        words,
        script: "admin.js",
        asset_version,
        class: "home admin loading",
    };
    document(&page, &body)
}

/// A secret, shown once.
fn once_dialog(words: &Words) -> Markup {
    html! {
        dialog #once-dialog aria-labelledby="once-title" aria-describedby="once-text" {
            h2 #once-title {}
            p #once-text {}
            p.key #once-secret role="group" {}
            div.actions { button #once-copy type="button" { (words.say("admin.once.copy")) } }
            p.hint #once-copied role="status" {}
            button.primary #once-done type="button" { (words.say("admin.once.done")) }
        }
    }
}

/// Why, and until when, somebody is kept out.
fn ban_dialog(words: &Words) -> Markup {
    html! {
        dialog #ban-dialog aria-labelledby="ban-title" aria-describedby="ban-text" {
            h2 #ban-title { (words.say("admin.ban.heading")) }
            p.status role="status" {}
            p #ban-text { (words.say("admin.ban.what")) }
            form #ban-form method="post" action="/admin/users" novalidate {
                div.field {
                    label for="ban-reason" { (words.say("admin.ban.reason")) " " span.optional { (words.say("admin.ban.reason_hint")) } }
                    input #ban-reason name="reason" type="text" maxlength="500" autocomplete="off"
                        aria-describedby="ban-reason-error";
                    p.error #ban-reason-error {}
                }
                div.field {
                    label for="ban-until" { (words.say("admin.ban.until")) " " span.optional { (words.say("page.optional")) } }
                    input #ban-until name="until" type="date" aria-describedby="ban-until-hint ban-until-error";
                    p.hint #ban-until-hint { (words.say("admin.ban.until_hint")) }
                    p.error #ban-until-error {}
                }
                div.actions {
                    button #ban-cancel type="button" { (words.say("page.cancel")) }
                    (submit("ban-submit", words.say("admin.ban.submit"), words.say("admin.ban.busy")))
                }
            }
        }
    }
}
