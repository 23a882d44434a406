"""The feed as a state machine: no socket, no clock."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import name_of, reason

from counterfoil_guard.claims import Claims
from counterfoil_guard.clock import Instant
from counterfoil_guard.feed import Feed, Poll
from counterfoil_guard.revocation import RevocationIndex

INSTANCE = name_of(7)


def at(time: float, wall: float | None = None) -> Instant:
    return Instant(time, time if wall is None else wall)


def claims_with(sid: int = 2, jti: int = 3, cv: int = 0) -> Claims:
    return Claims("", "", "", "", 0, 0, name_of(jti), name_of(sid), 0, "", (), cv=cv)


class Made:
    def __init__(self) -> None:
        self.index = RevocationIndex()
        self.feed = Feed(INSTANCE, self.index)
        self._count = 0

    def ask(self, time: float) -> None:
        self._count += 1
        self.feed.poll(at(time), f"n{self._count}")

    def answer(self, time: float, **more: Any) -> str:
        said = {
            "instance": INSTANCE, "nonce": f"n{self._count}", "cursor": "A.1.h", "snapshot": True, "held_ms": 0, "now": 1_000_000,
            "max_staleness_ms": 5000, "margin_ms": 50, "keys_etag": '"e"', "sessions": [], "tokens": [], "stale": [], "keys": [],
        } | more
        return self.feed.receive({name: value for name, value in said.items() if value is not ...}, at(time))

    def refusal(self, claims: Claims, kid: str = "k") -> str:
        return reason(lambda: self.index.check(claims, kid))


@pytest.fixture
def made() -> Made:
    return Made()


def test_s2_the_lease_runs_from_the_moment_of_asking_less_the_margin(made: Made) -> None:
    assert not made.feed.alive(at(0)), "nothing before the first answer"
    made.ask(100)
    assert made.answer(900) == "nothing_new"
    assert made.feed.alive(at(100 + 4949))
    assert not made.feed.alive(at(100 + 4950))
    assert made.feed.remaining(at(100)) == 4950


def test_s2_what_the_authority_held_the_request_for_counts_but_no_more_than_has_passed_and_it_may_be_negative(made: Made) -> None:
    made.ask(100)
    made.answer(1100, held_ms=812)
    assert made.feed.remaining(at(100)) == 4950 + 812
    made.ask(2000)
    made.answer(2300, held_ms=100_000)
    assert made.feed.remaining(at(2000)) == 4950 + 300
    made.ask(3000)
    made.answer(3300, held_ms=-40)
    assert made.feed.remaining(at(3000)) == 4950 - 40


def test_s2_either_clock_ends_the_lease(made: Made) -> None:
    made.ask(0)
    made.answer(10)
    assert not made.feed.alive(at(100, 4950)), "the machine slept"
    assert not made.feed.alive(at(4950, 100)), "the wall clock was set back"
    assert made.feed.alive(at(100, 100))


def test_the_authority_carries_its_clock_and_of_two_clocks_here_the_one_that_went_further_counts(made: Made) -> None:
    made.ask(0)
    made.answer(10)
    moments = (at(10), at(310), at(310, 2010), at(310, -5000))
    assert [made.feed.now(moment) for moment in moments] == [1_000_000, 1_000_300, 1_002_000, 1_000_300]


def test_atk_31_a_foreign_late_or_repeated_answer_is_ignored(made: Made) -> None:
    assert made.answer(0) == "ignored", "nobody has asked"
    made.ask(0)
    assert made.answer(1, nonce="n9") == "ignored"
    assert made.answer(1, instance=name_of(8)) == "ignored"
    assert made.answer(1, nonce=...) == "ignored"
    assert not made.feed.alive(at(1))
    made.ask(10)
    assert made.answer(11, nonce="n1") == "ignored", "the answer to an earlier question"
    assert made.answer(12) == "nothing_new"
    assert made.answer(4000) == "ignored", "a second time"
    assert not made.feed.alive(at(4960)), "what was ignored extends nothing"


def test_atk_31_a_list_of_changes_follows_only_what_is_here_already(made: Made) -> None:
    made.ask(0)
    assert made.answer(1, snapshot=False) == "ignored", "before any snapshot"
    made.ask(2)
    made.answer(3)
    made.ask(4)
    assert made.answer(5, snapshot=False, cursor="B.9.h", sessions=[name_of(2), 2000]) == "ignored", "of another log"
    assert made.feed.poll(at(6), "x").after == "A.1.h"


def test_the_cursor_never_goes_back_within_a_log_and_a_snapshot_of_another_log_is_merged_in(made: Made) -> None:
    made.ask(0)
    made.answer(1, cursor="A.5.h", sessions=[name_of(2), 2000])
    made.ask(2)
    assert made.answer(3, cursor="A.4.h") == "ignored"
    assert made.feed.poll(at(4), "x").after == "A.5.h"
    assert made.refusal(claims_with()) == "revoked"
    made.ask(5)
    made.answer(6, cursor="B.1.h", tokens=[name_of(4), 2000])
    assert made.feed.poll(at(7), "x").after == "B.1.h"
    assert made.refusal(claims_with()) == "revoked", "entries are only added"
    assert made.refusal(claims_with(sid=9, jti=4)) == "revoked"


WRONG: list[dict[str, Any]] = [
    {"sessions": [name_of(2)]}, {"sessions": ["x", 1]}, {"sessions": [name_of(2), "1"]}, {"sessions": ...}, {"tokens": {}},
    {"sessions": [name_of(2), True]}, {"stale": [name_of(2), 1]}, {"stale": [name_of(2), 1.5, 2]}, {"keys": ["../x"]}, {"keys": [1]},
    {"keys": ["k\n"]}, {"cursor": ""}, {"cursor": 1}, {"cursor": "x" * 513}, {"snapshot": "yes"}, {"snapshot": 1}, {"held_ms": "0"},
    {"held_ms": 0.5}, {"held_ms": False}, {"now": None}, {"now": 2**53}, {"max_staleness_ms": 0}, {"margin_ms": -1},
    {"max_staleness_ms": 400_000}, {"max_staleness_ms": 1000, "margin_ms": 1000}, {"keys_etag": ...},
]


@pytest.mark.parametrize("more", WRONG, ids=lambda more: json.dumps(more, default=repr))
def test_half_an_answer_is_none(made: Made, more: dict[str, Any]) -> None:
    made.ask(0)
    assert made.answer(1, **{"keys": ["k1"]} | more) == "ignored"
    assert not made.feed.alive(at(1))
    assert len(made.index) == 0, "nothing of it is taken in"


def test_what_is_no_object_is_no_answer(made: Made) -> None:
    made.ask(0)
    bodies: list[object] = [None, "x", 1, [], True]
    for body in bodies:
        assert made.feed.receive(body, at(1)) == "ignored"


def test_a_poll_waits_a_fifth_of_s_and_gives_up_after_three_tenths(made: Made) -> None:
    assert made.feed.poll(at(0), "n") == Poll(INSTANCE, "n", 0, None, 1500)
    made.ask(1)
    made.answer(2, max_staleness_ms=60_000)
    assert made.feed.poll(at(3), "m") == Poll(INSTANCE, "m", 12_000, "A.1.h", 18_000)
    assert made.feed.poll(at(60_000), "o").wait == 0, "without a lease there is no time to wait"


def test_entries_leave_when_no_token_they_hit_can_be_alive_and_those_of_keys_never(made: Made) -> None:
    made.ask(0)
    made.answer(1, sessions=[name_of(2), 1001], tokens=[name_of(3), 1001], stale=[name_of(2), 1, 1001], keys=["k1"])
    assert len(made.index) == 4
    made.ask(2)
    made.answer(3, now=1_011_000)
    assert len(made.index) == 1
    assert made.refusal(claims_with(), "k1") == "key_revoked"
