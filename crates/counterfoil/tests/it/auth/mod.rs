//! `/api/auth/*`.

mod account;
mod cross_site;
mod device;
mod duplicates;
mod login;
mod logout;
mod mail;
mod mail_sign_in;
mod me;
mod passkeys;
mod password;
mod profiles;
mod refresh;
mod register;
mod second_factors;
mod sessions;
