//! How unusual a sign-in, a refresh or a step-up is: signals, what they weigh together, and which rule says what is done about it.
//!
//! Nothing here ends a session, and nothing here is a reason for *reuse*: at a refresh the strongest answer is that somebody proves
//! once more who they are. Rules do not know each other: the strongest that applies counts, so that one rule more, or one signal
//! more, never makes anything weaker.

mod explanation;
pub mod place;
mod rule;
mod signal;

pub use explanation::{Explained, Explanation};
pub use rule::{Action, Assessed, Condition, Means, Rule, assess, defaults};
pub use signal::{Facts, Failures, Found, Known, Moment, PasswordTrouble, Signal, Thresholds, Weights, score, signals};

#[cfg(test)]
mod tests;
