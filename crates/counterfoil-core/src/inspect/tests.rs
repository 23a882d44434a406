//! One token per rule, built as an attacker or a careless issuer would; each must raise its finding.

use super::{Kind, MAX_INPUT, Report, Severity, inspect};
use crate::keys::signing::SigningKey;
use crate::secret::Secret;
use counterfoil_guard::{Algorithm, KeySet, Kid, Refusal, Timestamp, Verifier, VerifyingKey, base64url_encode};
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000;
const HEADER: &str = r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#;
const ID: &str = "AAECAwQFBgcICQoLDA0ODw";
/// Bytes of a signature that could be one: no special value.
const SIGNATURE: [u8; 64] = [7; 64];

fn claims() -> String {
    format!(
        r#"{{"iss":"https://app.example","sub":"{ID}","aud":"web","client_id":"web","iat":1699999900,"exp":1700000200,"jti":"{ID}","sid":"{ID}","auth_time":1699990000,"acr":"aal1","amr":["pwd"]}}"#
    )
}

fn at(text: &str) -> Report {
    inspect(text, Timestamp::from_seconds(NOW))
}

fn token(header: &[u8], payload: &[u8]) -> String {
    let signature = base64url_encode(&SIGNATURE);
    format!("{}.{}.{signature}", base64url_encode(header), base64url_encode(payload))
}

fn with_header(header: &str) -> String {
    token(header.as_bytes(), claims().as_bytes())
}

/// A sound token with `member` added to its header.
fn header_and(member: &str) -> String {
    with_header(&HEADER.replacen('{', &format!("{{{member},"), 1))
}

fn with_payload(payload: &str) -> String {
    token(HEADER.as_bytes(), payload.as_bytes())
}

/// A sound token with `member` added to its claims.
fn claims_and(member: &str) -> String {
    with_payload(&claims().replacen('{', &format!("{{{member},"), 1))
}

/// A sound token with one piece of its claims replaced.
fn claims_with(old: &str, new: &str) -> String {
    let claims = claims();
    assert!(claims.contains(old), "{old}");
    with_payload(&claims.replacen(old, new, 1))
}

fn found(report: &Report, severity: Severity, id: &str) -> bool {
    report.findings.iter().any(|finding| finding.id == id && finding.severity == severity)
}

fn expect(cases: &[(&str, Severity, String)]) {
    for (id, severity, text) in cases {
        let report = at(text);
        assert!(found(&report, *severity, id), "{id} not raised for {text}: {:#?}", report.findings);
    }
}

fn error(id: &'static str, text: impl Into<String>) -> (&'static str, Severity, String) {
    (id, Severity::Error, text.into())
}

fn warning(id: &'static str, text: impl Into<String>) -> (&'static str, Severity, String) {
    (id, Severity::Warning, text.into())
}

fn note(id: &'static str, text: impl Into<String>) -> (&'static str, Severity, String) {
    (id, Severity::Note, text.into())
}

#[test]
fn a_sound_token_is_explained_and_nothing_but_not_verified_is_found() {
    let report = at(&with_header(HEADER));
    assert_eq!(report.kind, Kind::Jws);
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert!(report.findings[0].message.starts_with("nothing was verified"));
    assert_eq!(report.parts.iter().map(|part| part.name).collect::<Vec<_>>(), ["header", "payload", "signature"]);
    assert!(
        report
            .parts
            .iter()
            .flat_map(|part| &part.members)
            .all(|member| member.source.starts_with("RFC") || member.source.starts_with("OpenID"))
    );
    let exp = report.parts[1].members.iter().find(|member| member.name == "exp").expect("explained");
    assert_eq!(exp.value, "1700000200 (2023-11-14T22:16:40Z, in 3 min 20 s)");
}

/// What the real guard says about a payload, signed with a real key, and what the inspector says about the same token.
fn judged(payload: &str) -> (Result<(), Refusal>, Report) {
    let seed = Secret::new(vec![5; 32]);
    let kid: Kid = "k1".parse().expect("a name");
    let signer = SigningKey::new(Algorithm::EdDsa, &seed).expect("a seed").named(kid.clone());
    let mut keys = KeySet::default();
    keys.insert(kid, VerifyingKey::new(Algorithm::EdDsa, signer.public()).expect("a key"));
    let token = signer.sign(payload.as_bytes());
    let verdict = Verifier::new("https://app.example", "web", keys).verify(&token, Timestamp::from_seconds(NOW));
    (verdict.map(|_| ()), at(&token))
}

#[test]
fn the_inspector_agrees_with_the_guard() {
    assert_eq!(judged(&claims()).0, Ok(()));
    let changed = |old: &str, new: &str| claims().replacen(old, new, 1);
    let added = |member: &str| changed("{", &format!("{{{member},"));
    let mut payloads = vec![claims(), added("\"nbf\":1699999900"), added("\"scope\":\"a b\""), added("\"cv\":3")];
    payloads.extend(["\"iss\":1", "\"x\":{\"a\":1,\"a\":2}", "\"events\":{}", "\"nbf\":1700000031"].map(added));
    payloads
        .extend(["1700000030", "1700000031", "-1", "\"1699999900\"", "1e400"].map(|iat| changed("1699999900", iat)));
    payloads.extend(["1700000000", "1700000001", "1700000800", "1700000801"].map(|exp| changed("1700000200", exp)));
    payloads.extend(["[\"web\"]", "[\"web\",\"b\"]", "[]", "1", "{}"].map(|aud| changed("\"web\"", aud)));
    for member in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "auth_time", "acr", "amr"] {
        payloads.push(changed(&format!("\"{member}\""), &format!("\"x{member}\"")));
        payloads.push(changed(&format!("\"{member}\":"), &format!("\"{member}\":[[1]],\"x{member}\":")));
    }
    for payload in payloads {
        let (verdict, report) = judged(&payload);
        let refused = report.has_errors() || found(&report, Severity::Warning, "T1");
        assert_eq!(verdict.is_err(), refused, "{payload}: {verdict:?} {:#?}", report.findings);
    }
}

#[test]
fn algorithms_and_signatures() {
    let alg = |alg: &str| with_header(&HEADER.replace("\"EdDSA\"", alg));
    let signed = |alg: &str, signature: &[u8]| {
        let parts = token(HEADER.replace("EdDSA", alg).as_bytes(), claims().as_bytes());
        let (input, _) = parts.rsplit_once('.').expect("three parts");
        format!("{input}.{}", base64url_encode(signature))
    };
    let mut cases = Vec::new();
    for none in [r#""none""#, r#""None""#, r#""nOnE""#, r#""none ""#, r#""""#, "null", "1", "[]"] {
        cases.push(error("ATK-01", alg(none)));
    }
    cases.extend([
        error("ATK-01", with_header(r#"{"kid":"k1","typ":"at+jwt"}"#)),
        error("ATK-02", alg(r#""HS256""#)),
        error("JWT-BCP-3.2b", alg(r#""RSA1_5""#)),
        error("JWT-BCP-3.3b", alg(r#""ECDH-ES+A128KW""#)),
        error("JWT-BCP-3.1a", alg(r#""eddsa""#)),
        warning("T1", alg(r#""RS256""#)),
        error("ATK-03", signed("EdDSA", &[])),
        error("ATK-03", signed("EdDSA", &[1; 63])),
        error("ATK-05", signed("ES256", &[0; 64])),
        error("ATK-05", signed("ES256", &[0xff; 64])),
        error("ATK-05", signed("ES256", &[&[0x30, 4, 2, 0], &[2, 0][..]].concat())),
        error("ATK-07", signed("Ed25519", &[0xff; 64])),
    ]);
    expect(&cases);
}

#[test]
fn header_members() {
    expect(&[
        error("ATK-08", header_and(r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}"#)),
        error("JWK-9", header_and(r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#)),
        error("ATK-08", header_and(r#""x5c":["MIIB"]"#)),
        error("ATK-08", header_and(r#""x5t":"AA""#)),
        error("ATK-09", header_and(r#""jku":"https://evil.example/jwks""#)),
        error("ATK-09", header_and(r#""x5u":"http://169.254.169.254/""#)),
        error("ATK-12", header_and(r#""crit":["exp"]"#)),
        error("JWS-4.1.11", header_and(r#""crit":["exp"]"#)),
        error("JWS-4.1.11", header_and(r#""crit":["alg"]"#)),
        error("JWS-4.1.11", header_and(r#""crit":["x","x"],"x":1"#)),
        error("JWS-4.1.11", header_and(r#""crit":[]"#)),
        error("JWS-4.1.11", header_and(r#""crit":"exp""#)),
        error("RFC7797-7", header_and(r#""b64":false,"crit":["b64"]"#)),
        error("JWT-BCP-3.6", header_and(r#""zip":"DEF""#)),
        warning("JWT-BCP-3.11b", header_and(r#""cty":"JWT""#)),
        warning("T1", header_and(r#""x-debug":true"#)),
        warning("JWS-4.1.4", with_header(r#"{"alg":"EdDSA","typ":"at+jwt"}"#)),
    ]);
    for kid in
        ["../../dev/null", "/proc/self/environ", "' UNION SELECT 'k'--", "|sleep 10", ")(*", "a%00", "https://e/"]
    {
        expect(&[error("ATK-10", with_header(&HEADER.replace("k1", kid)))]);
    }
    let long = HEADER.replace("k1", &"k".repeat(65));
    expect(&[error("ATK-10", with_header(&long)), error("ATK-10", with_header(&HEADER.replace("\"k1\"", "[1]")))]);
}

#[test]
fn kinds_of_token() {
    let typ = |typ: &str| with_header(&HEADER.replace("\"at+jwt\"", typ));
    for wrong in [r#""JWT""#, r#""at+jwt ""#, r#""application/at+jwt;x=1""#, r#"["at+jwt"]"#, "null", r#""foo+jwt""#] {
        expect(&[error("ATK-24", typ(wrong))]);
    }
    for right in [r#""AT+JWT""#, r#""application/at+jwt""#] {
        assert!(!at(&typ(right)).has_errors(), "{right}");
    }
    expect(&[
        error("ATK-24", with_header(r#"{"alg":"EdDSA","kid":"k1"}"#)),
        warning("ATK-23", typ(r#""secevent+jwt""#)),
        error("ATK-23", claims_and(r#""events":{"a":{}}"#)),
        error("ATK-23", claims_and(r#""nonce":"n","at_hash":"x""#)),
    ]);
    let header = r#"{"alg":"EdDSA","typ":"dpop+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}"#;
    let proof = token(header.as_bytes(), br#"{"jti":"1","htm":"GET","htu":"https://a.example/","iat":1700000000}"#);
    assert!(!at(&proof).has_errors(), "{:#?}", at(&proof).findings);
    expect(&[
        warning("ATK-23", proof),
        error("DPOP-4.3a", token(header.as_bytes(), br#"{"jti":"1","htm":"GET","iat":1700000000}"#)),
        warning("DPOP-4.3d", token(header.as_bytes(), br#"{"jti":"1","htm":"GET","htu":"u","iat":1699990000}"#)),
    ]);
}

#[test]
fn names_and_characters() {
    expect(&[
        error("ATK-13", with_header(r#"{"alg":"EdDSA","alg":"none","kid":"k1","typ":"at+jwt"}"#)),
        error("ATK-01", with_header(r#"{"alg":"none","alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#)),
        error("ATK-13", claims_and(r#""\u0073ub":"other""#)),
        error("ATK-13", claims_and(r#""x":{"a":1,"a":2}"#)),
        warning("ATK-13", claims_with("\"sub\"", r#""\u0073ub""#)),
        error("ATK-14", claims_and(r#""EXP":1"#)),
        error("ATK-14", claims_and(r#""exp ":1"#)),
        error("ATK-14", claims_and("\"\u{435}\u{445}\u{440}\":1")),
        error("ATK-14", header_and(r#""Alg":"none""#)),
        error("ATK-15", claims_and(r#""x":"a\u0000b""#)),
        error("ATK-15", claims_and("\"x\":\"a\nb\"")),
        error("ATK-15", claims_and(r#""x":"\ud800""#)),
        error("ATK-15", token(HEADER.as_bytes(), b"{\"x\":\"\xc0\xaf\"}")),
        error("ATK-15", token(HEADER.as_bytes(), b"\xef\xbb\xbf{}")),
        error("ATK-15", token(HEADER.as_bytes(), b"{\0\"\0")),
        error("ATK-16", claims_and("\"x\":\"a\u{202e}b\"")),
        error("ATK-16", claims_and("\"x\":\"a\u{200b}b\"")),
        warning("ATK-16", claims_with("\"web\"", "\"w\u{435}b\"")),
        warning("ATK-16", claims_and("\"x\":\"e\u{301}\"")),
    ]);
}

#[test]
fn spelling_and_shape() {
    let sound = with_header(HEADER);
    let (start, signature) = sound.rsplit_once('.').expect("three parts");
    let (header, payload) = start.split_once('.').expect("two parts");
    expect(&[
        error("ATK-17", format!("{start}.{signature}==")),
        error("ATK-17", format!("{sound}\n")),
        error("ATK-17", format!("{header}.{payload}.+/{}", &signature[2..])),
        error("ATK-17", format!("{header}. {payload}.{signature}")),
        error("ATK-17", format!("{header}.{payload}.{signature}?")),
        error("ATK-17", format!("{start}.{}x", &signature[..signature.len() - 1])),
        error("ATK-17", format!("{start}.{signature}AAA")),
        error("ATK-18", header),
        error("ATK-18", start),
        error("ATK-18", format!("{sound}.x")),
        error("ATK-18", format!("{sound}...x")),
        error("ATK-18", format!("{header}..{signature}")),
        error("ATK-18", format!(".{payload}.{signature}")),
        error("ATK-18", format!("Bearer {sound}")),
        error("ATK-18", format!("__Host-cf_access={sound}; Path=/")),
        error("ATK-18", format!("\"{sound}\"")),
        error("ATK-18", format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#)),
        error("ATK-18", ""),
        error("ATK-18", ID),
        error("ATK-18", "hello"),
        error("ATK-19", format!("{header}.{}.{signature}", base64url_encode(sound.as_bytes()))),
        error("JWS-5.2", with_payload("[]")),
        error("JWS-5.2", with_payload(r#"{"iss":"x","#)),
        error("JWS-5.2", with_payload(r#"{"exp":NaN}"#)),
    ]);
    // Whatever was wrapped around it, the token itself is still explained.
    for wrapped in [format!("Bearer {sound}"), format!("{sound}\r\n"), format!("Authorization: bearer {sound}")] {
        assert_eq!(at(&wrapped).parts, at(&sound).parts, "{wrapped}");
    }
}

/// So many members, all named differently, each 11 bytes.
fn members(count: usize) -> String {
    (0..count).fold(String::new(), |text, n| text + &format!("\"E{n:05}\":0,"))
}

#[test]
fn sizes() {
    expect(&[
        warning("T2", claims_and(&format!(r#""x":"{}""#, "a".repeat(400)))),
        error("ATK-21", claims_and(&format!(r#""x":"{}""#, "a".repeat(4000)))),
        error("ATK-21", "a".repeat(MAX_INPUT + 1)),
        error("ATK-21", claims_and(&format!(r#""x":{}1{}"#, "[".repeat(20), "]".repeat(20)))),
        error("ATK-21", claims_and(&format!(r#""x":{}"#, "[".repeat(10_000)))),
        error("ATK-21", claims_and(&format!(r#""x":{}"#, "9".repeat(100)))),
        error("ATK-21", with_payload(&format!("{{{}\"z\":1}}", members(100)))),
        note("T2", claims_and(r#""x":{"y":1}"#)),
    ]);
}

#[test]
fn times() {
    let exp = |exp: &str| claims_with("\"exp\":1700000200", &format!("\"exp\":{exp}"));
    for wrong in ["\"1700000200\"", "-1", "1e400", "9223372036854775808", "1700000200000", "null", "true", "[]", "NaN"]
    {
        expect(&[error("ATK-22", exp(wrong))]);
    }
    expect(&[
        error("ATK-22", claims_with("\"exp\":1700000200,", "")),
        error("AT-2.2", claims_with("\"exp\":1700000200,", "")),
        error("ATK-22", exp("1699999999")),
        error("ATK-22", exp("1699999900")),
        error("ATK-22", exp("1700000801")),
        error("ATK-22", exp("1700100000")),
        note("ATK-22", exp("1700000200.5")),
        error("ATK-22", claims_with("\"iat\":1699999900", "\"iat\":1700000031")),
        error("ATK-22", claims_and("\"nbf\":1700000031")),
        error("ATK-22", claims_and("\"nbf\":1700000300")),
        warning("AT-2.2.1", claims_with("\"auth_time\":1699990000", "\"auth_time\":1699999999")),
    ]);
    let long = at(&exp("1700100000"));
    assert!(long.findings.iter().any(|finding| finding.message.contains("a password in disguise")));
    assert!(!at(&claims_with("\"iat\":1699999900", "\"iat\":1700000030")).has_errors());
}

#[test]
fn identities_and_scope() {
    let aud = |aud: &str| claims_with("\"aud\":\"web\"", &format!("\"aud\":{aud}"));
    let sub = |sub: &str| claims_with(&format!("\"sub\":\"{ID}\""), &format!("\"sub\":{sub}"));
    let iss = |iss: &str| claims_with("\"https://app.example\"", iss);
    let scope = |scope: &str| claims_and(&format!("\"scope\":{scope}"));
    for wrong in [r#"["web","other"]"#, "[]", "[1]", "{}", "\"\"", "\" web\"", "\"*\"", "null"] {
        expect(&[error("ATK-25", aud(wrong))]);
    }
    for wrong in ["1", "[]", "{}", "\"\"", "null", "\" a\""] {
        expect(&[error("ATK-26", sub(wrong))]);
    }
    for wrong in [r#"["admin"]"#, r#""a\tb""#, r#""a  b""#, r#"" a""#, r#""""#, r#""a\"b""#] {
        expect(&[error("ATK-27", scope(wrong))]);
    }
    expect(&[
        note("ATK-25", aud(r#"["web"]"#)),
        error("ATK-26", iss("1")),
        warning("ATK-26", iss("\"http://app.example\"")),
        warning("ATK-26", iss("\"https://APP.example\"")),
        note("ATK-26", iss("\"https://app.example/\"")),
        error("MD-1", iss("\"https://app.example/?x\"")),
        note("SEC-4.15", sub("\"web\"")),
        warning("T1", sub("\"user-1\"")),
        warning("ATK-27", scope("\"a a\"")),
        warning("ATK-27", scope("\"a,b\"")),
        warning("ATK-27", scope("\"*\"")),
        warning("T1", claims_with(&format!(",\"sid\":\"{ID}\""), "")),
        warning("T1", claims_with("[\"pwd\"]", "\"pwd\"")),
        note("TEX-3", claims_and(r#""act":{"sub":"svc"}"#)),
        warning("TEX-3", claims_and(r#""act":{"sub":"svc","act":{"sub":"svc2"}}"#)),
    ]);
}

#[test]
fn confirmation() {
    let jkt = base64url_encode(&[1; 32]);
    let bound = at(&claims_and(&format!(r#""cnf":{{"jkt":"{jkt}"}}"#)));
    assert!(!bound.has_errors() && found(&bound, Severity::Note, "DPOP-7b"), "{:#?}", bound.findings);
    assert!(
        bound.parts[1].members.iter().any(|member| member.name == "cnf.jkt" && member.source.starts_with("RFC 9449"))
    );
    expect(&[
        error("CNF-3", claims_and(&format!(r#""cnf":{{"jkt":"{jkt}","kid":"k"}}"#))),
        error("CNF-3", claims_and(r#""cnf":{"magic":1}"#)),
        error("CNF-3", claims_and(r#""cnf":"x""#)),
        error("CNF-3", claims_and(r#""cnf":{"jkt":"short"}"#)),
    ]);
}

#[test]
fn personal_data_and_secrets() {
    for member in [
        r#""email":"a@b.example""#,
        r#""name":"Ada""#,
        r#""phone":"1""#,
        r#""firstName":"Ada""#,
        r#""contact":"Ada <a@b.example>""#,
        r#""x":{"y":["a@b.example"]}"#,
        r#""x":"+49 30 1234567""#,
        r#""x":"192.0.2.1""#,
    ] {
        expect(&[error("T2", claims_and(member))]);
    }
    for member in [r#""password":"hunter2""#, r#""rt":"cfr_AAAAAAAA""#] {
        expect(&[error("S6", claims_and(member))]);
    }
}

#[test]
fn encrypted_tokens() {
    let jwe = |header: &str, key: usize, iv: usize, tag: usize| {
        let part = |length: usize| base64url_encode(&vec![7; length]);
        format!("{}.{}.{}.{}.{}", base64url_encode(header.as_bytes()), part(key), part(iv), part(40), part(tag))
    };
    let sound = jwe(r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"k"}"#, 0, 12, 16);
    assert_eq!(at(&sound).kind, Kind::Jwe);
    assert!(!at(&sound).has_errors(), "{:#?}", at(&sound).findings);
    let zero = base64url_encode(&[0; 32]);
    expect(&[
        warning("ATK-19", sound),
        warning("JWT-5.2", jwe(r#"{"alg":"dir","enc":"A256GCM"}"#, 0, 12, 16)),
        error("JWE-5.2", jwe(r#"{"alg":"dir","enc":"A256GCM"}"#, 1, 12, 16)),
        error("JWE-5.2", jwe(r#"{"alg":"A256KW","enc":"A256GCM"}"#, 0, 12, 16)),
        error("ATK-20", jwe(r#"{"alg":"dir","enc":"A256GCM"}"#, 0, 12, 12)),
        error("ATK-20", jwe(r#"{"alg":"dir","enc":"A128CBC-HS256"}"#, 0, 12, 16)),
        error("ATK-20", jwe(r#"{"alg":"RSA1_5","enc":"A256GCM"}"#, 256, 12, 16)),
        error("ATK-20", jwe(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#, 0, 12, 16)),
        error(
            "ATK-20",
            jwe(
                &format!(r#"{{"alg":"ECDH-ES","enc":"A256GCM","epk":{{"kty":"OKP","crv":"X25519","x":"{zero}"}}}}"#),
                0,
                12,
                16,
            ),
        ),
        error(
            "ATK-20",
            jwe(r#"{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA"}}"#, 0, 12, 16),
        ),
        error("JWT-BCP-3.13", jwe(r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2000000000}"#, 24, 12, 16)),
        error("ATK-01", jwe(r#"{"enc":"A256GCM"}"#, 0, 12, 16)),
        error("JWT-BCP-3.1b", jwe(r#"{"alg":"dir","enc":"ROT13"}"#, 0, 12, 16)),
    ]);
}

#[test]
fn paseto() {
    let claims = format!(
        r#"{{"iss":"https://app.example","sub":"{ID}","aud":"web","client_id":"web","iat":"2023-11-14T22:11:40Z","exp":"2023-11-14T22:16:40Z","jti":"{ID}","sid":"{ID}","auth_time":"2023-11-14T19:26:40Z","acr":"aal1","amr":["pwd"]}}"#
    );
    let footer = |text: &str| base64url_encode(text.as_bytes());
    let named = footer(&format!(r#"{{"kid":"k4.pid.{}"}}"#, base64url_encode(&[1; 33])));
    let body = |claims: &str| base64url_encode(&[claims.as_bytes(), &SIGNATURE[..]].concat());
    let public = |claims: &str| format!("v4.public.{}.{named}", body(claims));
    let sound = at(&public(&claims));
    assert_eq!((sound.kind, sound.findings.len()), (Kind::PasetoV4Public, 1), "{:#?}", sound.findings);
    assert!(!sound.has_errors());
    let bare = format!("v4.public.{}", body(&claims));
    expect(&[
        error("ATK-38", public(&claims.replace("\"2023-11-14T22:16:40Z\"", "1700000200"))),
        error("PAS-5", public(&claims.replace("22:16:40Z", "22:16:40z"))),
        error("PAS-5", public(&claims.replace("2023-11-14T22:16:40Z", "tomorrow"))),
        error("ATK-22", public(&claims.replace("22:16:40Z", "22:13:20Z"))),
        error("ATK-22", public(&claims.replace("22:16:40Z", "23:59:59Z"))),
        error("PAS-4", public("[1]")),
        error("ATK-13", public(&claims.replacen('{', r#"{"iss":"x","#, 1))),
        error("PAS-3", "v4.public.AAAA"),
        error("PAS-3", "v4.local.AAAA"),
        warning("ATK-38", format!("v4.local.{}", base64url_encode(&[7; 80]))),
        error("ATK-38", "v2.local.AAAA"),
        error("ATK-38", "V4.public.AAAA"),
        warning("PAS-7", bare.as_str()),
        error("PAS-7", format!("{bare}.{}", footer(r#"{"kid":"k4.secret.AAAA"}"#))),
        error("PAS-7", format!("{bare}.{}", footer("k4.local.AAAA"))),
        error("PAS-7", format!("{bare}.{}", footer(r#"{"kid":"k3.pid.AAAA"}"#))),
        error("PAS-6", format!("{bare}.{}", footer(&format!(r#"{{"x":"{}"}}"#, "a".repeat(600))))),
        error("PAS-7", "k4.secret.AAAA"),
    ]);
}

#[test]
fn opaque_tokens() {
    let refresh = |length: usize| format!("cfr_{}", base64url_encode(&vec![7; length]));
    let report = at(&refresh(62));
    assert_eq!((report.kind, report.has_errors()), (Kind::RefreshToken, false));
    assert!(report.parts[0].members.iter().any(|line| line.name == "generation" && line.value == "117901063"));
    assert_eq!(at(&format!("cfs_{}", base64url_encode(&[7; 50]))).kind, Kind::SessionToken);
    expect(&[
        warning("S6", refresh(62)),
        error("ATK-18", refresh(61)),
        error("ATK-17", format!("{}=", refresh(62))),
        error("ATK-18", refresh(62).replace("cfr", "CFR")),
    ]);
    assert_eq!(at("cfi_AAAA").kind, Kind::OtherOpaque);
    assert_eq!(at("cfa_AAAA").kind, Kind::OtherOpaque);
}

/// Runs of 8 characters of `secret` must not stand anywhere in the report.
fn shows(report: &Report, secret: &str) -> bool {
    let everything = format!("{report:?}");
    secret.as_bytes().windows(8).any(|run| everything.contains(&*String::from_utf8_lossy(run)))
}

#[test]
fn s6_no_signature_and_no_opaque_token_is_repeated() {
    let signature = base64url_encode(&(100..164).collect::<Vec<u8>>());
    let sound = with_header(HEADER);
    let (start, _) = sound.rsplit_once('.').expect("three parts");
    let body = base64url_encode(&(50..112).collect::<Vec<u8>>());
    for (text, secret) in [
        (format!("{start}.{signature}"), &signature),
        (format!("{start}.{signature}.{signature}"), &signature),
        (format!("Bearer {start}.{signature}"), &signature),
        (format!("{signature}.{signature}.{signature}"), &signature),
        (format!(r#"{{"payload":"e30","signature":"{signature}"}}"#), &signature),
        (format!("cfr_{body}"), &body),
        (format!("CFR_{body}"), &body),
        (format!("cfi_{body}"), &body),
        (format!("cfa_{body}"), &body),
        (claims_and(&format!(r#""x":"cfr_{body}""#)), &body),
        (claims_and(&format!(r#""cfr_{body}":1"#)), &body),
        (header_and(&format!(r#""jwk":{{"kty":"OKP","d":"{body}"}}"#)), &body),
        (claims_and(&format!(r#""x":{{"password":"{body}"}}"#)), &body),
        (format!("v4.public.{body}"), &body),
        (format!("k4.secret.{body}"), &body),
        (body.clone(), &body),
    ] {
        let report = at(&text);
        assert!(!shows(&report, secret), "{text}: {report:#?}");
    }
}

#[test]
fn hostile_text_is_escaped() {
    let report = at(&claims_and("\"x\\u001b[2J\":\"\\u001b]0;title\\u0007\u{202e}\""));
    let everything = serde_json::to_string(&report).expect("serialises");
    let odd = |c: char| c.is_control() || c == '\u{202e}';
    let texts = report.parts.iter().flat_map(|part| &part.members).flat_map(|m| [&m.name, &m.value]);
    assert!(!texts.into_iter().chain(report.findings.iter().map(|f| &f.message)).any(|text| text.contains(odd)));
    assert!(everything.contains("\\\\u{1b}"));
}

#[test]
fn errors_come_first() {
    let report = at(&with_header(r#"{"alg":"none"}"#));
    assert!(report.findings.is_sorted_by_key(|finding| finding.severity) && report.has_errors());
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), now: i64) {
        let _ = inspect(&text, Timestamp::from_seconds(now));
    }

    #[test]
    fn no_token_like_text_panics(text in "(cfr_|cfs_|v4\\.public\\.|k4\\.|eyJ|\\{|Bearer )?[A-Za-z0-9_=+/. \u{e9}-]{0,300}") {
        let _ = at(&text);
    }

    #[test]
    fn no_bytes_in_a_part_panic(header: Vec<u8>, payload: Vec<u8>) {
        let _ = at(&token(&header, &payload));
        let _ = at(&token(HEADER.as_bytes(), &payload));
    }

    #[test]
    fn no_json_like_claims_panic(
        name in "exp|iat|nbf|aud|sub|iss|cnf|act|scope|amr|kid|alg|crit|jwk|epk|typ|p2c",
        value in "[\\[\\]{}:,\"0-9eE+. a-z\\\\u-]{0,60}",
        now: i64,
    ) {
        let member = format!("{{\"{name}\":{value}}}");
        let _ = inspect(&token(HEADER.as_bytes(), member.as_bytes()), Timestamp::from_seconds(now));
        let _ = inspect(&token(member.as_bytes(), claims().as_bytes()), Timestamp::from_seconds(now));
        let part = base64url_encode(member.as_bytes());
        let _ = inspect(&format!("{part}.AA.AA.AA.AA"), Timestamp::from_seconds(now));
    }

    #[test]
    fn a_time_of_any_size_is_survived(exp: i64, iat: i64, nbf: i64, now: i64) {
        let claims = format!(r#"{{"exp":{exp},"iat":{iat},"nbf":{nbf}}}"#);
        let _ = inspect(&with_payload(&claims), Timestamp::from_millis(now));
    }
}

#[test]
fn atk21_work_is_bounded() {
    let room = MAX_INPUT / 4 * 3 - 600;
    let filled = |piece: &str| claims_and(&format!("\"x\":[{}0]", piece.repeat(room / piece.len() - 2)));
    let twins: String = (0..room / 6).map(|_| "\"a\":0,").collect();
    for text in [
        ".".repeat(MAX_INPUT),
        "{".repeat(MAX_INPUT),
        "=".repeat(MAX_INPUT),
        "eyJ".repeat(MAX_INPUT / 3),
        filled("0,"),
        filled("[],"),
        filled("\"\u{430}a\","),
        filled("{\"\u{430}\":\"a@b.c\"},"),
        filled("\"eyJ\","),
        with_payload(&format!("{{{}\"z\":0}}", members(room / 11))),
        with_payload(&format!("{{{twins}\"z\":0}}")),
    ] {
        assert!(text.len() <= MAX_INPUT, "{}", text.len());
        let report = at(&text);
        assert!(report.findings.len() > 1 && report.findings.len() <= 101, "{:#?}", report.findings);
        // However much stands in the token, what is said about it stays readable.
        let lines: usize = report.parts.iter().map(|part| part.members.len()).sum();
        let longest = report.parts.iter().flat_map(|part| &part.members).map(|line| line.value.len()).max();
        assert!(lines <= 210 && longest.unwrap_or(0) < 2000, "{lines} lines, the longest {longest:?}");
    }
}
