//! tests
use crate::model::{Claim, Feature, Rotations};
use crate::rules::Mutation;
use stateright::{Checker, Model};

pub(crate) const S3: Rotations = Rotations {
    claim: Claim::NeverSignedOut,
    rules: Mutation::Nothing,
    with: &[Feature::Timed, Feature::AnswerArrives, Feature::Relative],
    grace: 4,
    life: 2,
    retry: 2,
    skew: 0,
    in_flight: 3,
    at_work: 2,
    restores: 0,
    generations: 50,
};

pub(crate) fn run(model: Rotations) {
    let t = std::time::Instant::now();
    let checker = model.clone().checker().threads(1).spawn_bfs().join();
    eprintln!(
        "{:?} {:?} unique {} states {} depth {} in {:?}",
        model.claim,
        model.rules,
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        t.elapsed()
    );
    for (name, path) in checker.discoveries() {
        eprintln!("{name}: {} steps", path.clone().into_actions().len());
        for (state, action) in path.into_vec() {
            let t = |t: &crate::world::Token| format!("{}.{}", t.generation, t.nonce);
            eprintln!(
                "  gen {} par {:?} handed {}{} rot {:?} | jar {} {:?}{} | req {:?} ans {:?} works {:?} | thief {:?} {}{} | act {} closed {} bk {:?}",
                state.row.generation,
                state.row.parent,
                state.row.handed,
                if state.row.twice { "!!" } else { "" },
                state.row.rotated,
                t(&state.jar.token),
                state.jar.spent,
                state.jar.safe,
                state.requests.iter().flatten().map(|r| (t(&r.token), r.age)).collect::<Vec<_>>(),
                state.answers.iter().flatten().map(|r| (t(&r.token), r.age)).collect::<Vec<_>>(),
                state
                    .works
                    .iter()
                    .flatten()
                    .map(|w| (w.by, t(&w.token), w.verdict, w.stale, w.sent, w.age))
                    .collect::<Vec<_>>(),
                state.thief.tokens.iter().flatten().map(t).collect::<Vec<_>>(),
                if state.thief.gained { "gained " } else { "" },
                if state.thief.cut { "cut" } else { "" },
                state.active,
                state.closed,
                state.backup.map(|b| b.generation)
            );
            eprintln!("     {action:?}");
        }
    }
}
#[test]
fn probe() {
    use Feature::*;
    let n = |k: &str, d: usize| std::env::var(k).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let s = |k: &str| std::env::var(k).unwrap_or_default();
    let mut with = vec![];
    for f in [
        Timed,
        AnswerArrives,
        RetriesInChain,
        AnswersRepeat,
        Thief,
        Revocation,
        Forgery,
        Bound,
        Forgiving,
        Relative,
        History,
        LateByDescent,
        Atomic,
        HandOutsGoForward,
        ClosureDoesNotCount,
        GraceFromReopening,
    ] {
        if s("WITH").split(',').any(|x| x == format!("{f:?}")) {
            with.push(f);
        }
    }
    let mut rules = Mutation::Nothing;
    for m in [
        Mutation::NoHold,
        Mutation::HoldSetsTheCookie,
        Mutation::HoldRepeats,
        Mutation::NoParent,
        Mutation::GraceRestarts,
        Mutation::LateForever,
        Mutation::SwapIgnoresActive,
        Mutation::SwapIgnoresTheRow,
        Mutation::OpenAfterRestore,
        Mutation::RestoreForgetsRevocations,
        Mutation::ReuseRollsBack,
        Mutation::NoMac,
    ] {
        if s("RULES") == format!("{m:?}") {
            rules = m;
        }
    }
    use crate::world::Verdict as V;
    let mut claim = Claim::NeverSignedOut;
    for c in [
        Claim::EndedStaysEnded,
        Claim::JarIsGood,
        Claim::OverdueRevokes,
        Claim::ThiefIsCutOff,
        Claim::NextAttemptRevokes,
        Claim::NextAttemptRevokesOrIsLate,
        Claim::ThreeRefreshes,
        Claim::ForgeryChangesNothing,
        Claim::SeesCut,
        Claim::Sees(V::Hold),
        Claim::Sees(V::Rotate),
        Claim::Sees(V::Repeat),
        Claim::Sees(V::Late),
        Claim::Sees(V::Reuse),
        Claim::Sees(V::FastForward),
    ] {
        if s("CLAIM") == format!("{c:?}") {
            claim = c;
        }
    }
    run(Rotations {
        claim,
        rules,
        with: with.leak(),
        in_flight: n("F", 3),
        at_work: n("W", 2),
        grace: n("G", 4) as i8,
        skew: n("D", 0) as i8,
        life: n("L", 2) as i8,
        retry: n("R", 2) as i8,
        restores: n("X", 0) as u8,
        generations: n("N", 50) as u8,
    });
}
