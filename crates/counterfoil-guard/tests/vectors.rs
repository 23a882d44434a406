//! The vectors that every guard reads and must answer alike; see `vectors/README.md`.

use counterfoil_guard::dpop::Proof;
use counterfoil_guard::{
    Claims, DecryptionKey, KeySet, KeySetError, Kid, LoginPage, Navigation, Origins, Provenance, Refusal, Subjects,
    Timestamp, Verifier, Wanting, base64url_encode, cookie_values,
};
use serde_json::{Value, json};

fn read(name: &str) -> Value {
    let path = format!("{}/../../vectors/guard/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect("the vectors are in the repository")).expect("JSON")
}

fn cases(vectors: &Value, at_least: usize) -> &[Value] {
    let cases = vectors["cases"].as_array().expect("cases");
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn claims(claims: &Claims) -> Value {
    let mut value = json!({
        "iss": claims.iss, "sub": claims.sub, "aud": claims.aud, "client_id": claims.client_id, "exp": claims.exp,
        "iat": claims.iat, "jti": claims.jti, "sid": claims.sid, "auth_time": claims.auth_time, "acr": claims.acr,
        "amr": claims.amr, "roles": claims.roles, "cv": claims.claims_version,
    });
    if let Some(nbf) = claims.nbf {
        value["nbf"] = nbf.into();
    }
    if let Some(scope) = &claims.scope {
        value["scope"] = scope.as_str().into();
    }
    if !claims.private.is_empty() {
        value["private"] = json!(claims.private);
    }
    if let Some(status) = &claims.status {
        value["status"] = json!(status);
    }
    if let Some(act) = &claims.act {
        value["act"] = json!(act);
    }
    value
}

/// The verifier that a file of cases is for: its issuer, audience and keys, and the subjects a case names.
fn verifier(vectors: &Value, case: &Value) -> Verifier {
    let keys = KeySet::from_jwks(vectors["jwks"].to_string().as_bytes()).expect("a key set");
    let verifier = Verifier::new(text(&vectors["issuer"]), text(&vectors["audience"]), keys);
    let subjects = match case["subjects"].as_str() {
        None | Some("users") => Subjects::Users,
        Some("clients") => Subjects::Clients,
        Some("both") => Subjects::Both,
        Some(other) => panic!("{other}"),
    };
    let opening = vectors["decryption_keys"].as_array().into_iter().flatten();
    opening.fold(verifier.of(subjects), |verifier, key| {
        verifier.opening_with(DecryptionKey::from_jwk(key.to_string().as_bytes()).expect("a private key"))
    })
}

/// Judges every case of a file as it says.
fn judged(name: &str, vectors: &Value, at_least: usize) {
    let now = Timestamp::from_seconds(vectors["now"].as_i64().expect("a time"));
    for case in cases(vectors, at_least) {
        let outcome = verifier(vectors, case).verify(text(&case["token"]), now);
        let found = match &outcome {
            Ok(believed) => json!({ "claims": claims(believed) }),
            Err(refusal) => json!({ "refusal": refusal.reason() }),
        };
        let expected = if case["claims"].is_null() {
            json!({ "refusal": case["refusal"] })
        } else {
            json!({ "claims": case["claims"] })
        };
        assert_eq!(found, expected, "{name}: {}", case["name"]);
        assert_ne!(outcome.err(), Some(Refusal::Missing));
    }
}

#[test]
fn t1_tokens_are_believed_or_refused_as_the_vectors_say() {
    judged("verify", &read("verify"), 90);
    let folder = format!("{}/../../vectors/attacks", env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the vectors are in the repository") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let vectors = serde_json::from_str(&std::fs::read_to_string(&path).expect("a file")).expect("JSON");
        judged(&name, &vectors, 1);
        for case in cases(&vectors, 1) {
            assert!(case["claims"].is_null(), "{name}: an attack that succeeds: {}", case["name"]);
        }
        files += 1;
    }
    assert!(files >= 26, "{files}");
}

#[test]
fn atk19_atk20_encrypted_tokens_are_opened_or_refused_as_the_vectors_say() {
    let vectors = read("encrypted");
    judged("encrypted", &vectors, 200);
    // Without a key none of them is anything.
    let blind = json!({ "issuer": vectors["issuer"], "audience": vectors["audience"], "jwks": vectors["jwks"] });
    let now = Timestamp::from_seconds(vectors["now"].as_i64().expect("a time"));
    for case in cases(&vectors, 200) {
        let token = text(&case["token"]);
        if token.split('.').count() == 5 && token.len() <= 4096 {
            let outcome = verifier(&blind, &Value::Null).verify(token, now);
            assert_eq!(outcome, Err(Refusal::Malformed), "{}", case["name"]);
        }
    }
}

#[test]
fn key_sets_are_taken_or_refused_as_the_vectors_say() {
    let vectors = read("jwks");
    for case in cases(&vectors, 20) {
        let outcome = KeySet::from_jwks(text(&case["document"]).as_bytes());
        let fault = outcome.as_ref().err().map(|error| match error {
            KeySetError::Malformed => "malformed",
            KeySetError::TooManyKeys => "too_many_keys",
            KeySetError::PrivateKey => "private_key",
            KeySetError::DuplicateKid => "duplicate_kid",
            other => panic!("{other:?}"),
        });
        assert_eq!(json!(fault), case["fault"], "{}", case["name"]);
        if let Ok(keys) = outcome {
            for kid in case["kids"].as_array().expect("kids") {
                let kid: Kid = text(kid).parse().expect("a kid");
                assert!(keys.get(&kid).is_some(), "{}: {kid}", case["name"]);
            }
            for (id, kid) in case["paserk_ids"].as_object().into_iter().flatten() {
                let found = id.parse().ok().and_then(|id| keys.get_by_paserk(&id)).map(|(kid, _)| kid.as_str());
                assert_eq!(json!(found), *kid, "{}: {id}", case["name"]);
            }
            assert_eq!(keys.len(), case["kids"].as_array().expect("kids").len(), "{}", case["name"]);
        }
    }
}

#[test]
fn c1_requests_pass_or_not_as_the_vectors_say() {
    let vectors = read("cross_site");
    let list = |name: &str| vectors[name].as_array().expect("a list").iter().map(text).map(str::to_owned).collect();
    let origins = Origins::new(list("own"), list("listed"));
    for case in cases(&vectors, 30) {
        let request = Provenance {
            fetch_site: case["sec_fetch_site"].as_str(),
            origin: case["origin"].as_str(),
            custom_header: case["x_requested_with"] == true,
        };
        assert_eq!(json!(origins.permit(request)), case["permitted"], "{case}");
    }
}

#[test]
fn cookies_are_read_as_the_vectors_say() {
    let vectors = read("cookies");
    for case in cases(&vectors, 10) {
        let values = cookie_values(text(&case["header"]).as_bytes(), text(&vectors["name"]));
        assert_eq!(json!(values), case["values"], "{case}");
    }
}

#[test]
fn dpop_4_3_atk36_proofs_are_read_or_refused_as_the_vectors_say() {
    let vectors = read("dpop");
    let now = Timestamp::from_seconds(vectors["now"].as_i64().expect("a time"));
    for case in cases(&vectors, 300) {
        let outcome = Proof::read(text(&case["proof"]), text(&case["method"]), text(&case["url"]));
        let Ok(proof) = outcome else {
            assert_eq!(case["refusal"], "bad_proof", "{}: {outcome:?}", case["name"]);
            continue;
        };
        assert!(case["refusal"].is_null(), "{} is read", case["name"]);
        assert_eq!(json!(proof.is_fresh(now)), case["fresh"], "{}", case["name"]);
        assert_eq!(json!(base64url_encode(&proof.key)), case["key"], "{}", case["name"]);
        if let Some(token) = case["token"].as_str() {
            assert_eq!(json!(proof.is_for(token)), case["for_token"], "{}", case["name"]);
        }
    }
}

/// Which of the codes are led anywhere is the layer's affair, which has the refusals: `tower.rs`.
#[test]
fn atk40_whoever_waits_for_a_page_is_led_to_the_sign_in_page_as_the_vectors_say() {
    let vectors = read("login");
    let page = LoginPage::parse(text(&vectors["login"])).expect("a path of this host");
    let mendable = |code: &str| code.starts_with("token_") || code == "session_revoked";
    for case in cases(&vectors, 40) {
        let (method, target) = (text(&case["method"]), text(&case["target"]));
        let asked = Navigation { method, fetch_mode: case["sec_fetch_mode"].as_str(), target };
        let wanting = match text(&case["code"]) {
            "reauthentication_required" => Wanting::Proof(case["acr"].as_str()),
            code if mendable(code) => Wanting::Session,
            _ => continue,
        };
        assert_eq!(page.location(asked, wanting).as_deref(), case["location"].as_str(), "{case}");
    }
    for path in vectors["refused"].as_array().expect("paths") {
        assert_eq!(LoginPage::parse(text(path)), None, "{path}");
    }
}

#[cfg(feature = "status-list")]
#[test]
fn tsl_8_3a_status_lists_are_read_or_refused_as_the_vectors_say() {
    use counterfoil_guard::{Clocks, Older, StatusLists, Tick};
    let vectors = read("status_list");
    let now = Timestamp::from_seconds(vectors["now"].as_i64().expect("a time"));
    let clocks = Clocks { boot: Tick::default(), wall: now };
    let keys = KeySet::from_jwks(vectors["jwks"].to_string().as_bytes()).expect("a key set");
    let verifier = Verifier::new(text(&vectors["issuer"]), "web", keys);
    for case in cases(&vectors, 150) {
        let name = &case["name"];
        let uri = case["uri"].as_str().unwrap_or(text(&vectors["uri"]));
        let made = &case["made"];
        let times = made["times"].as_u64().and_then(|times| usize::try_from(times).ok());
        let token = times.map_or_else(|| text(&case["list"]).to_owned(), |times| text(&made["repeat"]).repeat(times));
        let list = match verifier.verify_status_list(&token, uri, now) {
            Ok(list) => list,
            Err(refusal) => {
                assert_eq!(case["refusal"], refusal.reason(), "{name}");
                continue;
            }
        };
        assert!(case["refusal"].is_null(), "{name} is read");
        assert_eq!((json!(list.ttl.as_secs()), json!(list.expires_at)), (case["ttl"].clone(), case["until"].clone()));
        for (index, status) in case["statuses"].as_object().expect("statuses") {
            let found = list.statuses.status(index.parse().expect("an index"));
            assert_eq!(json!(found), *status, "{name}: {index}");
        }
        let mut lists = StatusLists::new(text(&vectors["issuer"]));
        if let Some(held) = case["held"].as_str() {
            let held = verifier.verify_status_list(held, uri, now).expect("a list");
            assert_eq!(lists.receive(held, clocks), Ok(()), "{name}");
        }
        let expected = if case["older"] == true { Err(Older) } else { Ok(()) };
        assert_eq!(lists.receive(list, clocks), expected, "{name}");
    }
}
