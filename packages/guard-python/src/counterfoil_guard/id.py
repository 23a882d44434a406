"""Identifiers: 16 random bytes, written as 22 characters of base64url. An id names a thing; it is never a secret."""

from __future__ import annotations

import re
from typing import TypeGuard

# 22 characters carry 132 bits; the last four must be zero, so the last character is one of four.
_ID = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PASERK_ID = re.compile(r"k4\.pid\.[A-Za-z0-9_-]{44}")


def is_id(text: object) -> TypeGuard[str]:
    """Whether the text is an id of a session, a user or a token: 22 characters of canonical base64url."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_kid(text: object) -> TypeGuard[str]:
    """Whether the text may name a signing key.

    Attacker input until it has been found in the key set, so it is only ever compared, never put into a path or a query
    (JWT-BCP-3.10a).
    """
    return isinstance(text, str) and _KID.fullmatch(text) is not None


def is_paserk_id(text: object) -> TypeGuard[str]:
    """Whether the text may name an Ed25519 key in the footer of a PASETO (PAS-7).

    It is looked up and never computed here: the key set says which key has it. No ``kid`` has a dot, so no text is both.
    """
    return isinstance(text, str) and _PASERK_ID.fullmatch(text) is not None
