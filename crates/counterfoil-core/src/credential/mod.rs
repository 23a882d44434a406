//! Ways to prove it is you: their rules, not their transport.

pub mod argon2id;
pub mod imported;
pub mod password;
pub mod stored;
