"""Token Status List (draft-ietf-oauth-status-list): the lists, and what a guard keeps of them.

For verifiers that follow no feed, at the price of a delay: a revocation reaches them within the ``ttl`` of the list, and the time it takes to
publish it.
"""

from __future__ import annotations

import math
import threading
import zlib
from dataclasses import dataclass, replace
from typing import Literal, Union

from .base64url import decode
from .claims import BadClaim, Claims, numeric_date
from .clock import Instant
from .json import Json, JsonNumber, JsonObject, NotStrict, parse_strict
from .jwt import is_status_list
from .refusal import Refusal
from .verify import LEEWAY_SECONDS, KeyFor, SignedKind, read_signed

MAX_LIST_TOKEN_BYTES = 8 * 2**20
"""No list longer than this is looked at. As long as one of :data:`MAX_LIST_BYTES` that cannot be compressed."""

MAX_LIST_BYTES = 4 * 2**20
"""No list is inflated beyond this: 33 million tokens at one bit each."""

SHORTEST_TTL = 1000
"""In milliseconds. A shorter ``ttl`` counts as this one: no list makes a verifier fetch without end."""

LONGEST_TTL = 60 * 60_000
"""A longer ``ttl`` counts as this one: no list is believed for a year because it says so."""

DEFAULT_TTL = 5 * 60_000
"""The ``ttl`` of a list that has none."""

WITHOUT_EXPIRY = 24 * 60 * 60
"""In seconds, how long after its ``iat`` a list without ``exp`` is over: a cache on the way must not keep one for ever."""

MOST_LISTS = 64
"""How many lists are held; of more, those used least recently go."""

_BITS = ("1", "2", "4", "8")
# What stands behind the issuer and `/status-lists/`: one name, no path, query, fragment or escape.
_NAME_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Statuses:
    """The bits of a list."""

    bits: int
    raw: bytes

    @classmethod
    def decode(cls, bits: Json, lst: Json) -> Statuses:
        """From ``bits`` and ``lst`` as they stand in a list: 1, 2, 4 or 8, and base64url of a zlib stream with nothing behind it (TSL-4.1)."""
        if not isinstance(bits, JsonNumber) or bits.text not in _BITS or not isinstance(lst, str):
            raise Refusal("bad_claim")
        compressed = decode(lst)
        if compressed is None:
            raise Refusal("bad_claim")
        return cls(int(bits.text), _inflate(compressed, MAX_LIST_BYTES))

    def status(self, index: int) -> int | None:
        """The status at an index, the least significant bits first; ``None`` beyond the end."""
        place, within = divmod(index, 8 // self.bits)
        if place >= len(self.raw):
            return None
        return self.raw[place] >> (within * self.bits) & 0xFF >> (8 - self.bits)


@dataclass(frozen=True)
class StatusList:
    """A list that has been verified."""

    uri: str
    """Where it was fetched from."""
    issued_at: int
    """Made at, seconds since the epoch."""
    expires_at: int
    """Over at, seconds since the epoch."""
    ttl: int
    """How long after it was fetched it may be used, in milliseconds and in its bounds."""
    statuses: Statuses
    """What it says."""


def read_status_list(token: str, uri: str, issuer: str, now: float, key_for: KeyFor) -> StatusList:
    """Believes a list of this issuer that was fetched from ``uri``, or raises a :class:`Refusal` (TSL-8.3a). ``now`` in milliseconds."""
    payload, _kid = read_signed(token, SignedKind(MAX_LIST_TOKEN_BYTES, is_status_list), key_for)
    if payload is None:
        raise Refusal("malformed")
    try:
        said = _claims_of(parse_strict(payload))
    except NotStrict:
        raise Refusal("malformed") from None
    except BadClaim:
        raise Refusal("bad_claim") from None
    # An issuer speaks for its own tokens, and a list for the place it was fetched from.
    if said.iss != issuer:
        raise Refusal("wrong_issuer")
    if said.sub != uri:
        raise Refusal("wrong_subject")
    expires_at = said.iat + WITHOUT_EXPIRY if said.exp is None else said.exp
    _check_times(said.iat, expires_at, math.floor(now / 1000))
    statuses = Statuses.decode(said.bits, said.lst)
    return StatusList(uri, said.iat, expires_at, _bounded(said.ttl), statuses)


@dataclass(frozen=True)
class _Said:
    iss: str
    sub: str
    iat: int
    exp: int | None
    ttl: int | None
    bits: JsonNumber
    lst: str


def _claims_of(claims: Json) -> _Said:
    found = claims.get("status_list") if isinstance(claims, dict) else None
    if not isinstance(claims, dict) or not isinstance(found, dict):
        raise BadClaim
    iss, sub, bits, lst = claims.get("iss"), claims.get("sub"), found.get("bits"), found.get("lst")
    if not isinstance(iss, str) or not isinstance(sub, str) or not isinstance(lst, str):
        raise BadClaim
    if not isinstance(bits, JsonNumber) or not bits.is_integer or bits.text.startswith("-"):
        raise BadClaim
    iat = _time(claims, "iat")
    if iat is None:
        raise BadClaim
    return _Said(iss, sub, iat, _time(claims, "exp"), _time(claims, "ttl"), bits, lst)


def _time(claims: JsonObject, name: str) -> int | None:
    return numeric_date(claims[name]) if name in claims else None


def _check_times(issued_at: int, expires_at: int, now: int) -> None:
    if issued_at < 0 or expires_at <= issued_at:
        raise Refusal("bad_claim")
    if issued_at > now + LEEWAY_SECONDS:
        raise Refusal("not_yet_valid")
    if now >= expires_at:
        raise Refusal("expired")


def _bounded(ttl: int | None) -> int:
    """In its bounds on both sides (TSL-11)."""
    if ttl is None:
        return DEFAULT_TTL
    if ttl <= 0:
        raise Refusal("bad_claim")
    return min(max(ttl * 1000, SHORTEST_TTL), LONGEST_TTL)


def _inflate(compressed: bytes, most: int) -> bytes:
    """Inflates a zlib stream that has nothing behind it: what goes beyond ``most`` bytes is never made."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(compressed, most + 1)
    except zlib.error:
        raise Refusal("bad_claim") from None
    if len(raw) > most:
        raise Refusal("too_large")
    if not stream.eof or stream.unused_data:
        raise Refusal("bad_claim")
    return raw


@dataclass(frozen=True)
class Wanted:
    """Nobody can say without the list of this address."""

    uri: str


Verdict = Union[Literal["valid"], Refusal, Wanted]
"""What the lists say of a token: it counts, or it does not and why, or a list is wanted."""


@dataclass(frozen=True)
class _Held:
    list: StatusList
    # When it was asked for, or confirmed: its `ttl` counts from there, whichever clock ends it first.
    asked: Instant


class StatusLists:
    """The lists of one issuer. Pure: whoever fetches hands lists in, and brings the time along."""

    def __init__(self, issuer: str) -> None:
        """Of lists of this issuer, which all stand under ``/status-lists/`` of it: a token makes nobody fetch from anywhere else."""
        self._prefix = f"{issuer}/status-lists/"
        # Those used least recently first.
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def check(self, claims: Claims, at: Instant) -> Verdict:
        """Whether the token counts, by the lists that are held. All else about it has been verified before (TSL-8.3a)."""
        status = claims.status
        if status is None or not self._is_ours(status.uri):
            return Refusal("bad_claim")
        with self._lock:
            held = self._held.get(status.uri)
            if held is None or _left(held, at) <= 0:
                return Wanted(status.uri)
            self._put(held)
        found = held.list.statuses.status(status.idx)
        if found is None:
            return Refusal("bad_claim")
        # Suspended, and whatever else an application may mean by a status: only one value says that a token counts.
        return "valid" if found == 0 else Refusal("revoked")

    def receive(self, fetched: StatusList, asked: Instant) -> bool:
        """Takes a verified list in that was asked for at ``asked``.

        ``False`` if it is older than the one that is held, which stays: a revocation is not undone by whoever repeats what was true before
        (TSL-11).
        """
        with self._lock:
            before = self._held.get(fetched.uri)
            if before is not None and before.list.issued_at > fetched.issued_at:
                return False
            self._put(_Held(fetched, asked))
            if len(self._held) > MOST_LISTS:
                del self._held[next(iter(self._held))]
            return True

    def confirm(self, uri: str, asked: Instant) -> None:
        """Takes in that the list has not changed since: who was asked at ``asked`` said so. ``exp`` stands."""
        with self._lock:
            held = self._held.get(uri)
            if held is not None:
                self._held[uri] = replace(held, asked=asked)

    def is_due(self, uri: str, at: Instant) -> bool:
        """Whether a list that may still be used should be fetched anew: three quarters of its time are over."""
        held = self._held.get(uri)
        return held is None or _left(held, at) <= held.list.ttl / 4

    def is_usable(self, uri: str, at: Instant) -> bool:
        """Whether a list is held and may be used."""
        held = self._held.get(uri)
        return held is not None and _left(held, at) > 0

    def holds(self, uri: str) -> bool:
        """Whether a list is held, over or not."""
        return uri in self._held

    def __len__(self) -> int:
        return len(self._held)

    def _put(self, held: _Held) -> None:
        """As the one used last."""
        self._held.pop(held.list.uri, None)
        self._held[held.list.uri] = held

    def _is_ours(self, uri: str) -> bool:
        name = uri.removeprefix(self._prefix)
        return uri.startswith(self._prefix) and 0 < len(name) <= _LONGEST_NAME and _NAME_LETTERS.issuperset(name)


def _left(held: _Held, at: Instant) -> float:
    """For how long it may still be used, in milliseconds. A wall clock that was set back before the list was asked for says nothing."""
    if at.wall < held.asked.wall:
        return 0
    spent = max(at.mono - held.asked.mono, at.wall - held.asked.wall)
    return min(held.list.ttl - spent, held.list.expires_at * 1000 - at.wall)
