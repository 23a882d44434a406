//! A session's story as JSON, for administrators and for its user.

use super::view::rfc3339;
use counterfoil_core::UserId;
use counterfoil_core::audit::Actor;
use counterfoil_core::audit_story::{Cause, End, Outcome, Step, Story};
use serde::Serialize;
use utoipa::ToSchema;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Its user, who is not told who administers.
    User,
    /// An administrator.
    Admin,
}

/// What happened to a session, in order, and how it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct StoryView {
    /// The session.
    id: String,
    /// Whose; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    began_at: Option<String>,
    alive: bool,
    /// When it ends if it is not used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<EndView>,
    /// One sentence: why it is over, or that it is not.
    why: &'static str,
    /// Oldest first.
    steps: Vec<StepView>,
}

/// How it ended.
#[derive(Serialize, ToSchema)]
struct EndView {
    /// Absent where the record of a session that ran out is no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// As in the list of sessions: `signed_out`, `expired`, …
    reason: &'static str,
    /// Whether it is known, or only likely.
    certain: bool,
    /// The kind of actor by whose act; absent where it was nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'static str>,
    /// The acting account; an administrator's is for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    network: String,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
struct StepView {
    at: String,
    /// A word of the audit log, or `expired`.
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    network: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl StoryView {
    pub(super) fn of(story: Story, reader: Reader) -> Self {
        let story = if reader == Reader::User { story.for_its_user() } else { story };
        let why = story.outcome.sentence();
        let (alive, expires_at, end) = match story.outcome {
            Outcome::Alive(until) => (true, Some(rfc3339(until)), None),
            Outcome::Over(end) => (false, None, Some(EndView::of(end, reader))),
        };
        Self {
            id: story.sid.to_string(),
            user: (reader == Reader::Admin).then(|| story.user.to_string()),
            began_at: story.began.map(rfc3339),
            alive,
            expires_at,
            end,
            why,
            steps: story.steps.into_iter().map(|step| StepView::of(step, reader)).collect(),
        }
    }
}

impl EndView {
    fn of(end: End, reader: Reader) -> Self {
        let certain = !matches!(end.cause, Cause::Likely | Cause::Silence);
        let (actor, by) = who(end.by, reader);
        Self { at: end.at.map(rfc3339), reason: end.reason.as_str(), certain, actor, by, network: end.network }
    }
}

impl StepView {
    fn of(step: Step, reader: Reader) -> Self {
        let (actor, by) = who(step.by, reader);
        Self { at: rfc3339(step.at), event: step.what, actor, by, network: step.network, detail: step.detail }
    }
}

fn who(by: Option<Actor>, reader: Reader) -> (Option<&'static str>, Option<String>) {
    let shown = match by {
        // Whether it was through the network or on the command line is nobody's business but theirs.
        Some(Actor::Operator | Actor::Admin(_) | Actor::ApiKey(_)) if reader == Reader::User => {
            return (Some("admin"), None);
        }
        shown => shown,
    };
    (shown.map(Actor::kind), shown.and_then(Actor::id).map(|user: UserId| user.to_string()))
}
