//! `/api/auth/*`, a file per path.

pub(super) mod device;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod me;
pub(super) mod password;
pub(super) mod refresh;
pub(super) mod register;
pub(super) mod sessions;
