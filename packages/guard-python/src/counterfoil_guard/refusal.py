"""Why a token was refused."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    # No credential was presented.
    "missing",
    # Longer than `MAX_TOKEN_BYTES`.
    "too_large",
    # Not three parts of canonical base64url holding strict JSON objects.
    "malformed",
    # The header names something other than `alg`, `kid` and `typ`.
    "header_not_allowed",
    # `typ` is not `at+jwt`.
    "wrong_type",
    # Encrypted, and not to be opened by the key it names.
    "not_decryptable",
    # No key of this issuer has that `kid`.
    "unknown_key",
    # `alg` is not the one the key is bound to.
    "wrong_algorithm",
    # The signature does not verify.
    "bad_signature",
    # A required claim is absent, has the wrong JSON type or a forbidden value.
    "bad_claim",
    # `iss` is not the issuer.
    "wrong_issuer",
    # `aud` is not exactly this audience.
    "wrong_audience",
    # `sub` is a service where users are served, or the reverse.
    "wrong_subject",
    # `nbf` or `iat` lies in the future.
    "not_yet_valid",
    # `exp - iat` exceeds `MAX_LIFETIME_SECONDS`.
    "lives_too_long",
    # The key that signed it has been revoked (K2). The session may live on: a refresh brings a token of another key.
    "key_revoked",
    # The authority was asked and did not vouch for the token; it need not say why (INT-1).
    "inactive",
    # The token is bound to a key, and the request does not prove that it comes from its holder (RFC 9449).
    "proof_required",
    # The proof is not one, is not for this request and this token, or has been used.
    "bad_proof",
    # `exp` has passed.
    "expired",
    # The session or the token has been revoked.
    "revoked",
    # Roles or claims have changed since the token was minted.
    "stale",
    # There is no lease, or it has ended: nobody can say whether the token still counts. Not the token's fault.
    "verifier_stale",
]
"""Every reason for which a token is refused, as a word for logs and metrics."""

RefusalCode = Literal[
    "token_missing", "token_invalid", "token_expired", "token_stale", "session_revoked", "proof_required", "invalid_dpop_proof", "verifier_stale"
]
"""The stable code that a client sees: it tells apart only what an honest client must act on differently (RFC 6750 section 3.1)."""

_CODES: dict[Reason, RefusalCode] = {
    **dict.fromkeys(get_args(Reason), "token_invalid"),
    "missing": "token_missing",
    "proof_required": "proof_required",
    "bad_proof": "invalid_dpop_proof",
    "expired": "token_expired",
    "revoked": "session_revoked",
    "stale": "token_stale",
    "verifier_stale": "verifier_stale",
}


class Refusal(Exception):
    """A token that was not accepted. Carries nothing of the token."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"token refused: {reason}")
        self.reason: Reason = reason

    @property
    def code(self) -> RefusalCode:
        """The stable code that a client sees."""
        return _CODES[self.reason]
