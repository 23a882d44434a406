use super::place::{Point, Spot, address, impossible_speed, is_near, is_same_device, may_be_same_device};
use super::{
    Action, Condition, Explained, Explanation, Facts, Failures, Found, Known, Means, Moment, PasswordTrouble, Rule,
    Signal, Thresholds, Weights, assess, defaults, score, signals,
};
use counterfoil_guard::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const THRESHOLDS: Thresholds = Thresholds { account: 5, network: 20, fleet: 200 };
const BERLIN: Point = Point { latitude: 52.52, longitude: 13.4, radius: 10 };
const SYDNEY: Point = Point { latitude: -33.87, longitude: 151.21, radius: 20 };

fn spot(network: &str) -> Spot {
    Spot { address: address(network), ..Spot::default() }
}

fn in_country(network: &str, country: &str, system: Option<u32>) -> Spot {
    Spot { country: Some(country.to_owned()), system, ..spot(network) }
}

fn known(device: &str, spot: Spot) -> Known {
    Known { device: device.to_owned(), spot, last_at: NOW.minus(Duration::from_hours(1)) }
}

fn facts<'a>(device: &'a str, spot: &'a Spot, known: &'a [Known]) -> Facts<'a> {
    let failures = (Failures::default(), THRESHOLDS);
    Facts { now: NOW, device, spot, bad_network: false, known, session: None, failures, password: None, reuse: false }
}

fn words(facts: &Facts<'_>) -> Vec<&'static str> {
    signals(facts).iter().map(|found| found.signal.as_str()).collect()
}

#[test]
fn nothing_is_new_to_an_account_that_nothing_is_known_of() {
    assert!(words(&facts("Firefox on Linux", &in_country("203.0.113.0/24", "DE", None), &[])).is_empty());
}

#[test]
fn what_has_not_been_seen_is_new() {
    let home = [known("Firefox on Linux", in_country("203.0.113.0/24", "DE", Some(1)))];
    let away = in_country("198.51.100.0/24", "FR", Some(2));
    assert_eq!(words(&facts("Chrome on Windows", &away, &home)), ["new_device", "new_network", "new_country"]);
    assert!(words(&facts("Firefox on Linux", &home[0].spot, &home)).is_empty());
}

#[test]
fn privacy_addresses_and_mobile_networks_are_not_new() {
    let near = |a: Spot, b: Spot| is_near(&a, &b);
    assert!(near(spot("2001:db8:1::/48"), spot("2001:db8:ffff::/48")), "another prefix of one provider");
    assert!(near(spot("198.51.7.0/24"), spot("198.51.200.0/24")), "another block of one carrier");
    assert!(
        !near(spot("2001:db8:1::/48"), spot("2001:db9:1::/48")) && !near(spot("198.51.7.0/24"), spot("198.52.7.0/24"))
    );
    let carrier = |network: &str| in_country(network, "DE", Some(3320));
    assert!(near(carrier("198.51.100.0/24"), carrier("2001:db8:1::/48")), "one carrier, both protocols");
    assert!(near(in_country("198.51.100.0/24", "DE", None), in_country("2001:db8:1::/48", "DE", None)));
    assert!(!near(carrier("198.51.100.0/24"), in_country("203.0.113.0/24", "DE", Some(6805))));
    assert!(near(spot("local"), spot("203.0.113.0/24")) && near(spot("192.168.1.0/24"), spot("203.0.113.0/24")));
}

#[test]
fn nobody_flies_that_fast() {
    let at = |point| Spot { point: Some(point), ..spot("203.0.113.0/24") };
    let after = |hours: u64| impossible_speed(&at(BERLIN), NOW, &at(SYDNEY), NOW.plus(Duration::from_hours(hours)));
    assert!(after(2).is_some_and(|speed| (7_900..8_200).contains(&speed)), "{:?}", after(2));
    assert_eq!(after(24), None, "an airliner does it in a day");
    let near = Point { latitude: 52.4, longitude: 13.0, radius: 100 };
    assert_eq!(impossible_speed(&at(BERLIN), NOW, &at(near), NOW), None, "within what the data set may be wrong by");
    let carrier = |point| Spot { system: Some(1), ..at(point) };
    assert_eq!(
        impossible_speed(&carrier(BERLIN), NOW, &carrier(SYDNEY), NOW),
        None,
        "a network that comes out anywhere"
    );
    assert_eq!(impossible_speed(&spot("203.0.113.0/24"), NOW, &at(SYDNEY), NOW), None);
}

#[test]
fn the_desktop_site_is_asked_for_on_the_same_device() {
    for (one, other) in
        [("Safari on iPad", "Safari on macOS"), ("Chrome on Android", "Chrome on Linux"), ("curl", "curl")]
    {
        assert!(is_same_device(one, other), "{one}, {other}");
    }
    for (one, other) in
        [("Safari on iPad", "Chrome on macOS"), ("Chrome on Windows", "Chrome on Linux"), ("curl", "Firefox on Linux")]
    {
        assert!(!is_same_device(one, other), "{one}, {other}");
    }
    assert!(
        may_be_same_device("Unknown device", "Firefox on Linux") && !may_be_same_device("curl", "Firefox on Linux")
    );
    assert!(!is_same_device("Unknown device", "Firefox on Linux"), "it is new all the same");
}

#[test]
fn who_switches_between_two_networks_does_not_travel() {
    let at = |network: &str, point| Spot { point: Some(point), ..spot(network) };
    let (berlin, sydney) = (at("203.0.113.0/24", BERLIN), at("198.51.100.0/24", SYDNEY));
    let used = [
        known("Firefox on Linux", berlin.clone()),
        Known { last_at: NOW, ..known("Firefox on Linux", sydney.clone()) },
    ];
    assert!(!words(&facts("Firefox on Linux", &berlin, &used)).contains(&"impossible_travel"), "a VPN");
    assert!(words(&facts("Firefox on Linux", &sydney, &used[..1])).contains(&"impossible_travel"));
}

#[test]
fn failures_passwords_reuse_and_a_changed_browser_are_signals() {
    let here = spot("203.0.113.0/24");
    let session = known("Firefox on Linux", here.clone());
    let facts = Facts {
        bad_network: true,
        session: Some(&session),
        failures: (Failures { account: 5, network: 19, fleet: 200 }, THRESHOLDS),
        password: Some(PasswordTrouble::Breached),
        reuse: true,
        ..facts("curl", &here, &[])
    };
    let expected = [
        "new_device",
        "failures_account",
        "failures_fleet",
        "bad_network",
        "user_agent_changed",
        "breached_password",
        "refresh_reuse",
    ];
    assert_eq!(words(&facts), expected);
}

fn found(signal: Signal) -> Found {
    Found { signal, value: 1 }
}

fn decide(rules: &[Rule], of: &[Signal], moment: Moment, means: Means) -> (Action, Option<String>) {
    let found: Vec<Found> = of.iter().copied().map(found).collect();
    let assessed = assess(rules, (&found, &Weights::default()), (moment, "web"), means);
    (assessed.action, assessed.rule.map(|(name, _)| name))
}

#[test]
fn the_defaults_tell_of_what_is_new_and_ask_for_more_where_it_is_out_of_the_ordinary() {
    use Signal::{BadNetwork, FailuresAccount, ImpossibleTravel, NewCountry, NewDevice, NewNetwork, UserAgentChanged};
    let cases: [(&[Signal], Moment, Action, Option<&str>); 8] = [
        (&[], Moment::SignIn, Action::Allow, None),
        (&[NewNetwork], Moment::SignIn, Action::Allow, None),
        (&[NewDevice], Moment::SignIn, Action::Notify, Some("new")),
        (&[NewDevice, NewNetwork, NewCountry], Moment::SignIn, Action::Notify, Some("new")),
        (&[NewDevice, NewCountry, FailuresAccount], Moment::SignIn, Action::StepUp, Some("score")),
        (&[ImpossibleTravel], Moment::SignIn, Action::StepUp, Some("travel")),
        (&[UserAgentChanged], Moment::Refresh, Action::StepUp, Some("user-agent")),
        (&[BadNetwork], Moment::SignIn, Action::Deny, Some("bad-network")),
    ];
    for (of, moment, action, rule) in cases {
        assert_eq!(decide(&defaults(), of, moment, Means::Some), (action, rule.map(str::to_owned)), "{of:?}");
    }
}

#[test]
fn a_refresh_is_never_refused_for_good_and_nobody_is_asked_for_what_they_do_not_have() {
    let of = [Signal::BadNetwork];
    assert_eq!(decide(&defaults(), &of, Moment::Refresh, Means::Some).0, Action::StepUp);
    assert_eq!(decide(&defaults(), &of, Moment::Refresh, Means::None).0, Action::Notify);
    assert_eq!(decide(&defaults(), &[Signal::ImpossibleTravel], Moment::SignIn, Means::None).0, Action::Notify);
}

#[test]
fn a_rule_that_is_only_tried_changes_nothing_and_is_named() {
    let mut rules = defaults();
    rules[0].dry_run = true;
    let assessed =
        assess(&rules, (&[found(Signal::BadNetwork)], &Weights::default()), (Moment::SignIn, "web"), Means::None);
    assert_eq!(assessed.action, Action::Notify, "the score rule, with nothing to step up to");
    assert_eq!(assessed.dry, Some(("bad-network".to_owned(), Action::Deny)));
}

fn any_signals() -> impl Strategy<Value = Vec<Signal>> {
    proptest::sample::subsequence(Signal::ALL.to_vec(), 0..=Signal::ALL.len())
}

fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let one = (any_signals(), any_signals(), 0u32..=100, 0usize..4, any::<bool>()).prop_map(
        |(all, any, score, action, dry_run)| {
            let when = Condition { all, any, score, ..Condition::default() };
            Rule { name: format!("rule-{score}"), when, action: Action::ALL[action], dry_run }
        },
    );
    proptest::collection::vec(one, 0..8)
}

proptest! {
    #[test]
    fn one_signal_more_never_makes_it_weaker(
        rules in any_rules(), of in any_signals(), more in any_signals(), moment in 0usize..3, weight in 0u32..=100, means in any::<bool>(),
    ) {
        let (moment, means) = (Moment::ALL[moment], if means { Means::Some } else { Means::None });
        let weights = Weights::with(BTreeMap::from([(Signal::NewDevice, weight)]));
        let few: Vec<Found> = of.iter().copied().map(found).collect();
        let many: Vec<Found> = Signal::ALL.into_iter().filter(|s| of.contains(s) || more.contains(s)).map(found).collect();
        let of = |found: &[Found]| assess(&rules, (found, &weights), (moment, "web"), means);
        prop_assert!(of(&many).action >= of(&few).action);
        prop_assert!(score(&many, &weights) >= score(&few, &weights) && score(&many, &weights) <= 100);
    }

    #[test]
    fn one_rule_more_never_makes_it_weaker_and_their_order_does_not_matter(rules in any_rules(), more in any_rules(), of in any_signals()) {
        let found: Vec<Found> = of.iter().copied().map(found).collect();
        let action = |rules: &[Rule]| assess(rules, (&found, &Weights::default()), (Moment::SignIn, "web"), Means::Some).action;
        let all = [rules.clone(), more].concat();
        let reversed: Vec<Rule> = all.iter().rev().cloned().collect();
        prop_assert!(action(&all) >= action(&rules));
        prop_assert_eq!(action(&all), action(&reversed));
    }

    #[test]
    fn nothing_but_a_step_up_comes_of_a_refresh(rules in any_rules(), of in any_signals()) {
        let found: Vec<Found> = of.iter().copied().map(found).collect();
        let assessed = assess(&rules, (&found, &Weights::default()), (Moment::Refresh, "web"), Means::Some);
        prop_assert!(assessed.action <= Action::StepUp);
    }

    #[test]
    fn an_explanation_is_read_as_it_is_written(rules in any_rules(), of in any_signals(), value in 1u32..9000, moment in 0usize..3) {
        let found: Vec<Found> = of.into_iter().map(|signal| Found { signal, value }).collect();
        let moment = Moment::ALL[moment];
        let assessed = assess(&rules, (&found, &Weights::default()), (moment, "web"), Means::Some);
        let text = Explanation { moment, application: "web", assessed: &assessed }.to_string();
        let read = Explained::parse(&text).expect("it was written by us");
        prop_assert_eq!((read.at.as_str(), read.application.as_str()), (moment.as_str(), "web"));
        prop_assert_eq!(read.assessed, assessed);
    }
}
