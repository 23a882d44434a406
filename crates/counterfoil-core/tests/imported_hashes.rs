//! Hashes that other systems have made: `vectors/password-hashes`.
#![expect(clippy::unwrap_used, reason = "tests")]

use counterfoil_core::Secret;
use counterfoil_core::credential::imported::{FirebaseProject, Imported, MAX_TEXT, NotTaken};
use counterfoil_core::credential::password::Password;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

fn password(text: &str) -> Password {
    Password::new(&Secret::new(text.to_owned())).unwrap()
}

fn vectors() -> Vec<Value> {
    let path = format!("{}/../../vectors/password-hashes/hashes.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn imported(vector: &Value) -> Imported {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let hash = text(&vector["hash"]);
    if vector["firebase"].is_null() {
        return Imported::parse(&hash).unwrap_or_else(|why| panic!("{hash}: {why}"));
    }
    let of = &vector["firebase"];
    let number = |name: &str| u32::try_from(of[name].as_u64().unwrap()).unwrap();
    let key = Secret::new(text(&of["signer_key"]));
    let project = FirebaseProject::new(&key, &text(&of["salt_separator"]), number("rounds"), number("mem_cost"));
    project.unwrap().hash(&hash, &text(&vector["salt"])).unwrap()
}

#[test]
fn import_knows_the_passwords_behind_published_hashes_and_no_others() {
    let mut kinds = BTreeSet::new();
    for vector in vectors() {
        let right = vector["password"].as_str().unwrap();
        let hash = imported(&vector);
        let text = hash.to_string();
        assert_eq!(Imported::parse(&text).as_ref(), Ok(&hash), "{text} reads back as the same");
        assert!(text.len() <= MAX_TEXT / 2, "{text}");
        assert!(hash.verify(&password(right)), "{right}: {text}");
        let mut wrong = right.to_owned();
        let first = wrong.remove(0);
        wrong.insert(0, if first == 'x' { 'y' } else { 'x' });
        assert!(!hash.verify(&password(&wrong)), "{wrong}: {text}");
        assert!(!hash.verify(&password("")), "{text}");
        kinds.insert(text.split('$').nth(1).unwrap().to_owned());
    }
    let all = [
        "2a",
        "2b",
        "2y",
        "argon2d",
        "argon2i",
        "argon2id",
        "firebase-scrypt",
        "pbkdf2-sha256",
        "pbkdf2-sha512",
        "scrypt",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn import_reads_hashes_as_they_are_written_elsewhere() {
    let bcrypt = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm";
    let argon2 = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
    let pbkdf2 = "$pbkdf2-sha256$i=29000,l=32$PIdwrhXiXKuVsvY+R2jN2Q$1akqp03PqZWqj5MmXq5R5pccvFrGwgTOl8KqYW9QTCg";
    for (written, read) in [
        (format!("bcrypt${bcrypt}"), bcrypt),
        (format!("argon2{argon2}"), argon2),
        ("$pbkdf2-sha256$29000$PIdwrhXiXKuVsvY.R2jN2Q$1akqp03PqZWqj5MmXq5R5pccvFrGwgTOl8KqYW9QTCg".into(), pbkdf2),
    ] {
        assert_eq!(Imported::parse(&written).map(|hash| hash.to_string()).as_deref(), Ok(read), "{written}");
    }
    let version_16 = "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs";
    assert!(Imported::parse(version_16).unwrap().to_string().starts_with("$argon2i$v=16$m=256"));
}

/// What other systems hashed was not normalised, so neither is what is compared with it.
#[test]
fn import_takes_the_password_as_it_was_received() {
    let hash = Imported::parse("pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=").unwrap();
    assert!(hash.verify(&password("l\u{e8}tmein")));
    assert!(!hash.verify(&password("le\u{300}tmein")));
}

const SALT: &str = "c29tZXNhbHRzb21lc2FsdA";
const DIGEST: &str = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// Each is refused by its text alone: were any of them computed first, this test would not end.
#[test]
fn atk21_import_bounds_what_a_hash_may_cost_before_any_work() {
    let bcrypt = |cost: &str| format!("$2b${cost}$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm");
    let other = |start: &str| format!("{start}${SALT}${DIGEST}");
    for (text, what) in [
        (bcrypt("31"), "cost 31; allowed are 4 to 14"),
        (bcrypt("15"), "cost 15"),
        (bcrypt("03"), "cost 3"),
        (other("$scrypt$ln=18,r=8,p=1"), "memory of KiB: 262144; allowed are 0 to 131072"),
        (other("$scrypt$ln=63,r=8,p=1"), "the logarithm of N 63"),
        (other("$scrypt$ln=17,r=8,p=3"), "N times r times p 3145728"),
        (other("$scrypt$ln=10,r=4294967295,p=1"), "r 4294967295"),
        (other("$scrypt$ln=10,r=8,p=4294967295"), "p 4294967295"),
        (other("$scrypt$ln=0,r=8,p=1"), "the logarithm of N 0"),
        (other("$pbkdf2-sha256$i=2000001"), "iterations times blocks of output 2000001; allowed are 1 to 2000000"),
        (other("$pbkdf2-sha512$i=4294967295,l=32"), "iterations times blocks of output 4294967295"),
        (other("$pbkdf2-sha256$i=0"), "iterations times blocks of output 0"),
        ("pbkdf2_sha256$2000001$salt$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4=".into(), "2000001"),
        (other("$argon2id$v=19$m=131073,t=1,p=1"), "memory (m) of KiB: 131073; allowed are 8 to 131072"),
        (other("$argon2id$v=19$m=131072,t=5,p=1"), "m times t 655360; allowed are 1 to 524288"),
        (other("$argon2id$v=19$m=1024,t=65,p=1"), "t 65"),
        (other("$argon2d$v=19$m=1024,t=1,p=17"), "p 17"),
        (other("$argon2i$v=19$m=31,t=1,p=4"), "memory (m) of KiB: 31; allowed are 32"),
        (other("$firebase-scrypt$ln=20,r=8"), "memory of KiB: 1048576"),
        (format!("$scrypt$ln=4,r=8,p=1${SALT}$"), "a digest of bytes: 0; allowed are 16 to 64"),
        (format!("$scrypt$ln=4,r=8,p=1$${DIGEST}"), "a salt of bytes: 0"),
        (format!("$argon2id$v=19$m=256,t=1,p=1$c2FsdA${DIGEST}"), "a salt of bytes: 4; allowed are 8 to 64"),
        (format!("$pbkdf2-sha256$i=1${SALT}${}", "A".repeat(88)), "a digest of bytes: 66"),
    ] {
        match Imported::parse(&text) {
            Err(why @ NotTaken::OutOfBounds { .. }) => {
                let why = why.to_string();
                assert!(why.contains(what) && !why.contains(SALT) && !why.contains(DIGEST), "{text}: {why}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(Imported::parse(&"$".repeat(MAX_TEXT + 1)), Err(NotTaken::TooLong));
    // The largest that OWASP, Django and the Argon2 RFC recommend are taken.
    for text in [
        bcrypt("14"),
        other("$scrypt$ln=17,r=8,p=1"),
        other("$scrypt$ln=14,r=8,p=5"),
        other("$pbkdf2-sha256$i=1200000"),
        other("$pbkdf2-sha512$i=210000,l=32"),
        other("$argon2id$v=19$m=102400,t=2,p=8"),
        other("$argon2id$v=19$m=65536,t=3,p=4"),
    ] {
        assert!(Imported::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn import_refuses_what_is_not_a_hash() {
    for text in [
        "",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8",
        "!unusable",
        "$2$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
        "$2x$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
        "$2b$4$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
        "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YE",
        "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEmm",
        "$2é$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
        "$2b$04$ÄVWp4XaNU8a4v1uMRum2S026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
        "$scrypt$r=8,ln=4,p=1$c2FsdHNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$",
        "$pbkdf2-sha1$i=1$c2FsdHNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$pbkdf2-sha256$i=1,l=31$c2FsdHNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "pbkdf2_sha256$1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4=",
        "pbkdf2_sha256$1$salt$nf65EOgLrQMR/uIPnA4rEg==",
        "$argon2$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1,keyid=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "imported$none",
        "$none",
    ] {
        assert!(Imported::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn import_never_panics_on_a_text(text in "(\\$|imported)?(2[aby]|scrypt|pbkdf2-sha256|argon2id|firebase-scrypt)?[$=,0-9a-zé/+.]{0,80}") {
        let _ = Imported::parse(&text);
    }

    /// A shortened or changed text is another hash or none; what is read is written as what it was read from.
    #[test]
    fn import_reads_what_it_writes(which in 0usize..25, at in 0usize..200, by in any::<char>()) {
        let all = vectors();
        let text = imported(&all[which % all.len()]).to_string();
        let changed: String = text.chars().enumerate().map(|(n, c)| if n == at { by } else { c }).collect();
        if let Ok(hash) = Imported::parse(&changed) {
            prop_assert_eq!(Imported::parse(&hash.to_string()), Ok(hash));
        }
    }
}
