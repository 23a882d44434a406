//! What verifying costs in an API: the guard against the signature primitive alone. Both run in this process, in turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use counterfoil_guard::{
    Answer, Clocks, Cursor, Entry, Flat, Guard, Instance, Jti, KeySet, LogId, Sid, Target, Tick, Timestamp, Verifier,
    base64url_encode, encode_signing_input,
};

use super::Bench;
use crate::cpu::Usage;
use crate::report::{Reach, Row};
use crate::turns::{Side, Turn, alternate};

const ISSUER: &str = "https://app.example.com";
const NOW: i64 = 1_800_000_000;
const TOKENS: usize = 1000;
/// So many that each is forgotten before it comes again: the guard remembers 16,384 at the most.
const COLD: usize = 40_000;
const MANY: u128 = 1_000_000;
/// Between two looks at the clock.
const BATCH: u64 = 16;

/// A loop over something, as a side of a comparison.
pub(super) struct Loop<F> {
    pub(super) slice: Duration,
    pub(super) work: F,
}

impl<F: FnMut()> Side for Loop<F> {
    async fn take_turn(&mut self) -> Result<Turn> {
        let (start, mut done) = (Instant::now(), 0_u64);
        while start.elapsed() < self.slice {
            for _ in 0..BATCH {
                (self.work)();
            }
            done += BATCH;
        }
        let value = crate::stats::float(done) / start.elapsed().as_secs_f64();
        let usage = Usage { server: 1.0, load: 0.0, others: 0.0 };
        Ok(Turn { value, usage, refused: 0, complaint: None })
    }
}

/// A key, and tokens that it has signed.
struct Issued {
    pair: Ed25519KeyPair,
    tokens: Vec<String>,
}

impl Issued {
    fn new() -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).map_err(|_| anyhow!("a seed"))?;
        let token = |n: usize| {
            let id = u128::try_from(n).unwrap_or_default().to_be_bytes();
            let payload = serde_json::json!({
                "iss": ISSUER, "sub": Sid::from_bytes(id), "aud": "web", "client_id": "web", "iat": NOW, "exp": NOW + 300,
                "jti": Jti::from_bytes(id), "sid": Sid::from_bytes(id), "auth_time": NOW, "acr": "aal1", "amr": ["pwd"],
            });
            let header = r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#;
            let signed = encode_signing_input(header, payload.to_string().as_bytes());
            let signature = base64url_encode(pair.sign(signed.as_bytes()).as_ref());
            format!("{signed}.{signature}")
        };
        let tokens = (1..=COLD).map(token).collect();
        Ok(Self { pair, tokens })
    }

    /// A guard that has heard from its authority that this many other sessions have ended.
    fn guard(&self, revoked: u128) -> Result<Guard> {
        let x = base64url_encode(self.pair.public_key().as_ref());
        let jwks =
            serde_json::json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k1", "x": x }] });
        let keys = KeySet::from_jwks(jwks.to_string().as_bytes()).map_err(|error| anyhow!("{error:?}"))?;
        let instance = Instance::from_bytes([1; 16]);
        let guard = Guard::new(Verifier::new(ISSUER, "web", keys), instance);
        let mut answer = Answer {
            instance,
            nonce: "n".into(),
            cursor: Cursor { log: LogId::from_bytes([2; 16]), seq: 1, hash: 1 },
            snapshot: true,
            held_ms: 0,
            now: NOW * 1000,
            max_staleness_ms: 300_000,
            margin_ms: 50,
            keys_etag: String::new(),
            sessions: Flat::default(),
            tokens: Flat::default(),
            stale: Flat::default(),
            keys: Vec::new(),
        };
        let until = Timestamp::from_seconds(NOW + 960);
        for n in 1..=revoked {
            let what = Target::Session(Sid::from_bytes((u128::MAX - n).to_be_bytes()));
            answer.push(&Entry { seq: 1, until, what });
        }
        guard.poll("n".into(), clocks());
        guard.receive(&answer, clocks()).map_err(|ignored| anyhow!("{ignored:?}"))?;
        Ok(guard)
    }
}

fn clocks() -> Clocks {
    Clocks { boot: Tick::from_millis(0), wall: Timestamp::from_seconds(NOW) }
}

/// Cold, and cached with an empty and with a large index.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let issued = Issued::new()?;
    let public = ParsedPublicKey::new(&ED25519, issued.pair.public_key().as_ref())?;
    let signatures: Vec<(String, Vec<u8>)> = issued.tokens.iter().map(|token| parts(token)).collect::<Result<_>>()?;
    let slice = bench.options.slice;
    let mut rows = Vec::new();
    let raw = || {
        let mut at = 0;
        let (public, signatures) = (&public, &signatures);
        let work = move || {
            let (message, signature) = &signatures[at];
            at = (at + 1) % COLD;
            assert!(black_box(public.verify_sig(message.as_bytes(), signature)).is_ok());
        };
        Loop { slice, work }
    };
    let guard = issued.guard(0)?;
    let mut cold = Loop { slice, work: each(&issued.tokens, |token| guard.verify(token, clocks()).is_ok()) };
    let comparison = alternate("guard, cold", bench.options.slices, &mut cold, &mut raw()).await?;
    let title = "guard, every token for the first time, against raw Ed25519 verification";
    rows.push(Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(1.0 / 1.10))));
    for (revoked, words) in [(0, "an empty index"), (MANY, "a million entries in the index")] {
        let guard = issued.guard(revoked)?;
        let mut cached =
            Loop { slice, work: each(&issued.tokens[..TOKENS], |token| guard.verify(token, clocks()).is_ok()) };
        let comparison = alternate("guard, cached", bench.options.slices, &mut cached, &mut raw()).await?;
        let title = format!("guard, token seen before, {words}, against raw Ed25519 verification");
        rows.push(Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(100.0))));
    }
    Ok(rows)
}

/// One token after the other; each must be believed.
fn each(tokens: &[String], believed: impl Fn(&str) -> bool) -> impl FnMut() {
    let mut at = 0;
    move || {
        assert!(black_box(believed(&tokens[at])));
        at = (at + 1) % tokens.len();
    }
}

fn parts(token: &str) -> Result<(String, Vec<u8>)> {
    let (message, signature) = token.rsplit_once('.').context("a token")?;
    let signature = counterfoil_guard::base64url_decode(signature).context("a signature")?;
    Ok((message.to_owned(), signature))
}
