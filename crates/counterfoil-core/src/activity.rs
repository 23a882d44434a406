//! What the administration shows as charts: how many of what there were in each hour.

use crate::audit::{AuditEntry, Event};
use crate::risk::{Action, Explained};
use counterfoil_guard::Timestamp;
use std::time::Duration;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Accounts made by themselves.
    Registered,
    /// Sign-ins.
    SignedIn,
    /// Sign-ins that failed.
    SignInFailed,
    /// Codes that were wrong.
    WrongCode,
    /// Copies of a credential that were refused: a spent refresh token, or one without the key it is bound to.
    CopyRefused,
    /// Times that a rule of risk has asked for a further proof.
    RiskStepUp,
    /// Times that a rule of risk has refused.
    RiskDenied,
    /// Revocations that were in force everywhere within so long.
    InForce(Within),
}

/// How long it took until a revocation was in force at every verifier: the least of these that it is no longer than.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// 10 milliseconds.
    TenMillis,
    /// 100 milliseconds.
    HundredMillis,
    /// A second.
    Second,
    /// 10 seconds.
    TenSeconds,
    /// No matter how long.
    Longer,
}

impl Activity {
    const ALL: [Self; 12] = [
        Self::Registered,
        Self::SignedIn,
        Self::SignInFailed,
        Self::WrongCode,
        Self::CopyRefused,
        Self::RiskStepUp,
        Self::RiskDenied,
        Self::InForce(Within::TenMillis),
        Self::InForce(Within::HundredMillis),
        Self::InForce(Within::Second),
        Self::InForce(Within::TenSeconds),
        Self::InForce(Within::Longer),
    ];

    /// All that is counted.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// What an entry of the audit log counts as, if as anything.
    pub fn of(entry: &AuditEntry) -> Option<Self> {
        Some(match entry.event {
            Event::Registered => Self::Registered,
            Event::SignedIn => Self::SignedIn,
            Event::SignInFailed => Self::SignInFailed,
            Event::WrongCode => Self::WrongCode,
            Event::RefreshReuse | Event::RefreshUnproven | Event::DeviceProofMissing => Self::CopyRefused,
            Event::RiskAssessed => match Explained::parse(&entry.detail)?.assessed.action {
                Action::StepUp => Self::RiskStepUp,
                Action::Deny => Self::RiskDenied,
                Action::Allow | Action::Notify => return None,
            },
            _ => return None,
        })
    }

    /// What a revocation counts as that was in force everywhere after so long.
    pub fn of_revocation(lag: Duration) -> Self {
        Self::InForce(match lag.as_millis() {
            0..=10 => Within::TenMillis,
            11..=100 => Within::HundredMillis,
            101..=1_000 => Within::Second,
            1_001..=10_000 => Within::TenSeconds,
            _ => Within::Longer,
        })
    }

    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::WrongCode => "wrong_code",
            Self::CopyRefused => "copy_refused",
            Self::RiskStepUp => "risk_step_up",
            Self::RiskDenied => "risk_denied",
            Self::InForce(Within::TenMillis) => "in_force_10ms",
            Self::InForce(Within::HundredMillis) => "in_force_100ms",
            Self::InForce(Within::Second) => "in_force_1s",
            Self::InForce(Within::TenSeconds) => "in_force_10s",
            Self::InForce(Within::Longer) => "in_force_longer",
        }
    }

    /// What has this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|activity| activity.as_str() == name)
    }
}

/// The hour of a time, counted from 1970 in UTC.
pub const fn hour_of(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(3_600_000)
}

/// When an hour begins.
pub const fn beginning_of(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour.saturating_mul(3_600_000))
}

#[cfg(test)]
mod tests {
    use super::{Activity, Within, beginning_of, hour_of};
    use crate::audit::{Actor, AuditEntry, Event};
    use counterfoil_guard::Timestamp;
    use std::time::Duration;

    #[test]
    fn entries_count_as_what_a_chart_shows() {
        let of = |event, detail: &str| {
            let (at, actor, network) = (Timestamp::from_seconds(5), Actor::Anonymous, String::new());
            Activity::of(&AuditEntry { at, event, actor, user: None, sid: None, network, detail: detail.to_owned() })
        };
        assert_eq!(of(Event::SignedIn, ""), Some(Activity::SignedIn));
        assert_eq!(of(Event::RefreshReuse, ""), Some(Activity::CopyRefused));
        assert_eq!(of(Event::DeviceProofMissing, ""), Some(Activity::CopyRefused));
        assert_eq!(of(Event::PasskeyAdded, ""), None);
        let assessed = |action: &str| {
            of(
                Event::RiskAssessed,
                &format!("at=sign_in application=web action={action} score=40 signals=new_device:40"),
            )
        };
        assert_eq!(assessed("deny"), Some(Activity::RiskDenied));
        assert_eq!(assessed("step_up"), Some(Activity::RiskStepUp));
        assert_eq!((assessed("notify"), assessed("nonsense")), (None, None));
    }

    #[test]
    fn a_lag_falls_into_the_least_class_that_holds_it() {
        let of = |millis| Activity::of_revocation(Duration::from_millis(millis));
        let classes =
            [(0, Within::TenMillis), (10, Within::TenMillis), (11, Within::HundredMillis), (1_000, Within::Second)];
        let classes = classes.into_iter().chain([(1_001, Within::TenSeconds), (10_001, Within::Longer)]);
        for (millis, within) in classes {
            assert_eq!(of(millis), Activity::InForce(within), "{millis} ms");
        }
    }

    #[test]
    fn words_and_hours_go_both_ways() {
        for activity in Activity::all() {
            assert_eq!(Activity::from_name(activity.as_str()), Some(activity));
        }
        assert_eq!(hour_of(Timestamp::from_seconds(7_199)), 1);
        assert_eq!(hour_of(Timestamp::from_seconds(-1)), -1);
        assert_eq!(beginning_of(2), Timestamp::from_seconds(7_200));
    }
}
