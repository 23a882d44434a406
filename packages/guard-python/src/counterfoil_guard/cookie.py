"""The ``Cookie`` request header, read strictly (RFC 6265bis section 5.7, CK-*)."""

from __future__ import annotations

import re

ACCESS_COOKIE = "__Host-cf_access"
"""The access token's cookie, in the ``cookie`` profile."""

# RFC 6265 cookie-octet: no controls, white space, quote, comma, semicolon or backslash.
_COOKIE_OCTETS = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")
_SPACE = "\t\n\f\r "


def cookie_values(header: str, name: str) -> list[str]:
    """Every value that stands in ``header`` under exactly this name.

    Two are a fact to deal with, not one to hide: which comes first is the attacker's choice (CK-DUP, ATK-33).

    What other cookies of the host hold is none of our business and must not hide ours. A nameless cookie whose value looks like
    ``__Host-x=1`` arrives as ``=__Host-x=1`` and has no name here (CK-5.7d). A value with a character that no server sets is skipped,
    quoted ones included.
    """
    pairs = (pair.strip(_SPACE) for pair in header.split(";"))
    values = (pair[len(name) + 1 :] for pair in pairs if pair.startswith(f"{name}="))
    return [value for value in values if _COOKIE_OCTETS.fullmatch(value)]
