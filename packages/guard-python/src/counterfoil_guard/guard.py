"""The guard: may this token be believed now?"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from .claims import Claims
from .clock import Cancel
from .dpop import Proof, UsedProofs, check_binding
from .forking import begin_anew_after_fork
from .options import Settings
from .patience import Patience, WouldWait
from .refusal import Refusal
from .transport import HttpTransport, Transport
from .verify import Verifier
from .watch import OnEnd, Watch, Watches, refusal_of

T = TypeVar("T")

# How many requests at most wait for the authority at once, for those who run an event loop.
_MOST_THREADS = 32


class GuardClosed(Exception):
    """The guard was closed while somebody waited for it."""

    def __init__(self) -> None:
        super().__init__("the guard is closed")


class Guard(ABC):
    """Judges tokens. All methods may be called on any thread; make one with :func:`counterfoil_guard.create_guard` per process and share it."""

    def __init__(self, settings: Settings, proofs: UsedProofs | None = None) -> None:
        """With the proofs of the guard it belongs to, if it does: what has been used there is used here."""
        self._settings = settings
        self._clock = settings.clock
        self._closed = False
        self._asking: Guard | None = None
        self._proofs = UsedProofs(self.now) if proofs is None else proofs
        self.origins = settings.origins
        """From where requests that rest on a cookie may come."""
        self.at = settings.at
        """Under which origin clients know this server: proofs are made for it and the request's path."""
        self._transport: Transport = settings.transport or HttpTransport()
        self._verifier = Verifier(settings.issuer, settings.audiences, settings.subjects, settings.decryption_keys)
        self.begin_anew()
        begin_anew_after_fork(self)

    def begin_anew(self) -> None:
        """Makes all that this process alone has. See ``forking``."""
        self._watches = Watches()
        self._changed = threading.Condition()
        self._threads: ThreadPoolExecutor | None = None

    @abstractmethod
    def _claims(self, token: str, patience: Patience) -> Claims:
        """All but who presents it."""

    @abstractmethod
    def _begin_watch(self, token: str, watch: Watch, patience: Patience) -> None:
        """Judges the token and arms what may end the watch; or raises why it does not count."""

    @abstractmethod
    def _make_asking(self) -> Guard:
        """The same guard in mode ``introspect``."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether tokens can be judged at this moment, for health checks."""

    @abstractmethod
    def now(self) -> float:
        """The authority's clock in milliseconds, as well as it is known here."""

    def verify(self, token: str, patience: Patience = Patience.MAY_WAIT) -> Claims:
        """Believes the token, or raises a :class:`Refusal`. One that is bound to a key is refused here (``proof_required``)."""
        claims = self._claims(token, patience)
        check_binding(claims)
        return claims

    def verify_bound(self, token: str, proof: Proof, patience: Patience = Patience.MAY_WAIT) -> Claims:
        """The same for a token that comes with a proof (RFC 9449), which must be fresh, for this token, and new to this guard.

        Only such a token passes that is bound to the proof's key.
        """
        claims = self._claims(token, patience)
        self._proofs.use(claims, token, proof)
        return claims

    def watch(self, token: str, on_end: OnEnd) -> Cancel:
        """Calls back once, when the token stops counting: revoked, expired, outdated, or nobody can tell any more.

        At once, if it does not count now. Who presents it is not asked again. Never waits; returns what takes the call-back away.
        """
        watch = Watch(on_end)
        try:
            self._start_watch(token, watch, Patience.AT_ONCE)
        except WouldWait:
            self.on_thread(lambda: self._start_watch(token, watch, Patience.MAY_WAIT))
        return watch.stop

    def _start_watch(self, token: str, watch: Watch, patience: Patience) -> None:
        try:
            # Taken away while it was waiting for its turn.
            if not watch.over:
                self._begin_watch(token, watch, patience)
        except WouldWait:
            raise
        except Exception as error:
            watch.end(refusal_of(error))

    def ready(self, timeout: float | None = None) -> None:
        """Waits until tokens can be judged; raises :class:`GuardClosed` when the guard is closed before, ``TimeoutError`` after so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self.alive(), timeout):
                raise TimeoutError("the guard is not ready: it has not heard from the authority")
        if self._closed:
            raise GuardClosed

    def asking(self) -> Guard:
        """The same guard in mode ``introspect``, for the few routes where seconds are too long. It closes with this one."""
        with self._changed:
            if self._asking is None:
                self._asking = self._make_asking()
            asking = self._asking
        if self._closed:
            asking.close()
        return asking

    def close(self) -> None:
        """Stops asking; everything is refused from here on, and every watch ends."""
        with self._changed:
            self._closed = True
            asking, threads = self._asking, self._threads
            self._changed.notify_all()
        if asking is not None:
            asking.close()
        self._transport.close()
        self._watches.sweep(lambda _watch: Refusal("verifier_stale"))
        if threads is not None:
            threads.shutdown(wait=False)

    def on_thread(self, work: Callable[[], T]) -> Future[T] | None:
        """Does what may wait for the authority on one of this guard's own threads. Nothing, when the guard is closed."""
        with self._changed:
            if self._closed:
                return None
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_MOST_THREADS, "counterfoil-guard-waits")
            return self._threads.submit(work)

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
