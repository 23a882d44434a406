"""The guard's side of the revocation feed (docs/reference/feed.md): when to trust the copy of the log, and until when.

A state machine: no input or output, no clock, no randomness. Whoever drives it brings the time and a fresh nonce, sends what
:meth:`Feed.poll` gives, and hands the answer to :meth:`Feed.receive`. One thread drives it; any number may ask :meth:`Feed.alive` and
:meth:`Feed.now` meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeGuard

from .clock import Instant
from .id import is_id, is_kid
from .revocation import RevocationIndex

Received = Literal["ignored", "nothing_new", "news"]
"""What became of an answer."""

# How long the authority may be silent, until the authority has said so itself. In milliseconds, as all times here.
_DEFAULT_STALENESS = 5000
_LONGEST_STALENESS = 5 * 60_000
_LONGEST_CURSOR = 512
# How often entries that can hit nothing any more are looked for.
_TIDY_EVERY = 10_000
_EXACT = 2**53


@dataclass(frozen=True)
class Poll:
    """What to ask, and how long to wait for the answer."""

    instance: str
    nonce: str
    wait: int
    """How long the authority may hold the request."""
    after: str | None
    """Everything up to here is in force at this instance."""
    timeout: int
    """When to give up."""


@dataclass(frozen=True)
class _Pending:
    nonce: str
    after: str | None
    sent: Instant


@dataclass(frozen=True)
class _Lease:
    """It ends at the first of the two ends."""

    end_mono: float
    end_wall: float
    # The authority's clock when it answered, and when that answer was taken in here.
    authority: int
    taken: Instant


class Feed:
    """Follows the revocation log of one authority."""

    def __init__(self, instance: str, index: RevocationIndex) -> None:
        """``instance``: 16 random bytes, base64url, of this follower alone: its cursor acknowledges for this index only."""
        self._instance = instance
        self._index = index
        self._staleness = _DEFAULT_STALENESS
        self._cursor: str | None = None
        self._pending: _Pending | None = None
        self._lease: _Lease | None = None
        self._keys_tag: str | None = None
        self._tidied = 0

    def poll(self, at: Instant, nonce: str) -> Poll:
        """What to ask now. Forgets an earlier question: its answer is ignored from here on."""
        self._pending = _Pending(nonce, self._cursor, at)
        # A fifth of S and three tenths: two lost answers in a row are survived. Without a lease there is no time to wait for news: after
        # sleep, the first answer may have been asked for too long ago to give one.
        wait = self._staleness // 5 if self.alive(at) else 0
        return Poll(self._instance, nonce, wait, self._cursor, self._staleness * 3 // 10)

    def receive(self, body: object, at: Instant) -> Received:
        """Takes an answer in, all of it or nothing."""
        pending, answer = self._pending, _read_answer(body)
        if pending is None or answer is None:
            return "ignored"
        if answer.instance != self._instance or answer.nonce != pending.nonce:
            return "ignored"
        # Only a snapshot can follow nothing, or another log: a list of changes would leave out what came before.
        if not answer.snapshot and (pending.after is None or _log_of(pending.after) != _log_of(answer.cursor)):
            return "ignored"
        # An older state of the same log says nothing that is not known, and its lease would count from a reading before it.
        if _goes_back(self._cursor, answer.cursor):
            return "ignored"
        self._pending = None
        before = self._index.head
        self._merge(answer)
        self._extend(answer, pending.sent, at)
        return "nothing_new" if self._index.head == before else "news"

    def alive(self, at: Instant) -> bool:
        """Whether the copy of the log may be trusted."""
        lease = self._lease
        return lease is not None and at.mono < lease.end_mono and at.wall < lease.end_wall

    def remaining(self, at: Instant) -> float:
        """How long the lease still runs; 0 when it has ended or there is none."""
        lease = self._lease
        return 0 if lease is None else max(0, min(lease.end_mono - at.mono, lease.end_wall - at.wall))

    def now(self, at: Instant) -> float:
        """The authority's clock, by which ``exp`` is judged: what it said last, plus the time since.

        That is early by at most the way of one answer. Of two clocks here the one that went further counts: one may stand still in sleep.
        """
        lease = self._lease
        return at.wall if lease is None else lease.authority + max(0, at.mono - lease.taken.mono, at.wall - lease.taken.wall)

    @property
    def keys_tag(self) -> str | None:
        """The entity tag of the key set as the authority announced it last."""
        return self._keys_tag

    @property
    def staleness(self) -> int:
        """For how long the authority lets guards go without an answer (S)."""
        return self._staleness

    def _merge(self, answer: _Answer) -> None:
        for sid, until in answer.sessions:
            self._index.add_session(sid, until * 1000)
        for jti, until in answer.tokens:
            self._index.add_token(jti, until * 1000)
        for sid, least, until in answer.stale:
            self._index.add_stale(sid, least, until * 1000)
        for kid in answer.keys:
            self._index.add_key(kid)
        if answer.now - self._tidied >= _TIDY_EVERY or answer.now < self._tidied:
            self._tidied = answer.now
            self._index.forget_before(answer.now)
        self._cursor = answer.cursor
        self._keys_tag = answer.keys_tag

    def _extend(self, answer: _Answer, sent: Instant, at: Instant) -> None:
        self._staleness = answer.staleness
        # The grant cannot be younger than the answer; what claims to be is cut to it.
        held = min(answer.held, max(0, at.mono - sent.mono))
        span = held + answer.staleness - answer.margin
        self._lease = _Lease(sent.mono + span, sent.wall + span, answer.now, at)


@dataclass(frozen=True)
class _Answer:
    instance: object
    nonce: object
    cursor: str
    snapshot: bool
    held: int
    now: int
    staleness: int
    margin: int
    keys_tag: str
    sessions: list[tuple[str, int]]
    tokens: list[tuple[str, int]]
    stale: list[tuple[str, int, int]]
    keys: list[str]


def _read_answer(body: object) -> _Answer | None:
    """``None`` unless every member is there and of its kind: half an answer would be half a truth."""
    if not isinstance(body, dict):
        return None
    cursor, snapshot, keys_tag = body.get("cursor"), body.get("snapshot"), body.get("keys_etag")
    if not isinstance(cursor, str) or not 0 < len(cursor) <= _LONGEST_CURSOR:
        return None
    if not isinstance(snapshot, bool) or not isinstance(keys_tag, str):
        return None
    held, now, staleness, margin = (body.get(name) for name in ("held_ms", "now", "max_staleness_ms", "margin_ms"))
    if not _is_whole(held) or not _is_whole(now) or not _is_whole(staleness) or not _is_whole(margin):
        return None
    if not 1000 <= staleness <= _LONGEST_STALENESS or not 0 <= margin < staleness:
        return None
    sessions, tokens = _ends(body.get("sessions")), _ends(body.get("tokens"))
    stale, keys = _versions(body.get("stale")), _names(body.get("keys"))
    if sessions is None or tokens is None or stale is None or keys is None:
        return None
    return _Answer(
        body.get("instance"), body.get("nonce"), cursor, snapshot, held, now, staleness, margin, keys_tag, sessions, tokens, stale, keys
    )


def _ends(flat: object) -> list[tuple[str, int]] | None:
    """Id and second in turn."""
    if not isinstance(flat, list) or len(flat) % 2 != 0:
        return None
    pairs = zip(flat[::2], flat[1::2], strict=True)
    found = [(name, until) for name, until in pairs if is_id(name) and _is_whole(until)]
    return found if len(found) * 2 == len(flat) else None


def _versions(flat: object) -> list[tuple[str, int, int]] | None:
    """Session, claims version and second in turn."""
    if not isinstance(flat, list) or len(flat) % 3 != 0:
        return None
    triples = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    found = [(sid, least, until) for sid, least, until in triples if is_id(sid) and _is_whole(least) and _is_whole(until)]
    return found if len(found) * 3 == len(flat) else None


def _names(flat: object) -> list[str] | None:
    """Key ids."""
    if not isinstance(flat, list):
        return None
    return flat if all(map(is_kid, flat)) else None


def _is_whole(value: object) -> TypeGuard[int]:
    return type(value) is int and -_EXACT < value < _EXACT


def _log_of(cursor: str) -> str:
    return cursor.split(".", 1)[0]


def _goes_back(before: str | None, after: str) -> bool:
    if before is None or _log_of(before) != _log_of(after):
        return False
    old, new = _place_of(before), _place_of(after)
    return old is not None and new is not None and new < old


def _place_of(cursor: str) -> int | None:
    """The number in the middle of ``LOG.SEQ.HASH``."""
    _, _, rest = cursor.partition(".")
    digits = rest.split(".", 1)[0]
    return int(digits) if digits.isascii() and digits.isdigit() else None
