//! Rules: what is done about which signals.

use super::signal::{Found, Moment, Signal, Weights, score};
use serde::Deserialize;

/// What is done. The later, the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Allow,
    /// It goes on, and the account's owner is told.
    Notify,
    /// It goes on once something stronger has been shown.
    StepUp,
    /// It does not go on.
    Deny,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Allow, Self::Notify, Self::StepUp, Self::Deny];

    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Notify => "notify",
            Self::StepUp => "step_up",
            Self::Deny => "deny",
        }
    }

    /// The action with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// When a rule applies: where all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// All of these signals are there.
    pub all: Vec<Signal>,
    /// At least one of these is, unless the list is empty.
    pub any: Vec<Signal>,
    /// The score is at least this.
    pub score: u32,
    /// It is one of these applications, unless the list is empty.
    pub applications: Vec<String>,
    /// At one of these moments, unless the list is empty.
    pub at: Vec<Moment>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// When it applies.
    pub when: Condition,
    /// What is done then.
    pub action: Action,
    /// Whether it is only written down what would have been done.
    pub dry_run: bool,
}

/// The rules of whoever has written none: tell of new devices, ask for more where it is out of the ordinary, and refuse only the networks
/// that the operator has listed.
pub fn defaults() -> Vec<Rule> {
    let rule = |name: &str, action, when| Rule { name: name.to_owned(), when, action, dry_run: false };
    let any = |any: &[Signal]| Condition { any: any.to_vec(), ..Condition::default() };
    vec![
        rule("bad-network", Action::Deny, any(&[Signal::BadNetwork])),
        rule("user-agent", Action::StepUp, any(&[Signal::UserAgentChanged])),
        rule("travel", Action::StepUp, any(&[Signal::ImpossibleTravel])),
        rule("score", Action::StepUp, Condition { score: 60, ..Condition::default() }),
        rule("new", Action::Notify, any(&[Signal::NewDevice, Signal::NewCountry])),
        rule("password", Action::Notify, any(&[Signal::BreachedPassword])),
    ]
}

/// Whether there is anything to step up to. Where there is not, somebody is told instead: nobody is locked out by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// There is.
    Some,
    /// There is not.
    None,
}

/// What comes of signals and rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// What is done.
    pub action: Action,
    /// The rule that says so, and what it says, if one applied.
    pub rule: Option<(String, Action)>,
    /// The strongest rule that is only tried, and what it would have had done.
    pub dry: Option<(String, Action)>,
    /// What the signals weigh together.
    pub score: u32,
    /// What was found, and what each counts for.
    pub found: Vec<(Found, u32)>,
}

impl Assessed {
    /// Where nothing is looked at.
    pub const fn nothing() -> Self {
        Self { action: Action::Allow, rule: None, dry: None, score: 0, found: Vec::new() }
    }

    /// Whether anybody wants to know of it.
    pub const fn is_news(&self) -> bool {
        self.rule.is_some() || self.dry.is_some()
    }
}

impl Condition {
    fn holds(&self, found: &[Found], score: u32, (moment, application): (Moment, &str)) -> bool {
        let has = |signal: &Signal| found.iter().any(|found| found.signal == *signal);
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && score >= self.score
            && (self.applications.is_empty() || self.applications.iter().any(|name| name == application))
            && (self.at.is_empty() || self.at.contains(&moment))
    }
}

/// What can be done at all at this moment: a refresh is never refused for good, and nobody is asked for what they do not have.
const fn possible(action: Action, moment: Moment, means: Means) -> Action {
    let action = match (action, moment) {
        (Action::Deny, Moment::Refresh) => Action::StepUp,
        (action, _) => action,
    };
    match (action, means) {
        (Action::StepUp, Means::None) => Action::Notify,
        (action, _) => action,
    }
}

/// Decides: of all rules that apply the strongest counts, the first of equals. Those that are only tried do not.
pub fn assess(
    rules: &[Rule],
    (found, weights): (&[Found], &Weights),
    (moment, application): (Moment, &str),
    means: Means,
) -> Assessed {
    let score = score(found, weights);
    let strongest = |dry_run: bool| {
        let applies = |rule: &&Rule| rule.dry_run == dry_run && rule.when.holds(found, score, (moment, application));
        // The last of equals is taken, so the first has to come last.
        rules.iter().rev().filter(applies).max_by_key(|rule| rule.action).map(|rule| (rule.name.clone(), rule.action))
    };
    let rule = strongest(false);
    let action = rule.as_ref().map_or(Action::Allow, |(_, action)| possible(*action, moment, means));
    let dry = strongest(true).map(|(name, action)| (name, possible(action, moment, means)));
    let found = found.iter().map(|found| (*found, weights.of(found.signal))).collect();
    Assessed { action, rule, dry, score, found }
}
