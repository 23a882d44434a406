//! What making and verifying an access token cost beside the bare signature, for each format. All in this process, in turns.

use std::hint::black_box;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::agreement::{PrivateKey, X25519};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use counterfoil_core::issue::{Confidential, Format, MintPolicy, Statement, mint};
use counterfoil_core::keys::paserk::public_id;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::session::{Assurance, Binding, Handle, Session};
use counterfoil_core::user::{Email, User};
use counterfoil_core::{Jti, Secret, Sid, Timestamp, UserId};
use counterfoil_guard::{Algorithm, DecryptionKey, EncryptionKey, KeySet, Verifier, VerifyingKey, base64url_encode};
use std::time::Duration;

use super::Bench;
use super::guard::Loop;
use crate::report::{Reach, Row};
use crate::turns::alternate;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn key(algorithm: Algorithm) -> Result<SigningKey> {
    let private = match algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => vec![7; 32],
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| anyhow!("a key"))?;
            pair.to_pkcs8v1().map_err(|_| anyhow!("a document"))?.as_ref().to_vec()
        }
    };
    SigningKey::new(algorithm, &Secret::new(private)).context("a key")
}

fn session(user: UserId) -> Session {
    Session {
        sid: Sid::from_bytes([2; 16]),
        handle: Handle::from_bytes([3; 16]),
        user,
        application: "web".into(),
        profile: Profile::Cookie,
        persistent: true,
        created_at: NOW,
        auth_time: NOW,
        last_seen_at: NOW,
        idle: Duration::from_hours(24),
        expires_at: NOW.plus(Duration::from_hours(24)),
        acr: Assurance::Aal1,
        amr: vec!["pwd".into()],
        device: String::new(),
        network: String::new(),
        ended: None,
        binding: Binding::None,
        copy_refused_at: None,
        rotation: Rotation::first(NOW),
    }
}

/// An audience that has given a key: (what the authority holds, what its guards hold).
fn pair() -> Result<(EncryptionKey, DecryptionKey)> {
    let private = PrivateKey::from_private_key(&X25519, &[7; 32]).map_err(|_| anyhow!("a key"))?;
    let x = base64url_encode(private.compute_public_key().map_err(|_| anyhow!("its public half"))?.as_ref());
    let jwk = |more: &str| format!(r#"{{"kty":"OKP","crv":"X25519","kid":"e1","x":"{x}"{more}}}"#);
    let secret = jwk(&format!(r#","d":"{}""#, base64url_encode(&[7; 32])));
    let (public, secret) = (EncryptionKey::from_jwk(jwk("").as_bytes()), DecryptionKey::from_jwk(secret.as_bytes()));
    Ok((public.context("a public key")?, secret.context("a private key")?))
}

/// Every format: making against signing, verifying against verifying. What is encrypted is held against the same two, so that its
/// row says what hiding costs beyond signing.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let email = Email::parse("ada@example.com").context("an address")?;
    let id = UserId::from_bytes([1; 16]);
    let user = User { id, email, name: None, roles: Vec::new(), claims_version: 0, created_at: NOW, banned: None };
    let session = session(id);
    let said = Statement::of_session(&session, &user);
    let (encryption, decryption) = pair()?;
    let confidential = Some(Confidential { key: encryption, claims: Vec::new() });
    let mut rows = Vec::new();
    for (name, algorithm, format, confidential) in [
        ("JWT, EdDSA", Algorithm::EdDsa, Format::Jwt, None),
        ("JWT, ES256", Algorithm::Es256, Format::Jwt, None),
        ("PASETO v4.public", Algorithm::EdDsa, Format::Paseto, None),
        ("JWT in JWE, EdDSA, X25519", Algorithm::EdDsa, Format::Jwt, confidential),
    ] {
        let policy = MintPolicy {
            issuer: "https://app.example.com".into(),
            audience: "web".into(),
            format,
            lifetime: Duration::from_mins(5),
            budget: 2048,
            with_roles: false,
            with_status: false,
            confidential,
        };
        rows.extend(of_format(bench, name, &key(algorithm)?, (&policy, &said, &decryption)).await?);
    }
    Ok(rows)
}

async fn of_format(
    bench: &Bench<'_>,
    name: &str,
    key: &SigningKey,
    (policy, said, decryption): (&MintPolicy, &Statement<'_>, &DecryptionKey),
) -> Result<[Row; 2]> {
    let (slice, slices) = (bench.options.slice, bench.options.slices);
    let encrypted = policy.confidential.is_some();
    let make = || mint(key, policy, said, NOW, (Jti::from_bytes([4; 16]), 0, &mut || [9; 32]));
    let token = make()?.token;
    let signed = token.as_bytes();
    let mut ours = Loop { slice, work: || drop(black_box(make())) };
    let mut raw = Loop { slice, work: || drop(black_box(key.signature_over(signed))) };
    let mints = alternate("mint", slices, &mut ours, &mut raw).await?;
    let title = format!("an access token made ({name}, {} bytes), against its signature alone", token.len());
    let making = Row::comparison(title, "/s", &mints, (!encrypted).then_some(Reach::AtLeast(1.0 / 1.3)));
    let public = VerifyingKey::new(key.algorithm(), key.public()).context("a public key")?;
    let mut keys = KeySet::default();
    keys.insert(key.kid().clone(), public.clone());
    if let Some(id) = public_id(key.algorithm(), key.public()) {
        keys.name_in_paseto(key.kid(), id);
    }
    let verifier = Verifier::new(&policy.issuer, &policy.audience, keys).opening_with(decryption.clone());
    let signature = key.signature_over(signed);
    let mut ours = Loop { slice, work: || assert!(black_box(verifier.verify(&token, NOW)).is_ok()) };
    let mut raw = Loop { slice, work: || assert!(black_box(public.verifies(signed, &signature))) };
    let checks = alternate("verify", slices, &mut ours, &mut raw).await?;
    let title = format!("an access token verified ({name}), against its signature alone");
    let checking = Row::comparison(title, "/s", &checks, (!encrypted).then_some(Reach::AtLeast(1.0 / 1.10)));
    Ok([making, checking])
}
