//! The pages people see: sign-in, registration and the account, with their scripts and style.
//!
//! The templates only lay things out. What they say stands in the files of messages, one for each language (`crate::words`); the scripts
//! are given the same messages, as `messages.js`. Everything about the person is fetched by the scripts and set
//! as text, so a page holds no personal data, may be sent to anyone and needs no escaping by hand.

mod account;
mod admin;
mod erase;
mod layout;
mod login;
mod mail;
mod prove;
mod register;

pub(crate) use account::account;
pub(crate) use admin::{Section, admin};
pub(crate) use login::login;
pub(crate) use mail::{MailView, as_html, forgot, link, outbox};
pub(crate) use register::register;

use crate::words::Words;

/// What the sign-in page needs to know.
#[expect(clippy::struct_excessive_bools, reason = "each is something else that the page offers")]
pub(crate) struct LoginView<'a> {
    /// The name of the service people sign in to.
    pub(crate) service_name: &'a str,
    /// Where to go after sign-in: a path on this host, already checked.
    pub(crate) redirect: &'a str,
    /// Whether browsers allow passkeys at this address.
    pub(crate) passkeys: bool,
    /// Whether mail is sent.
    pub(crate) mail: bool,
    /// Whether a link by mail signs in.
    pub(crate) mail_sign_in: bool,
    /// Whether to offer the creation of an account.
    pub(crate) registration_open: bool,
    /// What the page says.
    pub(crate) words: &'a Words,
    /// Changes whenever an asset does; part of every asset's address.
    pub(crate) asset_version: &'a str,
}

/// What the registration page needs to know.
pub(crate) struct RegisterView<'a> {
    /// The name of the service people sign in to.
    pub(crate) service_name: &'a str,
    /// Whether browsers allow passkeys at this address.
    pub(crate) passkeys: bool,
    /// The invitation this page was opened with.
    pub(crate) invite: Option<&'a str>,
    /// Whether the invitation makes an administrator.
    pub(crate) invited_admin: bool,
    /// The fewest characters a password may have.
    pub(crate) min_password_length: usize,
    /// What the page says.
    pub(crate) words: &'a Words,
    /// Changes whenever an asset does; part of every asset's address.
    pub(crate) asset_version: &'a str,
}

/// What the account page needs to know; the script fetches the rest.
pub(crate) struct AccountView<'a> {
    /// The name of the service people sign in to.
    pub(crate) service_name: &'a str,
    /// Whether mail is sent, so that an address can be changed.
    pub(crate) mail: bool,
    /// What the page says.
    pub(crate) words: &'a Words,
    /// Changes whenever an asset does; part of every asset's address.
    pub(crate) asset_version: &'a str,
}

/// A file the pages load, served from memory.
pub(crate) struct Asset {
    /// The address, without the version.
    pub(crate) path: &'static str,
    /// The media type.
    pub(crate) content_type: &'static str,
    /// The content.
    pub(crate) body: &'static str,
}

/// The media type of a style sheet.
const CSS: &str = "text/css; charset=utf-8";
/// The media type of a script.
pub(crate) const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Every asset of every page.
pub(crate) static ASSETS: &[Asset] = &[
    Asset { path: "/assets/app.css", content_type: CSS, body: include_str!("../../../assets/app.css") },
    Asset { path: "/assets/refresh.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/refresh.js") },
    Asset { path: "/assets/words.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/words.js") },
    Asset { path: "/assets/form.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/form.js") },
    Asset { path: "/assets/passkeys.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/passkeys.js") },
    Asset { path: "/assets/prove.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/prove.js") },
    Asset { path: "/assets/enrol.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/enrol.js") },
    Asset { path: "/assets/fresh.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/fresh.js") },
    Asset { path: "/assets/admin.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/admin.js") },
    Asset {
        path: "/assets/admin_users.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_users.js"),
    },
    Asset {
        path: "/assets/admin_lists.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_lists.js"),
    },
    Asset {
        path: "/assets/admin_risk.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_risk.js"),
    },
    Asset {
        path: "/assets/admin_activity.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_activity.js"),
    },
    Asset {
        path: "/assets/admin_api_keys.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_api_keys.js"),
    },
    Asset {
        path: "/assets/admin_invitations.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_invitations.js"),
    },
    Asset {
        path: "/assets/admin_once.js",
        content_type: JAVASCRIPT,
        body: include_str!("../../../assets/admin_once.js"),
    },
    Asset { path: "/assets/draw.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/draw.js") },
    Asset { path: "/assets/factors.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/factors.js") },
    Asset { path: "/assets/erase.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/erase.js") },
    Asset { path: "/assets/address.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/address.js") },
    Asset { path: "/assets/mail.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/mail.js") },
    Asset { path: "/assets/login.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/login.js") },
    Asset { path: "/assets/register.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/register.js") },
    Asset { path: "/assets/account.js", content_type: JAVASCRIPT, body: include_str!("../../../assets/account.js") },
];
