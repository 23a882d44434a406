//! standards.md section 9 against `GET /api/auth/me`: tokens that only an attacker makes, some of them signed with the real
//! key, so that nothing but the check under test stands between them and acceptance. Each is refused with the stated code.

use crate::support::{Browser, TestApp};
use counterfoil_guard::{Algorithm, base64url_encode as b64};
use http::{Method, header};
use serde_json::{Map, Value, json};

struct Forge {
    app: TestApp,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    good: String,
}

impl Forge {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let good = app.signed_in().await.cookie("__Host-cf_access").unwrap();
        let part = |n: usize| -> Map<String, Value> {
            let bytes = counterfoil_guard::base64url_decode(good.split('.').nth(n).unwrap()).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        Self { header: part(0), claims: part(1), app, good }
    }

    /// Signs any header and payload text with the server's real key.
    fn sign(&self, header: &str, payload: &[u8]) -> String {
        let input = format!("{}.{}", b64(header.as_bytes()), b64(payload));
        format!("{input}.{}", b64(&self.app.app.keyring().signing(Algorithm::EdDsa).signature_over(input.as_bytes())))
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header.insert(name.into(), value);
        self.sign(&Value::from(header).to_string(), Value::from(self.claims.clone()).to_string().as_bytes())
    }

    fn without_header(&self, name: &str) -> String {
        let mut header = self.header.clone();
        header.remove(name);
        self.sign(&Value::from(header).to_string(), Value::from(self.claims.clone()).to_string().as_bytes())
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims.insert(name.into(), value);
        self.sign(&Value::from(self.header.clone()).to_string(), Value::from(claims).to_string().as_bytes())
    }

    fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.remove(name);
        self.sign(&Value::from(self.header.clone()).to_string(), Value::from(claims).to_string().as_bytes())
    }

    /// A payload that is spliced as text, for what a JSON library would not write.
    fn with_payload_text(&self, extra: &str) -> String {
        let payload = Value::from(self.claims.clone()).to_string();
        let spliced = format!("{},{extra}}}", payload.strip_suffix('}').unwrap());
        self.sign(&Value::from(self.header.clone()).to_string(), spliced.as_bytes())
    }

    fn with_header_text(&self, header: &str) -> String {
        self.sign(header, Value::from(self.claims.clone()).to_string().as_bytes())
    }

    async fn outcome(&self, token: &str) -> (u16, String) {
        let mut browser: Browser = self.app.browser();
        let mut request = browser.request(Method::GET, "/api/auth/me");
        let Ok(value) = format!("Bearer {token}").parse() else { return (401, "token_invalid".into()) };
        request.headers_mut().insert(header::AUTHORIZATION, value);
        browser.send(request).await.outcome()
    }

    async fn refuses(&self, id: &str, tokens: impl IntoIterator<Item = String>) {
        for token in tokens {
            assert_eq!(self.outcome(&token).await, (401, "token_invalid".into()), "{id}: {token}");
        }
        assert_eq!(self.outcome(&self.good).await.0, 200, "{id}: the good one is still good");
    }
}

#[tokio::test]
async fn the_forge_itself_makes_acceptable_tokens() {
    let forge = Forge::new().await;
    let resigned = forge.with_claim("acr", json!("aal1"));
    assert_eq!(forge.outcome(&resigned).await.0, 200, "so every refusal below is the check's own doing");
    assert_eq!(forge.outcome(&forge.with_claim("unknown", json!({"a": [1, {"b": null}]}))).await.0, 200);
    for typ in ["AT+JWT", "application/at+jwt"] {
        assert_eq!(forge.outcome(&forge.with_header("typ", json!(typ))).await.0, 200);
    }
}

#[tokio::test]
async fn atk01_02_no_algorithm_but_the_keys_own() {
    let forge = Forge::new().await;
    let values = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!("none "),
        json!(""),
        json!(null),
        json!(1),
        json!(["EdDSA"]),
        json!("HS256"),
        json!("RS256"),
        json!("ES256"),
        json!("Ed25519"),
        json!("eddsa"),
        json!("EdDSA "),
    ];
    forge.refuses("ATK-01", values.map(|alg| forge.with_header("alg", alg))).await;
    forge.refuses("ATK-01", [forge.without_header("alg")]).await;
    let unsigned = forge.with_header("alg", json!("none"));
    forge.refuses("ATK-01", [format!("{}.", unsigned.rsplit_once('.').unwrap().0)]).await;
    let hmac = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        forge.app.app.keyring().signing(Algorithm::EdDsa).public(),
    );
    let confused = forge.with_header("alg", json!("HS256"));
    let input = confused.rsplit_once('.').unwrap().0;
    let mac = b64(aws_lc_rs::hmac::sign(&hmac, input.as_bytes()).as_ref());
    forge.refuses("ATK-02", [format!("{input}.{mac}")]).await;
}

#[tokio::test]
async fn atk03_07_signatures_have_exactly_one_right_value() {
    let forge = Forge::new().await;
    let (input, signature) = forge.good.rsplit_once('.').unwrap();
    let raw = counterfoil_guard::base64url_decode(signature).unwrap();
    let with = |bytes: &[u8]| format!("{input}.{}", b64(bytes));
    // S + L is the same signature to a careless verifier (RFC 8032 section 5.1.7 asks for S < L).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut malleable = raw.clone();
    let mut carry = 0u16;
    for (byte, add) in malleable[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    let mut flipped = raw.clone();
    flipped[0] ^= 1;
    let tokens = [
        format!("{input}."),
        with(&[]),
        with(&raw[..63]),
        with(&[raw.clone(), vec![0]].concat()),
        with(&[0; 64]),
        with(&malleable),
        with(&flipped),
    ];
    forge.refuses("ATK-03/07", tokens).await;
}

#[tokio::test]
async fn atk08_09_12_headers_that_carry_or_point_to_keys_or_change_the_meaning() {
    let forge = Forge::new().await;
    let members = [
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"})),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("http://169.254.169.254/")),
        ("x5c", json!(["AA"])),
        ("x5t", json!("AA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!("b64")),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A256GCM")),
    ];
    forge.refuses("ATK-08/09/12", members.map(|(name, value)| forge.with_header(name, value))).await;
}

#[tokio::test]
async fn atk10_11_a_kid_is_looked_up_and_nothing_else() {
    let forge = Forge::new().await;
    let kids = [
        json!("../../dev/null"),
        json!("/proc/self/environ"),
        json!("' UNION SELECT 'k'--"),
        json!("|sleep 10"),
        json!(")(*"),
        json!("a\u{0}b"),
        json!("x".repeat(3000)),
        json!(1),
        json!(["a"]),
        json!({}),
        json!(""),
        json!("unknown"),
        json!(null),
    ];
    forge.refuses("ATK-10", kids.map(|kid| forge.with_header("kid", kid))).await;
    forge.refuses("ATK-10", [forge.without_header("kid")]).await;
    let other = Forge::new().await;
    forge.refuses("ATK-11", [other.good.clone()]).await;
}

#[tokio::test]
async fn atk13_14_15_duplicate_names_look_alikes_and_bad_bytes() {
    let forge = Forge::new().await;
    let spliced = [
        r#""sub":"AAAAAAAAAAAAAAAAAAAAAA""#,
        r#""\u0073ub":"AAAAAAAAAAAAAAAAAAAAAA""#,
        r#""x":1,"x":2"#,
        r#""n":{"a":1,"a":2}"#,
        r#""s":"\ud800""#,
    ];
    forge.refuses("ATK-13", spliced.map(|extra| forge.with_payload_text(extra))).await;
    let (kid, alg) = (&forge.header["kid"], "EdDSA");
    let headers = [
        format!(r#"{{"alg":"{alg}","alg":"none","kid":{kid},"typ":"at+jwt"}}"#),
        format!(r#"{{"\u0061lg":"none","alg":"{alg}","kid":{kid},"typ":"at+jwt"}}"#),
        format!("\u{feff}{{\"alg\":\"{alg}\",\"kid\":{kid},\"typ\":\"at+jwt\"}}"),
        format!(r#"[{{"alg":"{alg}"}}]"#),
        "{}".into(),
        String::new(),
    ];
    forge.refuses("ATK-13", headers.map(|header| forge.with_header_text(&header))).await;
    for look_alike in ["EXP", "exp ", "\u{435}\u{445}\u{440}"] {
        let mut claims = forge.claims.clone();
        let exp = claims.remove("exp").unwrap();
        claims.insert(look_alike.into(), exp);
        let token =
            forge.sign(&Value::from(forge.header.clone()).to_string(), Value::from(claims).to_string().as_bytes());
        forge.refuses("ATK-14", [token]).await;
    }
    let header = Value::from(forge.header.clone()).to_string();
    let payload = Value::from(forge.claims.clone()).to_string();
    let utf16: Vec<u8> = payload.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let overlong = payload.replace("\"acr\":\"aal1\"", "\"acr\":\"a\u{0}\"").into_bytes();
    let invalid = [payload.as_bytes(), b"\xff"].concat();
    let cut = payload.as_bytes()[..payload.len() - 1].to_vec();
    forge
        .refuses(
            "ATK-15",
            [utf16, invalid, cut, b"[]".to_vec(), b"null".to_vec(), b"\"x\"".to_vec()]
                .map(|bytes| forge.sign(&header, &bytes)),
        )
        .await;
    assert!(forge.outcome(&forge.sign(&header, &overlong)).await.0 == 401, "a raw NUL inside a JSON string");
}

#[tokio::test]
async fn atk17_18_one_token_has_one_spelling_and_one_shape() {
    let forge = Forge::new().await;
    let parts: Vec<&str> = forge.good.split('.').collect();
    let (h, p, s) = (parts[0], parts[1], parts[2]);
    let swap_last = |text: &str| {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = *text.as_bytes().last().unwrap();
        let index = alphabet.iter().position(|b| *b == last).unwrap();
        format!("{}{}", &text[..text.len() - 1], char::from(alphabet[index ^ 1]))
    };
    let tokens = vec![
        format!("{h}.{p}.{s}="),
        format!("{h}=.{p}.{s}"),
        format!("{h}.{p}.{}", swap_last(s)),
        format!("{h}.{p}.{s}A"),
        format!("{h}.{p}.{s}+"),
        format!("{h}.{p}.{s}/"),
        format!("{h}.{p}"),
        h.to_owned(),
        format!("{h}.{p}.{s}.{s}"),
        format!("{h}.{p}.{s}.{s}.{s}"),
        format!(".{h}.{p}.{s}"),
        format!("{h}.{p}.{s}."),
        format!("{h}..{s}"),
        format!(".{p}.{s}"),
        "..".to_owned(),
        format!("{{\"payload\":\"{p}\",\"protected\":\"{h}\",\"signature\":\"{s}\"}}"),
        format!("{h}.{p}.{s}\t"),
        format!("Bearer%20{h}.{p}.{s}"),
        format!("{h}.{p}?.{s}"),
    ];
    forge.refuses("ATK-17/18", tokens).await;
    forge.refuses("ATK-18", [format!("Bearer {}", forge.good)]).await;
}

#[tokio::test]
async fn atk19_20_encrypted_tokens_are_not_access_tokens() {
    let forge = Forge::new().await;
    let header = b64(br#"{"alg":"ECDH-ES","enc":"A256GCM","typ":"at+jwt","kid":"k"}"#);
    let bomb = b64(br#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2000000000}"#);
    forge.refuses("ATK-19/20", [format!("{header}..AAAA.AAAA.AAAA"), format!("{bomb}.AAAA.AAAA.AAAA.AAAA")]).await;
}

#[tokio::test]
async fn atk21_limits_come_before_work() {
    let forge = Forge::new().await;
    let deep = format!("\"x\":{}{}", "[".repeat(500), "]".repeat(500));
    let long_number = format!("\"x\":{}", "9".repeat(2000));
    forge
        .refuses(
            "ATK-21",
            [
                "a".repeat(9000),
                format!("{}.{}.{}", "a".repeat(3000), "b".repeat(1000), "c".repeat(100)),
                forge.with_payload_text(&deep),
            ],
        )
        .await;
    let outcome = forge.outcome(&forge.with_payload_text(&long_number)).await;
    assert!(outcome.0 == 401 || outcome.0 == 200, "an unknown claim with a long number is harmless: {outcome:?}");
}

#[tokio::test]
async fn atk22_times_are_numbers_in_their_bounds() {
    let forge = Forge::new().await;
    let now = 1_800_000_000_i64;
    let mut tokens: Vec<String> = ["exp", "iat", "auth_time"].iter().map(|claim| forge.without_claim(claim)).collect();
    for (claim, value) in [
        ("exp", json!("1800000100")),
        ("exp", json!(-1)),
        ("exp", json!((now + 300) * 1000)),
        ("exp", json!(now + 3600)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(null)),
        ("exp", json!([now])),
        ("exp", json!(true)),
        ("exp", json!(now - 1)),
        ("iat", json!(now + 31)),
        ("nbf", json!(now + 31)),
        ("nbf", json!("0")),
        ("iat", json!(-5)),
        ("iat", json!(now - 3600)),
    ] {
        tokens.push(forge.with_claim(claim, value));
    }
    tokens.push({
        let mut claims = Value::from(forge.claims.clone()).to_string();
        claims = claims.replace(&format!("\"exp\":{}", forge.claims["exp"]), "\"exp\":1e400");
        forge.sign(&Value::from(forge.header.clone()).to_string(), claims.as_bytes())
    });
    forge.refuses("ATK-22", tokens).await;
    for (claim, value) in [("nbf", json!(now + 30)), ("exp", json!(1_800_000_100.5))] {
        assert_eq!(forge.outcome(&forge.with_claim(claim, value)).await.0, 200, "{claim}");
    }
    forge.app.pass(1000);
    assert_eq!(forge.outcome(&forge.good).await, (401, "token_expired".into()));
}

#[tokio::test]
async fn atk23_24_only_access_tokens_are_access_tokens() {
    let forge = Forge::new().await;
    let types = [
        "JWT",
        "",
        "at+jwt ",
        "application/at+jwt;x=1",
        "id_token",
        "dpop+jwt",
        "dbsc+jwt",
        "secevent+jwt",
        "statuslist+jwt",
        "logout+jwt",
        "at",
        "x/at+jwt",
    ];
    forge.refuses("ATK-24", types.map(|typ| forge.with_header("typ", json!(typ)))).await;
    forge.refuses("ATK-24", [forge.without_header("typ"), forge.with_header("typ", json!(["at+jwt"]))]).await;
    forge
        .refuses("ATK-23", [forge.with_claim("events", json!({})), forge.with_claim("cnf", json!({"jkt": "x"}))])
        .await;
}

#[tokio::test]
async fn atk25_26_27_issuer_audience_and_subject_are_exact() {
    let forge = Forge::new().await;
    let audiences = [
        json!(["web", "other"]),
        json!("we"),
        json!("web/"),
        json!("Web"),
        json!(" web"),
        json!({}),
        json!([]),
        json!([1]),
        json!(null),
        json!(["web", "web"]),
    ];
    forge.refuses("ATK-25", audiences.map(|aud| forge.with_claim("aud", aud))).await;
    assert_eq!(forge.outcome(&forge.with_claim("aud", json!(["web"]))).await.0, 200);
    let subjects = [json!(1), json!([]), json!({}), json!(""), json!("admin"), json!(null)];
    forge.refuses("ATK-26", subjects.map(|sub| forge.with_claim("sub", sub))).await;
    let issuers = [
        "https://app.example.com/",
        "http://app.example.com",
        "https://app.example.com:443",
        "https://APP.example.com",
        "",
    ];
    forge.refuses("ATK-26", issuers.map(|iss| forge.with_claim("iss", json!(iss)))).await;
    forge
        .refuses(
            "ATK-26",
            ["iss", "sub", "aud", "client_id", "jti", "sid", "acr", "amr"].map(|claim| forge.without_claim(claim)),
        )
        .await;
    forge.refuses("ATK-27", [json!(["a"]), json!(1)].map(|scope| forge.with_claim("scope", scope))).await;
    forge.refuses("own application", [forge.with_claim("client_id", json!("other"))]).await;
}

#[tokio::test]
async fn t1_every_single_bit_of_a_token_counts() {
    let forge = Forge::new().await;
    let mut browser = forge.app.browser();
    for position in 0..forge.good.len() {
        let mut bytes = forge.good.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(bytes).unwrap();
        let mut request = browser.request(Method::GET, "/api/auth/me");
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        assert_eq!(browser.send(request).await.outcome(), (401, "token_invalid".into()), "{position}");
    }
}
