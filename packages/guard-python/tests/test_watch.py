"""Watches: told once when a token stops counting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from support import FAR, Pair, name_of, pair, ready_pair, settle, until

from counterfoil_guard import Guard, Refusal
from counterfoil_guard.watch import Watch, Watches


class Watched:
    """Watches a token and notes why it ended."""

    def __init__(self, guard: Guard, token: str) -> None:
        self.ends: list[str] = []
        self.stop = guard.watch(token, lambda why: self.ends.append(why.reason))


def test_a_watch_fires_once_on_revocation() -> None:
    with ready_pair() as made:
        hit = Watched(made.guard, made.authority.mint())
        other = Watched(made.guard, made.authority.mint(sid=name_of(8), jti=name_of(9)))
        made.authority.revoke("sessions", name_of(2), FAR)
        until(lambda: len(hit.ends) > 0)
        assert other.ends == []
        made.poll()
        made.authority.silent = True
        made.clock.advance(600_000)
        assert hit.ends == ["revoked"]
        assert other.ends == ["verifier_stale"], "the lease has ended for the other one"


def test_a_watch_fires_when_the_token_expires() -> None:
    with ready_pair() as made:
        watch = Watched(made.guard, made.authority.mint(exp=int(made.clock.wall // 1000) + 3))
        made.clock.advance(2999 - made.clock.wall % 1000)
        assert watch.ends == []
        made.clock.advance(1)
        assert watch.ends == ["expired"]


def test_a_watch_fires_when_the_lease_ends_also_after_sleep_and_before_the_next_answer_renews_it() -> None:
    with ready_pair() as made:
        watch = Watched(made.guard, made.authority.mint())
        made.clock.suspend(60_000)
        made.authority.release()
        until(lambda: len(watch.ends) > 0)
        assert watch.ends == ["verifier_stale"]
        assert not made.guard.alive(), "what was asked before the sleep gives no lease after it"
        until(lambda: made.guard.alive() or made.clock.armed_within(250), "another poll, or a pause before it")
        made.clock.advance(250)
        until(made.guard.alive)


def test_s2_the_lease_of_one_who_watches_ends_by_itself() -> None:
    with ready_pair() as made:
        watch = Watched(made.guard, made.authority.mint())
        made.authority.silent = True
        made.clock.advance(4699)
        assert watch.ends == []
        made.clock.advance(1)
        assert watch.ends == ["verifier_stale"]


def test_a_watch_of_a_token_that_does_not_count_fires_at_once_and_one_that_was_taken_away_never() -> None:
    with ready_pair() as made:
        bad = Watched(made.guard, "not.a.token")
        gone = Watched(made.guard, made.authority.mint())
        gone.stop()
        after = Watched(made.guard, made.authority.mint())
        made.authority.revoke("sessions", name_of(2), FAR)
        until(lambda: len(after.ends) > 0)
        made.clock.advance(600_000)
        assert (bad.ends, gone.ends, after.ends) == (["malformed"], [], ["revoked"])


def test_s2_a_revocation_that_comes_between_the_judgement_and_the_watch_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    add = Watches.add
    with ready_pair() as made:

        def late(watches: Watches, watch: Watch) -> None:
            made.authority.revoke("sessions", name_of(2), FAR)
            until(lambda: made.authority.polls[-1].get("after") == "logA.1.x", "the acknowledgement")
            add(watches, watch)

        monkeypatch.setattr(Watches, "add", late)
        assert Watched(made.guard, made.authority.mint()).ends == ["revoked"]


def test_a_call_back_that_fails_does_not_keep_the_others_open_and_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    watches, ended = Watches(), []

    def fail(_why: Refusal) -> None:
        raise ValueError("from the test")

    watches.add(Watch(fail))
    watches.add(Watch(lambda why: ended.append(why.reason)))
    with caplog.at_level(logging.ERROR):
        watches.sweep(lambda _watch: Refusal("revoked"))
    assert ended == ["revoked"]
    assert "from the test" in caplog.text
    assert len(watches) == 0


def test_a_watch_ends_once_whatever_ends_it_and_not_after_it_was_taken_away() -> None:
    ended: list[str] = []
    watch, gone = Watch(lambda why: ended.append(why.reason)), Watch(lambda why: ended.append(why.reason))
    gone.stop()
    for one in (watch, gone):
        one.end(Refusal("revoked"))
        one.end(Refusal("expired"))
    assert ended == ["revoked"]


def test_closing_the_guard_ends_every_watch_and_no_timer_is_left() -> None:
    with ready_pair() as made:
        watch = Watched(made.guard, made.authority.mint())
        made.guard.close()
        assert watch.ends == ["verifier_stale"]
        until(lambda: made.clock.armed == 0)
        assert Watched(made.guard, made.authority.mint()).ends == ["verifier_stale"]


def yes(made: Pair) -> Callable[[str], dict[str, Any]]:
    return lambda _token: {
        "active": True, "token_type": "Bearer", "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": int(made.clock.wall // 1000) + 300,
    }


def test_an_introspecting_guard_asks_again_every_five_seconds_about_a_token_that_is_watched() -> None:
    with pair(mode="introspect") as made:
        authority, clock = made.authority, made.clock
        authority.introspection = yes(made)
        watch, gone = Watched(made.guard, "a.b.c"), Watched(made.guard, "d.e.f")
        # One timer for its expiry and one for asking again, for each.
        until(lambda: clock.armed == 4)
        gone.stop()
        clock.advance(5000)
        until(lambda: len(authority.introspected) == 3)
        until(lambda: clock.armed == 2)
        assert watch.ends == []
        leaving = Watched(made.guard, "g.h.i")
        until(lambda: clock.armed == 4)

        def leave(token: str) -> dict[str, Any]:
            if token == "g.h.i":
                leaving.stop()
            return yes(made)(token)

        authority.introspection = leave
        clock.advance(5000)
        until(lambda: len(authority.introspected) == 6)
        until(lambda: clock.armed == 2)
        authority.introspection = lambda _token: {"active": False, "reason": "session_revoked"}
        clock.advance(5000)
        until(lambda: len(watch.ends) > 0)
        assert (watch.ends, gone.ends, leaving.ends) == (["revoked"], [], [])
        clock.advance(60_000)
        settle()
        assert len(authority.introspected) == 7, "nobody is asked about what nobody watches"
