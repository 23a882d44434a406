//! What a token says and what is wrong with it, offline: every header member and claim explained, every oddity flagged.
//!
//! For people with a refused token in their hand. It reads leniently, so that a broken token is explained as far as it
//! goes, and then flags each leniency it needed. It holds no key and verifies nothing: a clean report does not mean that
//! a token is genuine. It never repeats a signature, a secret or a whole opaque token, and what it quotes is escaped,
//! so that a hostile token cannot write to the reader's terminal.

mod authority;
mod base64;
mod claims;
mod header;
mod header_names;
mod identity;
mod jose;
mod json;
mod jwe;
mod key_material;
mod lookalike;
mod meanings;
mod names;
mod notes;
mod number;
mod opaque;
mod paseto;
mod personal;
mod reading;
mod scope;
mod serialization;
mod show;
mod signature;
mod text;
mod times;
mod when;
mod wrapping;

use counterfoil_guard::Timestamp;
use notes::Notes;
use serde::Serialize;
use std::borrow::Cow;

/// The longest text that is looked at. Sixteen times the longest token a guard reads; what is longer is no token.
pub const MAX_INPUT: usize = 64 * 1024;

/// How many bytes an access token should have at most (T2), so that it fits a cookie beside others.
pub const SIZE_BUDGET: usize = 640;

/// Everything the inspection found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What kind of token it is, by its shape alone.
    pub kind: Kind,
    /// Its parts in order, each member explained.
    pub parts: Vec<Part>,
    /// What is wrong or worth knowing, errors first. Always holds one note that nothing was verified.
    pub findings: Vec<Finding>,
    /// Bytes of the token, without what was wrapped around it.
    pub size: usize,
}

impl Report {
    /// Whether something was found for which a verifier must refuse the token.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// The kind of a token, told from its shape; nothing is implied about who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Signed, compact or JSON serialization (RFC 7515); most JWTs.
    Jws,
    /// Encrypted, compact or JSON serialization (RFC 7516).
    Jwe,
    /// Signed PASETO of version 4.
    PasetoV4Public,
    /// Symmetrically encrypted PASETO of version 4.
    PasetoV4Local,
    /// PASETO of another version or purpose.
    PasetoOther,
    /// Counterfoil refresh token, `cfr_…`.
    RefreshToken,
    /// Counterfoil session token, `cfs_…`.
    SessionToken,
    /// Another opaque Counterfoil credential, such as `cfi_…`.
    OtherOpaque,
    /// Nothing that is known here.
    Unknown,
}

impl Kind {
    /// The kind in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Jws => "signed token (JWS, RFC 7515)",
            Self::Jwe => "encrypted token (JWE, RFC 7516)",
            Self::PasetoV4Public => "signed PASETO (v4.public)",
            Self::PasetoV4Local => "encrypted PASETO (v4.local)",
            Self::PasetoOther => "PASETO of a version or purpose not used here",
            Self::RefreshToken => "Counterfoil refresh token (cfr_, opaque)",
            Self::SessionToken => "Counterfoil session token (cfs_, opaque)",
            Self::OtherOpaque => "opaque Counterfoil credential",
            Self::Unknown => "not recognised as a token",
        }
    }

    /// Whether whoever holds the text may use it and nothing in it expires by itself within minutes.
    pub const fn is_opaque(self) -> bool {
        matches!(self, Self::RefreshToken | Self::SessionToken | Self::OtherOpaque)
    }
}

/// One part of a token, such as its header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What the part is called.
    pub name: &'static str,
    /// What stands in it, in its order, duplicates included.
    pub members: Vec<Explained>,
}

/// One member of a part. All text is escaped and safe to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Its name; a member of a nested object is written `outer.inner`.
    pub name: String,
    /// Its value as JSON, shortened; times also as a date. Secrets are replaced by their length.
    pub value: String,
    /// What it means.
    pub meaning: Cow<'static, str>,
    /// Where that is written, for example `RFC 9068 section 2.2`.
    pub source: &'static str,
}

/// One thing that is wrong or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The rule, as numbered in the standards digest: `ATK-13`, `AT-2.2`, `T2`.
    pub id: &'static str,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub fix: &'static str,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A verifier must refuse the token, or its issuer must not make such.
    Error,
    /// A Counterfoil guard refuses it, or it is a risk.
    Warning,
    /// Worth knowing.
    Note,
}

/// Explains `text` as of `now`. Never panics; work is bounded by [`MAX_INPUT`]. Verifies nothing.
pub fn inspect(text: &str, now: Timestamp) -> Report {
    let mut notes = Notes::default();
    notes.note(
        "JWS-5.2",
        "nothing was verified: no key was used, so anybody may have written this",
        "believe it only after a verifier that holds the issuer's keys has accepted it",
    );
    if text.len() > MAX_INPUT {
        notes.error(
            "ATK-21",
            format!("{} bytes are too many to be a token; not looked at any further", text.len()),
            "refuse anything over 4096 bytes before any other work",
        );
        return Report { kind: Kind::Unknown, parts: Vec::new(), findings: notes.into_findings(), size: text.len() };
    }
    let bare = wrapping::strip(text, &mut notes);
    let (kind, parts) = explain(bare, now, &mut notes);
    Report { kind, parts, findings: notes.into_findings(), size: bare.len() }
}

fn explain(bare: &str, now: Timestamp, notes: &mut Notes) -> (Kind, Vec<Part>) {
    if bare.starts_with('{') {
        return serialization::explain(bare, now, notes);
    }
    opaque::explain(bare, notes)
        .or_else(|| paseto::explain(bare, now, notes))
        .unwrap_or_else(|| jose::explain(bare, now, notes))
}

#[cfg(test)]
mod tests;
