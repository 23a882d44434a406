"""A whole guard against an authority that is made to misbehave, on a clock that is turned by hand."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support import FAR, ISSUER, Authority, jwk_of, name_of, pair, ready_pair, reason, settle, until

from counterfoil_guard import Answer, GuardClosed, KeysLoaded, Patience, PollFailed, WouldWait, create_guard

REVOCATIONS: list[tuple[str, tuple[object, ...], str]] = [
    ("sessions", (name_of(2), FAR), "revoked"),
    ("tokens", (name_of(3), FAR), "revoked"),
    ("keys", ("k1",), "key_revoked"),
    ("stale", (name_of(2), 1, FAR), "stale"),
]


@pytest.mark.parametrize(("kind", "values", "expected"), REVOCATIONS)
def test_s2_a_revoked_session_token_or_key_is_refused_at_the_next_use_cached_or_not(kind: str, values: tuple[object, ...], expected: str) -> None:
    with ready_pair() as made:
        authority, guard = made.authority, made.guard
        cached = authority.mint()
        assert guard.verify(cached).sub == name_of(1)
        authority.revoke(kind, *values)
        until(lambda: len(authority.polls) == 3)
        assert reason(lambda: guard.verify(cached)) == expected
        assert reason(lambda: guard.verify(authority.mint(exp=1_795_260_700))) == expected
        other = authority.mint(sid=name_of(8), jti=name_of(9))
        assert reason(lambda: guard.verify(other)) == ("key_revoked" if kind == "keys" else "accepted")
        assert authority.polls[2]["after"] == "logA.1.x", "the cursor acknowledges"


def test_s2_nothing_is_accepted_before_the_first_answer() -> None:
    def silent(authority: Authority) -> None:
        authority.silent = True

    with pair(silent) as made:
        until(lambda: len(made.authority.polls) == 1)
        assert not made.guard.alive()
        assert reason(lambda: made.guard.verify(made.authority.mint())) == "verifier_stale"
        with pytest.raises(TimeoutError):
            made.guard.ready(0)


def test_s2_nothing_is_accepted_after_the_lease_with_an_authority_that_has_gone_silent() -> None:
    with ready_pair() as made:
        token = made.authority.mint()
        made.guard.verify(token)
        made.authority.silent = True
        # Granted when the first poll was sent, a quarter of a second ago.
        made.clock.advance(4699)
        assert reason(lambda: made.guard.verify(token)) == "accepted"
        made.clock.advance(1)
        assert reason(lambda: made.guard.verify(token)) == "verifier_stale"
        assert not made.guard.alive()


@pytest.mark.parametrize(("happens", "expected"), [("sleep", "verifier_stale"), ("revocation", "key_revoked")])
def test_s2_a_lease_that_ends_or_a_revocation_that_comes_while_a_token_is_being_verified_still_counts(happens: str, expected: str) -> None:
    with ready_pair() as made:
        authority = made.authority
        key = Ed25519PrivateKey.generate()
        authority.jwks = {"keys": [jwk_of(key, "k2")]}
        authority.tag = '"2"'
        polled = len(authority.polls) + 1
        # Long enough for the key set to be asked for again; meanwhile a poll has been given up.
        made.clock.advance(2000)
        until(lambda: len(authority.polls) == polled and authority.held == 1)
        token = authority.mint(key, "k2")

        def meanwhile() -> None:
            if happens == "sleep":
                made.clock.suspend(60_000)
            else:
                authority.revoke("keys", "k2")
                until(lambda: len(authority.polls) > polled, "the acknowledgement")

        authority.meanwhile = meanwhile
        assert reason(lambda: made.guard.verify(token)) == expected


def test_s2_sleep_ends_the_lease_although_the_monotonic_clock_stood_still() -> None:
    with ready_pair() as made:
        made.clock.suspend(5000)
        assert reason(lambda: made.guard.verify(made.authority.mint())) == "verifier_stale"


def test_two_lost_answers_in_a_row_are_survived_and_it_asks_at_once_after_the_first() -> None:
    with ready_pair() as made:
        authority, clock = made.authority, made.clock
        before = len(authority.polls)
        clock.advance(1500)
        until(lambda: len(authority.polls) == before + 1 and authority.held == 1, "a poll at once after a time-out")
        clock.advance(1500)
        until(lambda: len(authority.polls) == before + 2 and authority.held == 1)
        assert made.guard.alive()
        answered = len(authority.polls)
        authority.release()
        made.poll()
        assert len(authority.polls) == answered + 1
        clock.advance(2000)
        assert made.guard.alive(), "the third answer has renewed the lease"


def foreign(name: str, value: str) -> Any:
    def misbehave(authority: Authority) -> None:
        authority.change = lambda answer: answer | {name: value}

    return misbehave


def repeated(authority: Authority) -> None:
    kept: dict[str, Any] = {}

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        if not kept:
            kept.update(answer, nonce="first")
        return kept

    authority.change = change


def instead(answer: Answer | None) -> Any:
    def misbehave(authority: Authority) -> None:
        authority.instead = lambda _said: answer

    return misbehave


def unknown(authority: Authority) -> None:
    authority.credential = "cfg_other"


MISBEHAVIOUR = {
    "none": instead(None),
    "a foreign nonce": foreign("nonce", "x"),
    "a foreign instance": foreign("instance", name_of(9)),
    "repeated": repeated,
    "no JSON": instead(Answer(200, {}, b"<html>")),
    "redirected": instead(Answer(307, {"location": "/moved"}, b"")),
    "unknown": unknown,
    "busy": instead(Answer(503, {"retry-after": "1"}, b"")),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_atk_31_answers_that_are_missing_foreign_repeated_or_refused_extend_nothing(name: str) -> None:
    with ready_pair() as made:
        MISBEHAVIOUR[name](made.authority)
        made.authority.release()
        for _ in range(24):
            settle()
            made.authority.release()
            made.clock.advance(250)
        assert not made.guard.alive()
        assert len(made.authority.polls) <= 2 + 25, "at most four times a second"
        assert any(isinstance(event, PollFailed) for event in made.events)
        assert "cfg_" not in repr(made.events), "no credential in an event"


def test_retry_after_is_heeded_but_for_no_longer_than_a_fifth_of_s() -> None:
    with ready_pair() as made:
        authority = made.authority
        authority.instead = lambda _said: Answer(503, {"retry-after": "3"}, b"")
        before = len(authority.polls)
        authority.release()
        until(lambda: made.clock.armed_within(1000), "a pause")
        made.clock.advance(900)
        settle()
        assert len(authority.polls) == before
        made.clock.advance(100)
        until(lambda: len(authority.polls) == before + 1)


def test_after_a_restore_the_snapshot_of_the_new_log_is_merged_and_what_was_revoked_stays_so() -> None:
    with ready_pair() as made:
        authority, guard = made.authority, made.guard
        token = authority.mint()
        authority.revoke("sessions", name_of(2), FAR)
        made.poll()
        authority.restore("logB")
        authority.revoke("sessions", name_of(5), FAR)
        made.poll()
        assert authority.polls[-1]["after"] == "logB.1.x"
        assert reason(lambda: guard.verify(token)) == "revoked"
        assert reason(lambda: guard.verify(authority.mint(sid=name_of(5)))) == "revoked"


def test_atk_10_an_unknown_kid_fetches_the_key_set_once_in_two_seconds_for_all_callers_together() -> None:
    with ready_pair() as made:
        authority, guard = made.authority, made.guard
        key = Ed25519PrivateKey.generate()
        token = authority.mint(key, "k2")
        before = len(authority.key_requests)
        made.clock.advance(1000)
        assert reason(lambda: guard.verify(token)) == "unknown_key"
        assert len(authority.key_requests) == before, "it has only just been fetched"
        authority.jwks = {"keys": [jwk_of(authority.key, "k1"), jwk_of(key, "k2")]}
        authority.tag = '"2"'
        made.clock.advance(1000)
        together = threading.Barrier(20)

        def verify(_: int) -> str:
            together.wait()
            return reason(lambda: guard.verify(token))

        with ThreadPoolExecutor(20) as threads:
            assert set(threads.map(verify, range(20))) == {"accepted"}
        assert len(authority.key_requests) == before + 1
        assert all(request.headers["cache-control"] == "no-cache" for request in authority.key_requests)
        assert reason(lambda: guard.verify(authority.mint(key, "k3"))) == "unknown_key"
        assert len(authority.key_requests) == before + 1


def test_whoever_may_not_wait_is_told_that_there_is_something_to_wait_for_and_nothing_is_asked() -> None:
    with ready_pair() as made:
        authority, guard = made.authority, made.guard
        key = Ed25519PrivateKey.generate()
        token = authority.mint(key, "k2")
        before = len(authority.key_requests)
        assert reason(lambda: guard.verify(token, Patience.AT_ONCE)) == "unknown_key", "it has only just been fetched"
        made.clock.advance(2000)
        with pytest.raises(WouldWait):
            guard.verify(token, Patience.AT_ONCE)
        with pytest.raises(WouldWait):
            guard.asking().verify(token, Patience.AT_ONCE)
        assert (len(authority.key_requests), authority.introspected) == (before, [])
        assert guard.verify(authority.mint(), Patience.AT_ONCE).sub == name_of(1)


def test_k2_when_the_announced_key_set_changes_it_is_fetched_and_nothing_verified_by_the_old_one_is_remembered() -> None:
    with ready_pair() as made:
        authority, guard = made.authority, made.guard
        token = authority.mint()
        guard.verify(token)
        authority.jwks = {"keys": [jwk_of(Ed25519PrivateKey.generate(), "k1")]}
        authority.tag = '"2"'
        before, loaded = len(authority.key_requests), KeysLoaded(("k1",))
        authority.release()
        until(lambda: len(authority.key_requests) == before + 1)
        assert authority.key_requests[-1].headers["if-none-match"] == '"1"'
        until(lambda: made.events.count(loaded) == 2)
        assert reason(lambda: guard.verify(token)) == "bad_signature"


def test_exp_is_judged_by_the_authority_whose_clock_may_differ_from_ours() -> None:
    def ahead(authority: Authority) -> None:
        authority.change = lambda answer: answer | {"now": answer["now"] + 100_000}

    with pair(ahead) as made:
        made.guard.ready(10)
        now = int(made.clock.wall // 1000)
        assert reason(lambda: made.guard.verify(made.authority.mint(exp=now + 100, iat=now))) == "expired"
        token = made.authority.mint(exp=now + 101, iat=now)
        assert reason(lambda: made.guard.verify(token)) == "accepted"
        made.clock.advance(1000)
        assert reason(lambda: made.guard.verify(token)) == "expired", "times are checked at every use"


def test_introspection_when_the_lease_has_ended_and_the_settings_say_so_and_silence_still_refuses() -> None:
    with ready_pair(on_lease_end="introspect") as made:
        authority, guard = made.authority, made.guard
        authority.silent = True
        made.clock.advance(6000)
        token = authority.mint()
        authority.introspection = lambda _token: {
            "active": True, "token_type": "Bearer", "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": 1_795_261_000, "roles": ["admin"],
        }
        claims = guard.verify(token)
        assert (claims.sub, claims.roles, claims.acr, claims.auth_time) == (name_of(1), ("admin",), "", 0)
        assert authority.introspected == [("Bearer cfg_test", f"token={token}")]
        authority.introspection = lambda _token: 500
        assert reason(lambda: guard.verify(token)) == "verifier_stale"


YES = {"active": True, "token_type": "Bearer", "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": 1_795_261_000}
SAID: list[tuple[dict[str, Any] | int, str]] = [
    (YES, "accepted"),
    (YES | {"aud": ["web"]}, "accepted"),
    (YES | {"aud": "api"}, "wrong_audience"),
    (YES | {"aud": None}, "bad_claim"),
    (YES | {"iss": "https://evil.example"}, "wrong_issuer"),
    (YES | {"iss": ISSUER}, "accepted"),
    (YES | {"sid": None}, "bad_claim"),
    (YES | {"exp": "soon"}, "bad_claim"),
    (YES | {"exp": True}, "bad_claim"),
    (YES | {"active": "true"}, "verifier_stale"),
    (YES | {"active": 1}, "verifier_stale"),
    (YES | {"token_type": "refresh_token"}, "wrong_type"),
    (YES | {"token_type": None}, "wrong_type"),
    (YES | {"token_type": ["Bearer"]}, "wrong_type"),
    ({"active": False}, "inactive"),
    ({"active": False, "reason": "session_revoked"}, "revoked"),
    ({"active": False, "reason": "expired"}, "expired"),
    ({"active": False, "reason": "token_stale"}, "stale"),
    ({"active": False, "reason": "__proto__"}, "inactive"),
    ({"active": False, "reason": ["expired"]}, "inactive"),
    ({}, "verifier_stale"),
    (401, "verifier_stale"),
    (503, "verifier_stale"),
]


def test_introspect_mode_asks_every_time_and_believes_only_a_plain_yes() -> None:
    with pair(mode="introspect") as made:
        for said, expected in SAID:
            made.authority.introspection = lambda _token, said=said: said  # type: ignore[misc]
            assert reason(lambda: made.guard.verify("a.b.c")) == expected, said
        assert len(made.authority.introspected) == len(SAID)
        assert reason(lambda: made.guard.verify("x" * 4097)) == "too_large"
        assert reason(lambda: made.guard.verify("a b")) == "malformed"
        assert len(made.authority.introspected) == len(SAID), "what cannot be a token is not sent"
        assert made.authority.polls == []


def test_a_closed_guard_refuses_and_whoever_waits_for_it_learns_so() -> None:
    def silent(authority: Authority) -> None:
        authority.silent = True

    with pair(silent) as made, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(made.guard.ready)
        until(lambda: made.authority.held == 1)
        made.guard.close()
        with pytest.raises(GuardClosed):
            waiting.result(10)
        with pytest.raises(GuardClosed):
            made.guard.ready()
        assert reason(lambda: made.guard.verify(made.authority.mint())) == "verifier_stale"
        assert reason(lambda: made.guard.asking().verify("a.b.c")) == "verifier_stale"
        until(lambda: made.clock.armed == 0, "no timer left")


def test_a_route_may_ask_about_every_token_while_the_others_judge_by_themselves() -> None:
    with ready_pair() as made:
        token = made.authority.mint()
        made.guard.verify(token)
        assert made.authority.introspected == []
        assert made.guard.asking() is made.guard.asking()
        assert reason(lambda: made.guard.asking().verify(token)) == "inactive", "as the authority says"
        assert len(made.authority.introspected) == 1


WRONG: list[dict[str, Any]] = [
    {"issuer": "app"}, {"issuer": "https://a\n.example"}, {"issuer": "ftp://a.example"}, {"audience": ""}, {"audience": []},
    {"authority": "http://authority.internal"}, {"authority": "https://a:b@app.example"}, {"authority": "https://app.example?x"},
    {"authority": "https://app.example\\@evil.example"}, {"authority": "https://app.example:x"}, {"credential": None}, {"credential": ""},
    {"credential": "a\r\nb"}, {"mode": "offline"}, {"on_lease_end": "accept"}, {"subjects": "user"}, {"cache_size": 0}, {"cache_size": True},
    {"at": ""}, {"at": "api.example.com"}, {"at": "https://api.example.com/api"}, {"at": "https://api.example.com?a"},
    {"at": "https://api.example.com#"}, {"at": "https://u@api.example.com"}, {"at": "ftp://api.example.com"}, {"at": "data:,"},
]


@pytest.mark.parametrize("more", WRONG, ids=repr)
def test_a_mistake_in_the_settings_stops_the_start(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(more))):
        create_guard(**{"issuer": ISSUER, "audience": "web", "credential": "cfg_x"} | more)


def test_where_the_authority_and_this_server_are() -> None:
    for given, base in [
        ("https://A.example:443/", "https://a.example"), ("http://127.0.0.1:8080/x/", "http://127.0.0.1:8080/x"),
        ("http://[::1]:80/api/revocations", "http://[::1]"),
    ]:
        guard = create_guard(ISSUER, "web", credential="cfg_x", authority=given, mode="introspect", at="HTTPS://API.example.com:443/")
        assert (guard._settings.base, guard.at, guard.asking().at) == (base, "https://api.example.com", "https://api.example.com")
        assert "cfg_x" not in repr(guard._settings)
        guard.close()
