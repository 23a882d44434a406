"""``scope`` (RFC 6749 section 3.3): what a token was granted, as tokens with one space between two, none of them twice."""

from __future__ import annotations

import re

# Visible ASCII without quotation mark and backslash.
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def is_scope_token(text: str) -> bool:
    """Whether this may be one of a scope's tokens."""
    return _TOKEN.fullmatch(text) is not None


def is_scope(text: str) -> bool:
    """Whether this is a scope. Another space, a tab or a repetition is a second spelling of the same grant (ATK-27)."""
    tokens = text.split(" ")
    return all(map(is_scope_token, tokens)) and len(set(tokens)) == len(tokens)


def has_scope(scope: str | None, wanted: str) -> bool:
    """Whether this scope was granted: a whole token of ``scope``, not a part of one (ATK-27)."""
    return scope is not None and wanted in scope.split(" ")
