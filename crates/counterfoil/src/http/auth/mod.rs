//! `/api/auth/*`, a file per path.

pub(super) mod account;
pub(super) mod device;
pub(super) mod email;
pub(super) mod legacy;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod mail_link;
pub(super) mod me;
pub(super) mod passkeys;
pub(super) mod password;
pub(super) mod refresh;
pub(super) mod register;
pub(super) mod sessions;
pub(super) mod step_up;
mod steps;
pub(super) mod totp;
