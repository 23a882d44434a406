//! Tokens and keys that the RFCs show: what a resource server makes of every file, by `vectors/decisions.json`. The word of the
//! refusal is compared, so that none is ever refused for its time, its issuer or its audience.

use super::{FOLDERS, list, read, root};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use counterfoil_guard::{
    Algorithm, KeySet, KeySetError, Kid, Refusal, Timestamp, Verifier, VerifyingKey, base64url_decode,
    base64url_encode, encode_signing_input,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn verifier(keys: KeySet) -> Verifier {
    Verifier::new("https://example.com", "web", keys)
}

/// What stands in a file, as far as a guard could have to do with it.
#[derive(Default)]
struct Found {
    keys: Vec<Value>,
    /// Compact tokens, and what else might be offered as an access token.
    tokens: Vec<String>,
    /// Tokens in a JSON serialisation.
    json: Vec<String>,
    /// Claim sets that are written beside a token, or without one.
    claims: Vec<Value>,
    /// Thumbprints of keys.
    names: Vec<String>,
}

impl Found {
    fn in_file(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("text");
        let mut found = Self::default();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        match kind {
            "jwsc" => found.tokens.push(text.trim().to_owned()),
            "jwk" | "jwkset" | "json" => found.collect("", &serde_json::from_str(&text).expect("JSON")),
            "jwsf" | "jwsg" => found.collect("json", &serde_json::from_str(&text).expect("JSON")),
            "thp" => found.names.push(text.trim().to_owned()),
            other => panic!("what is a .{other}?"),
        }
        found
    }

    /// `name` is the member that `value` belongs to.
    fn collect(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) if may_be_offered(name, text) => self.tokens.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| self.collect(name, item)),
            Value::Object(members) => {
                match name {
                    "claims" => self.claims.push(value.clone()),
                    "json" | "json_flat" => self.json.push(value.to_string()),
                    // `epk` is one side of an agreement on a key, made for one message.
                    _ if members.contains_key("kty") && name != "epk" => self.keys.push(value.clone()),
                    _ => {}
                }
                members.iter().for_each(|(name, member)| self.collect(name, member));
            }
            _ => {}
        }
    }
}

/// Every text that begins like a header and has parts, but the input of a signature; opaque tokens; the CWTs.
fn may_be_offered(name: &str, text: &str) -> bool {
    let like_a_token = text.starts_with("eyJ") && text.matches('.').count() >= 2 && name != "sig-input";
    like_a_token || name == "access_token" || name.ends_with("_cwt_hex")
}

/// As their owner would publish them, with the name and the algorithm that they lack; a key that stands there twice, once.
fn published<'a>(keys: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for key in keys {
        let mut key = key.as_object().expect("a key").clone();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            key.remove(private);
        }
        let same = |other: &Value| ["kty", "crv", "x", "y", "n"].iter().all(|name| other.get(name) == key.get(*name));
        if key["kty"] != "oct" && all.iter().any(same) {
            continue;
        }
        let taken = |kid: &Value| all.iter().any(|other| other["kid"] == *kid);
        if key.get("kid").is_none_or(taken) {
            key.insert("kid".to_owned(), json!(format!("k{}", all.len())));
        }
        let alg = if key["kty"] == "OKP" { "EdDSA" } else { "ES256" };
        key.entry("alg").or_insert(json!(alg));
        all.push(Value::Object(key));
    }
    all
}

fn set_of(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes())
}

/// Whether one of the keys has made the signature, by the algorithm that the header names; `None` when that is none of ours.
fn is_signed(token: &str, keys: &[VerifyingKey]) -> Option<bool> {
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let head: Value = serde_json::from_slice(&base64url_decode(header)?).ok()?;
    let algorithm = Algorithm::from_name(head["alg"].as_str()?)?;
    let signature = base64url_decode(signature)?;
    let by_one = |message: &str| {
        keys.iter().any(|key| key.algorithm() == algorithm && key.verifies(message.as_bytes(), &signature))
    };
    let message = &token[..header.len() + 1 + payload.len()];
    assert!(!by_one(&format!("{message}A")), "it verifies whatever was signed: {token}");
    Some(by_one(message))
}

/// Equal words once, with how many there are.
fn counted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut count = BTreeMap::<String, usize>::new();
    words.for_each(|word| *count.entry(word).or_default() += 1);
    count.into_iter().map(|(word, count)| if count == 1 { word } else { format!("{count} × {word}") }).collect()
}

/// All that the guard says of a file, in words.
fn decision(found: &Found, verifier: &Verifier, keys: &[VerifyingKey]) -> String {
    let mut words = Vec::new();
    if !found.keys.is_empty() {
        words.push(match set_of(&found.keys) {
            Err(KeySetError::PrivateKey) => "private_key".to_owned(),
            Err(other) => format!("{other:?}"),
            Ok(set) => format!("{} of {} keys", set.len(), found.keys.len()),
        });
        let public = published(found.keys.iter());
        let set = set_of(&public).expect("public keys, each with a name of its own");
        words.push(format!("{} of {} when published", set.len(), public.len()));
    }
    let refusal = |token: &str| verifier.verify(token, NOW).expect_err(token).reason();
    words.extend(counted(found.tokens.iter().map(|token| {
        let signed = is_signed(token, keys).map_or("", |signed| if signed { ", signed" } else { ", not signed" });
        format!("{}{signed}", refusal(token))
    })));
    words.extend(counted(found.json.iter().map(|token| format!("{} as JSON", refusal(token)))));
    let fit = |name: &String| if name.parse::<Kid>().is_ok() { "fit to name a key" } else { "unfit to name a key" };
    words.extend(found.names.iter().map(|name| fit(name).to_owned()));
    if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
}

fn files_of(folder: &str) -> BTreeMap<String, Found> {
    let (mut files, mut open) = (BTreeMap::new(), vec![root().join(folder)]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.file_name().is_some_and(|name| name != "README.md") {
            let name = path.strip_prefix(root().join(folder)).expect("below").display().to_string();
            files.insert(name, Found::in_file(&path));
        }
    }
    files
}

/// What the guard says of every file of the folder, with all keys of the folder trusted.
fn decisions(files: &BTreeMap<String, Found>) -> BTreeMap<String, String> {
    let jwks = published(files.values().flat_map(|found| &found.keys));
    let set = set_of(&jwks).expect("public keys, each with a name of its own");
    let by_name = |key: &Value| set.get(&key["kid"].as_str()?.parse::<Kid>().ok()?).cloned();
    let keys: Vec<VerifyingKey> = jwks.iter().filter_map(by_name).collect();
    assert_eq!(keys.len(), set.len());
    let verifier = verifier(set);
    files.iter().map(|(name, found)| (name.clone(), decision(found, &verifier, &keys))).collect()
}

/// How many files, keys, tokens, tokens in JSON.
fn counts(files: &BTreeMap<String, Found>) -> [usize; 4] {
    let count = |what: fn(&Found) -> usize| files.values().map(what).sum();
    [files.len(), count(|found| found.keys.len()), count(|found| found.tokens.len()), count(|found| found.json.len())]
}

/// Everything in the folders is read: a file that is not in the table, and one that is no longer there, make the two differ.
#[test]
fn jws_5_2_every_example_of_the_rfcs_is_decided_as_listed() {
    let listed = read("decisions");
    let rows = |folder: &Value| -> BTreeMap<String, String> {
        let row = |(name, row): (&String, &Value)| {
            assert!(row[1].as_str().is_some_and(|why| !why.is_empty()), "{name}: why?");
            (name.clone(), row[0].as_str().expect("words").to_owned())
        };
        folder.as_object().expect("files").iter().map(row).collect()
    };
    let listed: BTreeMap<_, _> =
        listed.as_object().expect("folders").iter().map(|(name, folder)| (name.as_str(), rows(folder))).collect();
    let folders = FOLDERS.map(|folder| (folder, files_of(folder)));
    let decided: BTreeMap<_, _> = folders.iter().map(|(folder, files)| (*folder, decisions(files))).collect();
    assert_eq!(decided, listed);
    let counted = folders.each_ref().map(|(_, files)| counts(files));
    assert_eq!(counted, [[1, 3, 6, 0], [24, 21, 10, 2], [32, 36, 20, 53], [1, 0, 2, 0], [2, 1, 3, 0]]);
}

/// What others have signed, signed once more by a key that the guard trusts: `typ` tells the kinds apart, and were it not for that,
/// the claims would.
#[test]
fn jwt_bcp_3_12_nothing_that_others_sign_is_an_access_token_even_by_our_own_key() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
    let mut keys = KeySet::default();
    let key = VerifyingKey::new(Algorithm::EdDsa, pair.public_key().as_ref()).expect("a key");
    assert!(keys.insert("ours".parse().expect("a name"), key));
    let verifier = verifier(keys);
    let refusal = |typ: &str, payload: &[u8]| {
        let header = json!({ "alg": "EdDSA", "kid": "ours", "typ": typ }).to_string();
        let input = encode_signing_input(&header, payload);
        let token = format!("{input}.{}", base64url_encode(pair.sign(input.as_bytes()).as_ref()));
        verifier.verify(&token, NOW).expect_err(&token)
    };
    let mut count = BTreeMap::new();
    for folder in FOLDERS {
        for found in files_of(folder).values() {
            let tokens = found.tokens.iter().filter_map(|token| header_and_payload(token));
            let alone = found.claims.iter().map(|claims| (None, claims.to_string().into_bytes()));
            for (typ, payload) in tokens.chain(alone) {
                let own: &[&str] = &["JWT", "secevent+jwt", "statuslist+jwt", "dpop+jwt"];
                for typ in typ.as_deref().iter().chain(own) {
                    assert_eq!(refusal(typ, &payload), Refusal::WrongType, "{typ}");
                }
                *count.entry(refusal("at+jwt", &payload).reason()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(count, BTreeMap::from([("bad_claim", 26), ("malformed", 7)]), "malformed are those that are no JSON");
}

fn header_and_payload(token: &str) -> Option<(Option<String>, Vec<u8>)> {
    let [header, payload, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let head: Value = serde_json::from_slice(&base64url_decode(header)?).ok()?;
    let payload = base64url_decode(payload).filter(|payload| !payload.is_empty())?;
    Some((head["typ"].as_str().map(str::to_owned), payload))
}

#[test]
fn jwk_4_2_the_key_of_rfc_8037_counts_once_it_has_a_name_and_an_algorithm() {
    let examples = read("rfc-jose-appendix/rfc8037_examples");
    let [signing, naming] = list(&examples) else { panic!("two examples") };
    let with = |more: Value| {
        let mut key = published([&signing["key"]].into_iter()).remove(0);
        let members = key.as_object_mut().expect("a key");
        members.retain(|name, _| ["kty", "crv", "x"].contains(&name.as_str()));
        members.extend(more.as_object().expect("members").clone());
        set_of(&[key]).expect("a key set")
    };
    let name = &naming["jwk_thumbprint_sha256"];
    for (more, expected) in [
        (json!({}), 0),
        (json!({ "kid": name }), 0),
        (json!({ "alg": "EdDSA" }), 0),
        (json!({ "kid": name, "alg": "ES256" }), 0),
        (json!({ "kid": name, "alg": "EdDSA", "use": "enc" }), 0),
        (json!({ "kid": name, "alg": "EdDSA" }), 1),
    ] {
        assert_eq!(with(more.clone()).len(), expected, "{more}");
    }
    let kid: Kid = name.as_str().and_then(|name| name.parse().ok()).expect("a thumbprint is a name");
    let token = signing["compact"].as_str().expect("a token");
    for (alg, signed) in [("EdDSA", true), ("Ed25519", false)] {
        let set = with(json!({ "kid": name, "alg": alg }));
        let key = set.get(&kid).expect("the key").clone();
        assert_eq!(is_signed(token, &[key]), Some(signed), "a key has one algorithm, by one name: {alg}");
    }
}
