"""A process that is forked from one with a guard: a copy of a lease is not a lease."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from served import MachineClock, over_http
from support import FAR, ISSUER, Authority, name_of, reason, until

from counterfoil_guard import Guard, create_guard

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


class Child:
    """A forked process, which does as it is told and writes down what it has found."""

    def __init__(self, work: Callable[[], dict[str, Any]]) -> None:
        self._end, write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            found: dict[str, Any] = {}
            try:
                found = work()
            finally:
                os.write(write, json.dumps(found).encode())
                os._exit(0)
        os.close(write)

    def found(self) -> dict[str, Any]:
        with os.fdopen(self._end) as reading:
            text = reading.read()
        os.waitpid(self._pid, 0)
        said: dict[str, Any] = json.loads(text)
        return said


def following(url: str) -> Guard:
    guard = create_guard(ISSUER, "web", credential="cfg_test", authority=url, on_event=lambda _event: None)
    guard.ready(10)
    return guard


def test_s2_a_forked_process_accepts_nothing_by_its_parents_lease_and_follows_by_itself() -> None:
    authority: Any = Authority(MachineClock())  # type: ignore[arg-type]
    with over_http(authority) as url:
        guard = following(url)
        token, other = authority.mint(), authority.mint(sid=name_of(8), jti=name_of(9))
        guard.verify(token)
        ended: list[str] = []
        guard.watch(token, lambda why: ended.append(why.reason))
        before = {poll["instance"] for poll in authority.polls}

        def work() -> dict[str, Any]:
            at_once = reason(lambda: guard.verify(token))
            # Tells the parent that it may be answered from here on.
            asked = reason(lambda: guard.asking().verify("a.b.c"))
            guard.ready(10)
            accepted = reason(lambda: guard.verify(token))
            until(lambda: reason(lambda: guard.verify(token)) == "revoked")
            return {"at once": at_once, "then": accepted, "asked": asked, "ended": ended, "other": reason(lambda: guard.verify(other))}

        authority.silent = True
        child = Child(work)
        until(lambda: len(authority.introspected) == 1)
        authority.silent = False
        authority.release()
        until(lambda: len({poll["instance"] for poll in authority.polls} - before) == 1, "another instance")
        until(lambda: authority.held >= 2)
        authority.revoke("sessions", name_of(2), FAR)
        assert child.found() == {"at once": "verifier_stale", "then": "accepted", "asked": "inactive", "ended": [], "other": "accepted"}
        until(lambda: ended == ["revoked"], "the parent's own watch")
        assert reason(lambda: guard.verify(other)) == "accepted", "the parent goes on"
        guard.close()


def test_a_guard_that_is_closed_stays_so_in_a_forked_process() -> None:
    authority: Any = Authority(MachineClock())  # type: ignore[arg-type]
    with over_http(authority) as url:
        guard = following(url)
        guard.close()
        polls = len(authority.polls)
        assert Child(lambda: {"said": reason(lambda: guard.verify("a.b.c"))}).found() == {"said": "verifier_stale"}
        assert len(authority.polls) == polls
