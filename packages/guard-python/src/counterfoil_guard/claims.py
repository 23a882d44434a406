"""The claims of an access token (RFC 9068 section 2.2), typed as they are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeVar

from .base64url import decode
from .id import is_id
from .json import Json, JsonNumber, JsonObject
from .rfc3339 import parse_time
from .scope import is_scope
from .subject import Actor, is_client, is_subject, read_actor

T = TypeVar("T")


@dataclass(frozen=True)
class Confirmation:
    """Which key a token is bound to: by the SHA-256 thumbprint of its JWK (RFC 7638), in base64url."""

    jkt: str


@dataclass(frozen=True)
class StatusReference:
    """The place of a token's status: which index, of which list (TSL-6.2)."""

    idx: int
    uri: str


@dataclass(frozen=True)
class Claims:
    """What a verified access token says.

    No personal data ever stands here (T2), but in ``private``. Frozen: requests share it.
    """

    iss: str
    """Issuer: the authority's public URL."""
    sub: str
    """The user, or ``client:NAME``: a service in its own name."""
    aud: str
    """The one audience."""
    client_id: str
    """The application signed in to."""
    exp: int
    """Expiry, seconds since the epoch."""
    iat: int
    """Minted at, seconds since the epoch."""
    jti: str
    """This token's id."""
    sid: str
    """The session on which the token hangs; what a revocation names."""
    auth_time: int
    """When the user last proved themselves, seconds since the epoch. A refresh does not change it. 0 for a service."""
    acr: str
    """How strongly (RFC 9470). Empty for a service."""
    amr: tuple[str, ...]
    """By which methods (RFC 8176)."""
    roles: tuple[str, ...] = ()
    """Roles, where the application's claim list has them."""
    cv: int = 0
    """How often the user's roles have changed (0 when absent); see ``stale`` in the feed."""
    nbf: int | None = None
    """Not valid before, if given."""
    scope: str | None = None
    """Granted scope, where one was asked for: space-separated tokens, none of them twice."""
    act: Actor | None = None
    """Who acts for the subject, if not the subject itself."""
    cnf: Confirmation | None = None
    """The key that whoever presents the token must prove to hold (RFC 9449 section 6.1)."""
    status: StatusReference | None = None
    """Where its status is to be found, for verifiers that follow no feed (Token Status List)."""
    private: Mapping[str, str] | None = None
    """What only the audience may read of the user, such as an address. Only ever there in a token that came encrypted."""


class BadClaim(Exception):
    """A claim that is there must be of its kind; ``null`` is of no kind."""


@dataclass(frozen=True)
class Kind:
    """What may stand in a token of one kind, and how."""

    dates: Literal["numbers", "texts"]
    """How times are written: as numbers of seconds (JWT), or as texts of RFC 3339 (PASETO). The other way is refused (ATK-22, PAS-5)."""
    encrypted: bool
    """Whether it came encrypted: only then may it say what is private."""


_MOST_SECONDS = 2**63 - 1
_EXACT = 2**53


def read_claims(payload: Json, kind: Kind) -> Claims | None:
    """The claims of a payload that has been read strictly; ``None`` when one is missing, of the wrong type or forbidden."""
    # A security event is never an access token (SSF-4.1c).
    if not isinstance(payload, dict) or "events" in payload:
        return None
    # What is private does not travel in the clear.
    if "private" in payload and not kind.encrypted:
        return None
    try:
        return _read(payload, _textual_date if kind.dates == "texts" else numeric_date)
    except BadClaim:
        return None


def _read(payload: JsonObject, date: Callable[[Json], int]) -> Claims:
    def required(name: str, kind: Callable[[Json], T]) -> T:
        if name not in payload:
            raise BadClaim
        return kind(payload[name])

    def optional(name: str, kind: Callable[[Json], T], otherwise: T) -> T:
        return kind(payload[name]) if name in payload else otherwise

    sub = required("sub", _subject)
    # How and when a subject has proved itself is said of people only.
    of_user = optional if is_client(sub) else lambda name, kind, _otherwise: required(name, kind)
    return Claims(
        iss=required("iss", _text),
        sub=sub,
        aud=required("aud", _one_audience),
        client_id=required("client_id", _text),
        exp=required("exp", date),
        iat=required("iat", date),
        jti=required("jti", _id),
        sid=required("sid", _id),
        auth_time=of_user("auth_time", date, 0),
        acr=of_user("acr", _text, ""),
        amr=of_user("amr", _texts, ()),
        roles=optional("roles", _texts, ()),
        cv=optional("cv", _version, 0),
        nbf=optional("nbf", date, None),
        scope=optional("scope", _scope, None),
        act=optional("act", _actor, None),
        cnf=optional("cnf", _confirmation, None),
        status=optional("status", _status, None),
        private=optional("private", _private, None),
    )


def _there(value: T | None) -> T:
    if value is None:
        raise BadClaim
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise BadClaim
    return value


def _texts(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadClaim
    return tuple(map(_text, value))


def _id(value: Json) -> str:
    if not is_id(value):
        raise BadClaim
    return value


def _subject(value: Json) -> str:
    if not is_subject(value):
        raise BadClaim
    return value


def _actor(value: Json) -> Actor:
    return _there(read_actor(value))


def _confirmation(value: Json) -> Confirmation:
    return _there(read_confirmation(value))


def read_confirmation(value: object) -> Confirmation | None:
    """A ``cnf`` claim: one key, by its thumbprint. ``None`` for any other, since a binding we cannot check is not ignored (CNF-3).

    Takes an object of either reader of JSON.
    """
    if not isinstance(value, dict) or len(value) != 1:
        return None
    jkt = value.get("jkt")
    digest = decode(jkt) if isinstance(jkt, str) else None
    return Confirmation(jkt) if isinstance(jkt, str) and digest is not None and len(digest) == 32 else None


def _status(value: Json) -> StatusReference | None:
    """Of other ways to say a status we know nothing, and they may be there."""
    if not isinstance(value, dict):
        raise BadClaim
    if "status_list" not in value:
        return None
    found = value["status_list"]
    if not isinstance(found, dict) or "idx" not in found or "uri" not in found:
        raise BadClaim
    return StatusReference(idx=_version(found["idx"]), uri=_text(found["uri"]))


def _scope(value: Json) -> str:
    scope = _text(value)
    if not is_scope(scope):
        raise BadClaim
    return scope


def _private(value: Json) -> Mapping[str, str]:
    return _there(read_private(value))


def read_private(value: object) -> Mapping[str, str] | None:
    """A ``private`` claim: texts by name; ``None`` for anything else."""
    if not isinstance(value, dict) or not all(isinstance(inner, str) for inner in value.values()):
        return None
    return MappingProxyType(dict(value))


def _one_audience(value: Json) -> str:
    """``aud`` as a string, or as an array holding exactly one (ATK-25: a token for us and another is refused)."""
    if not isinstance(value, list):
        return _text(value)
    if len(value) != 1:
        raise BadClaim
    return _text(value[0])


def numeric_date(value: Json) -> int:
    """Seconds since the epoch out of a JSON number (RFC 7519 section 2: fractions allowed, strings not).

    Whole numbers may have 64 bits, as in the Rust guard.
    """
    if not isinstance(value, JsonNumber):
        raise BadClaim
    if value.is_integer:
        seconds = int(value.text) if len(value.text) <= 20 else _MOST_SECONDS + 1
        if not -_MOST_SECONDS - 1 <= seconds <= _MOST_SECONDS:
            raise BadClaim
        return seconds
    rounded = float(value.text)
    if abs(rounded) >= _EXACT:
        raise BadClaim
    return math.floor(rounded)


def _textual_date(value: Json) -> int:
    return _there(parse_time(_text(value)))


def _version(value: Json) -> int:
    if not isinstance(value, JsonNumber) or not value.is_integer or len(value.text) > 10:
        raise BadClaim
    count = int(value.text)
    if not 0 <= count <= 0xFFFF_FFFF:
        raise BadClaim
    return count
