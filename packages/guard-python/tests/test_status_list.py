"""Status lists as all guards read them, what is kept of them, and a guard that rests on them."""

from __future__ import annotations

import asyncio
import json
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from published import read
from support import ISSUER, START, ManualClock, jwk_of, name_of, reason, settle, signed, until

from counterfoil_guard import Answer, Guard, GuardClosed, Refusal, Request, create_guard, wsgi
from counterfoil_guard.base64url import encode
from counterfoil_guard.claims import Claims, StatusReference
from counterfoil_guard.clock import Instant
from counterfoil_guard.credential import authenticate_async
from counterfoil_guard.json import parse_strict
from counterfoil_guard.jwks import KeySet
from counterfoil_guard.status_list import MOST_LISTS, Statuses, StatusList, StatusLists, Wanted, read_status_list


def says(statuses: Statuses, expected: dict[str, int | None]) -> dict[str, int | None]:
    return {index: statuses.status(int(index)) for index in expected}


def test_tsl_8_3a_every_list_is_read_or_refused_as_written() -> None:
    document = read("guard/status_list")
    keys = KeySet.from_jwks(json.dumps(document["jwks"]))
    at = Instant(0, document["now"] * 1000)
    for case in document["cases"]:
        uri = case.get("uri", document["uri"])

        def reading(token: str, uri: str = uri) -> StatusList:
            return read_status_list(token, uri, document["issuer"], at.wall, keys.get)

        try:
            taken = reading(case["list"] if "list" in case else case["made"]["repeat"] * case["made"]["times"])
        except Refusal as refusal:
            assert refusal.reason == case.get("refusal"), case["name"]
            continue
        assert "refusal" not in case, case["name"]
        assert (taken.ttl / 1000, taken.expires_at, taken.uri) == (case["ttl"], case["until"], uri), case["name"]
        assert says(taken.statuses, case["statuses"]) == case["statuses"], case["name"]
        lists = StatusLists(document["issuer"])
        if "held" in case:
            assert lists.receive(reading(case["held"]), at)
        assert lists.receive(taken, at) == (not case.get("older", False)), case["name"]
    assert len(document["cases"]) >= 150


def test_tsl_4_1_the_published_lists_say_what_they_should_and_nothing_beyond_their_end() -> None:
    files = read("status-list/encoding")
    for file in files:
        bits = parse_strict(str(file["status_list"]["bits"]).encode())
        statuses = Statuses.decode(bits, file["status_list"]["lst"])
        # Of a million places those that are listed, both ends, and some of the rest.
        size = file["size"]
        for index in {*map(int, file["expected"]), *range(min(size, 1000)), *range(max(0, size - 1000), size), *range(0, size, 97)}:
            assert statuses.status(index) == file["expected"].get(str(index), 0), (file["name"], index)
        assert statuses.status(file["out_of_bounds_index"]) is None, file["name"]
    assert len(files) == 6


def test_tsl_5_1a_the_published_token_is_read_by_its_key_and_for_its_address() -> None:
    file = read("status-list/token")
    keys = KeySet.from_jwks(json.dumps({"keys": [file["public_jwk"]]}))
    iss, sub, iat, exp = (file["claims"][name] for name in ("iss", "sub", "iat", "exp"))

    def reading(uri: str = sub, issuer: str = iss, now: int = iat) -> StatusList:
        return read_status_list(file["status_list_token_jwt"], uri, issuer, now * 1000, keys.get)

    found = reading()
    assert says(found.statuses, file["expected_status_of_idx"]) == file["expected_status_of_idx"]
    assert found.ttl == 3_600_000, "half a day is too long"
    assert found.statuses.status(16) is None
    assert reason(lambda: reading(uri="https://example.com/statuslists/2")) == "wrong_subject"
    assert reason(lambda: reading(issuer="https://example.org")) == "wrong_issuer"
    assert reason(lambda: reading(now=exp)) == "expired"


def test_tsl_11_what_inflates_without_end_is_not_inflated_to_the_end() -> None:
    compressor = zlib.compressobj(9)
    # 64 MiB of zeros.
    bomb = encode(b"".join(compressor.compress(bytes(2**20)) for _ in range(64)) + compressor.flush())
    tracemalloc.start()
    try:
        assert reason(lambda: Statuses.decode(parse_strict(b"1"), bomb)) == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def at(milliseconds: float) -> Instant:
    return Instant(milliseconds, START + milliseconds)


def uri_of(name: str) -> str:
    return f"{ISSUER}/status-lists/{name}"


def claims_of(uri: str | None, idx: int = 0) -> Claims:
    return Claims("", "", "", "", 0, 0, "", "", 0, "", (), status=None if uri is None else StatusReference(idx, uri))


# Two bits each: 0, 1, 2, 3.
STATUSES = Statuses.decode(parse_strict(b"2"), "eNp7AgAA5QDl")


def list_of(name: str, age: int = 0) -> StatusList:
    return StatusList(uri_of(name), START // 1000 - age, START // 1000 + 3600, 60_000, STATUSES)


def holding() -> StatusLists:
    lists = StatusLists(ISSUER)
    assert lists.receive(list_of("1"), at(0))
    return lists


def verdict(lists: StatusLists, claims: Claims, when: Instant) -> object:
    said = lists.check(claims, when)
    return said.reason if isinstance(said, Refusal) else said


def test_tsl_7_1_only_the_value_zero_counts_and_an_index_beyond_the_end_is_none() -> None:
    lists = holding()
    said = [verdict(lists, claims_of(uri_of("1"), index), at(1)) for index in (0, 1, 2, 3, 4, 4294967295)]
    assert said == ["valid", "revoked", "revoked", "revoked", "bad_claim", "bad_claim"]
    assert verdict(lists, claims_of(None), at(1)) == "bad_claim"


def test_tsl_11_a_token_makes_nobody_fetch_from_elsewhere() -> None:
    lists = holding()
    assert verdict(lists, claims_of(uri_of("2")), at(1)) == Wanted(uri_of("2"))
    for name in ("", "/", "../1", "1/2", "1?a", "1#a", "%2e", "1 ", "1\n", "\u00e9", "\u0661", ".", "1.", "a" * 65):
        assert verdict(lists, claims_of(uri_of(name)), at(1)) == "bad_claim", name
    for uri in (
        f"{ISSUER}.evil.example/status-lists/1", f"{ISSUER}@evil.example/status-lists/1", "http://app.example.com/status-lists/1",
        f"{ISSUER}:443/status-lists/1", "https://APP.example.com/status-lists/1", f"{ISSUER}//status-lists/1", f"{ISSUER}/status-lists",
        "https://169.254.169.254/status-lists/1", "", "1",
    ):
        assert verdict(lists, claims_of(uri), at(1)) == "bad_claim", uri


def test_tsl_11_an_older_list_does_not_replace_a_newer_one() -> None:
    lists, token = holding(), claims_of(uri_of("1"))
    assert not lists.receive(list_of("1", 1), at(30_000))
    assert verdict(lists, token, at(59_999)) == "valid"
    assert verdict(lists, token, at(60_000)) == Wanted(uri_of("1")), "nor has it renewed anything"
    assert not lists.receive(list_of("1", 1), at(60_000)), "also where what is held is over"
    assert lists.receive(list_of("1"), at(60_000))
    assert lists.receive(list_of("1", -1), at(60_000))
    assert lists.receive(list_of("2", 1), at(0)), "each by itself"
    assert verdict(lists, token, at(100_000)) == "valid"


def test_tsl_13_a_list_is_over_after_its_ttl_by_either_clock_or_at_its_end() -> None:
    lists, token, wanted = holding(), claims_of(uri_of("1")), Wanted(uri_of("1"))
    assert [lists.is_due(uri_of("1"), at(time)) for time in (44_999, 45_000)] == [False, True]
    assert lists.is_due(uri_of("2"), at(0))
    assert [lists.is_usable(uri_of("1"), at(time)) for time in (59_999, 60_000)] == [True, False]
    for mono, wall in ((60_000, 0), (0, 60_000), (0, -1), (1, -3_600_000)):
        assert verdict(lists, token, Instant(mono, START + wall)) == wanted, (mono, wall)
    lists.confirm(uri_of("1"), at(50_000))
    assert [verdict(lists, token, at(time)) for time in (109_999, 110_000)] == ["valid", wanted]
    lists.confirm(uri_of("1"), at(3_590_000))
    assert [verdict(lists, token, at(time)) for time in (3_599_999, 3_600_000)] == ["valid", wanted], "however often it is confirmed"


def test_the_lists_least_recently_used_go() -> None:
    lists = holding()
    for name in range(2, 1000):
        lists.receive(list_of(str(name)), at(0))
        assert verdict(lists, claims_of(uri_of("1")), at(1)) == "valid"
        assert len(lists) <= MOST_LISTS
    assert verdict(lists, claims_of(uri_of("2")), at(1)) == Wanted(uri_of("2"))
    assert verdict(lists, claims_of(uri_of("999")), at(1)) == "valid"


LIST_TYPE = "application/statuslist+jwt"
Respond = Callable[[Request], "Answer | None"]


class Publisher:
    """An authority that serves one list, and can be made to misbehave; a transport without sockets."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.key = Ed25519PrivateKey.generate()
        self.asked: list[Request] = []
        self.keys_asked: list[Request] = []
        self.elsewhere: list[str] = []
        self.events: list[object] = []
        self.keys: Respond = lambda _request: Answer(200, {}, json.dumps({"keys": [jwk_of(self.key, "k1")]}).encode())
        self.list: Respond = lambda _request: Answer(503, {}, b"")

    def request(self, request: Request) -> Answer | None:
        path = request.url.removeprefix("https://authority.example")
        if path == "/.well-known/jwks.json":
            self.keys_asked.append(request)
            return self.keys(request)
        if path != "/status-lists/1":
            self.elsewhere.append(request.url)
            return Answer(404, {}, b"")
        self.asked.append(request)
        return self.list(request)

    def close(self) -> None:
        """Nothing is waited for."""

    @property
    def now(self) -> int:
        return int(self.clock.wall // 1000)

    def token(self, idx: int, **more: Any) -> str:
        claims = {
            "iss": ISSUER, "sub": name_of(1), "aud": "web", "client_id": "web", "exp": self.now + 600, "iat": self.now, "jti": name_of(3),
            "sid": name_of(2), "auth_time": self.now - 600, "acr": "aal1", "amr": ["pwd"],
            "status": {"status_list": {"idx": idx, "uri": uri_of("1")}},
        } | more
        return signed(self.key, {"alg": "EdDSA", "kid": "k1", "typ": "at+jwt"}, {name: value for name, value in claims.items() if value is not None})

    def made(self, bits: int, age: int = 0, ttl: int = 60) -> str:
        """Eight tokens, of which these bits are set."""
        lst = encode(zlib.compress(bytes([bits])))
        claims = {
            "iss": ISSUER, "sub": uri_of("1"), "iat": self.now - age, "exp": self.now + 3600, "ttl": ttl, "status_list": {"bits": 1, "lst": lst},
        }
        return signed(self.key, {"alg": "EdDSA", "kid": "k1", "typ": "statuslist+jwt"}, claims)

    def publish(self, text: str, etag: str = '"1"', kind: str = LIST_TYPE) -> None:
        def respond(request: Request) -> Answer:
            if request.headers.get("if-none-match") == etag:
                return Answer(304, {"etag": etag}, b"")
            return Answer(200, {"content-type": kind, "etag": etag}, text.encode())

        self.list = respond

    def guard(self, **more: Any) -> Guard:
        given: dict[str, Any] = {
            "mode": "status-list", "authority": "https://authority.example", "clock": self.clock, "transport": self, "on_event": self.events.append,
        }
        return create_guard(ISSUER, "web", **given | more)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def guard(publisher: Publisher) -> Iterator[Guard]:
    made = publisher.guard()
    yield made
    made.close()


def test_a_list_is_fetched_once_for_all_who_need_it_without_a_credential(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0b10))
    together = threading.Barrier(20)

    def verify(index: int) -> str:
        token = publisher.token(index % 2)
        together.wait()
        return reason(lambda: guard.verify(token))

    with ThreadPoolExecutor(20) as threads:
        said = list(threads.map(verify, range(20)))
    assert said == ["accepted", "revoked"] * 10
    assert reason(lambda: guard.verify(publisher.token(8))) == "bad_claim"
    assert reason(lambda: guard.verify(publisher.token(0, status=None))) == "bad_claim"
    elsewhere = {"status_list": {"idx": 0, "uri": "https://evil.example/status-lists/1"}}
    assert reason(lambda: guard.verify(publisher.token(0, status=elsewhere))) == "bad_claim"
    bound = publisher.token(0, cnf={"jkt": encode(b"\4" * 32)})
    assert reason(lambda: guard.verify(bound)) == "proof_required", "DPOP-7b"
    assert (len(publisher.asked), len(publisher.keys_asked), publisher.elsewhere) == (1, 1, [])
    assert publisher.asked[0].headers == {"accept": LIST_TYPE}
    assert guard.alive()


def test_a_list_in_use_is_renewed_before_its_end_a_304_is_as_good_as_a_list_and_a_new_one_is_in_force(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0))
    token = publisher.token(1)
    guard.verify(token)
    publisher.clock.advance(44_999)
    guard.verify(token)
    settle()
    assert len(publisher.asked) == 1
    publisher.clock.advance(1)
    assert reason(lambda: guard.verify(token)) == "accepted", "nobody waits for it"
    until(lambda: len(publisher.asked) == 2)
    assert publisher.asked[1].headers["if-none-match"] == '"1"'
    settle()
    publisher.clock.advance(44_999)
    assert reason(lambda: guard.verify(token)) == "accepted", "a minute and a half after the list itself"
    publisher.publish(publisher.made(0b10), '"2"')
    publisher.clock.advance(1)
    guard.verify(token)
    until(lambda: reason(lambda: guard.verify(token)) == "revoked")
    assert len(publisher.asked) == 3


def test_tsl_11_an_older_list_is_refused_and_the_one_that_is_held_counts_until_its_end(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0b10))
    token = publisher.token(1)
    assert reason(lambda: guard.verify(token)) == "revoked"
    publisher.publish(publisher.made(0, age=10), '"0"')
    publisher.clock.advance(45_000)
    assert reason(lambda: guard.verify(token)) == "revoked"
    until(lambda: "older" in repr(publisher.events))
    publisher.clock.advance(14_999)
    assert reason(lambda: guard.verify(token)) == "revoked"
    publisher.clock.advance(1)
    assert reason(lambda: guard.verify(token)) == "verifier_stale"


def test_tsl_8_3b_a_list_that_cannot_be_had_counts_until_its_end_then_nothing_does_and_nobody_storms(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0))
    token = publisher.token(0)
    guard.verify(token)
    publisher.list = lambda _request: Answer(503, {}, b"")
    publisher.clock.advance(59_999)
    assert reason(lambda: guard.verify(token)) == "accepted"
    until(lambda: len(publisher.events) == 2)
    settle()
    publisher.clock.advance(1)
    before = len(publisher.asked)
    # A minute in which somebody asks every 50 ms: pauses of 0.25, 0.5 … 16 s.
    for _ in range(1200):
        assert reason(lambda: guard.verify(token)) == "verifier_stale"
        publisher.clock.advance(50)
    assert 5 <= len(publisher.asked) - before <= 8
    publisher.publish(publisher.made(0), '"2"')
    publisher.clock.advance(30_000)
    assert reason(lambda: guard.verify(token)) == "accepted"


WRONG: dict[str, Callable[[Publisher], Answer | None]] = {
    "of another type": lambda made: Answer(200, {"content-type": "application/jwt"}, made.made(0).encode()),
    "an access token": lambda made: Answer(200, {"content-type": LIST_TYPE}, made.token(0).encode()),
    "no UTF-8": lambda _made: Answer(200, {"content-type": LIST_TYPE}, b"\xff.\xff.\xff"),
    "gone": lambda _made: Answer(404, {}, b""),
    "unchanged from nothing": lambda _made: Answer(304, {}, b""),
    "elsewhere": lambda _made: Answer(307, {"location": "https://authority.example/moved"}, b""),
    "no answer": lambda _made: None,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_list_of_the_authority_is_refused_and_not_asked_for_again_at_once(name: str, publisher: Publisher, guard: Guard) -> None:
    publisher.list = lambda _request: WRONG[name](publisher)
    token = publisher.token(0)
    for _ in range(2):
        assert reason(lambda: guard.verify(token)) == "verifier_stale"
    assert (len(publisher.asked), publisher.elsewhere) == (1, [])
    assert "ListFailed" in repr(publisher.events)


def test_k2_the_key_set_is_renewed_after_five_minutes_and_after_ten_nothing_is_accepted_without_a_new_one(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0, ttl=3600))
    keys, token = publisher.keys, publisher.token(0, exp=publisher.now + 900)
    guard.verify(token)
    publisher.keys = lambda _request: Answer(500, {}, b"")
    publisher.clock.advance(5 * 60_000)
    assert reason(lambda: guard.verify(token)) == "accepted"
    until(lambda: "KeysFailed" in repr(publisher.events))
    settle()
    publisher.clock.advance(5 * 60_000)
    assert reason(lambda: guard.verify(token)) == "verifier_stale"
    assert not guard.alive()
    publisher.keys = lambda _request: Answer(200, {}, b'{"keys":[]}')
    publisher.clock.advance(1000)
    assert reason(lambda: guard.verify(token)) == "unknown_key"
    publisher.keys = keys
    publisher.clock.advance(2000)
    assert reason(lambda: guard.verify(token)) == "accepted"


def test_a_watch_ends_when_the_list_says_so_and_when_the_token_does(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0, ttl=1))
    ended: list[str] = []
    guard.watch(publisher.token(1), lambda why: ended.append(why.reason))
    guard.watch(publisher.token(2, exp=publisher.now + 30), lambda why: ended.append(why.reason))
    # One timer for its expiry and one for looking again, for each.
    until(lambda: publisher.clock.armed == 4)
    publisher.publish(publisher.made(0b10, ttl=1), '"2"')
    for second in range(40):
        publisher.clock.advance(1000)
        until(lambda: publisher.clock.armed == 4 - 2 * len(ended), "that each has been looked at again")
        assert ended == ["revoked"] or second < 3 or second > 28
    assert ended == ["revoked", "expired"]
    assert publisher.clock.armed == 0
    guard.close()
    assert reason(lambda: guard.verify(publisher.token(0))) == "verifier_stale"


def test_whoever_runs_an_event_loop_gets_the_same_answers(publisher: Publisher, guard: Guard) -> None:
    publisher.publish(publisher.made(0b10))

    async def judged(idx: int) -> str:
        view = wsgi.view_of({"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": f"Bearer {publisher.token(idx)}"})
        try:
            return (await authenticate_async(guard, view)).source
        except Refusal as refusal:
            return refusal.code

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*map(judged, (0, 1, 8)))

    assert asyncio.run(all_of_them()) == ["bearer", "session_revoked", "token_invalid"]


def test_it_is_ready_when_it_has_keys_and_not_when_it_is_closed(publisher: Publisher, guard: Guard) -> None:
    keys = publisher.keys
    publisher.keys = lambda _request: None
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(guard.ready)
        until(lambda: publisher.clock.armed == 1, "a pause")
        publisher.keys = keys
        publisher.clock.advance(250)
        waiting.result(10)
    guard.close()
    with pytest.raises(GuardClosed):
        guard.ready()


def test_asking_needs_a_credential(publisher: Publisher, guard: Guard) -> None:
    with pytest.raises(ValueError, match="credential"):
        guard.asking()
    with publisher.guard(credential="cfg_a") as both:
        assert both.asking().alive()
