//! `/api/auth/*`.

mod cross_site;
mod device;
mod duplicates;
mod login;
mod logout;
mod me;
mod password;
mod profiles;
mod refresh;
mod register;
mod sessions;
