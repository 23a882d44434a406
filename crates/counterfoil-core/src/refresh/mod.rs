//! Refresh tokens: their format, and the decision what to do when one is presented.

pub mod rotation;
pub mod token;
