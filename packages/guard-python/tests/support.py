"""A clock that is turned by hand, and an authority that can be made to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from counterfoil_guard import Answer, Guard, Instant, Refusal, Request, create_guard
from counterfoil_guard.base64url import encode
from counterfoil_guard.clock import Cancel

ISSUER = "https://app.example.com"
START = 1_795_260_600_000
FAR = 2_000_000_000
"""An end of an entry, in seconds, that no test reaches."""


def name_of(byte: int) -> str:
    """An id."""
    return encode(bytes([byte]) * 16)


class ManualClock:
    """Both clocks stand still until ``advance``."""

    def __init__(self) -> None:
        self.mono = 1000.0
        self.wall = float(START)
        self._timers: dict[int, tuple[float, Callable[[], None]]] = {}
        self._count = 0
        self._lock = threading.RLock()

    def now(self) -> Instant:
        with self._lock:
            return Instant(self.mono, self.wall)

    def after(self, milliseconds: float, callback: Callable[[], None]) -> Cancel:
        with self._lock:
            self._count += 1
            number = self._count
            self._timers[number] = (self.mono + milliseconds, callback)
        return lambda: self._cancel(number)

    @property
    def armed(self) -> int:
        return len(self._timers)

    def armed_within(self, milliseconds: float) -> bool:
        """Whether a timer is due so soon."""
        with self._lock:
            return any(at <= self.mono + milliseconds for at, _ in self._timers.values())

    def advance(self, milliseconds: float) -> None:
        end = self.mono + milliseconds
        while True:
            with self._lock:
                due = sorted((at, number) for number, (at, _) in self._timers.items() if at <= end)
                if not due:
                    self._move(end - self.mono)
                    return
                at, number = due[0]
                self._move(max(0, at - self.mono))
                _, callback = self._timers.pop(number)
            callback()

    def suspend(self, milliseconds: float) -> None:
        """The machine sleeps on a platform whose monotonic clock stands still then."""
        self.wall += milliseconds

    def _move(self, milliseconds: float) -> None:
        self.mono += milliseconds
        self.wall += milliseconds

    def _cancel(self, number: int) -> None:
        with self._lock:
            self._timers.pop(number, None)


def until(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Waits for what happens on threads, which no clock of ours drives."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.0005)


def settle() -> None:
    """Gives what should *not* happen the time to happen: threads are driven by no clock of ours."""
    time.sleep(0.015)


def part(value: object) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def jwk_of(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().public_bytes_raw()), "kid": kid, "alg": "EdDSA", "use": "sig"}


def signed(key: Ed25519PrivateKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{encode(key.sign(text.encode()))}"


Said = dict[str, Any]
KINDS = ("sessions", "tokens", "stale", "keys")


class Authority:
    """An authority as docs/reference/feed.md describes it, and the way to it: a transport without sockets.

    A poll with nothing new is held until released, until its time is over by the clock, or until the transport is closed.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.credential = "cfg_test"
        self.key = Ed25519PrivateKey.generate()
        self.polls: list[dict[str, str]] = []
        self.log = "logA"
        self.staleness = 5000
        self.tag = '"1"'
        self.jwks: Said = {"keys": [jwk_of(self.key, "k1")]}
        self.key_requests: list[Request] = []
        self.introspected: list[tuple[str, str]] = []
        self.introspection: Callable[[str], Said | int] = lambda _token: {"active": False}
        # What happens to a poll instead of an answer: another one, or `None`, which is none.
        self.instead: Callable[[Said], Answer | None] | None = None
        # Whether polls are left without an answer until their time is over.
        self.silent = False
        self.change: Callable[[Said], Said] = lambda answer: answer
        # What happens while somebody waits for the key set.
        self.meanwhile: Callable[[], None] = lambda: None
        self.closed = False
        # The polls that wait.
        self._holders: set[object] = set()
        self._entries: list[tuple[str, tuple[object, ...]]] = []
        self._changed = threading.Condition()
        self._released = 0

    @property
    def held(self) -> int:
        return len(self._holders)

    def request(self, request: Request) -> Answer | None:
        url = urlsplit(request.url)
        if url.path == "/api/revocations":
            return self._poll(request, {name: values[0] for name, values in parse_qs(url.query).items()})
        if url.path == "/.well-known/jwks.json":
            return self._keys(request)
        return self._introspect(request)

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def mint(self, key: Ed25519PrivateKey | None = None, kid: str = "k1", **more: Any) -> str:
        now = int(self.clock.wall // 1000)
        claims = {
            "iss": ISSUER, "sub": name_of(1), "aud": "web", "client_id": "web", "exp": now + 300, "iat": now, "jti": name_of(3),
            "sid": name_of(2), "auth_time": now - 600, "acr": "aal1", "amr": ["pwd"],
        } | more
        return signed(key or self.key, {"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}, claims)

    def revoke(self, kind: str, *values: object) -> None:
        """Writes an entry and answers whoever waits for one."""
        assert kind in KINDS
        with self._changed:
            self._entries.append((kind, values))
        self.release()

    def restore(self, log: str) -> None:
        """The log begins anew, as after a restore."""
        self.log = log
        self._entries = []

    def release(self) -> None:
        """Answers the polls that wait: their time is over, or there is something new."""
        with self._changed:
            self._released += 1
            if not self.silent:
                self._holders.clear()
            self._changed.notify_all()

    def _poll(self, request: Request, query: dict[str, str]) -> Answer | None:
        with self._changed:
            self.polls.append(query)
            if request.headers["authorization"] != f"Bearer {self.credential}":
                return Answer(401, {}, b'{"code":"guard_unknown"}')
            log, _, rest = query.get("after", "").partition(".")
            start = int(rest.partition(".")[0]) if log == self.log else None
            nothing_new = start == len(self._entries) and query["wait"] != "0" and self.instead is None
            if (self.silent or nothing_new) and not self._hold(request):
                return None
            said = self.change(self._answer(query, start))
            return Answer(200, {}, json.dumps(said).encode()) if self.instead is None else self.instead(said)

    def _hold(self, request: Request) -> bool:
        """Whether there is an answer after all. The lock is held."""
        over = threading.Event()
        released = self._released

        def time_out() -> None:
            with self._changed:
                over.set()
                self._changed.notify_all()

        cancel = self.clock.after(request.whole, time_out)
        self._holders.add(over)
        self._changed.wait_for(lambda: over.is_set() or self.closed or (self._released > released and not self.silent))
        self._holders.discard(over)
        cancel()
        return not over.is_set() and not self.closed

    def _answer(self, query: dict[str, str], start: int | None) -> Said:
        entries = self._entries[start or 0 :]
        lists = {kind: [value for found, values in entries if found == kind for value in values] for kind in KINDS}
        return {
            "instance": query["instance"], "nonce": query["nonce"], "cursor": f"{self.log}.{len(self._entries)}.x", "snapshot": start is None,
            "held_ms": 0, "now": int(self.clock.wall), "max_staleness_ms": self.staleness, "margin_ms": 50, "keys_etag": self.tag, **lists,
        }

    def _keys(self, request: Request) -> Answer | None:
        self.key_requests.append(request)
        self.meanwhile()
        if request.headers.get("if-none-match") == self.tag:
            return Answer(304, {}, b"")
        return Answer(200, {"etag": self.tag}, json.dumps(self.jwks).encode())

    def _introspect(self, request: Request) -> Answer | None:
        body = (request.body or b"").decode()
        self.introspected.append((request.headers["authorization"], body))
        said = self.introspection(parse_qs(body)["token"][0])
        return Answer(said, {}, b"") if isinstance(said, int) else Answer(200, {}, json.dumps(said).encode())


class Pair:
    """A guard of an authority."""

    def __init__(self, prepare: Callable[[Authority], None] | None = None, **options: Any) -> None:
        self.clock = ManualClock()
        self.authority = Authority(self.clock)
        if prepare is not None:
            prepare(self.authority)
        self.events: list[object] = []
        given: dict[str, Any] = {
            "issuer": ISSUER, "audience": "web", "credential": "cfg_test", "clock": self.clock, "transport": self.authority,
            "on_event": self.events.append,
        }
        self.guard: Guard = create_guard(**given | options)

    def poll(self) -> None:
        """Lets the guard ask again: after an answer without news it waits a quarter of a second at most."""
        until(lambda: self.authority.held == 1 or self.clock.armed_within(250), "a poll that waits, or a pause before it")
        if self.authority.held == 0:
            self.clock.advance(250)
        until(lambda: self.authority.held == 1, "a poll that waits")


@contextmanager
def pair(prepare: Callable[[Authority], None] | None = None, **options: Any) -> Iterator[Pair]:
    """A guard of an authority, and what ends both."""
    made = Pair(prepare, **options)
    try:
        yield made
    finally:
        made.guard.close()


@contextmanager
def ready_pair(prepare: Callable[[Authority], None] | None = None, **options: Any) -> Iterator[Pair]:
    """As :func:`pair`, once tokens can be judged and the next poll waits at the authority."""
    with pair(prepare, **options) as made:
        made.guard.ready(10)
        until(lambda: not any(thread.name == "counterfoil-guard-keys" for thread in threading.enumerate()), "the end of the first look for keys")
        made.poll()
        yield made


def reason(judge: Callable[[], object]) -> str:
    """What it was refused with, as a word."""
    try:
        judge()
    except Refusal as refusal:
        return refusal.reason
    return "accepted"
