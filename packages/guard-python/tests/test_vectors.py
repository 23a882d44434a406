"""The cases that all guards read."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from published import ROOT, read

from counterfoil_guard.claims import Claims
from counterfoil_guard.cookie import cookie_values
from counterfoil_guard.cross_site import Origins, Provenance
from counterfoil_guard.dpop import Proof
from counterfoil_guard.encryption import DecryptionKeys
from counterfoil_guard.jwks import KeySet, KeySetError
from counterfoil_guard.login import LoginPage, Navigation
from counterfoil_guard.problem import Problem
from counterfoil_guard.refusal import Refusal
from counterfoil_guard.subject import Actor
from counterfoil_guard.verify import Verifier

ATTACKS = sorted(f"attacks/{path.stem}" for path in (ROOT / "attacks").iterdir())


def written(claims: Claims) -> dict[str, Any]:
    """Claims as the vectors write them."""
    found = {field.name: getattr(claims, field.name) for field in fields(claims)}
    return {name: plain(value) for name, value in found.items() if value is not None}


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Actor):
        inner = {} if value.act is None else {"act": plain(value.act)}
        return {"sub": value.sub, "sid": value.sid, **inner}
    if hasattr(value, "jkt"):
        return {"jkt": value.jkt}
    if hasattr(value, "uri"):
        return {"idx": value.idx, "uri": value.uri}
    return dict(value) if hasattr(value, "items") else value


def outcome(verifier: Verifier, token: str, keys: KeySet, now: int) -> dict[str, Any]:
    try:
        return {"claims": written(verifier.verify(token, keys, now * 1000))}
    except Refusal as refusal:
        return {"refusal": refusal.reason}


@pytest.mark.parametrize("file", ["guard/verify", "guard/encrypted", *ATTACKS])
def test_t1_every_token_is_accepted_or_refused_as_written(file: str) -> None:
    document = read(file)
    keys = KeySet.from_jwks(json.dumps(document["jwks"]))
    opening = DecryptionKeys.from_jwks(document["decryption_keys"]) if "decryption_keys" in document else None
    for case in document["cases"]:
        verifier = Verifier(document["issuer"], [document["audience"]], case.get("subjects", "users"), opening)
        expected = {"claims": case["claims"]} if "claims" in case else {"refusal": case["refusal"]}
        assert outcome(verifier, case["token"], keys, document["now"]) == expected, case["name"]


def test_the_cases_of_an_attack_stand_in_the_file_of_its_number_and_there_are_enough_of_each() -> None:
    counts = []
    for file in ATTACKS:
        cases = read(file)["cases"]
        assert all(f"attacks/{case['atk'].lower()}" == file for case in cases), file
        counts.append(len(cases))
    assert len(counts) >= 25 and sum(counts) >= 500
    assert len(read("attacks/atk-38")["cases"]) >= 40
    assert len(read("guard/encrypted")["cases"]) >= 200


def test_jwt_11_2_what_is_encrypted_is_refused_where_nobody_can_decrypt_it() -> None:
    document = read("guard/encrypted")
    keys = KeySet.from_jwks(json.dumps(document["jwks"]))
    seen = 0
    for case in document["cases"]:
        if case["token"].count(".") != 4 or len(case["token"]) > 4096:
            continue
        seen += 1
        verifier = Verifier(document["issuer"], [document["audience"]], case.get("subjects", "users"))
        assert outcome(verifier, case["token"], keys, document["now"]) == {"refusal": "malformed"}, case["name"]
    assert seen >= 200


def test_atk_29_key_sets_are_read_or_refused_as_written() -> None:
    for case in read("guard/jwks")["cases"]:
        try:
            keys = KeySet.from_jwks(case["document"])
        except KeySetError as error:
            assert error.fault == case.get("fault"), case["name"]
            continue
        assert keys.kids() == case.get("kids"), case["name"]
        for name, kid in case.get("paserk_ids", {}).items():
            found = keys.get(name)
            assert (None if found is None else found.kid) == kid, case["name"]


def test_c1_requests_pass_or_do_not_as_written() -> None:
    document = read("guard/cross_site")
    origins = Origins(document["own"], document["listed"])
    for case in document["cases"]:
        said = Provenance(case["sec_fetch_site"], case["origin"], case["x_requested_with"])
        assert origins.permit(said) == case["permitted"], case


def test_atk_33_cookies_are_found_as_written() -> None:
    document = read("guard/cookies")
    for case in document["cases"]:
        assert cookie_values(case["header"], document["name"]) == case["values"], case


def test_atk_36_proofs_are_read_or_refused_as_written() -> None:
    document = read("guard/dpop")
    good = 0
    for case in document["cases"]:
        try:
            proof = Proof.read(case["proof"], case["method"], case["url"])
        except Refusal as refusal:
            assert refusal.reason == case.get("refusal"), case["name"]
            continue
        for_token = proof.is_for(case["token"]) if "token" in case else None
        found = (proof.key, proof.is_fresh(document["now"] * 1000), for_token)
        assert found == (case.get("key"), case.get("fresh"), case.get("for_token")), case["name"]
        good += 1
    assert good >= 50 and len(document["cases"]) - good >= 300


def test_atk_40_whoever_waits_for_a_page_is_led_to_the_sign_in_page_as_written_and_nobody_else() -> None:
    document = read("guard/login")
    page = LoginPage(document["login"])
    for case in document["cases"]:
        asked = Navigation(case["method"], case["sec_fetch_mode"], case["target"])
        problem = Problem(case["code"], challenge={} if case["acr"] is None else {"acr_values": case["acr"]})
        assert page.location(asked, problem) == case["location"], case
    for path in document["refused"]:
        with pytest.raises(ValueError, match="sign-in page"):
            LoginPage(path)
