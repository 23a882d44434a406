//! The administration: one page for each section. It holds no data; its scripts fetch what whoever is signed in may see.

use maud::{Markup, html};

use super::layout::{Document, confirmation, document, status, submit, without_script};
use super::prove::proof;

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

    const fn title(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Activity => "Activity",
            Self::Invitations => "Invitations",
            Self::Services => "Applications and services",
            Self::ApiKeys => "API keys",
            Self::Keys => "Signing keys",
            Self::Risk => "Risk decisions",
            Self::Audit => "Audit log",
        }
    }

    const fn link(self) -> &'static str {
        match self {
            Self::Activity => "Activity",
            Self::Invitations => "Invitations",
            Self::Services => "Services",
            Self::ApiKeys => "API keys",
            Self::Keys => "Keys",
            Self::Risk => "Risk",
            Self::Audit => "Audit",
            Self::Users => "Users",
        }
    }
}

/// The page of a section.
pub(crate) fn admin(service_name: &str, section: Section, asset_version: &str) -> Markup {
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        header.bar {
            p.service #service-name { (service_name) }
            a href="/account" { "Your account" }
        }
        nav.sections aria-label="Administration" {
            @for each in Section::ALL {
                a href={ "/admin/" (each.name()) } aria-current=[(each == section).then_some("page")] { (each.link()) }
            }
        }
        main #main tabindex="-1" data-section=(section.name()) {
            h1 #heading tabindex="-1" { (section.title()) }
            (without_script())
            div.notice #load-problem role="alert" hidden {
                p #load-problem-text {}
                button #load-again type="button" { "Try again" }
            }
            div #content aria-live="off" {}
        }
        (status())
        (confirmation())
        (proof())
        (ban_dialog())
        (once_dialog())
    };
    let page = Document {
        title: section.title(),
        service_name,
        script: "admin.js",
        asset_version,
        class: "home admin loading",
    };
    document(&page, &body)
}

/// A secret, shown once.
fn once_dialog() -> Markup {
    html! {
        dialog #once-dialog aria-labelledby="once-title" aria-describedby="once-text" {
            h2 #once-title {}
            p #once-text {}
            p.key #once-secret role="group" {}
            div.actions { button #once-copy type="button" { "Copy" } }
            p.hint #once-copied role="status" {}
            button.primary #once-done type="button" { "I have kept it" }
        }
    }
}

/// Why, and until when, somebody is kept out.
fn ban_dialog() -> Markup {
    html! {
        dialog #ban-dialog aria-labelledby="ban-title" aria-describedby="ban-text" {
            h2 #ban-title { "Ban this account?" }
            p.status role="status" {}
            p #ban-text { "It is signed out everywhere at once and cannot sign in." }
            form #ban-form method="post" action="/admin/users" novalidate {
                div.field {
                    label for="ban-reason" { "Reason " span.optional { "(for support; its owner does not see it)" } }
                    input #ban-reason name="reason" type="text" maxlength="500" autocomplete="off"
                        aria-describedby="ban-reason-error";
                    p.error #ban-reason-error {}
                }
                div.field {
                    label for="ban-until" { "Until " span.optional { "(optional)" } }
                    input #ban-until name="until" type="date" aria-describedby="ban-until-hint ban-until-error";
                    p.hint #ban-until-hint { "The ban ends when this day begins (UTC). Without it, it stays until it is lifted." }
                    p.error #ban-until-error {}
                }
                div.actions {
                    button #ban-cancel type="button" { "Cancel" }
                    (submit("ban-submit", "Ban", "Banning…"))
                }
            }
        }
    }
}
