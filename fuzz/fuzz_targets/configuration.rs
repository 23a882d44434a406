//! The configuration: a file and, behind NUL bytes, `NAME=value` of the environment. Whatever is accepted keeps the promises that the
//! server rests on. These are the server's own sources without the rest of it, which takes minutes to build.
#![no_main]

#[path = "../../crates/counterfoil/src/config/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the server uses all of it")]
mod config;
#[path = "../../crates/counterfoil/src/public_url.rs"]
#[expect(dead_code, reason = "the server uses all of it")]
mod public_url;

use config::{Config, ConfigError, DEFAULT_APPLICATION};
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;
use public_url::PublicUrl;
use std::collections::BTreeSet;
use std::fs::{File, remove_file};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

/// Each section costs nodes of B-trees, 2000 bytes for the two of `a.`; and what is wrong is told with all that is allowed.
const MEMORY: Bound = Bound { times: 1536, plus: 32768 };

/// The configuration file: one without a name, so that none is left behind.
static FILE: LazyLock<(File, PathBuf)> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("counterfoil-fuzz-{}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).expect("a temporary file");
    remove_file(&path).expect("its name can be taken away");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    (file, path)
});

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == 0);
    let (file, path) = &*FILE;
    let contents = parts.next().unwrap_or_default();
    file.set_len(0).and_then(|()| file.write_all_at(contents, 0)).expect("can be written");
    let environment: Vec<(String, String)> = parts.map(variable).collect();
    match bounded(MEMORY, data, || Config::load(Some(path), environment.into_iter())) {
        Ok(config) => check(&config),
        Err(ConfigError::Unreadable { .. }) => assert!(std::str::from_utf8(contents).is_err()),
        Err(error) => assert!(error.to_string().len() > 20, "{error}"),
    }
});

fn variable(bytes: &[u8]) -> (String, String) {
    let text = text(bytes);
    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
    (name.to_owned(), value.to_owned())
}

fn check(config: &Config) {
    assert!((8..=64).contains(&config.password.min_length));
    assert!(config.session.access_lifetime.0 <= Duration::from_mins(15));
    assert!(config.applications.contains_key(DEFAULT_APPLICATION) && !config.algorithms().is_empty());
    check_audiences(config);
    for (name, client) in &config.clients {
        let rules = client.rules(config);
        assert_eq!(rules.resources.len(), client.resources.len(), "{name}");
        assert_eq!(rules.exchanges.len(), client.exchanges.len(), "{name}");
    }
    for webhook in &config.webhooks {
        assert!(webhook.secret_file.is_some() != webhook.secret_env.is_some(), "{webhook:?}");
    }
    if let Ok(url) = PublicUrl::settle(config.public_url.as_deref(), config.listen, config.tls.is_some()) {
        assert!(url.is_https() || config.listen.ip().is_loopback());
        assert_eq!(url.issuer().matches('/').count(), 2, "a scheme and a host");
    }
}

/// A token for one must not open another.
fn check_audiences(config: &Config) {
    let own = config.applications.iter().map(|(name, own)| own.audience.as_ref().unwrap_or(name).as_str());
    let own: BTreeSet<&str> = own.collect();
    let resources = config.resources.iter().map(|(name, resource)| resource.audience(name));
    let all: BTreeSet<&str> = own.iter().copied().chain(resources).collect();
    assert_eq!(all.len(), own.len() + config.resources.len());
    assert!(config.gate.audiences().all(|audience| !own.contains(audience.as_str())));
}
