"""Time as the guard uses it: handed in, so that a test can turn it."""

from __future__ import annotations

import heapq
import itertools
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .forking import begin_anew_after_fork

_log = logging.getLogger("counterfoil_guard")

Cancel = Callable[[], None]


class Instant(NamedTuple):
    """A reading of two clocks at one moment, in milliseconds."""

    mono: float
    """From an arbitrary start, never stepping."""
    wall: float
    """Since the epoch, as the machine believes."""


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> Instant:
        """Both clocks at this moment."""

    def after(self, milliseconds: float, callback: Callable[[], None]) -> Cancel:
        """Calls back once after so many milliseconds, unless cancelled. Must not keep the process alive."""


def _monotonic() -> Callable[[], float]:
    """A clock that goes on while the machine sleeps, where the platform has one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        boottime = time.CLOCK_BOOTTIME
        return lambda: time.clock_gettime(boottime)
    if sys.platform == "darwin":
        # There CLOCK_MONOTONIC goes on during sleep, unlike what `time.monotonic` reads.
        return lambda: time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic


class SystemClock:
    """The machine's clocks: CLOCK_BOOTTIME and the wall clock.

    A lease is kept on both: one may stand still during sleep on platforms that have no better, the other can be set. Whichever ends
    first ends the lease.
    """

    def __init__(self) -> None:
        self._seconds = _monotonic()
        self.begin_anew()
        begin_anew_after_fork(self)

    def now(self) -> Instant:
        return Instant(self._seconds() * 1000, time.time() * 1000)

    def after(self, milliseconds: float, callback: Callable[[], None]) -> Cancel:
        return self._timers.add(self._seconds() + max(0.0, milliseconds) / 1000, callback)

    def begin_anew(self) -> None:
        """Without timers: those of a parent process belong to the parent."""
        self._timers = _Timers(self._seconds)


class _Timers:
    """One thread for all timers, started with the first of them."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._due: list[tuple[float, int]] = []
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, due: float, callback: Callable[[], None]) -> Cancel:
        with self._changed:
            number = next(self._numbers)
            self._callbacks[number] = callback
            heapq.heappush(self._due, (due, number))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="counterfoil-guard-timers", daemon=True)
                self._thread.start()
            self._changed.notify()
        return lambda: self._cancel(number)

    def _cancel(self, number: int) -> None:
        with self._changed:
            self._callbacks.pop(number, None)
            # Timers that are set and cancelled far ahead of their time must not pile up.
            if len(self._due) > 64 and len(self._due) > 2 * len(self._callbacks):
                self._due = [entry for entry in self._due if entry[1] in self._callbacks]
                heapq.heapify(self._due)

    def _run(self) -> None:
        while True:
            callback = self._next()
            try:
                callback()
            except Exception:
                # One that fails must not keep the others from being called.
                _log.exception("a call-back of a timer has failed")

    def _next(self) -> Callable[[], None]:
        """Waits for the next timer that is due."""
        with self._changed:
            while True:
                left = self._due[0][0] - self._seconds() if self._due else None
                if left is not None and left <= 0:
                    callback = self._callbacks.pop(heapq.heappop(self._due)[1], None)
                    if callback is not None:
                        return callback
                else:
                    # Not for long at once: this waits on a clock that may stand still in sleep.
                    self._changed.wait(None if left is None else min(left, 1.0))
