//! Shared Signals (OpenID SSF 1.0): what is told to receivers elsewhere in signed Security Event Tokens (RFC 8417), and what is believed of
//! what others tell.

pub mod event;
pub mod received;
pub mod set;
pub mod signal;
pub mod stream;
pub mod subject;
