//! What making and verifying an access token cost beside the bare signature, for each algorithm. All in this process, in turns.

use std::hint::black_box;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use counterfoil_core::issue::{Format, MintPolicy, Statement, mint};
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::session::{Assurance, Handle, Session};
use counterfoil_core::user::{Email, User};
use counterfoil_core::{Jti, Secret, Sid, Timestamp, UserId};
use counterfoil_guard::{Algorithm, KeySet, Verifier, VerifyingKey};
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
        bound_to: None,
        rotation: Rotation::first(NOW),
    }
}

/// Both algorithms: making against signing, verifying against verifying.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let slice = bench.options.slice;
    let email = Email::parse("ada@example.com").context("an address")?;
    let id = UserId::from_bytes([1; 16]);
    let user = User { id, email, name: None, roles: Vec::new(), claims_version: 0, created_at: NOW, banned: None };
    let session = session(id);
    let policy = MintPolicy {
        issuer: "https://app.example.com".into(),
        audience: "web".into(),
        format: Format::Jwt,
        lifetime: Duration::from_mins(5),
        budget: 640,
        with_roles: false,
        confidential: None,
    };
    let mut rows = Vec::new();
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let (key, name) = (key(algorithm)?, algorithm.name());
        let make = || {
            mint(
                &key,
                &policy,
                &Statement::of_session(&session, &user),
                NOW,
                (Jti::from_bytes([4; 16]), 0),
                &mut || [9; 32],
            )
        };
        let token = make()?.token;
        let (message, signature) = token.rsplit_once('.').context("a token")?;
        let signature = counterfoil_guard::base64url_decode(signature).context("a signature")?;
        let public = VerifyingKey::new(algorithm, key.public()).context("a public key")?;
        let mut ours = Loop { slice, work: || drop(black_box(make())) };
        let mut raw = Loop { slice, work: || drop(black_box(key.signature_over(message.as_bytes()))) };
        let minted = alternate("mint", bench.options.slices, &mut ours, &mut raw).await?;
        let title = format!("an access token made ({name}, {} bytes), against its signature alone", token.len());
        rows.push(Row::comparison(title, "/s", &minted, Some(Reach::AtLeast(1.0 / 1.3))));
        let mut keys = KeySet::default();
        keys.insert(key.kid().clone(), public.clone());
        let verifier = Verifier::new(&policy.issuer, &policy.audience, keys);
        let mut ours = Loop { slice, work: || assert!(black_box(verifier.verify(&token, NOW)).is_ok()) };
        let mut raw = Loop { slice, work: || assert!(black_box(public.verifies(message.as_bytes(), &signature))) };
        let checked = alternate("verify", bench.options.slices, &mut ours, &mut raw).await?;
        let title = format!("an access token verified ({name}), against its signature alone");
        rows.push(Row::comparison(title, "/s", &checked, Some(Reach::AtLeast(1.0 / 1.10))));
    }
    Ok(rows)
}
