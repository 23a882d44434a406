//! Services: what they may have, and how they prove themselves.

pub mod assertion;
pub mod grant;
