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

/// A script by its name.
macro_rules! script {
    ($name:literal) => {
        Asset {
            path: concat!("/assets/", $name, ".js"),
            content_type: JAVASCRIPT,
            body: include_str!(concat!("../../../assets/", $name, ".js")),
        }
    };
}

/// Every asset of every page.
pub(crate) static ASSETS: &[Asset] = &[
    Asset { path: "/assets/app.css", content_type: CSS, body: include_str!("../../../assets/app.css") },
    script!("refresh"),
    script!("words"),
    script!("form"),
    script!("passkeys"),
    script!("prove"),
    script!("enrol"),
    script!("fresh"),
    script!("admin"),
    script!("admin_users"),
    script!("admin_lists"),
    script!("admin_risk"),
    script!("admin_activity"),
    script!("admin_api_keys"),
    script!("admin_invitations"),
    script!("admin_once"),
    script!("draw"),
    script!("factors"),
    script!("erase"),
    script!("address"),
    script!("mail"),
    script!("login"),
    script!("register"),
    script!("account"),
];
