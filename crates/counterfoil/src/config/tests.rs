use super::{Config, ConfigError, RegistrationPolicy};
use counterfoil_core::profile::Profile;
use proptest::prelude::*;
use std::time::Duration;

fn load(toml: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut table: toml::Table = toml.parse().expect("TOML");
    super::overlay(&mut table, env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))?;
    Config::from_table(table)
}

fn refusal(toml: &str) -> String {
    load(toml, &[]).expect_err("refused").to_string()
}

#[test]
fn nothing_configured_is_the_cookie_profile_for_web() {
    let config = load("", &[]).expect("defaults");
    assert_eq!(config.applications["web"].profile, Profile::Cookie);
    assert_eq!(config.session.access_lifetime.0, Duration::from_mins(5));
    assert_eq!(config.registration.policy, RegistrationPolicy::Open);
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = load(
        "[session]\nrotation_grace = \"10s\"",
        &[
            ("COUNTERFOIL__SESSION__ROTATION_GRACE", "2s"),
            ("COUNTERFOIL__APPLICATIONS__SPA__PROFILE", "hybrid"),
            ("COUNTERFOIL__APPLICATIONS__SPA__ORIGINS", r#"["https://spa.example.com"]"#),
            ("COUNTERFOIL__LIMITS__ENABLED", "false"),
            ("PATH", "/bin"),
        ],
    )
    .expect("valid");
    assert_eq!(config.session.rotation_grace.0, Duration::from_secs(2));
    assert_eq!(config.applications["spa"].profile, Profile::Hybrid);
    assert!(!config.limits.enabled);
}

#[test]
fn an_unknown_key_or_a_bad_value_is_named_with_what_is_allowed() {
    let cases = [
        ("sesion = 1", "sesion"),
        ("[session]\ngrace = \"1s\"", "session"),
        ("[session]\naccess_lifetime = \"1h\"", "found 1h; allowed are 1s to 15m"),
        ("[session]\naccess_lifetime = 300", "expected a duration"),
        ("[session]\nidle = \"soon\"", "found \"soon\""),
        ("[applications.web]\nprofile = \"cookies\"", "applications.web.profile"),
        ("[applications.web]\nclaims = [\"email\"]", "\"email\" is personal data"),
        ("[applications.web]\nclaims = [\"shoe_size\"]", "allowed: roles"),
        ("[applications.web]\norigins = [\"https://A.example/\"]", "applications.web.origins"),
        ("[password]\nmin_length = 4", "allowed are 8 to 64"),
        ("[registration]\npolicy = \"everyone\"", "registration.policy"),
        ("trusted_proxies = [\"10.0.0.300\"]", "trusted_proxies"),
    ];
    for (toml, expected) in cases {
        let message = refusal(toml);
        assert!(message.contains(expected), "{toml:?}: {message}");
    }
}

proptest! {
    #[test]
    fn no_file_and_no_environment_makes_it_panic(
        toml in "(\\[?[a-z_.]{0,12}\\]?( = )?[\"\\[{a-z0-9:/.-]{0,16}\n?){0,6}",
        name in "[A-Z_]{0,24}",
        value in ".{0,40}",
    ) {
        if let Ok(mut table) = toml.parse::<toml::Table>() {
            let env = [(format!("{}{name}", super::ENV_PREFIX), value)];
            if super::overlay(&mut table, env.into_iter()).is_ok() {
                drop(Config::from_table(table));
            }
        }
    }

    #[test]
    fn a_refusal_names_a_key_and_says_something(section in "[a-z]{1,8}", key in "[a-z]{1,8}", value in "[a-z0-9]{1,8}") {
        if let Err(error) = load(&format!("[{section}]\n{key} = \"{value}\""), &[]) {
            prop_assert!(error.to_string().contains(&section), "{error}");
        }
    }
}
