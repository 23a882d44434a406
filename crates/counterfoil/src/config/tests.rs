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
        ("[session]\ndevice_binding = \"on\"", "offer"),
        ("[session]\ndevice_proof_life = \"1s\"", "found 1s; allowed are 5s to 15m"),
        ("[applications.web]\nprofile = \"cookies\"", "applications.web.profile"),
        ("[applications.web]\nclaims = [\"email\"]", "\"email\" is personal data"),
        ("[applications.web]\nclaims = [\"shoe_size\"]", "allowed: roles"),
        ("[applications.web]\norigins = [\"https://A.example/\"]", "applications.web.origins"),
        ("[password]\nmin_length = 4", "allowed are 8 to 64"),
        ("[registration]\npolicy = \"everyone\"", "registration.policy"),
        ("[gate]\nenabled = true", "gate"),
        ("[risk.rules.x]\naction = \"block\"\nwhen = { score = 5 }", "risk.rules.x.action"),
        ("[risk.rules.x]\naction = \"deny\"\nwhen = {}", "risk.rules.x.when`: it would apply always"),
        ("[risk.rules.x]\naction = \"deny\"\nwhen = { all = [\"new_shoes\"] }", "unknown variant `new_shoes`"),
        ("[risk.rules.x]\naction = \"deny\"\nwhen = { score = 101 }", "found 101; allowed are 1 to 100"),
        ("[risk.rules.x]\naction = \"deny\"\nwhen = { score = 1, at = [\"refresh\"] }", "a refresh is never denied"),
        ("[risk.rules.x]\naction = \"deny\"\nwhen = { score = 1, applications = [\"spa\"] }", "allowed are [\"web\"]"),
        ("[risk.rules.X]\naction = \"deny\"\nwhen = { score = 1 }", "a rule's name has 1 to 32"),
        ("[risk.weights]\nnew_device = 101", "risk.weights.new_device`: found 101"),
        ("[risk.failures]\naccount = 0", "risk.failures.account"),
        ("[risk]\ntrusted_networks = [\"here\"]", "risk.trusted_networks"),
        ("[risk]\nbreached_passwords_service = \"http://pwned.example/\"", "it must be https"),
        ("[risk]\nbreached_passwords_timeout = \"1m\"", "found 1m; allowed are 100ms to 10s"),
        ("[[gate.rules]]\npath = \"/a\"\nrole = \"admin\"", "`gate.rules[0]"),
        ("[[gate.rules]]\nallow = \"public\"", "give `path` or `exact`"),
        ("[[gate.rules]]\npath = \"/a/\"", "found \"/a/\"; a path begins with /"),
        ("[[gate.rules]]\npath = \"/a/../b\"", "a path begins with /"),
        ("[[gate.rules]]\npath = \"/a%20b\"", "written as it is read"),
        (
            "[[gate.rules]]\npath = \"/a\"\nallow = \"anyone\"",
            "allowed are \"public\", \"signed-in\" and \"role:NAME\"",
        ),
        ("[[gate.rules]]\npath = \"/a\"\nallow = \"role:A B\"", "found \"role:A B\""),
        ("[[gate.rules]]\npath = \"/a\"\nallow = \"public\"\nmax_age = \"5m\"", "a public path asks nobody"),
        ("[[gate.rules]]\npath = \"/a\"\nacr = \"gold\"", "found \"gold\"; allowed are \"aal1\" and \"aal2\""),
        ("[[gate.rules]]\npath = \"/a\"\nmax_age = \"1s\"", "allowed are 10s to 1day"),
        ("[[gate.rules]]\npath = \"/a\"\nmethods = [\"get\"]", "found \"get\""),
        ("[[gate.rules]]\npath = \"/a\"\nmethods = [\"HEAD\"]", "GET includes HEAD"),
        ("[[gate.rules]]\npath = \"/a\"\nhost = \"https://a.example\"", "such as \"app.example.com\""),
        ("[[gate.rules]]\npath = \"/a\"\ncsrf = \"off\"", "origin-only"),
        (
            "[[gate.rules]]\npath = \"/a\"\n[[gate.rules]]\npath = \"/a\"\nallow = \"public\"",
            "`gate.rules[1]`: says something else",
        ),
        ("[gate]\nupstream_audience = \"web\"", "\"web\" is the audience of an application"),
        (
            "[applications.web]\naudience = \"x\"\n[[gate.rules]]\npath = \"/a\"\nupstream_audience = \"x\"",
            "gate.rules[0].upstream_audience",
        ),
        ("trusted_proxies = [\"10.0.0.300\"]", "trusted_proxies"),
    ];
    for (toml, expected) in cases {
        let message = refusal(toml);
        assert!(message.contains(expected), "{toml:?}: {message}");
    }
}

/// A webhook with these lines, and what it needs beside them.
fn webhook(lines: &str) -> String {
    let rest = [("name", "'a'"), ("url", "'https://a.example/x'"), ("secret_", "'S'"), ("events", "['*']")];
    let mut text = String::from("[[webhooks]]\n");
    for (key, value) in rest.into_iter().filter(|(key, _)| !lines.contains(key)) {
        let key = if key == "secret_" { "secret_env" } else { key };
        text.extend([key, " = ", value, "\n"]);
    }
    text + lines + "\n"
}

#[test]
fn a_webhook_is_checked_when_the_configuration_is_read() {
    let cases = [
        ("name = 'A b'", "1 to 32 characters"),
        ("url = 'https://user:pass@a.example/'", "credentials do not belong into a URL"),
        ("url = 'https://a.example/#x'", "a fragment"),
        ("url = 'ftp://a.example/'", "expected an http or https URL"),
        ("url = '/x'", "expected an http or https URL"),
        ("url = 'http://a.example/'", "beyond loopback it must be https"),
        ("url = 'http://127.0.0.1.example/'", "beyond loopback it must be https"),
        ("secret_env = 'S'\nsecret_file = '/s'", "one of `secret_file` and `secret_env`"),
        ("secret = 'whsec_x'", "webhooks"),
        ("events = []", "at least one event"),
        (
            "events = ['signed_in', 'signed_up']",
            "\"signed_up\" is not an event; allowed: \"*\", registered, accounts_imported",
        ),
    ];
    for (lines, expected) in cases {
        let message = refusal(&webhook(lines));
        assert!(message.contains(expected), "{lines:?}: {message}");
    }
    let twice = format!("{}{}", webhook(""), webhook(""));
    assert!(refusal(&twice).contains("is there twice"));
    for lines in ["url = 'http://localhost:1/'", "url = 'http://[::1]/'", "url = 'http://a/'\nallow_http = true"] {
        load(&webhook(lines), &[]).expect(lines);
    }
}

#[test]
fn s6_what_is_printed_of_a_webhook_does_not_tell_its_path() {
    let config = load(&webhook("url = 'https://a.example/hooks/T0KEN?k=S3CRET'"), &[]).expect("valid");
    let text = format!("{config:?}");
    assert!(text.contains("https://a.example/…") && !text.contains("T0KEN") && !text.contains("S3CRET"), "{text}");
}

#[test]
fn where_an_application_is_told_of_logouts_is_checked_and_its_path_is_not_printed() {
    let own = |lines: &str| format!("[applications.web]\n{lines}");
    for (lines, expected) in [
        ("backchannel_logout_uri = 'https://user:pass@a.example/'", "credentials do not belong into a URL"),
        ("backchannel_logout_uri = 'https://a.example/#x'", "a fragment"),
        ("backchannel_logout_uri = 'a.example/x'", "expected an http or https URL"),
        ("backchannel_logout_uri = 'ftp://a.example/'", "expected an http or https URL"),
        ("backchannel_logout_uri = 'http://a.example/'", "`backchannel_logout_allow_http = true` lifts that"),
        ("backchannel_logout_uri = 'http://127.0.0.1.example/'", "beyond loopback it must be https"),
    ] {
        let message = refusal(&own(lines));
        let named = message.contains("applications.web.backchannel_logout_uri");
        assert!(named && message.contains(expected) && !message.contains("pass@"), "{lines:?}: {message}");
    }
    for lines in [
        "backchannel_logout_uri = 'http://localhost:1/x'",
        "backchannel_logout_uri = 'http://[::1]/'",
        "backchannel_logout_uri = 'http://a/'\nbackchannel_logout_allow_http = true",
    ] {
        load(&own(lines), &[]).expect(lines);
    }
    let config = load(&own("backchannel_logout_uri = 'https://a.example/T0KEN?k=S3CRET'"), &[]).expect("valid");
    let text = format!("{config:?}");
    assert!(text.contains("https://a.example/…") && !text.contains("T0KEN") && !text.contains("S3CRET"), "{text}");
}

#[test]
fn keys_are_checked_when_the_configuration_is_read() {
    for (lines, expected) in [
        ("[keys]\nalgorithm = 'HS256'", "keys.algorithm"),
        ("[keys]\nalgorithm = 'eddsa'", "found \"eddsa\"; allowed are EdDSA, Ed25519, ES256"),
        ("[keys]\nrotate_every = '59m'", "keys.rotate_every"),
        ("[audit]\nretention = '23h'", "audit.retention"),
        ("[audit]\nretention = '3651d'", "audit.retention"),
        ("[audit]\nretention = 'never'", "audit.retention"),
        ("[audit]\nretention = 400", "audit.retention"),
        ("[applications.web]\nalgorithm = 'none'", "applications.web.algorithm"),
    ] {
        let message = refusal(lines);
        assert!(message.contains(expected), "{lines:?}: {message}");
    }
    let config = load("[applications.legacy]\nalgorithm = 'ES256'", &[]).expect("valid");
    assert_eq!(config.algorithms().iter().map(|one| one.name()).collect::<Vec<_>>(), ["EdDSA", "ES256"]);
}

#[test]
fn a_redis_mirror_is_checked_when_the_configuration_is_read() {
    let cases = [
        ("url = 'redis://:secret@r'", "a password does not belong into the URL"),
        ("url = 'redis://u:secret@r'", "a password does not belong into the URL"),
        ("url = 'http://r'", "expected \"redis://"),
        ("url = 'rediss://r#insecure'", "expected \"redis://"),
        ("url = 'redis://r/x'", "expected \"redis://"),
        ("url = 'redis://r'\nprefix = ''", "redis_mirror.prefix"),
        ("url = 'redis://r'\npassword_env = 'A'\npassword_file = '/b'", "one of `password_file` and `password_env`"),
    ];
    for (lines, expected) in cases {
        let message = refusal(&format!("[redis_mirror]\n{lines}"));
        assert!(message.contains(expected) && !message.contains("secret@"), "{lines:?}: {message}");
    }
    let config = load("[redis_mirror]\nurl = 'rediss://u@r.example:6380/3'", &[]).expect("valid");
    assert_eq!(config.redis_mirror.expect("there").prefix, "revoked_");
}

#[test]
fn t2_resources_clients_and_formats_are_checked_when_the_configuration_is_read() {
    let resource = "[resources.billing]\nscopes = ['read']\n";
    let cases = [
        ("[resources.billing]\nscopes = ['a b']", "a scope is one word"),
        ("[resources.billing]\nscopes = ['a', 'a']", "a scope is one word"),
        ("[resources.billing]\nclaims = ['email']", "personal data"),
        ("[resources.billing]\ntoken_budget = 5000", "400 to 4096"),
        ("[resources.Billing]", "a-z, 0-9"),
        ("[resources.web]", "an application has this name"),
        ("[resources.a]\naudience = 'web'", "another's audience"),
        ("[resources.a]\naudience = 'b'\n[resources.b]\naudience = 'c'", "another's audience"),
        ("[clients.web]", "an application has this name"),
        ("[resources.a]\naudience = 'x'\n[resources.b]\naudience = 'x'", "another's audience"),
        ("[resources.a]\nformat = 'saml'", "resources.a.format"),
        ("[resources.a]\nformat = 'paseto'\nalgorithm = 'ES256'", "signed by Ed25519"),
        ("[applications.web]\nformat = 'paseto'\nalgorithm = 'ES256'", "signed by Ed25519"),
        ("[keys]\nalgorithm = 'ES256'\n[applications.web]\nformat = 'paseto'", "applications.web.format"),
        ("[resources.a]\nprivate = ['email']", "give the resource an `encryption_key`"),
        ("[resources.a]\nencryption_key = '{}'", "expected a public JWK"),
        (
            "[resources.a]\nencryption_key = { kid = 'e', kty = 'OKP', crv = 'X25519', x = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }",
            "expected a public JWK",
        ),
        (
            "[resources.a]\nencryption_key = { kid = 'e', kty = 'OKP', crv = 'X25519', x = 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo', d = 'x' }",
            "no private member",
        ),
        ("[clients.a.resources]\nbilling = []", "the names of [resources]"),
        ("[clients.'a b']", "1 to 64 letters"),
        ("[clients.a]\nexchanges = ['other']", "the names of [applications] and [resources]"),
    ];
    for (lines, expected) in cases {
        let message = refusal(lines);
        assert!(message.contains(expected), "{lines:?}: {message}");
    }
    let message = refusal(&format!("{resource}[clients.a.resources]\nbilling = ['write']"));
    assert!(message.contains("the scopes of that resource are: read"), "{message}");
    let config = load(&format!("{resource}[clients.a.resources]\nbilling = ['read']"), &[]).expect("valid");
    assert_eq!(config.clients["a"].rules(&config).resources["billing"], ["read"]);
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

#[test]
fn the_name_of_the_resource_is_taken_while_there_are_streams() {
    let taken = refusal("[ssf]\nenabled = true\n[resources.ssf]\n");
    assert!(taken.contains("resources.ssf") && taken.contains("ssf.enabled"), "{taken}");
    load("[resources.ssf]\n", &[]).expect("a name like any other");
    let unknown = refusal("[clients.hub.resources]\nssf = []\n");
    assert!(unknown.contains("clients.hub.resources"), "{unknown}");
    for origin in ["http://receiver.example.com", "https://receiver.example.com/path", "receiver"] {
        let wrong = refusal(&format!("[ssf]\npush_origins = [\"{origin}\"]\n"));
        assert!(wrong.contains("ssf.push_origins") && wrong.contains(origin), "{wrong}");
    }
    load("[ssf]\npush_origins = [\"http://127.0.0.1:8080\", \"https://a.example\"]\n", &[]).expect("origins");
}

#[test]
fn an_upstream_that_cannot_be_trusted_stops_the_start() {
    let issuer = "issuer = \"https://idp.example.com\"\n";
    let keys = "jwks_uri = \"https://idp.example.com/keys\"\n";
    let domains = "domains = [\"example.com\"]\n";
    let upstream = |lines: &[&str]| format!("[upstreams.idp]\n{}", lines.concat());
    load(&upstream(&[issuer, keys, domains]), &[]).expect("an upstream");
    for (lines, says) in [
        (vec![issuer, domains], "jwks_uri"),
        (vec![issuer, keys], "domains"),
        (vec![issuer, keys, "domains = []\n"], "upstreams.idp.domains"),
        (vec![issuer, keys, "domains = [\"Example.com\"]\n"], "lower case"),
        (vec![issuer, "jwks_uri = \"http://idp.example.com/keys\"\n", domains], "https"),
        (vec![issuer, keys, domains, "authorization_file = \"x\"\nauthorization_env = \"X\"\n"], "authorization_file"),
        (vec![issuer, keys, domains, "on_disabled = \"nothing\"\n"], "on_disabled"),
        (vec!["issuer = \"\"\n", keys, domains], "issuer"),
    ] {
        let refused = refusal(&upstream(&lines));
        assert!(refused.contains(says), "{refused}");
    }
}

#[test]
fn a_legacy_issuer_is_checked_when_the_configuration_is_read() {
    let legacy = |lines: &str| format!("[legacy.old]\nuntil = \"2027-03-01T00:00:00Z\"\n{lines}");
    load(&legacy("secret_env = 'S'\nprefix = 'forum:'\nmax_age = '366d'\n"), &[]).expect("an issuer");
    for (lines, says) in [
        ("", "exactly one"),
        ("secret_env = 'S'\nsecret_file = '/s'", "exactly one"),
        ("jwks_file = '/k'\nalgorithm = 'HS256'", "legacy.old.algorithm"),
        ("jwks_uri = 'http://old.example.com/keys'", "must be https"),
        ("secret_env = 'S'\nissuer = ''", "legacy.old.issuer"),
        ("secret_env = 'S'\nsubject = 'a..b'", "legacy.old.subject"),
        ("secret_env = 'S'\nmax_age = '367d'", "legacy.old.max_age"),
        ("secret_env = 'S'\nmatch = 'email'\nprefix = 'forum:'", "legacy.old.prefix"),
        ("secret_env = 'S'\nprefix = \"a\\u0000b\"", "legacy.old.prefix"),
    ] {
        let refused = refusal(&legacy(lines));
        assert!(refused.contains(says), "{lines:?}: {refused}");
    }
    assert!(
        refusal(&legacy(&format!("secret_env = 'S'\nprefix = '{}'", "x".repeat(65)))).contains("legacy.old.prefix")
    );
}
