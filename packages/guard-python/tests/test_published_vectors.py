"""Vectors that others have made, against this guard; see the README of each folder in ``vectors/``. The other guards read the same."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from published import ROOT, ec, holds, imported, okp, opened, read
from support import reason

from counterfoil_guard.base64url import decode
from counterfoil_guard.encryption import DecryptionKeys
from counterfoil_guard.id import is_kid, is_paserk_id
from counterfoil_guard.jwks import KeySet, KeySetError, VerifyingKey
from counterfoil_guard.paseto import Message, split_paseto, verifies_paseto
from counterfoil_guard.refusal import Refusal
from counterfoil_guard.verify import Verifier

NOW = 1_700_000_000_000


def test_atk_07_wycheproof_ed25519() -> None:
    count = 0
    for group in read("wycheproof/ed25519_test")["testGroups"]:
        for case in group["tests"]:
            count += 1
            found = holds("EdDSA", okp(group["publicKey"]["pk"]), bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert found == (case["result"] == "valid"), case["tcId"]
    assert count == 151


def test_atk_05_atk_06_wycheproof_es256() -> None:
    count = 0
    for group in read("wycheproof/ecdsa_secp256r1_sha256_p1363_test")["testGroups"]:
        for case in group["tests"]:
            count += 1
            found = holds("ES256", ec(group["publicKey"]["uncompressed"]), bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert found == (case["result"] == "valid"), case["tcId"]
    assert count == 262


def from_der(der: bytes) -> bytes:
    """R and s of a signature in DER, 32 bytes each, as JWS has them (RFC 7518 section 3.4). Only for those that the label calls valid."""
    length = der[3]
    return b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in (der[4 : 4 + length], der[6 + length :]))


def test_atk_05_der_is_no_spelling_of_an_es256_signature() -> None:
    """The labels are for DER, which X.509 and WebAuthn write.

    In a JWS there are r and s alone, so all are refused as they stand, and those that are labelled valid differ: 174, for the spelling and
    nothing else.
    """
    count = different = 0
    for group in read("wycheproof/ecdsa_secp256r1_sha256_test")["testGroups"]:
        key = imported("ES256", ec(group["publicKey"]["uncompressed"]))
        assert key is not None
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            assert not key.verifies(signature, message), case["tcId"]
            count += 1
            if case["result"] == "valid":
                assert key.verifies(from_der(signature), message), case["tcId"]
                different += 1
    assert (count, different) == (484, 174)


def test_atk_07_one_rule_for_every_edge_of_ed25519_and_the_other_guards_have_the_same() -> None:
    refused = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
    cases = read("ed25519-edge/cctv_ed25519vectors")
    accepted = 0
    for case in cases:
        found = holds("EdDSA", okp(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))
        assert found == refused.isdisjoint(case["flags"] or []), case["number"]
        accepted += found
    assert (len(cases), accepted) == (914, 43)
    letters = "".join(
        "V" if holds("EdDSA", okp(case["pub_key"]), bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])) else "X"
        for case in read("ed25519-edge/speccheck_cases")
    )
    assert letters == "XXXVXXXXXXXX"


# Byte for byte the same as the valid 357 (the file has lost its =); labelled valid with a ? inside a part (JWT-BCP-3.14).
DIFFERENT = {367, 370, 372, 373}


def signature_holds(key: VerifyingKey, token: str) -> bool:
    """The signature part alone, since none of these tokens is an access token."""
    parts = opened(token)
    message, _, last = token.rpartition(".")
    signature = decode(last)
    if parts is None or signature is None:
        return False
    head = parts[0]
    return head.get("alg") == key.algorithm and "crit" not in head and "b64" not in head and key.verifies(signature, message.encode())


def key_set(keys: list[dict[str, Any]]) -> KeySet | None:
    try:
        return KeySet.from_jwks(json.dumps({"keys": keys}))
    except KeySetError:
        return None


def test_t1_wycheproof_jws_is_decided_as_labelled_or_for_a_reason_and_none_is_an_access_token_whatever_its_keys() -> None:
    verifier = Verifier("https://app.example.com", ["web"])
    decided = refused = 0
    for file in ("json_web_signature_test", "json_web_key_test"):
        for group in read(f"wycheproof/{file}")["testGroups"]:
            own = group.get("public") or group.get("private") or {}
            keys = [{"kid": "none"} | {name: value for name, value in key.items() if name != "d"} for key in own.get("keys", [own])]
            found = key_set(keys)
            # HMAC is refused with its key.
            if found is None:
                continue
            key = found.get(str(keys[0]["kid"]))
            for case in group["tests"]:
                token = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
                assert reason(lambda token=token, found=found: verifier.verify(token, found, NOW)) != "accepted", case["tcId"]  # type: ignore[misc]
                refused += 1
                # RSA and other curves have no key here.
                if key is None:
                    continue
                differs = file == "json_web_signature_test" and case["tcId"] in DIFFERENT
                assert (signature_holds(key, token) == (case["result"] == "valid")) != differs, (file, case["tcId"])
                decided += 1
    assert (decided, refused) == (39, 372)


def test_jwe_5_2_a_guard_without_a_key_to_decrypt_refuses_every_encrypted_token() -> None:
    verifier = Verifier("https://example.com", ["web"])
    labels: Counter[str] = Counter()
    for group in read("wycheproof/json_web_encryption_test")["testGroups"]:
        keys = KeySet.from_jwks(json.dumps({"keys": [group["public"]] if "public" in group else []}))
        assert keys.kids() == [], "a key for encryption does not verify"
        for case in group["tests"]:
            assert reason(lambda case=case, keys=keys: verifier.verify(case["jwe"], keys, NOW)) == "malformed", case["tcId"]  # type: ignore[misc]
            labels[case["result"]] += 1
    # The valid ones differ from their label: they are for somebody who has the key.
    assert labels == {"valid": 65, "invalid": 74}


def test_atk_20_a_guard_with_the_key_opens_none_of_the_other_kinds() -> None:
    # Every key that agrees on P-256 and has a name is tried, whatever its own `alg` says; the valid ones differ from their label because
    # ECDH-ES with A256GCM, a JWT within and no other member in the header is all that is opened here.
    refused: Counter[str] = Counter()
    none = KeySet.from_jwks('{"keys":[]}')
    for group in read("wycheproof/json_web_encryption_test")["testGroups"]:
        jwk = {name: value for name, value in group["private"].items() if name != "alg"}
        if jwk["kty"] != "EC" or jwk["crv"] != "P-256" or not is_kid(jwk.get("kid")):
            continue
        verifier = Verifier("https://example.com", ["web"], "users", DecryptionKeys.from_jwks([jwk]))
        for case in group["tests"]:
            refused[reason(lambda case=case, verifier=verifier: verifier.verify(case["jwe"], none, NOW))] += 1  # type: ignore[misc]
    assert refused == {"malformed": 35, "header_not_allowed": 7}


CASES: list[dict[str, Any]] = read("paseto/v4")["tests"]
SIGNED = [case for case in CASES if case["name"].startswith("4-S-")]


def key_of_all() -> VerifyingKey:
    """The key of the vectors of PASETO: all that have one have the same."""
    points = {case["public-key"] for case in CASES if "public-key" in case}
    assert len(points) == 1
    key = imported("EdDSA", okp(points.pop()))
    assert key is not None
    return key


def verified(token: str, key: VerifyingKey, implicit: str) -> Message:
    """What was signed, if the token is this key's."""
    message = split_paseto(token)
    if not verifies_paseto(message, key, implicit.encode()):
        raise Refusal("bad_signature")
    return message


def test_pas_3_what_is_signed_verifies_and_nothing_else_does() -> None:
    key, counts = key_of_all(), [0, 0]
    for case in CASES:
        token, implicit = case["token"], case["implicit-assertion"]
        if case in SIGNED:
            assert case["expect-fail"] is False
            found = verified(token, key, implicit)
            assert (found.message.decode(), found.footer.decode()) == (case["payload"], case["footer"]), case["name"]
            assert reason(lambda: verified(token, key, f"{implicit} ")) == "bad_signature", "the implicit assertion counts"  # noqa: B023
            counts[0] += 1
        else:
            # 4-F-2 is a public token given to decryption: of the right kind, and signed by nobody known.
            expected = "bad_signature" if case["name"] == "4-F-2" else "malformed"
            assert reason(lambda: verified(token, key, implicit)) == expected, case["name"]  # noqa: B023
            counts[1] += 1
    assert counts == [3, 14], "nine are encrypted and five must fail"


def test_pas_3_every_byte_of_a_token_counts() -> None:
    key = key_of_all()
    for case in SIGNED:
        token = case["token"]
        for place, letter in enumerate(token):
            changed = f"{token[:place]}{chr(ord(letter) ^ 1)}{token[place + 1 :]}"
            assert reason(lambda: verified(changed, key, case["implicit-assertion"])) != "accepted", place  # noqa: B023


def test_pas_1_a_key_of_another_kind_verifies_nothing() -> None:
    group = read("wycheproof/ecdsa_secp256r1_sha256_p1363_test")["testGroups"][0]
    key = imported("ES256", ec(group["publicKey"]["uncompressed"]))
    assert key is not None
    for case in CASES:
        assert reason(lambda: verified(case["token"], key, case["implicit-assertion"])) != "accepted", case["name"]  # noqa: B023


def test_pas_1_a_signature_of_another_algorithm_is_none_though_the_key_has_made_it() -> None:
    private = generate_private_key(SECP256R1())
    numbers = private.public_key().public_numbers()
    key = imported("ES256", ec(f"04{numbers.x:064x}{numbers.y:064x}"))
    assert key is not None
    pieces = (b"v4.public.", b"{}", b"", b"")
    signing = len(pieces).to_bytes(8, "little") + b"".join(len(piece).to_bytes(8, "little") + piece for piece in pieces)
    r, s = decode_dss_signature(private.sign(signing, ECDSA(SHA256())))
    message = Message(b"{}", b"", r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    assert key.verifies(message.signature, signing)
    assert not verifies_paseto(message, key)


def test_t1_no_vector_of_paseto_is_an_access_token() -> None:
    """The vectors' footers name a key by something that is no PASERK id, or name none."""
    named = okp(SIGNED[0]["public-key"]) | {"kid": "k", "alg": "EdDSA", "paserk_id": "k4.pid.9ShR3xc8-qVJ_di0tc9nx0IDIqbatdeM2mqLFBJsKRHs"}
    keys = KeySet.from_jwks(json.dumps({"keys": [named]}))
    verifier = Verifier("https://example.com", ["web"])
    for case in CASES:
        expected = "unknown_key" if case["name"] in ("4-S-2", "4-S-3", "4-F-2") else "malformed"
        assert reason(lambda: verifier.verify(case["token"], keys, 1_640_000_000_000)) == expected, case["name"]  # noqa: B023


def test_pas_7_of_all_that_paserk_writes_only_an_id_of_a_public_key_names_one() -> None:
    counts: Counter[bool] = Counter()
    for path in sorted((ROOT / "paseto" / "PASERK").iterdir()):
        for case in read(f"paseto/PASERK/{path.stem}")["tests"]:
            if case["paserk"] is not None:
                assert is_paserk_id(case["paserk"]) == (path.stem == "k4.pid"), case["paserk"]
                counts[path.stem == "k4.pid"] += 1
    assert counts == {True: 3, False: 41}
