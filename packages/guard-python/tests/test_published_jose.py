"""Tokens and keys that the RFCs show: what a resource server makes of every file, by ``vectors/decisions.json``.

The word of the refusal is compared, so that none is ever refused for its time, its issuer or its audience. The other guards read the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from published import ROOT, opened, read
from support import jwk_of

from counterfoil_guard.base64url import decode, encode
from counterfoil_guard.id import is_kid
from counterfoil_guard.jwks import KeySet, KeySetError, VerifyingKey, is_algorithm
from counterfoil_guard.refusal import Refusal
from counterfoil_guard.verify import Verifier

FOLDERS = ("dpop", "rfc-jose-appendix", "rfc7520-cookbook", "set", "status-list")
NOW = 1_700_000_000_000
VERIFIER = Verifier("https://example.com", ["web"])
SECRET_PARTS = ("d", "p", "q", "dp", "dq", "qi", "k")

Key = dict[str, Any]


class Found:
    """What stands in a file, as far as a guard could have to do with it."""

    def __init__(self, path: Path) -> None:
        self.keys: list[Key] = []
        self.tokens: list[str] = []
        """Compact tokens, and what else might be offered as an access token."""
        self.json: list[str] = []
        """Tokens in a JSON serialisation."""
        self.claims: list[object] = []
        """Claim sets that are written beside a token, or without one."""
        self.names: list[str] = []
        """Thumbprints of keys."""
        text, kind = path.read_text("utf-8"), path.name.rpartition(".")[2]
        if kind == "jwsc":
            self.tokens.append(text.strip())
        elif kind == "thp":
            self.names.append(text.strip())
        else:
            assert kind in ("jwsf", "jwsg", "jwk", "jwkset", "json"), f"what is a .{kind}?"
            self._collect("json" if kind in ("jwsf", "jwsg") else "", json.loads(text))

    def _collect(self, name: str, value: Any) -> None:
        """``name`` is the member that ``value`` belongs to."""
        if isinstance(value, str):
            if may_be_offered(name, value):
                self.tokens.append(value)
        elif isinstance(value, list):
            for item in value:
                self._collect(name, item)
        elif isinstance(value, dict):
            if name == "claims":
                self.claims.append(value)
            elif name in ("json", "json_flat"):
                self.json.append(json.dumps(value))
            # `epk` is one side of an agreement on a key, made for one message.
            elif "kty" in value and name != "epk":
                self.keys.append(value)
            for member, inner in value.items():
                self._collect(member, inner)


def may_be_offered(name: str, text: str) -> bool:
    """Every text that begins like a header and has parts, but the input of a signature; opaque tokens; the CWTs."""
    like_a_token = text.startswith("eyJ") and text.count(".") >= 2 and name != "sig-input"
    return like_a_token or name == "access_token" or name.endswith("_cwt_hex")


def published(keys: Iterable[Key]) -> list[Key]:
    """As their owner would publish them, with the name and the algorithm that they lack; a key that stands there twice, once."""
    all_of_them: list[Key] = []
    for whole in keys:
        key = {name: value for name, value in whole.items() if name not in SECRET_PARTS}

        def same(other: Key, key: Key = key) -> bool:
            return all(other.get(name) == key.get(name) for name in ("kty", "crv", "x", "y", "n"))

        if key["kty"] != "oct" and any(map(same, all_of_them)):
            continue
        taken = key.get("kid") is None or any(other["kid"] == key["kid"] for other in all_of_them)
        alg = "EdDSA" if key["kty"] == "OKP" else "ES256"
        all_of_them.append({"alg": alg, **key, "kid": f"k{len(all_of_them)}" if taken else key["kid"]})
    return all_of_them


def set_of(keys: Iterable[Key]) -> KeySet:
    return KeySet.from_jwks(json.dumps({"keys": list(keys)}))


def is_signed(token: str, keys: Iterable[VerifyingKey]) -> bool | None:
    """Whether one of the keys has made the signature, by the algorithm that the header names; ``None`` when that is none of ours."""
    parts = opened(token)
    alg = None if parts is None else parts[0].get("alg")
    message, _, last = token.rpartition(".")
    signature = decode(last)
    if signature is None or not is_algorithm(alg):
        return None
    fitting = [key for key in keys if key.algorithm == alg]
    assert not any(key.verifies(signature, f"{message}A".encode()) for key in fitting), f"it verifies whatever was signed: {token}"
    return any(key.verifies(signature, message.encode()) for key in fitting)


def counted(words: Iterable[str]) -> list[str]:
    """Equal words once, with how many there are."""
    return [word if times == 1 else f"{times} × {word}" for word, times in sorted(Counter(words).items())]


def refusal(token: str, keys: KeySet) -> str:
    """Why the token is refused; one that is believed is a failure."""
    try:
        VERIFIER.verify(token, keys, NOW)
    except Refusal as found:
        return found.reason
    raise AssertionError(f"believed: {token}")


def keys_in_words(keys: list[Key]) -> list[str]:
    if not keys:
        return []
    try:
        own = f"{len(set_of(keys).kids())} of {len(keys)} keys"
    except KeySetError as error:
        own = error.fault
    public = published(keys)
    return [own, f"{len(set_of(public).kids())} of {len(public)} when published"]


def decision(found: Found, keys: KeySet, all_keys: list[VerifyingKey]) -> str:
    """All that the guard says of a file, in words."""

    def of(token: str) -> str:
        signed = is_signed(token, all_keys)
        return refusal(token, keys) + ("" if signed is None else ", signed" if signed else ", not signed")

    words = keys_in_words(found.keys)
    words += counted(of(token) for token in found.tokens)
    words += counted(f"{refusal(token, keys)} as JSON" for token in found.json)
    words += [f"{'fit' if is_kid(name) else 'unfit'} to name a key" for name in found.names]
    return "; ".join(words) or "nothing"


def files_of(folder: str) -> dict[str, Found]:
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.name != "README.md")
    return {path.relative_to(ROOT / folder).as_posix(): Found(path) for path in paths}


def test_jws_5_2_every_example_of_the_rfcs_is_decided_as_listed_and_no_file_is_left_unread() -> None:
    listed = read("decisions")
    assert tuple(listed) == FOLDERS
    counts = []
    for folder in FOLDERS:
        files = files_of(folder)
        # All keys of the folder are trusted.
        keys = set_of(published(key for found in files.values() for key in found.keys))
        all_keys = [key for kid in keys.kids() if (key := keys.get(kid)) is not None]
        decided = {name: decision(found, keys, all_keys) for name, found in files.items()}
        assert all(why for _, why in listed[folder].values())
        assert decided == {name: words for name, (words, _) in listed[folder].items()}, folder
        found_all = files.values()
        counts.append([len(files), *(sum(len(getattr(found, kind)) for found in found_all) for kind in ("keys", "tokens", "json"))])
    assert counts == [[1, 3, 6, 0], [24, 21, 10, 2], [32, 36, 20, 53], [1, 0, 2, 0], [2, 1, 3, 0]]


def test_jwt_bcp_3_12_nothing_that_others_sign_is_an_access_token_even_by_our_own_key() -> None:
    secret = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    keys = set_of([jwk_of(secret, "ours")])

    def refused(typ: str, payload: bytes) -> str:
        text = f"{encode(json.dumps({'alg': 'EdDSA', 'kid': 'ours', 'typ': typ}).encode())}.{encode(payload)}"
        return refusal(f"{text}.{encode(secret.sign(text.encode()))}", keys)

    count: Counter[str] = Counter()
    for found in (found for folder in FOLDERS for found in files_of(folder).values()):
        tokens = [parts for token in found.tokens if (parts := opened(token)) is not None and parts[1]]
        alone: list[tuple[dict[str, Any], bytes]] = [({}, json.dumps(claims).encode()) for claims in found.claims]
        for head, payload in [*tokens, *alone]:
            own = [head["typ"]] if isinstance(head.get("typ"), str) else []
            for typ in (*own, "JWT", "secevent+jwt", "statuslist+jwt", "dpop+jwt"):
                assert refused(typ, payload) == "wrong_type", typ
            count[refused("at+jwt", payload)] += 1
    assert count == {"bad_claim": 26, "malformed": 7}, "malformed are those that are no JSON"


def test_jwk_4_2_the_key_of_rfc_8037_counts_once_it_has_a_name_and_an_algorithm() -> None:
    signing, naming = read("rfc-jose-appendix/rfc8037_examples")[:2]
    key = {name: signing["key"][name] for name in ("kty", "crv", "x")}
    kid = naming["jwk_thumbprint_sha256"]
    cases: list[tuple[Key, int]] = [
        ({}, 0),
        ({"kid": kid}, 0),
        ({"alg": "EdDSA"}, 0),
        ({"kid": kid, "alg": "ES256"}, 0),
        ({"kid": kid, "alg": "EdDSA", "use": "enc"}, 0),
        ({"kid": kid, "alg": "EdDSA"}, 1),
    ]
    for more, expected in cases:
        assert len(set_of([key | more]).kids()) == expected, more
    for alg, signed in (("EdDSA", True), ("Ed25519", False)):
        found = set_of([key | {"kid": kid, "alg": alg}]).get(kid)
        assert found is not None
        assert is_signed(signing["compact"], [found]) is signed, f"a key has one algorithm, by one name: {alg}"
