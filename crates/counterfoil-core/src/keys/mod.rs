//! The keyring: its keys, when they change, how they sign, and how their private halves rest.

pub mod paserk;
pub mod ring;
pub mod rotation;
pub mod sealing;
pub mod signing;
