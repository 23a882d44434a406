//! The keyring, and how its private halves rest.

pub mod ring;
pub mod sealing;
