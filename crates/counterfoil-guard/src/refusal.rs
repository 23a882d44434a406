//! Why a token was refused.

/// Every reason for which a verifier refuses a token. The variant is for the log; what a caller may learn is
/// [`Refusal::code`], which tells apart only what an honest client must act on differently (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// No credential was presented.
    Missing,
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    TooLarge,
    /// Not three parts of canonical base64url holding strict JSON objects.
    Malformed,
    /// The header names something other than `alg`, `kid` and `typ`.
    HeaderNotAllowed,
    /// `typ` is not `at+jwt`.
    WrongType,
    /// Encrypted, and not to be opened by the key it names.
    NotDecryptable,
    /// No key of this issuer has that `kid`.
    UnknownKey,
    /// `alg` is not the one the key is bound to.
    WrongAlgorithm,
    /// The signature does not verify.
    BadSignature,
    /// A required claim is absent, has the wrong JSON type or a forbidden value.
    BadClaim,
    /// `iss` is not the issuer.
    WrongIssuer,
    /// `aud` is not exactly this audience.
    WrongAudience,
    /// The token is bound to a key, and the request does not prove that it comes from its holder (RFC 9449).
    ProofRequired,
    /// The proof is not one, is not for this request and this token, or has been used.
    BadProof,
    /// `sub` is a service where users are served, or the reverse; of a status list, another address than it was fetched from.
    WrongSubject,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `exp − iat` exceeds [`crate::MAX_LIFETIME_SECONDS`].
    LivesTooLong,
    /// The session or the token has been revoked.
    Revoked,
    /// The key that signed it has been revoked (K2). The session may live on: a refresh brings a token of another key.
    KeyRevoked,
    /// Roles or claims have changed since the token was minted.
    Stale,
    /// The authority was asked and did not vouch for the token; it need not say why (INT-1).
    Inactive,
    /// This verifier has not heard from the authority for so long that it does not know what has been revoked. Nothing
    /// is wrong with the token: 503, and trying again may help.
    VerifierStale,
}

impl Refusal {
    /// The stable code a client sees.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Expired => "token_expired",
            Self::Revoked => "session_revoked",
            Self::Stale => "token_stale",
            Self::VerifierStale => "verifier_stale",
            Self::ProofRequired => "proof_required",
            Self::BadProof => "invalid_dpop_proof",
            _ => "token_invalid",
        }
    }

    /// The reason as a word for logs and metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::HeaderNotAllowed => "header_not_allowed",
            Self::WrongType => "wrong_type",
            Self::NotDecryptable => "not_decryptable",
            Self::UnknownKey => "unknown_key",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::BadSignature => "bad_signature",
            Self::BadClaim => "bad_claim",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::ProofRequired => "proof_required",
            Self::BadProof => "bad_proof",
            Self::WrongSubject => "wrong_subject",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::LivesTooLong => "lives_too_long",
            Self::Revoked => "revoked",
            Self::KeyRevoked => "key_revoked",
            Self::Stale => "stale",
            Self::Inactive => "inactive",
            Self::VerifierStale => "verifier_stale",
        }
    }
}
