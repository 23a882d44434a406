//! Proofs of possession (RFC 9449): a request shows that it comes from whoever holds the key a token is bound to. A proof counts for
//! one method and one address, for a minute, and once; what is said here is all but the last, which whoever asks must remember.

use crate::base64url;
use crate::json::{Object, present};
use crate::jwt::{MAX_TOKEN_BYTES, split};
use crate::key::{Algorithm, VerifyingKey};
use crate::time::{Timestamp, whole_seconds};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Duration;

/// How old a proof may be, and how long it must be remembered.
pub const PROOF_LIFE: Duration = Duration::from_mins(1);

/// How far its `iat` may lie in the future: clocks differ.
const LEEWAY_SECONDS: i64 = 10;

/// The longest `jti` that is taken (DPOP-4.3d).
const LONGEST_JTI: usize = 256;

/// Which key: the SHA-256 thumbprint of its JWK (RFC 7638).
pub type Thumbprint = [u8; 32];

/// What is wrong with a proof. The word is for the log and the client's developer; it holds nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadProof(pub &'static str);

/// A proof whose signature, method and address are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whose: the key that signed it.
    pub key: Thumbprint,
    /// Names it.
    pub jti: String,
    /// When it was made, by the client's clock.
    pub issued_at: i64,
    /// What the server had given the client to put in, if the client has put in anything.
    pub nonce: Option<String>,
    token_hash: Option<Vec<u8>>,
    address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    jwk: Object<Jwk>,
}

/// A public key: the members that say which, and those that would give it away.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    #[serde(default, deserialize_with = "present")]
    y: Option<String>,
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: f64,
    #[serde(default, deserialize_with = "present")]
    ath: Option<String>,
    #[serde(default, deserialize_with = "present")]
    nonce: Option<String>,
}

impl Proof {
    /// Reads the value of a `DPoP` header that came with `method` to `url` (DPOP-4.3a to c). The URL is the one under which clients
    /// know this server, never what stands in the request's own `Host`.
    pub fn read(proof: &str, method: &str, url: &str) -> Result<Self, BadProof> {
        if proof.len() > MAX_TOKEN_BYTES {
            return Err(BadProof("too large"));
        }
        let [header_part, claims_part, signature_part] = split(proof).map_err(|_| BadProof("not a JWT"))?;
        let decoded = |part: &str| base64url::decode(part).ok_or(BadProof("not base64url"));
        let header: Header = crate::json::parse_object(&decoded(header_part)?).ok_or(BadProof("header"))?;
        if !header.typ.eq_ignore_ascii_case("dpop+jwt") && !header.typ.eq_ignore_ascii_case("application/dpop+jwt") {
            return Err(BadProof("typ"));
        }
        let algorithm = Algorithm::from_name(&header.alg).ok_or(BadProof("alg"))?;
        let key = header.jwk.0.public(algorithm).ok_or(BadProof("jwk"))?;
        let signed = &proof.as_bytes()[..header_part.len() + 1 + claims_part.len()];
        if !key.verifies(signed, &decoded(signature_part)?) {
            return Err(BadProof("signature"));
        }
        let claims: Claims = crate::json::parse_object(&decoded(claims_part)?).ok_or(BadProof("claims"))?;
        if claims.htm != method {
            return Err(BadProof("htm"));
        }
        let address = normal(url).ok_or(BadProof("htu"))?;
        if normal(&claims.htu).as_deref() != Some(&address) {
            return Err(BadProof("htu"));
        }
        if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
            return Err(BadProof("jti"));
        }
        let token_hash = claims.ath.map(|ath| base64url::decode(&ath).ok_or(BadProof("ath"))).transpose()?;
        Ok(Self {
            key: key.thumbprint(),
            jti: claims.jti,
            issued_at: whole_seconds(claims.iat).ok_or(BadProof("iat"))?,
            nonce: claims.nonce,
            token_hash,
            address,
        })
    }

    /// Whether it was made a moment ago (DPOP-4.3d). Where a nonce of the server's says when, that says it better.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let now = now.as_seconds();
        let oldest = now.saturating_sub(PROOF_LIFE.as_secs().cast_signed());
        (oldest..=now.saturating_add(LEEWAY_SECONDS)).contains(&self.issued_at)
    }

    /// Whether it was made for this access token (`ath`; DPOP-7a).
    pub fn is_for(&self, token: &str) -> bool {
        let expected = digest(&SHA256, token.as_bytes());
        self.token_hash.as_ref().is_some_and(|hash| verify_slices_are_equal(hash, expected.as_ref()).is_ok())
    }

    /// What must not come a second time: this key's proof of this name for this address.
    pub fn once(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for part in [b"dpop".as_slice(), &self.key, self.address.as_bytes(), self.jti.as_bytes()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

impl Jwk {
    fn public(&self, algorithm: Algorithm) -> Option<VerifyingKey> {
        let fits = (self.kty.as_str(), self.crv.as_str()) == algorithm.key_type();
        if !fits || self.d.is_some() || self.k.is_some() {
            return None;
        }
        let x = base64url::decode(&self.x)?;
        match &self.y {
            Some(y) if algorithm == Algorithm::Es256 => VerifyingKey::p256(&x, &base64url::decode(y)?),
            None if algorithm.is_ed25519() => VerifyingKey::new(algorithm, &x),
            _ => None,
        }
    }
}

/// A URL as it is compared: scheme and host in lower case, without its scheme's own port, query and fragment (RFC 3986 section 6.2).
/// `None` for what is no http URL, or names a user.
fn normal(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(port).unwrap_or(&host);
    if host.is_empty() || host.contains('@') {
        return None;
    }
    Some(format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::{BadProof, Proof, normal};
    use crate::base64url;
    use crate::jwt::encode_signing_input;
    use crate::time::Timestamp;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use serde_json::{Value, json};

    const URL: &str = "https://api.example.com/things";

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key")
    }

    fn jwk() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(pair().public_key().as_ref()) })
    }

    fn signed(header: &str, claims: &str) -> String {
        let input = encode_signing_input(header, claims.as_bytes());
        format!("{input}.{}", base64url::encode(pair().sign(input.as_bytes()).as_ref()))
    }

    fn read(header: &Value, claims: &Value) -> Result<Proof, BadProof> {
        Proof::read(&signed(&header.to_string(), &claims.to_string()), "GET", URL)
    }

    fn good() -> (Value, Value) {
        let header = json!({ "alg": "EdDSA", "typ": "dpop+jwt", "jwk": jwk() });
        let token_hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"token");
        let ath = base64url::encode(token_hash.as_ref());
        (header, json!({ "jti": "1", "htm": "GET", "htu": URL, "iat": 1000, "ath": ath }))
    }

    #[test]
    fn dpop_4_3_a_proof_counts_for_its_method_its_address_its_token_and_its_minute() {
        let (header, claims) = good();
        let proof = read(&header, &claims).expect("a good one");
        assert!(proof.is_for("token") && !proof.is_for("Token"));
        for (now, fresh) in [(989, false), (990, true), (1060, true), (1061, false)] {
            assert_eq!(proof.is_fresh(Timestamp::from_seconds(now)), fresh, "{now}");
        }
        let mut same = claims.clone();
        same["htu"] = json!("HTTPS://API.example.com:443/things?a=b#c");
        assert_eq!(
            read(&header, &same).map(|proof| proof.once()),
            Ok(proof.once()),
            "the same address, spelt otherwise"
        );
        for (name, value) in [("jti", json!("2")), ("nonce", json!("n"))] {
            let mut other = claims.clone();
            other[name] = value;
            assert_eq!(read(&header, &other).expect("good").once() == proof.once(), name == "nonce");
        }
    }

    #[test]
    fn atk36_whatever_is_changed_is_refused() {
        let (header, claims) = good();
        for (name, value) in [
            ("typ", json!("jwt")),
            ("typ", json!("at+jwt")),
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", json!("ES256")),
            ("kid", json!("k1")),
            ("crit", json!(["exp"])),
            ("jwk", json!({})),
        ] {
            let mut changed = header.clone();
            changed[name] = value;
            assert!(read(&changed, &claims).is_err(), "{name}");
        }
        for (name, value) in
            [("d", json!("AAAA")), ("k", json!("AAAA")), ("y", json!("AAAA")), ("crv", json!("X25519"))]
        {
            let mut changed = header.clone();
            changed["jwk"][name] = value;
            assert_eq!(read(&changed, &claims), Err(BadProof("jwk")), "{name}");
        }
        for (name, value) in [
            ("htm", json!("get")),
            ("htm", json!("POST")),
            ("htu", json!("http://api.example.com/things")),
            ("htu", json!("https://api.example.com.evil.example/things")),
            ("htu", json!("https://api.example.com:8443/things")),
            ("htu", json!("https://user@api.example.com/things")),
            ("htu", json!("https://api.example.com/things/")),
            ("htu", json!("https://api.example.com/Things")),
            ("jti", json!("")),
            ("jti", json!("x".repeat(257))),
            ("jti", json!(1)),
            ("iat", json!("1000")),
            ("iat", json!(-1)),
            ("iat", json!(1e300)),
            ("ath", json!("=")),
        ] {
            let mut changed = claims.clone();
            changed[name] = value;
            assert!(read(&header, &changed).is_err(), "{name}");
            let mut absent = claims.clone();
            absent.as_object_mut().expect("claims").remove(name);
            assert_eq!(read(&header, &absent).is_ok(), name == "ath", "{name} absent");
        }
        let (_, claims) = good();
        let twice = claims.to_string().replacen('{', r#"{"htm":"POST","#, 1);
        assert!(Proof::read(&signed(&header.to_string(), &twice), "GET", URL).is_err());
        let token = signed(&header.to_string(), &claims.to_string());
        assert!(Proof::read(&token[..token.len() - 2], "GET", URL).is_err());
        assert_eq!(Proof::read(&"a".repeat(5000), "GET", URL), Err(BadProof("too large")));
    }

    #[test]
    fn dpop_4_3c_addresses_are_compared_as_they_are_read() {
        assert_eq!(normal("https://A.example").as_deref(), Some("https://a.example/"));
        assert_eq!(normal("http://a.example:80/x?y").as_deref(), Some("http://a.example/x"));
        assert_eq!(normal("http://a.example:443/").as_deref(), Some("http://a.example:443/"));
        for bad in ["", "a.example", "ftp://a.example", "https://", "https:///x", "https://u@h/"] {
            assert_eq!(normal(bad), None, "{bad}");
        }
    }
}
