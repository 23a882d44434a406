//! Keys, and addresses of keys, that a token brings along (ATK-08, ATK-09). A key chosen by the sender proves nothing.

use super::header::Purpose;
use super::json::{Json, Member, last};
use super::notes::Notes;
use super::show;

pub(super) fn check(members: &[Member], purpose: Purpose, notes: &mut Notes) {
    for Member { name, value, .. } in members {
        match name.as_str() {
            "jwk" => {
                embedded(name, purpose, notes);
                jwk(value, notes);
            }
            "x5c" | "x5t" | "x5t#S256" => embedded(name, Purpose::Other, notes),
            "jku" | "x5u" => address(name, value, notes),
            _ => {}
        }
    }
    if purpose == Purpose::Proof && last(members, "jwk").is_none() {
        let message = "header: no `jwk`: a DPoP proof and a DBSC registration carry their public key";
        notes.warning("DPOP-4.3b", message, "right only for a DBSC refresh");
    }
}

fn embedded(name: &str, purpose: Purpose, notes: &mut Notes) {
    const FIX: &str = "refuse; take keys from the issuer's key set only, by (iss, kid)";
    if purpose == Purpose::Proof {
        let message = format!("header: `{name}` belongs here: the proof is by that key, whoever holds it");
        return notes.note("ATK-08", message, "compare its thumbprint with the token's `cnf.jkt`");
    }
    notes.error(
        "ATK-08",
        format!("header: `{name}` brings its own key: anybody can sign with a key of their own"),
        FIX,
    );
}

/// Checks a JWK that stands in a token.
pub(super) fn jwk(value: &Json, notes: &mut Notes) {
    let Json::Object(members) = value else {
        let message = format!("`jwk` is {}, not a key", value.type_name());
        return notes.error("ATK-08", message, "refuse");
    };
    let secret = members.iter().find(|m| show::is_secret_name(&m.name));
    let symmetric = last(members, "kty").and_then(Json::as_text) == Some("oct");
    if let Some(secret) = secret {
        let message = format!(
            "`jwk` holds the PRIVATE member `{}`: the key is now known to whoever saw the token",
            show::name(&secret.name)
        );
        notes.error("JWK-9", message, "refuse, and never use that key again");
    } else if symmetric {
        notes.error("JWK-9", "`jwk` is a symmetric key", "refuse; only public keys may be shown");
    }
}

fn address(name: &str, value: &Json, notes: &mut Notes) {
    const FIX: &str = "refuse; never fetch an address that a token names";
    let Some(url) = value.as_text() else {
        return notes.error("ATK-09", format!("header: `{name}` is {}, not an address", value.type_name()), FIX);
    };
    let trap = trap(url).map(|trap| format!(" ({trap})")).unwrap_or_default();
    notes.error("ATK-09", format!("header: `{name}` names an address to fetch keys from{trap}"), FIX);
}

/// What is especially wrong with an address.
fn trap(url: &str) -> Option<&'static str> {
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let inside = [".local", ".internal"].iter().any(|suffix| host.ends_with(suffix));
    let internal =
        ["localhost", "127.", "10.", "192.168.", "169.254.", "0.", "[::", "[fe80", "[fd", "[fc", "metadata."];
    if authority.contains('@') {
        return Some("with user information, so that the host is not what it seems");
    }
    if internal.iter().any(|prefix| host.starts_with(prefix)) || inside {
        return Some("inside the own network: server-side request forgery");
    }
    lower.starts_with("http://").then_some("without TLS")
}

#[cfg(test)]
mod tests {
    use super::trap;

    #[test]
    fn atk09_traps_are_named() {
        for (url, word) in [
            ("http://169.254.169.254/latest", "own network"),
            ("https://[::ffff:127.0.0.1]/", "own network"),
            ("https://auth.example@evil.example/", "user information"),
            ("http://keys.example/", "without TLS"),
        ] {
            assert!(trap(url).is_some_and(|trap| trap.contains(word)), "{url}");
        }
        assert_eq!(trap("https://keys.example/jwks"), None);
    }
}
