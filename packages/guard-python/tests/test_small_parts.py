"""The small parts: cache, revocation index, strict JSON, requirement, clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support import name_of, reason, until

from counterfoil_guard import Auth, Problem, requirement
from counterfoil_guard import json as strict_json
from counterfoil_guard.base64url import decode, encode
from counterfoil_guard.cache import VerifiedTokens
from counterfoil_guard.claims import BadClaim, Claims, numeric_date
from counterfoil_guard.clock import SystemClock, _Timers
from counterfoil_guard.dpop import normal
from counterfoil_guard.json import JsonNumber, NotStrict, parse, parse_strict
from counterfoil_guard.jwks import KeySet
from counterfoil_guard.revocation import RevocationIndex
from counterfoil_guard.rfc3339 import parse_time
from counterfoil_guard.subject import Actor


def claims_with(sid: str = name_of(1), jti: str = name_of(9), act: Actor | None = None, **more: Any) -> Claims:
    bare = Claims("", "", "", "", 0, 0, jti, sid, 0, "", (), act=act)
    return replace(bare, **more)


def test_a_token_in_use_stays_in_the_cache_and_the_rest_is_bounded() -> None:
    cache: VerifiedTokens[int] = VerifiedTokens(10)
    cache.insert("kept", 0, cache.epoch)
    for number in range(1, 1000):
        cache.insert(f"token {number}", number, cache.epoch)
        assert cache.get("kept") == 0
    assert len(cache) <= 20
    assert cache.get("token 1") is None
    epoch = cache.epoch
    cache.clear()
    assert cache.get("kept") is None
    cache.insert("late", 1, epoch)
    assert cache.get("late") is None, "what was verified before everything was forgotten is not remembered"


def test_the_head_of_the_index_moves_only_for_what_is_new() -> None:
    index = RevocationIndex()
    index.add_session(name_of(1), 10)
    index.add_key("k1")
    index.add_token(name_of(2), 10)
    index.add_stale(name_of(3), 2, 10)
    assert index.head == 4
    index.add_session(name_of(1), 5)
    index.add_key("k1")
    index.add_token(name_of(2), 20)
    index.add_stale(name_of(3), 1, 30)
    assert index.head == 4
    index.forget_before(15)
    assert len(index) == 3, "the later end counts"


def test_outdated_claims_are_told_apart_from_a_session_that_has_ended() -> None:
    index = RevocationIndex()
    index.add_stale(name_of(1), 2, 10)
    assert [reason(lambda cv=cv: index.check(claims_with(cv=cv), "k")) for cv in (0, 1, 2)] == ["stale", "stale", "accepted"]  # type: ignore[misc]
    index.add_session(name_of(1), 10)
    assert reason(lambda: index.check(claims_with(cv=2), "k")) == "revoked"


def test_a_token_counts_only_while_the_session_of_everybody_who_acts_does() -> None:
    claims = claims_with(act=Actor("client:a", name_of(2), Actor(name_of(7), name_of(3))))
    for sid in (1, 2, 3):
        index = RevocationIndex()
        index.add_session(name_of(8), 10)
        index.check(claims, "k")
        index.add_session(name_of(sid), 10)
        assert reason(lambda index=index: index.check(claims, "k")) == "revoked", sid  # type: ignore[misc]
    index = RevocationIndex()
    for sid in (2, 3):
        index.add_stale(name_of(sid), 5, 10)
    index.check(claims, "k")
    index.add_stale(name_of(1), 5, 10)
    assert reason(lambda: index.check(claims, "k")) == "stale", "the roles are the subject's"


def plain(value: Any) -> Any:
    if isinstance(value, JsonNumber):
        return float(value.text)
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return {name: plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value


NESTED = '{"a":' * 8 + "1" + "}" * 8


STRICT = ["null", "true", " false ", '"a\\n\\u0041\\/"', "[]", "[1,[2],{}]", '{"a":{"b":[null]}}', '""', "-0", "1e3", '"\\ud83d\\ude00"', NESTED]


@pytest.mark.parametrize("text", STRICT)
def test_strict_json_takes_what_is_read_in_one_way(text: str) -> None:
    assert plain(parse_strict(text.encode())) == json.loads(text)


NOT_STRICT = [
    "", " ", "{", "[1,]", '{"a"}', "{a:1}", "01", "1.", ".5", "-", "+1", "1e", "nul", '"\t"', '"\\x"', '"\\u12"', "[1 2]", "1 1", '{"a":1,"a":2}',
    '[{"a":1,"\\u0061":2}]', "\ufeff1", "1e999", "-1e999", "1" + "0" * 400, '"\\ud800"', '"\\ude00\\ud83d"', '{"\\ud800":1}', "NaN", "Infinity",
    "-Infinity", '"\\u1_23"', '"\\u 123"', '"\\u+123"', "1_0", "\u0661", "\xa01", '"\x7f', "[" * 9 + "]" * 9, '{"a":' * 9 + "1" + "}" * 9,
    "[" * 100_000, "\x0c1",
]


@pytest.mark.parametrize("text", NOT_STRICT, ids=lambda text: repr(text[:20]))
def test_strict_json_refuses_what_two_readers_could_read_differently(text: str) -> None:
    with pytest.raises(NotStrict):
        parse_strict(text.encode())


def test_strict_json_does_not_rest_on_the_reader_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which some interpreters do not have; the one in Python is laxer."""
    decoder: Any = strict_json._DECODER
    monkeypatch.setattr(decoder, "parse_string", json.decoder.py_scanstring)  # type: ignore[attr-defined]
    monkeypatch.setattr(decoder, "scan_once", json.scanner.py_make_scanner(decoder))  # type: ignore[attr-defined]
    for text in STRICT:
        assert plain(parse_strict(text.encode())) == json.loads(text)
    for text in NOT_STRICT:
        with pytest.raises(NotStrict):
            parse_strict(text.encode())


def test_strict_json_is_utf_8_and_nothing_else() -> None:
    for raw in (b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', '"a"'.encode("utf-16"), '"a"'.encode("utf-32")):
        with pytest.raises(NotStrict):
            parse_strict(raw)


def test_what_comes_from_the_authority_is_read_or_is_nothing() -> None:
    assert parse(b'{"a":[1,"x"]}') == {"a": [1, "x"]}
    for raw in (b"", b"<html>", b"NaN", b"\xff\xfe\xfd", b"[" * 100_000, b"1" * 5000):
        assert parse(raw) is None


def test_atk_17_base64url_has_one_spelling() -> None:
    assert decode("AA") == b"\0"
    assert decode("") == b""
    for size in range(40):
        assert decode(encode(bytes(range(size)))) == bytes(range(size))
    for text in ("A", "AB", "AA=", "AA==", "A+", "A/", "AA\n", "\nAA", " AA", "AAAAA", "é", "AAA\n", "\u0661\u0661"):
        assert decode(text) is None, text


def test_atk_07_a_key_whose_point_has_another_spelling_is_none() -> None:
    def kids(x: str) -> list[str]:
        jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": encode(bytes.fromhex(x))}
        return KeySet.from_jwks(json.dumps({"keys": [jwk]})).kids()

    ff = "ff" * 30
    for x in (f"ed{ff}7f", f"ed{ff}ff", f"ff{ff}7f"):
        assert kids(x) == [], x
    for x in (f"ed{ff}7e", f"ee{'ff' * 29}fe7f"):
        assert kids(x) == ["k"], x


def test_atk_22_dates_have_one_spelling_and_numbers_their_bounds() -> None:
    good = {"1970-01-01T00:00:00Z": 0, "2026-11-21T08:00:00Z": 1795248000, "2024-02-29T23:59:59Z": 1709251199, "0000-01-01T00:00:00Z": -62167219200}
    assert {text: parse_time(text) for text in good} == good
    for text in ("2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T08:00:60Z", "2026-11-21t08:00:00Z", "2026-11-21T08:00:00.0Z",
                 "2026-11-21T08:00:00+00:00", "2026-11-21T08:00:00Z\n", "\u0662026-11-21T08:00:00Z", "2025-02-29T00:00:00Z", ""):
        assert parse_time(text) is None, text
    numbers = {"1": 1, "-1": -1, "1.9": 1, "-1.5": -2, "1e3": 1000, "-0": 0, "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63)}
    assert {text: numeric_date(JsonNumber(text)) for text in numbers} == numbers
    for text in ("9223372036854775808", "1" * 21, "9007199254740992.0", "1e300"):
        with pytest.raises(BadClaim):
            numeric_date(JsonNumber(text))


def test_dpop_4_3c_addresses_are_compared_as_they_are_read() -> None:
    assert normal("https://A.example") == "https://a.example/"
    assert normal("http://a.example:80/x?y") == "http://a.example/x"
    assert normal("http://a.example:443/") == "http://a.example:443/"
    assert normal("HTTPS://a.example:443/%C3?a=/b#c") == "https://a.example/%C3"
    for bad in ("", "a.example", "ftp://a.example", "https://", "https:///x", "https://u@h/", "://h/", "http:\u017f//h"):
        assert normal(bad) is None, bad


def outcome(wanted: dict[str, Any], **claims: Any) -> str:
    given = claims_with(acr="aal1", auth_time=940, roles=("editor",))
    auth = Auth(replace(given, **claims), "bearer", 1000, lambda _on_end: lambda: None)
    try:
        requirement(**wanted)(auth)
    except Problem as problem:
        return problem.headers().get("www-authenticate", problem.code)
    return "passes"


def challenge(rest: str) -> str:
    return f'Bearer error="insufficient_user_authentication", {rest}'


def test_step_1_the_challenge_says_what_would_be_enough() -> None:
    assert outcome({}) == "passes"
    assert outcome({"acr": "aal1"}) == "passes"
    assert outcome({"acr": "aal1"}, acr="aal2") == "passes", "stronger is enough"
    assert outcome({"acr": "aal2"}) == challenge('acr_values="aal2"')
    assert outcome({"acr": "aal1"}, acr="") == challenge('acr_values="aal1"')
    assert outcome({"acr": "urn:x"}, acr="urn:x") == "passes"
    assert outcome({"acr": "urn:x"}, acr="aal2") == challenge('acr_values="urn:x"'), "of others no order is known"
    assert outcome({"acr": "aal1"}, acr="urn:x") == challenge('acr_values="aal1"')
    assert outcome({"max_age": 60}) == "passes"
    assert outcome({"max_age": 59}) == challenge('max_age="59"')
    assert outcome({"max_age": 0}, auth_time=1000) == "passes"
    assert outcome({"acr": "aal2", "max_age": 60}) == challenge('acr_values="aal2", max_age="60"')


def test_a_missing_role_is_forbidden_whatever_else_is_wanting() -> None:
    assert outcome({"role": "editor"}) == "passes"
    assert outcome({"role": ["admin", "editor"]}) == "passes"
    assert outcome({"role": "admin", "acr": "aal2"}) == "forbidden"
    assert outcome({"role": []}) == "forbidden"
    assert outcome({"role": "edit"}) == "forbidden"


def test_bear_1_a_scope_that_was_not_granted_is_named_in_the_challenge() -> None:
    def lacking(scope: str) -> str:
        return f'Bearer error="insufficient_scope", scope="{scope}"'

    granted = "orders:read b"
    assert outcome({"scope": "b"}, scope=granted) == "passes"
    assert outcome({"scope": ["b", "orders:read"]}, scope=granted) == "passes"
    assert outcome({"scope": []}) == "passes"
    assert outcome({"scope": "orders:read"}) == lacking("orders:read")
    assert outcome({"scope": ["b", "c", "b"]}, scope=granted) == lacking("b c"), "all that is needed, once each"
    for part in ("read", "orders", "B", "orders:rea", "orders:read:all"):
        assert outcome({"scope": part}, scope=granted) == lacking(part), "ATK-27: whole tokens only"
    assert outcome({"scope": "a", "role": "admin", "acr": "aal2"}) == lacking("a"), "what was granted counts before roles"
    assert outcome({"scope": "a", "role": "admin", "acr": "aal2"}, scope="a") == "forbidden", "and roles before proofs"


WRONG: list[dict[str, Any]] = [
    {"acr": 'a"b'}, {"acr": "a b"}, {"acr": ""}, {"acr": "a\n"}, {"max_age": -1}, {"max_age": 1.5}, {"max_age": True}, {"scope": ""},
    {"scope": "a b"}, {"scope": ["a", 'b"']}, {"scope": "a\\b"}, {"scope": "ä"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_requirement_that_could_not_be_said_in_a_challenge_is_refused_when_the_route_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        requirement(**wrong)


def test_the_machines_clock_calls_back_in_order_once_and_not_what_was_cancelled() -> None:
    now, called = [0.0], list[str]()
    timers = _Timers(lambda: now[0])

    def fail() -> None:
        called.append("fails")
        raise ValueError("from the test")

    def note(what: str) -> Callable[[], None]:
        return lambda: called.append(what)

    timers.add(30, note("second"))
    timers.add(10, fail)
    timers.add(15, note("first"))
    for cancel in [timers.add(20, note("cancelled")) for _ in range(200)]:
        cancel()
    now[0] = 40
    timers.add(40, note("last"))
    until(lambda: "last" in called)
    assert called == ["fails", "first", "second", "last"]
    SystemClock().after(0, note("by the machine"))
    until(lambda: "by the machine" in called)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("counterfoil-guard"))
