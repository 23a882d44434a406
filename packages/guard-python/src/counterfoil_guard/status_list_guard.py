"""Judges by status lists: which are fetched, when, and how often at most.

Nothing runs but what a request has asked for; what fails is tried again later and later, and meanwhile the list that is held counts until its
end.
"""

from __future__ import annotations

import math
import threading

from .asking_guard import AskingGuard
from .claims import Claims
from .client import KEYS_INTERVAL, keys_in, keys_request
from .clock import Instant
from .events import KeysFailed, KeysLoaded, ListFailed
from .fetching import FIRST_PAUSE, Fetching
from .guard import Guard, GuardClosed
from .jwks import KeySet, VerifyingKey
from .patience import Patience, WouldWait
from .refusal import Refusal
from .status_list import MAX_LIST_TOKEN_BYTES, MOST_LISTS, StatusLists, Wanted, read_status_list
from .transport import Answer, Request
from .verify import check_times
from .watch import Looking, Watch, watch_by_looking

# All times in milliseconds. After this the key set is fetched anew, in the background.
_KEYS_DUE = 5 * 60_000
# Without a new one nothing is accepted after this: a revoked key is one that the authority publishes no more.
_KEYS_OVER = 10 * 60_000
# Whoever asks waits for it.
_LIST_TIMEOUT = 5000
# How often a watched token is looked at again.
_RECHECK_MS = 1000

# The type that a status list comes as (TSL-8.2).
_STATUS_LIST = "application/statuslist+jwt"


class StatusListGuard(Guard):
    """Fetches lists and keys when they are needed. Follows nothing, and needs no credential."""

    def begin_anew(self) -> None:
        super().begin_anew()
        self._lists = StatusLists(self._settings.issuer)
        self._turns: dict[str, Fetching] = {}
        self._turns_lock = threading.Lock()
        self._keys_turn = Fetching(self._clock)
        self._keys: KeySet | None = None
        self._keys_at = Instant(-math.inf, -math.inf)

    def _claims(self, token: str, patience: Patience) -> Claims:
        self._current_keys(patience)
        claims = self._verifier.verify_signed(token, lambda name: self._key_for(name, patience)).claims
        check_times(claims, self.now())
        self._check_status(claims, patience)
        return self._still_in_time(claims)

    def _still_good(self, claims: Claims) -> None:
        self._current_keys(Patience.MAY_WAIT)
        self._check_status(claims, Patience.MAY_WAIT)
        self._still_in_time(claims)

    def _still_in_time(self, claims: Claims) -> Claims:
        """Time has passed, if something was waited for."""
        if self._closed:
            raise Refusal("verifier_stale")
        check_times(claims, self.now())
        return claims

    def _check_status(self, claims: Claims, patience: Patience) -> None:
        verdict = self._lists.check(claims, self._clock.now())
        if isinstance(verdict, Wanted):
            self._wait(self._turn(verdict.uri), verdict.uri, patience)
            verdict = self._lists.check(claims, self._clock.now())
        elif claims.status is not None and self._lists.holds(claims.status.uri) and self._lists.is_due(claims.status.uri, self._clock.now()):
            # In the background: nobody waits for it.
            uri = claims.status.uri
            self._turn(uri).ask(lambda: self._fetch_list(uri))
        if verdict != "valid":
            raise verdict if isinstance(verdict, Refusal) else Refusal("verifier_stale")

    def _wait(self, turn: Fetching, uri: str, patience: Patience) -> None:
        flight = None if self._closed else turn.ask(lambda: self._fetch_list(uri))
        if flight is None:
            return
        if patience is Patience.AT_ONCE:
            raise WouldWait
        flight.result()

    def _turn(self, uri: str) -> Fetching:
        with self._turns_lock:
            if uri not in self._turns:
                if len(self._turns) >= MOST_LISTS:
                    at = self._clock.now()
                    self._turns = {old: turn for old, turn in self._turns.items() if turn.under_way or self._lists.is_usable(old, at)}
                self._turns[uri] = Fetching(self._clock)
            return self._turns[uri]

    def _fetch_list(self, uri: str) -> bool:
        turn, asked = self._turn(uri), self._clock.now()
        # That a list has not changed means something only as long as it is held.
        tag = turn.tag if self._lists.holds(uri) else None
        headers = {"accept": _STATUS_LIST} | ({} if tag is None else {"if-none-match": tag})
        # The authority may be reached by another way than its public one.
        url = self._settings.base + uri.removeprefix(self._settings.issuer)
        answer = self._transport.request(Request(url, _LIST_TIMEOUT, _LIST_TIMEOUT, MAX_LIST_TOKEN_BYTES, headers))
        if answer is not None and answer.status == 304 and tag is not None:
            self._lists.confirm(uri, asked)
            fault = None
        elif answer is not None and answer.status == 200:
            fault = self._receive(answer, uri, asked)
            if fault is None:
                turn.tag = answer.headers.get("etag")
        else:
            fault = "unavailable"
        # A list that is over helps nobody, and is not asked for in a circle.
        if fault is None and not self._lists.is_usable(uri, self._clock.now()):
            fault = "expired"
        if fault is not None:
            self._settings.on_event(ListFailed(uri, None if answer is None else answer.status, fault))
        return fault is None

    def _receive(self, answer: Answer, uri: str, asked: Instant) -> str | None:
        """Why the list is not taken in, if it is not."""
        if answer.headers.get("content-type") != _STATUS_LIST:
            return "wrong_type"
        try:
            token = answer.body.decode("utf-8", "replace")
            fetched = read_status_list(
                token, uri, self._settings.issuer, self._clock.now().wall, lambda name: self._key_for(name, Patience.MAY_WAIT)
            )
        except Refusal as refusal:
            return refusal.reason
        return None if self._lists.receive(fetched, asked) else "older"

    def _current_keys(self, patience: Patience) -> None:
        """Sees to it that the key set is not too old, or raises."""
        if self._closed:
            raise Refusal("verifier_stale")
        if self._keys_age() < _KEYS_DUE:
            return
        flight = self._keys_turn.ask(self._fetch_keys)
        if self._keys_age() < _KEYS_OVER:
            return
        if flight is not None:
            if patience is Patience.AT_ONCE:
                raise WouldWait
            flight.result()
        if self._keys_age() >= _KEYS_OVER:
            raise Refusal("verifier_stale")

    def _keys_age(self) -> float:
        now, at = self._clock.now(), self._keys_at
        return max(now.mono - at.mono, now.wall - at.wall)

    def _key_for(self, name: str, patience: Patience) -> VerifyingKey | None:
        """The key of this name, a ``kid`` or a PASERK id; if it is unknown, after one look at the newest key set."""
        known, turn = self._known(name), self._keys_turn
        if known is not None:
            return known
        if not turn.under_way and self._clock.now().mono - turn.since < KEYS_INTERVAL:
            # A fetch may have ended just before.
            return self._known(name)
        if patience is Patience.AT_ONCE:
            raise WouldWait
        flight = turn.ask(self._fetch_keys)
        if flight is not None:
            flight.result()
        return self._known(name)

    def _known(self, name: str) -> VerifyingKey | None:
        keys = self._keys
        return None if keys is None else keys.get(name)

    def _fetch_keys(self) -> bool:
        asked, turn = self._clock.now(), self._keys_turn
        answer = self._transport.request(keys_request(self._settings.base, turn.tag))
        unchanged = answer is not None and answer.status == 304 and self._keys is not None
        if not unchanged:
            keys = keys_in(answer)
            if answer is None or keys is None:
                self._settings.on_event(KeysFailed(None if answer is None else answer.status))
                return False
            self._keys = keys
            turn.tag = answer.headers.get("etag")
            self._settings.on_event(KeysLoaded(tuple(keys.kids())))
        self._keys_at = asked
        with self._changed:
            self._changed.notify_all()
        return True

    def _begin_watch(self, token: str, watch: Watch, patience: Patience) -> None:
        self._watches.add(watch)
        looking = Looking(judge=lambda: self._claims(token, patience), again=self._still_good, every=_RECHECK_MS)
        watch_by_looking(self, watch, looking, self._clock)

    def ready(self, timeout: float | None = None) -> None:
        """As of any guard; asks for the key set, again and again if need be."""
        pause = threading.Event()
        left = None if timeout is None else self._clock.now().mono + timeout * 1000
        while not self._closed and not self.alive():
            flight = self._keys_turn.ask(self._fetch_keys)
            if flight is not None:
                flight.result()
            elif left is not None and self._clock.now().mono >= left:
                raise TimeoutError("the guard is not ready: it has not got the authority's key set")
            else:
                pause.clear()
                self._clock.after(FIRST_PAUSE, pause.set)
                pause.wait()
        if self._closed:
            raise GuardClosed

    def _make_asking(self) -> Guard:
        if not self._settings.credential:
            raise ValueError("asking() needs a credential")
        return AskingGuard(self._settings, self._proofs)

    def alive(self) -> bool:
        return not self._closed and self._keys_age() < _KEYS_OVER

    def now(self) -> float:
        return self._clock.now().wall
