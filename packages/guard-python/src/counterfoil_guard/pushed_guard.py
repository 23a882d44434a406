"""Judges from a copy of the revocation log, for as long as the lease on it lasts."""

from __future__ import annotations

import secrets
import threading

from .asking_guard import AskingGuard
from .base64url import encode
from .cache import VerifiedTokens
from .claims import Claims
from .client import Client, Listener
from .clock import Cancel, Instant
from .feed import Feed, Received
from .guard import Guard
from .introspect import Introspector
from .patience import Patience, WouldWait
from .refusal import Refusal
from .revocation import RevocationIndex
from .verify import check_times
from .watch import Watch, arm_expiry


class _Known:
    """What was learnt of a token when it was verified."""

    __slots__ = ("claims", "head", "kid")

    def __init__(self, claims: Claims, kid: str) -> None:
        self.claims = claims
        self.kid = kid
        # The head of the index at which it was found not revoked.
        self.head = -1


def _nothing() -> None:
    """No timer is armed."""


class PushedGuard(Guard):
    """Follows the authority from the moment it is made."""

    def begin_anew(self) -> None:
        super().begin_anew()
        self._index = RevocationIndex()
        # An instance for each follower: an acknowledgement speaks for this index only, and not for the copy in a forked process.
        self._feed = Feed(encode(secrets.token_bytes(16)), self._index)
        self._tokens: VerifiedTokens[_Known] = VerifiedTokens(self._settings.cache_size)
        self._introspector = Introspector(self._settings, self._transport, self._verifier)
        self._lease_lock = threading.Lock()
        self._cancel_lease: Cancel = _nothing
        listener = Listener(self._end_if_lease_ended, self._received, self._keys_changed)
        self._client = Client(self._settings, self._transport, self._feed, listener)
        if not self._closed:
            self._client.start()

    def _claims(self, token: str, patience: Patience) -> Claims:
        at = self._clock.now()
        if self._alive(at):
            return self._known(token, at, patience).claims
        if self._settings.on_lease_end == "introspect" and not self._closed:
            if patience is Patience.AT_ONCE:
                raise WouldWait
            return self._introspector.ask(token)
        raise Refusal("verifier_stale")

    def _known(self, token: str, at: Instant, patience: Patience) -> _Known:
        """Everything but the lease has been checked when this returns; the lease too, at the moment of judgement."""
        remembered = self._tokens.get(token)
        if remembered is not None:
            return self._judge(remembered, at)
        # A key set that comes in meanwhile empties the cache for a reason.
        epoch = self._tokens.epoch
        verified = self._verifier.verify_signed(token, lambda name: self._client.key_for(name, patience))
        known = _Known(verified.claims, verified.kid)
        # Time has passed: the lease may have ended, the token been revoked.
        self._judge(known, self._clock.now())
        self._tokens.insert(token, known, epoch)
        return known

    def _judge(self, known: _Known, at: Instant) -> _Known:
        if self._closed or not self._feed.alive(at):
            raise Refusal("verifier_stale")
        check_times(known.claims, self._feed.now(at))
        # The head first: what comes in while it is being checked is looked at the next time.
        head = self._index.head
        if known.head != head:
            self._index.check(known.claims, known.kid)
            known.head = head
        return known

    def _begin_watch(self, token: str, watch: Watch, patience: Patience) -> None:
        at = self._clock.now()
        if not self._alive(at):
            raise Refusal("verifier_stale")
        known = self._known(token, at, patience)
        watch.claims, watch.kid = known.claims, known.kid
        self._watches.add(watch)
        # Once more, now that whatever comes in will find the watch: something may have come in between.
        self._judge(known, self._clock.now())
        arm_expiry(watch, known.claims.exp, self._clock, self.now)
        self._arm_lease()

    def _make_asking(self) -> Guard:
        return AskingGuard(self._settings, self._proofs)

    def alive(self) -> bool:
        return self._alive(self._clock.now())

    def _alive(self, at: Instant) -> bool:
        return not self._closed and self._client.keys is not None and self._feed.alive(at)

    def now(self) -> float:
        return self._feed.now(self._clock.now())

    def close(self) -> None:
        self._closed = True
        self._client.close()
        super().close()
        self._arm_lease()

    def _received(self, received: Received) -> None:
        if received == "news":
            self._watches.sweep(self._refusal_of_watched)
        self._arm_lease()
        self._announce()

    def _refusal_of_watched(self, watch: Watch) -> Refusal | None:
        if watch.claims is None:
            return None
        try:
            self._index.check(watch.claims, watch.kid)
        except Refusal as why:
            return why
        return None

    def _keys_changed(self) -> None:
        # A name may mean another key now.
        self._tokens.clear()
        self._announce()

    def _arm_lease(self) -> None:
        """Whoever watches is told of the end of the lease when it comes. Nobody else needs a timer."""
        with self._lease_lock:
            self._cancel_lease()
            if len(self._watches) > 0 and not self._closed:
                self._cancel_lease = self._clock.after(self._feed.remaining(self._clock.now()), self._lease_timer)

    def _lease_timer(self) -> None:
        # It may come a moment early.
        if self._feed.alive(self._clock.now()):
            self._arm_lease()
        else:
            self._end_if_lease_ended()

    def _end_if_lease_ended(self) -> None:
        """Also looked at before an answer renews the lease: a gap, as after sleep, is an end."""
        if not self._feed.alive(self._clock.now()):
            self._watches.sweep(lambda _watch: Refusal("verifier_stale"))

    def _announce(self) -> None:
        with self._changed:
            self._changed.notify_all()
