"""The one error answer: ``application/problem+json`` (RFC 9457) with a stable code, in the authority's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, Union

from .jwks import ALGORITHMS
from .refusal import Refusal, RefusalCode

ProblemCode = Union[
    RefusalCode, Literal["ambiguous_credentials", "reauthentication_required", "cross_site", "insufficient_scope", "forbidden"]
]
"""The codes that a guard answers with. They never change their meaning."""

_PROBLEMS: dict[ProblemCode, tuple[int, str]] = {
    "ambiguous_credentials": (400, "The request carries more than one credential."),
    "token_missing": (401, "The request carries no credential."),
    "token_expired": (401, "The access token has expired; refresh it."),
    "token_invalid": (401, "The token is not valid."),
    "token_stale": (401, "Roles have changed since the token was made; refresh it."),
    "session_revoked": (401, "The session has ended."),
    "proof_required": (401, "The session or the token is bound to a key, and the proof of it is missing."),
    "invalid_dpop_proof": (401, "The proof of possession is not one, or not for this request."),
    "reauthentication_required": (401, "Sign in again to do this."),
    "cross_site": (403, "The request does not come from this application's own pages."),
    "insufficient_scope": (403, "The token was not granted what this needs."),
    "forbidden": (403, "You may not do this."),
    "verifier_stale": (503, "This server cannot tell at the moment whether the token still counts; try again."),
}

# What a challenge says in `error`, where it is not `invalid_token`.
_ERRORS: dict[ProblemCode, str] = {
    "reauthentication_required": "insufficient_user_authentication",
    "insufficient_scope": "insufficient_scope",
    "invalid_dpop_proof": "invalid_dpop_proof",
}

# What is answered with the challenge of RFC 9449 section 7.1, and not with that of RFC 6750.
_PROOFS = ("proof_required", "invalid_dpop_proof")


class Problem(Exception):
    """An error as the client sees it."""

    def __init__(self, code: ProblemCode, *, detail: str | None = None, challenge: Mapping[str, str] | None = None) -> None:
        """``detail`` says what was wrong in this case and what is allowed, never anything secret.

        ``challenge`` holds parameters of the challenge (RFC 9470; RFC 6750 for ``scope``), already checked to need no escaping.
        """
        super().__init__(code)
        self.code: ProblemCode = code
        self.status, self.title = _PROBLEMS[code]
        self.detail = detail
        self._challenge = dict(challenge or {})

    @property
    def acr(self) -> str | None:
        """How strong a proof is asked for, where one is."""
        return self._challenge.get("acr_values")

    def headers(self) -> dict[str, str]:
        """The answer's headers."""
        headers = {"content-type": "application/problem+json", "cache-control": "no-store"}
        if self.status == 401 or self.code == "insufficient_scope":
            headers["www-authenticate"] = self._www_authenticate()
        if self.status == 503:
            headers["retry-after"] = "1"
        return headers

    def body(self) -> bytes:
        """The answer's body."""
        members = {"type": f"urn:counterfoil:error:{self.code}", "title": self.title, "status": self.status, "code": self.code}
        if self.detail:
            members["detail"] = self.detail
        return json.dumps(members, separators=(",", ":")).encode()

    def _www_authenticate(self) -> str:
        """RFC 6750 section 3: no error word when no credential was sent (BEAR-1)."""
        if self.code == "token_missing":
            return "Bearer"
        bound = self.code in _PROOFS
        parameters = {"error": _ERRORS.get(self.code, "invalid_token")} | ({"algs": " ".join(ALGORITHMS)} if bound else self._challenge)
        return ("DPoP " if bound else "Bearer ") + ", ".join(f'{name}="{value}"' for name, value in parameters.items())


def problem_of(error: Refusal | Problem) -> Problem:
    """The answer for what went wrong."""
    return error if isinstance(error, Problem) else Problem(error.code)
