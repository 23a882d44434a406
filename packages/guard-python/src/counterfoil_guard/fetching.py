"""Asking for one thing: one request at a time, and after a failure none for a while."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from concurrent.futures import Future

from .clock import Clock

_log = logging.getLogger("counterfoil_guard")

# After a first failure, doubled with each further one. In milliseconds.
FIRST_PAUSE = 250
_LONGEST_PAUSE = 30_000


class Fetching:
    """The turns of asking for one thing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._flight: Future[None] | None = None
        self._failures = 0
        self._not_before = -math.inf
        self.since = -math.inf
        """When it was last asked for, on the monotonic clock."""
        self.tag: str | None = None
        """The entity tag of what is held."""

    @property
    def under_way(self) -> bool:
        """Whether somebody is asking."""
        return self._flight is not None

    def ask(self, fetch: Callable[[], bool]) -> Future[None] | None:
        """Begins to ask in a thread, or joins who does already. ``None`` when it is too early after a failure.

        ``fetch`` says whether it has got something of use. What comes back ends with it, and never with an error.
        """
        with self._lock:
            if self._flight is not None:
                return self._flight
            now = self._clock.now().mono
            if now < self._not_before:
                return None
            self.since = now
            flight: Future[None] = Future()
            self._flight = flight
        threading.Thread(target=self._fly, args=(flight, fetch), name="counterfoil-guard-fetch", daemon=True).start()
        return flight

    def _fly(self, flight: Future[None], fetch: Callable[[], bool]) -> None:
        fetched = False
        try:
            fetched = fetch()
        except Exception:
            _log.exception("fetching has failed")
        with self._lock:
            self._flight = None
            self._failures = 0 if fetched else self._failures + 1
            pause = 0 if fetched else min(FIRST_PAUSE * 2 ** min(self._failures - 1, 16), _LONGEST_PAUSE)
            self._not_before = self._clock.now().mono + pause
        flight.set_result(None)
