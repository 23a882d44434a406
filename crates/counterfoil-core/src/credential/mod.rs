//! Ways to prove it is you: their rules, not their transport.

pub mod argon2id;
pub mod factor_key;
pub mod imported;
pub mod mail_link;
pub mod password;
pub mod recovery_code;
pub mod stored;
pub mod totp;
