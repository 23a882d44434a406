"""Asks the authority about every token. Keeps no lease, no keys and no cache."""

from __future__ import annotations

from .claims import Claims
from .guard import Guard
from .introspect import Introspector
from .patience import Patience, WouldWait
from .refusal import Refusal
from .watch import Looking, Watch, watch_by_looking

RECHECK_MS = 5000
"""How often an introspecting guard asks again about a token that is watched."""


class AskingGuard(Guard):
    """Mode ``introspect``."""

    def begin_anew(self) -> None:
        super().begin_anew()
        self._introspector = Introspector(self._settings, self._transport, self._verifier)

    def _claims(self, token: str, patience: Patience) -> Claims:
        if not self.alive():
            raise Refusal("verifier_stale")
        if patience is Patience.AT_ONCE:
            raise WouldWait
        return self._introspector.ask(token)

    def _begin_watch(self, token: str, watch: Watch, patience: Patience) -> None:
        self._watches.add(watch)
        looking = Looking(
            judge=lambda: self._claims(token, patience),
            again=lambda _claims: self._claims(token, Patience.MAY_WAIT),
            every=RECHECK_MS,
        )
        watch_by_looking(self, watch, looking, self._clock)

    def asking(self) -> Guard:
        return self

    def _make_asking(self) -> Guard:
        return self

    def alive(self) -> bool:
        return not self._closed

    def now(self) -> float:
        return self._clock.now().wall
