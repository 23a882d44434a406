"""Compact JWS (RFC 7515 section 7.1), the one shape of JWT that exists here: three parts, signed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .base64url import decode
from .id import is_kid
from .json import NotStrict, parse_strict
from .refusal import Refusal

MAX_TOKEN_BYTES = 4096
"""No token longer than this is looked at (T2's hard cap; also keeps headers small)."""


@dataclass(frozen=True)
class Header:
    """The three members a header may have; any other is refused.

    Among the others are ``crit``, ``b64``, ``zip``, and the ones that carry or point to key material: ``jwk``, ``jku``, ``x5c``,
    ``x5u`` (ATK-08, ATK-09, ATK-12).
    """

    alg: str
    """The algorithm the token claims; believed only if the key says the same."""
    kid: str
    """Which key; a look-up, nothing else."""
    typ: str
    """The media type, as it stands in the token."""


_PARTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# ASCII, since without it a long s (ſ) is an s in another case.
_ACCESS_TOKEN = re.compile(r"(?:application/)?at\+jwt", re.ASCII | re.IGNORECASE)
_STATUS_LIST = re.compile(r"(?:application/)?statuslist\+jwt", re.ASCII | re.IGNORECASE)


def check_size(token: str, most: int = MAX_TOKEN_BYTES) -> None:
    """Comes before any work, for every kind of token (ATK-21)."""
    if len(token) > most or (not token.isascii() and len(token.encode("utf-8", "surrogatepass")) > most):
        raise Refusal("too_large")


def split(token: str, most: int = MAX_TOKEN_BYTES) -> tuple[str, str, str]:
    """Splits a compact JWS into header, payload and signature, undecoded.

    Refuses what is too long, has other than three parts, an empty part, or a character outside ``[A-Za-z0-9_-]`` (JWT-BCP-3.14, ATK-18).
    """
    check_size(token, most)
    found = _PARTS.fullmatch(token)
    if found is None:
        raise Refusal("malformed")
    return found[1], found[2], found[3]


def decode_header(part: str) -> Header:
    """Decodes and checks a header part."""
    raw = decode(part)
    if raw is None:
        raise Refusal("malformed")
    try:
        header = parse_strict(raw)
    except NotStrict:
        raise Refusal("malformed") from None
    # Well-formed JSON that is not ours is told apart from rubbish, for the log only.
    if not isinstance(header, dict) or len(header) != 3:
        raise Refusal("header_not_allowed")
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(alg, str) or not isinstance(kid, str) or not isinstance(typ, str):
        raise Refusal("header_not_allowed")
    if not is_kid(kid):
        raise Refusal("unknown_key")
    return Header(alg, kid, typ)


def is_access_token(header: Header) -> bool:
    """Whether ``typ`` says access token (RFC 9068 section 4): ``at+jwt``, with or without ``application/``, in any case."""
    return _ACCESS_TOKEN.fullmatch(header.typ) is not None


def is_status_list(header: Header) -> bool:
    """Whether ``typ`` says status list (TSL-5.1a): ``statuslist+jwt``, with or without ``application/``, in any case."""
    return _STATUS_LIST.fullmatch(header.typ) is not None
