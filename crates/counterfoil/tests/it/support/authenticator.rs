//! An authenticator of our own: makes passkeys and answers challenges as Web Authentication Level 3 says (sections 6.1, 6.5 and 5.8.1), or
//! nearly so, where a test wants to see that refused.

use super::test_app::ORIGIN;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use counterfoil_guard::{base64url_decode, base64url_encode};
use serde_json::{Value, json};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_KEY: u8 = 0x40;

/// A passkey, and what it says of itself.
pub(crate) struct Passkey {
    key: EcdsaKeyPair,
    pub(crate) id: Vec<u8>,
    user: String,
    pub(crate) counter: u32,
    pub(crate) synced: bool,
    pub(crate) verified: bool,
    pub(crate) origin: String,
    pub(crate) rp_id: String,
}

fn flag(on: bool, bit: u8) -> u8 {
    if on { bit } else { 0 }
}

impl Passkey {
    /// One for the account that `options` (of `…/start`) name.
    pub(crate) fn make(options: &Value) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let user = options["publicKey"]["user"]["id"].as_str().unwrap().to_owned();
        Self {
            key,
            id: counterfoil::clock::random::<20>().to_vec(),
            user,
            counter: 0,
            synced: true,
            verified: true,
            origin: ORIGIN.into(),
            rp_id: "app.example.com".into(),
        }
    }

    /// The same passkey twice: somebody has got the private key out.
    pub(crate) fn clone_of(other: &Self) -> Self {
        let pkcs8 = other.key.to_pkcs8v1().unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        let (id, user) = (other.id.clone(), other.user.clone());
        let (origin, rp_id) = (other.origin.clone(), other.rp_id.clone());
        Self { key, id, user, origin, rp_id, ..*other }
    }

    /// Says that it is another account's.
    pub(crate) fn claim(&mut self, user: &str) {
        user.clone_into(&mut self.user);
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn authenticator_data(&self, extra: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        let synced = flag(self.synced, BACKUP_ELIGIBLE | BACKED_UP);
        data.push(PRESENT | flag(self.verified, VERIFIED) | synced | extra);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `navigator.credentials.create()`, as JSON.
    pub(crate) fn attest(&self, options: &Value) -> Value {
        let mut data = self.authenticator_data(HAS_KEY);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        let point = self.key.public_key().as_ref();
        // COSE: kty EC2, alg ES256, crv P-256, x, y.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..]);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let client_data = self.client_data("webauthn.create", options);
        self.answer(&json!({
            "clientDataJSON": base64url_encode(&client_data),
            "attestationObject": base64url_encode(&object),
            "transports": ["internal"],
        }))
    }

    /// `navigator.credentials.get()`, as JSON.
    pub(crate) fn assert(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(0);
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.answer(&json!({
            "clientDataJSON": base64url_encode(&client_data),
            "authenticatorData": base64url_encode(&data),
            "signature": base64url_encode(signature.as_ref()),
            "userHandle": self.user,
        }))
    }

    fn answer(&self, response: &Value) -> Value {
        let id = base64url_encode(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": response,
        })
    }
}

/// The bytes of an answer's member, changed by `change`.
pub(crate) fn tampered(mut credential: Value, member: &str, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut bytes = base64url_decode(credential["response"][member].as_str().unwrap()).unwrap();
    change(&mut bytes);
    credential["response"][member] = base64url_encode(&bytes).into();
    credential
}
