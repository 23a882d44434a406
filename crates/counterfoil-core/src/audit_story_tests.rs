use super::{Cause, End, Numbered, Outcome, Sources, Story, tell};
use crate::audit::{Actor, AuditEntry, Event};
use crate::profile::Profile;
use crate::refresh::rotation::Rotation;
use crate::session::{Assurance, Binding, EndReason, Ended, Handle, Session};
use counterfoil_guard::{Sid, Timestamp, UserId};
use std::time::Duration;

const SID: Sid = Sid::from_bytes([1; 16]);
const ADA: UserId = UserId::from_bytes([2; 16]);
const ADMIN: Actor = Actor::Admin(UserId::from_bytes([3; 16]));

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn session(ended: Option<Ended>) -> Session {
    Session {
        sid: SID,
        handle: Handle::from_bytes([0; 16]),
        user: ADA,
        application: "web".into(),
        profile: Profile::Cookie,
        persistent: true,
        created_at: at(0),
        auth_time: at(0),
        last_seen_at: at(50),
        idle: Duration::from_secs(100),
        expires_at: at(500),
        acr: Assurance::Aal1,
        amr: Vec::new(),
        device: String::new(),
        network: String::new(),
        ended,
        binding: Binding::None,
        copy_refused_at: None,
        rotation: Rotation::first(at(0)),
    }
}

fn entry(seq: i64, seconds: i64, event: Event, actor: Actor) -> Numbered {
    let (network, detail) = (format!("network of {seq}"), format!("detail of {seq}"));
    (seq, AuditEntry { at: at(seconds), event, actor, user: Some(ADA), sid: Some(SID), network, detail })
}

fn of_all(seq: i64, seconds: i64, event: Event, actor: Actor) -> Numbered {
    let (seq, entry) = entry(seq, seconds, event, actor);
    (seq, AuditEntry { sid: None, ..entry })
}

fn signed_in() -> Numbered {
    entry(1, 0, Event::SignedIn, Actor::User(ADA))
}

fn story(session: Option<&Session>, own: &[Numbered], of_account: &[Numbered], now: i64) -> Story {
    tell(SID, Sources { session, own, of_account }, at(now)).expect("a story")
}

fn end(story: &Story) -> &End {
    let over = match &story.outcome {
        Outcome::Over(end) => Some(end),
        Outcome::Alive(_) => None,
    };
    over.expect("it is over")
}

fn words(story: &Story) -> Vec<&'static str> {
    story.steps.iter().map(|step| step.what).collect()
}

#[test]
fn a_session_that_lives_says_until_when() {
    let story = story(Some(&session(None)), &[signed_in()], &[], 149);
    assert_eq!((story.outcome.clone(), words(&story)), (Outcome::Alive(at(150)), vec!["signed_in"]));
}

#[test]
fn a_session_that_ran_out_has_no_entry_and_is_told_all_the_same() {
    let tried = entry(9, 400, Event::RefreshUnproven, Actor::Anonymous);
    let unused = story(Some(&session(None)), &[signed_in(), tried], &[], 450);
    assert_eq!(
        (end(&unused).at, end(&unused).reason, end(&unused).cause),
        (Some(at(150)), EndReason::Expired, Cause::Unused)
    );
    assert_eq!(words(&unused), ["signed_in", "expired", "refresh_unproven"]);
    let used = Session { last_seen_at: at(450), ..session(None) };
    let old = story(Some(&used), &[signed_in()], &[], 500);
    assert_eq!((end(&old).at, end(&old).cause), (Some(at(500)), Cause::Age));
    assert!(old.outcome.sentence().contains("age") && unused.outcome.sentence().contains("unused"));
}

#[test]
fn the_act_that_ended_it_is_found_beside_its_own_entries_and_among_those_of_the_account() {
    let ended = |reason| session(Some(Ended { at: at(60), reason }));
    let own = [signed_in(), entry(4, 60, Event::SessionEnded, ADMIN)];
    let by_admin = story(Some(&ended(EndReason::EndedByAdmin)), &own, &[], 100);
    assert_eq!((end(&by_admin).by, end(&by_admin).network.as_str()), (Some(ADMIN), "network of 4"));
    for (event, reason) in [
        (Event::SessionsEnded, EndReason::EndedByYou),
        (Event::Banned, EndReason::EndedByAdmin),
        (Event::PasswordChanged, EndReason::PasswordChanged),
    ] {
        // Of another session, which ended at the same moment.
        let (seq, other) = of_all(2, 60, Event::SessionEnded, ADMIN);
        let other = (seq, AuditEntry { sid: Some(Sid::from_bytes([9; 16])), ..other });
        let of_account = [other, of_all(3, 59, Event::SessionsEnded, ADMIN), of_all(5, 60, event, Actor::User(ADA))];
        let story = story(Some(&ended(reason)), &[signed_in()], &of_account, 100);
        assert_eq!((end(&story).by, end(&story).reason), (Some(Actor::User(ADA)), reason));
        assert_eq!(words(&story), ["signed_in", event.as_str()]);
    }
}

#[test]
fn of_a_session_whose_row_is_gone_the_entries_tell_as_much_as_they_can() {
    let stolen = story(None, &[signed_in(), entry(2, 9, Event::RefreshReuse, Actor::Anonymous)], &[], 100);
    assert_eq!(
        (end(&stolen).at, end(&stolen).reason, end(&stolen).cause),
        (Some(at(9)), EndReason::SuspectedTheft, Cause::Entry)
    );
    let before = of_all(0, 0, Event::SessionsEnded, Actor::User(ADA));
    let likely = story(None, &[signed_in()], &[before.clone(), of_all(7, 70, Event::Banned, ADMIN)], 100);
    assert_eq!((end(&likely).reason, end(&likely).cause), (EndReason::EndedByAdmin, Cause::Likely));
    let changed_here = entry(3, 5, Event::PasswordChanged, Actor::User(ADA));
    let silent = story(None, &[signed_in(), changed_here.clone()], &[before, changed_here], 100);
    assert_eq!((end(&silent).at, end(&silent).reason, end(&silent).cause), (None, EndReason::Expired, Cause::Silence));
    assert_eq!(tell(SID, Sources { session: None, own: &[], of_account: &[] }, at(1)), None);
}

#[test]
fn its_user_sees_nothing_of_an_administrator() {
    let own = [signed_in(), entry(4, 60, Event::SessionEnded, ADMIN)];
    let session = session(Some(Ended { at: at(60), reason: EndReason::EndedByAdmin }));
    let seen = story(Some(&session), &own, &[], 100).for_its_user();
    assert_eq!(
        (end(&seen).network.as_str(), seen.steps[1].network.as_str(), seen.steps[1].detail.as_str()),
        ("", "", "")
    );
    assert_eq!(seen.steps[0].network, "network of 1", "and all of their own");
}

#[test]
fn the_limit_of_sessions_and_the_users_own_sign_out_are_told_apart_without_the_row() {
    let (seq, limit) = entry(2, 9, Event::SessionEnded, Actor::System);
    let limit = (seq, AuditEntry { detail: "session_limit".into(), ..limit });
    assert_eq!(end(&story(None, &[signed_in(), limit], &[], 100)).reason, EndReason::SessionLimit);
    let out = entry(2, 9, Event::SessionEnded, Actor::User(ADA));
    assert_eq!(end(&story(None, &[signed_in(), out], &[], 100)).reason, EndReason::SignedOut);
}
