"""The wire: one long poll after another, and the key set.

All judgement is in ``feed``; here is only when to ask, and when to stop waiting. Failures are not raised anywhere: the lease runs out, and
that is what callers see.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from .base64url import encode
from .events import KeysFailed, KeysLoaded, PollFailed
from .feed import Feed, Received
from .json import parse
from .jwks import KeySet, KeySetError, VerifyingKey
from .options import Settings
from .patience import Patience, WouldWait
from .transport import Answer, Request, Transport

# All times in milliseconds. After a failure at once, then at most four times a second.
_PAUSE = 250
# Nobody is kept from asking for longer than this by `Retry-After`.
_LONGEST_PAUSE = 5000
KEYS_INTERVAL = 2000
"""For an unknown name of a key, at most one fetch in so many milliseconds, for all callers together (ATK-10)."""
KEYS_TIMEOUT = 2000
MAX_KEYS_BODY = 2**20
# A snapshot of a hundred thousand revocations has about four megabytes.
_MAX_BODY = 64 * 2**20
# For an answer that is waited for as long as it goes on coming.
_SNAPSHOT_TIMEOUT = 30_000
# Without a lease there is none to lose: time for a new connection, and for an authority that has much to tell.
_WITHOUT_LEASE_TIMEOUT = 3000


@dataclass(frozen=True)
class Listener:
    """What a client tells, on threads of its own."""

    on_turn: Callable[[], None]
    """Just before an answer is taken in, and after each failure."""
    on_received: Callable[[Received], None]
    on_keys: Callable[[], None]
    """The key set is another."""


class Client:
    """Keeps a feed and, after its first answer, a key set current until closed."""

    def __init__(self, settings: Settings, transport: Transport, feed: Feed, listener: Listener) -> None:
        self._settings = settings
        self._clock = settings.clock
        self._transport = transport
        self._feed = feed
        self._listener = listener
        self._closed = threading.Event()
        # Set when there is nothing to wait for any longer.
        self._awake = threading.Event()
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._etag: str | None = None
        # What the feed had announced when the key set was last fetched.
        self._keys_tag: str | None = None
        self._fetching: Future[None] | None = None
        self._keys_asked_at = -math.inf

    @property
    def keys(self) -> KeySet | None:
        """The key set, once there is one."""
        return self._keys

    def start(self) -> None:
        """Follows from here on, in a thread that does not keep the process alive."""
        threading.Thread(target=self._follow, name="counterfoil-guard-feed", daemon=True).start()

    def close(self) -> None:
        """Asks nothing more, and waits for nothing."""
        self._closed.set()
        self._awake.set()
        self._transport.close()

    def key_for(self, name: str, patience: Patience) -> VerifyingKey | None:
        """The key of this name, a ``kid`` or a PASERK id; if it is unknown, after one look at the newest key set."""
        known = self._known(name)
        if known is not None:
            return known
        with self._lock:
            rested = self._clock.now().mono - self._keys_asked_at >= KEYS_INTERVAL
            if self._fetching is None and not rested:
                # A fetch may have ended just before.
                return self._known(name)
            if patience is Patience.AT_ONCE:
                raise WouldWait
            fetching = self._fetch_once()
        fetching.result()
        return self._known(name)

    def _known(self, name: str) -> VerifyingKey | None:
        keys = self._keys
        return None if keys is None else keys.get(name)

    def _follow(self) -> None:
        failures = 0
        while not self._closed.is_set():
            started = self._clock.now().mono
            received, retry_after = self._poll()
            if self._closed.is_set():
                return
            failures = failures + 1 if received == "failed" else 0
            spent = self._clock.now().mono - started
            # An authority that answers at once with nothing must not be asked in a circle either.
            hurried = received == "nothing_new" and spent < _PAUSE
            least = _PAUSE - spent if failures > 1 or hurried else 0
            self._pause(max(least, retry_after))

    def _poll(self) -> tuple[Received | Literal["failed"], float]:
        """What came of one question, and how long not to ask another."""
        feed, at = self._feed, self._clock.now()
        poll = feed.poll(at, encode(secrets.token_bytes(16)))
        query = {"instance": poll.instance, "nonce": poll.nonce, "wait": str(poll.wait)} | ({} if poll.after is None else {"after": poll.after})
        headers = {"authorization": f"Bearer {self._settings.credential}", "accept": "application/json", "cache-control": "no-store"}
        # With a lease, another attempt may still keep it alive; without one, a long snapshot may come as slowly as it likes.
        alive = feed.alive(at)
        answer = self._transport.request(Request(
            url=f"{self._settings.base}/api/revocations?{urlencode(query)}",
            timeout=poll.timeout if alive else max(poll.timeout, _WITHOUT_LEASE_TIMEOUT),
            whole=poll.timeout if alive else _SNAPSHOT_TIMEOUT,
            limit=_MAX_BODY,
            headers=headers,
        ))
        if self._closed.is_set():
            return "failed", 0
        self._listener.on_turn()
        received = feed.receive(parse(answer.body), self._clock.now()) if answer is not None and answer.status == 200 else "ignored"
        if received == "ignored":
            self._settings.on_event(PollFailed(None if answer is None else answer.status))
            # However long it is asked to wait: a lease that runs out meanwhile would stop every request.
            return "failed", min(_retry_after(answer), feed.staleness // 5)
        self._listener.on_received(received)
        with self._lock:
            if feed.keys_tag != self._keys_tag:
                self._fetch_once()
        return received, 0

    def _fetch_once(self) -> Future[None]:
        """One fetch at a time; whoever comes meanwhile waits for the same one. The lock is held."""
        if self._fetching is None:
            self._fetching = Future()
            # A thread of its own: the feed must go on, whatever becomes of the key set.
            threading.Thread(target=self._fetch, args=(self._fetching,), name="counterfoil-guard-keys", daemon=True).start()
        return self._fetching

    def _fetch(self, fetching: Future[None]) -> None:
        try:
            self._fetch_keys()
        finally:
            with self._lock:
                self._fetching = None
            fetching.set_result(None)

    def _fetch_keys(self) -> None:
        announced = self._feed.keys_tag
        self._keys_asked_at = self._clock.now().mono
        answer = self._transport.request(keys_request(self._settings.base, self._etag))
        if self._closed.is_set():
            return
        if answer is not None and answer.status == 304:
            self._keys_tag = announced
            return
        keys = keys_in(answer)
        if answer is None or keys is None:
            self._settings.on_event(KeysFailed(None if answer is None else answer.status))
            return
        self._keys = keys
        self._etag = answer.headers.get("etag")
        self._keys_tag = announced
        self._listener.on_keys()
        self._settings.on_event(KeysLoaded(tuple(keys.kids())))

    def _pause(self, milliseconds: float) -> None:
        if milliseconds <= 0:
            return
        self._awake.clear()
        cancel = self._clock.after(milliseconds, self._awake.set)
        # It may have been closed just before.
        if not self._closed.is_set():
            self._awake.wait()
        cancel()


def keys_request(base: str, etag: str | None) -> Request:
    """Past every cache on the way: the key set is asked for only when an old one would not do."""
    headers = {"accept": "application/json", "cache-control": "no-cache"} | ({} if etag is None else {"if-none-match": etag})
    return Request(f"{base}/.well-known/jwks.json", KEYS_TIMEOUT, KEYS_TIMEOUT, MAX_KEYS_BODY, headers)


def keys_in(answer: Answer | None) -> KeySet | None:
    """The key set that came, if one did."""
    if answer is None or answer.status != 200:
        return None
    try:
        return KeySet.from_jwks(answer.body)
    except KeySetError:
        return None


def _retry_after(answer: Answer | None) -> float:
    seconds = "" if answer is None else answer.headers.get("retry-after", "")
    return min(int(seconds) * 1000, _LONGEST_PAUSE) if seconds.isascii() and seconds.isdigit() and len(seconds) < 10 else 0
