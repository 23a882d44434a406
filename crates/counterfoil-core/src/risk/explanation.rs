//! Why it was decided like that, as it stands in the audit log: words that people can read and programs can read back.
//!
//! `at=sign_in action=step_up rule=travel score=75 signals=new_country:25,impossible_travel:50:8123 application=web`: each signal with what
//! it counts for, and by how much where that says something. `rule` also names what it asked for where something weaker was done, and
//! `dry_run` the rule that is only tried.

use super::rule::{Action, Assessed};
use super::signal::{Found, Moment, Signal};
use std::fmt;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    /// When.
    pub moment: Moment,
    /// At which application.
    pub application: &'a str,
    /// What came of it.
    pub assessed: &'a Assessed,
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { moment, application, assessed } = self;
        write!(f, "at={} action={}", moment.as_str(), assessed.action.as_str())?;
        if let Some((name, asked)) = &assessed.rule {
            write!(f, " rule={name}")?;
            if *asked != assessed.action {
                write!(f, ":{}", asked.as_str())?;
            }
        }
        if let Some((name, would)) = &assessed.dry {
            write!(f, " dry_run={name}:{}", would.as_str())?;
        }
        write!(f, " score={} signals=", assessed.score)?;
        for (index, (Found { signal, value }, weight)) in assessed.found.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{weight}", signal.as_str())?;
            if *value != 1 {
                write!(f, ":{value}")?;
            }
        }
        write!(f, " application={application}")
    }
}

/// What was written, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// When.
    pub at: String,
    /// At which application.
    pub application: String,
    /// What came of it.
    pub assessed: Assessed,
}

impl Explained {
    /// Reads it; `None` if it is not such a text.
    pub fn parse(text: &str) -> Option<Self> {
        let of = |key: &str| {
            text.split(' ')
                .find_map(|word| word.strip_prefix(key).and_then(|rest| rest.strip_prefix('=')))
                .map(str::to_owned)
        };
        let named = |text: &str, otherwise: Option<Action>| {
            let (name, action) = text.split_once(':').unwrap_or((text, ""));
            let action = if action.is_empty() { otherwise? } else { Action::from_name(action)? };
            Some((name.to_owned(), action))
        };
        let action = Action::from_name(&of("action")?)?;
        let rule = of("rule").map(|text| named(&text, Some(action)).ok_or(())).transpose().ok()?;
        let dry = of("dry_run").map(|text| named(&text, None).ok_or(())).transpose().ok()?;
        let signals = of("signals")?;
        let found = signals.split(',').filter(|one| !one.is_empty()).map(read).collect::<Option<_>>()?;
        let assessed = Assessed { action, rule, dry, score: of("score")?.parse().ok()?, found };
        Some(Self { at: of("at")?, application: of("application")?, assessed })
    }
}

fn read(text: &str) -> Option<(Found, u32)> {
    let mut parts = text.split(':');
    let signal = Signal::from_name(parts.next()?)?;
    let weight = parts.next()?.parse().ok()?;
    let value = parts.next().map_or(Some(1), |value| value.parse().ok())?;
    Some((Found { signal, value }, weight))
}
