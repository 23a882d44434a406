//! The file with a Firebase project's hash parameters, as the console shows them: `hash_config { base64_signer_key: …, … }`.

use anyhow::{Context as _, bail};
use counterfoil_core::Secret;
use counterfoil_core::credential::imported::FirebaseProject;
use std::collections::HashMap;
use std::path::Path;

/// A file larger than this is another one.
const MAX_FILE: u64 = 16 * 1024;

pub(super) fn read(path: &Path) -> anyhow::Result<FirebaseProject> {
    let name = path.display();
    if std::fs::metadata(path).with_context(|| format!("cannot read {name}"))?.len() > MAX_FILE {
        bail!("{name} is no file with hash parameters: it is larger than {MAX_FILE} bytes");
    }
    let text = std::fs::read_to_string(path).map(Secret::new).with_context(|| format!("cannot read {name}"))?;
    parse(&text).with_context(|| format!("{name} does not have the hash parameters of a Firebase project"))
}

/// Takes the console's text, and JSON with the same names.
fn parse(text: &Secret<String>) -> anyhow::Result<FirebaseProject> {
    let bare = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || "\",{}".contains(c)).to_owned();
    let lines = text.expose().split(['\n', ',', '{', '}']).filter_map(|line| line.split_once(':'));
    let values: HashMap<String, Secret<String>> =
        lines.map(|(name, value)| (bare(name), Secret::new(bare(value)))).collect();
    let get = |name: &'static str| values.get(name).with_context(|| format!("{name} is missing"));
    let number = |name| -> anyhow::Result<u32> {
        get(name)?.expose().parse().with_context(|| format!("{name} is not a number"))
    };
    if let Some(algorithm) = values.get("algorithm")
        && algorithm.expose() != "SCRYPT"
    {
        bail!("the algorithm is not SCRYPT");
    }
    let separator = get("base64_salt_separator")?.expose();
    Ok(FirebaseProject::new(get("base64_signer_key")?, separator, number("rounds")?, number("mem_cost")?)?)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use counterfoil_core::Secret;

    /// The sample of Firebase's own README.
    const SAMPLE: &str = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: \
        jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,\n  \
        base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}\n";

    #[test]
    fn import_reads_the_parameters_of_a_firebase_project_as_the_console_shows_them() {
        let json = "{\"base64_signer_key\":\"jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==\",\
                    \"base64_salt_separator\":\"Bw==\",\"rounds\":8,\"mem_cost\":14}";
        for text in [SAMPLE, json] {
            let project = parse(&Secret::new(text.to_owned())).expect("parameters");
            let hash = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
            let text = project.hash(hash, "42xEC+ixf3L2lw==").expect("a hash").to_string();
            assert!(text.starts_with("$firebase-scrypt$ln=14,r=8$42xEC+ixf3L2lwc$"), "{text}");
        }
        for (from, to, why) in [
            ("SCRYPT", "STANDARD_SCRYPT", "not SCRYPT"),
            ("rounds: 8", "rounds: eight", "rounds is not a number"),
            ("mem_cost", "memory", "mem_cost is missing"),
            ("mem_cost: 14", "mem_cost: 20", "memory"),
            ("jxsp", "j*sp", "signer key"),
        ] {
            let error = parse(&Secret::new(SAMPLE.replace(from, to))).expect_err("refused").to_string();
            assert!(error.contains(why) && !error.contains("8Ki0"), "{error}");
        }
    }
}
