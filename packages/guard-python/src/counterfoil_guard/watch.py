"""Tokens in use by something that outlives a request: a WebSocket, a stream. Each is told once when its token stops counting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .claims import Claims
from .clock import Cancel, Clock
from .refusal import Refusal

if TYPE_CHECKING:
    from .guard import Guard

_log = logging.getLogger("counterfoil_guard")

OnEnd = Callable[[Refusal], None]
"""Called once, with why the token no longer counts. On a thread of the guard's: what it does there should be short."""


class Watch:
    """A token that somebody watches. The call-back comes at most once, and does not begin after it was taken away."""

    def __init__(self, on_end: OnEnd) -> None:
        self.claims: Claims | None = None
        self.kid: str | None = None
        self._on_end = on_end
        self._lock = threading.Lock()
        self._over = False
        self._timers: dict[str, Cancel] = {}

    @property
    def over(self) -> bool:
        """Whether it has ended, or was taken away."""
        return self._over

    def end(self, why: Refusal) -> None:
        """The token counts no more."""
        if not self._finish():
            return
        try:
            self._on_end(why)
        except Exception:
            # One call-back that fails must not keep the others open.
            _log.exception("the call-back of a watch has failed")

    def stop(self) -> None:
        """Takes the call-back away."""
        self._finish()

    def on_stop(self, what: str, disarm: Cancel) -> None:
        """What is to be done when it is over, instead of the last of this name; at once, if it is."""
        with self._lock:
            if not self._over:
                self._timers[what] = disarm
                return
        disarm()

    def _finish(self) -> bool:
        """Whether it was not over before."""
        with self._lock:
            if self._over:
                return False
            self._over = True
        for disarm in self._timers.values():
            disarm()
        return True


class Watches:
    """All watches of one guard."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._lock = threading.Lock()

    def add(self, watch: Watch) -> None:
        """Until it is over."""
        with self._lock:
            self._watches.add(watch)
        watch.on_stop("watches", lambda: self._discard(watch))

    def sweep(self, judge: Callable[[Watch], Refusal | None]) -> None:
        """Ends those for which ``judge`` finds a reason."""
        with self._lock:
            watches = list(self._watches)
        for watch in watches:
            why = judge(watch)
            if why is not None:
                watch.end(why)

    def __len__(self) -> int:
        return len(self._watches)

    def _discard(self, watch: Watch) -> None:
        with self._lock:
            self._watches.discard(watch)


def arm_expiry(watch: Watch, expires: int, clock: Clock, now: Callable[[], float]) -> None:
    """Ends the watch when the authority's clock has reached ``exp``."""

    def look() -> None:
        left = expires * 1000 - now()
        if left <= 0:
            watch.end(Refusal("expired"))
        elif not watch.over:
            # Looks again rather than trust one long timer: what is known of the authority's clock may change.
            watch.on_stop("expiry", clock.after(max(left, 1), look))

    look()


@dataclass(frozen=True)
class Looking:
    """How a watch looks at its token again and again."""

    judge: Callable[[], Claims]
    """Judges the token."""
    again: Callable[[Claims], object]
    """Looks again; raises why it counts no more."""
    every: float
    """How often, in milliseconds."""


def watch_by_looking(guard: Guard, watch: Watch, looking: Looking, clock: Clock) -> None:
    """Looks until it is over; each time on a thread that may wait for the authority."""
    claims = looking.judge()
    watch.claims = claims
    arm_expiry(watch, claims.exp, clock, guard.now)

    def arm() -> None:
        if not watch.over:
            watch.on_stop("recheck", clock.after(looking.every, on_time))

    def on_time() -> None:
        guard.on_thread(recheck)

    def recheck() -> None:
        # Gone while it was waiting for its turn: nobody asks about what nobody watches.
        if watch.over:
            return
        try:
            looking.again(claims)
        except Exception as error:
            watch.end(refusal_of(error))
        arm()

    arm()


def refusal_of(error: Exception) -> Refusal:
    """A fault of our own is no reason to go on trusting."""
    if isinstance(error, Refusal):
        return error
    _log.error("a watched token could not be judged", exc_info=error)
    return Refusal("verifier_stale")
