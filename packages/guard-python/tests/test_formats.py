"""A whole guard with the other formats: PASETO, encrypted tokens; and with services, and those who act for somebody."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from support import FAR, ISSUER, Authority, Pair, jwk_of, name_of, pair, part, ready_pair, reason, until

from counterfoil_guard import create_guard
from counterfoil_guard.base64url import encode

PASERK = f"k4.pid.{'A' * 44}"
SERVICE: dict[str, Any] = {"sub": "client:billing", "client_id": "billing"}


def paseto(made: Pair, kid: str = PASERK, key: Ed25519PrivateKey | None = None) -> str:
    """What the authority would mint as PASETO."""

    def at(seconds: int) -> str:
        return datetime.fromtimestamp(made.clock.wall // 1000 + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    message = json.dumps({
        "iss": ISSUER, "sub": name_of(1), "aud": "web", "client_id": "web", "exp": at(300), "iat": at(0), "jti": name_of(3), "sid": name_of(2),
        "auth_time": at(-600), "acr": "aal1", "amr": [],
    }).encode()
    footer = json.dumps({"kid": kid}).encode()
    pieces = (b"v4.public.", message, footer, b"")
    signing = len(pieces).to_bytes(8, "little") + b"".join(len(piece).to_bytes(8, "little") + piece for piece in pieces)
    return f"v4.public.{encode(message + (key or made.authority.key).sign(signing))}.{encode(footer)}"


def named(authority: Authority) -> dict[str, Any]:
    return {"keys": [jwk_of(authority.key, "k1") | {"paserk_id": PASERK}]}


Private = X25519PrivateKey | EllipticCurvePrivateKey


def public_jwk(key: Private) -> dict[str, str]:
    if isinstance(key, X25519PrivateKey):
        return {"kty": "OKP", "crv": "X25519", "x": encode(key.public_key().public_bytes_raw())}
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}


def private_bytes(key: Private) -> bytes:
    if isinstance(key, X25519PrivateKey):
        return key.private_bytes_raw()
    return key.private_numbers().private_value.to_bytes(32, "big")


class Audience:
    """A key pair to encrypt to."""

    def __init__(self, curve: str) -> None:
        self.key = self._made(curve)
        self.curve = curve
        self.jwk: dict[str, str] = public_jwk(self.key) | {"d": encode(private_bytes(self.key)), "kid": curve}

    @staticmethod
    def _made(curve: str) -> Private:
        return X25519PrivateKey.generate() if curve == "X25519" else generate_ec(SECP256R1())

    def encrypt(self, token: str) -> str:
        sender = self._made(self.curve)
        header = part({"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT", "kid": self.curve, "epk": public_jwk(sender)})
        if isinstance(sender, X25519PrivateKey) and isinstance(self.key, X25519PrivateKey):
            secret = sender.exchange(self.key.public_key())
        else:
            assert isinstance(sender, EllipticCurvePrivateKey)
            assert isinstance(self.key, EllipticCurvePrivateKey)
            secret = sender.exchange(ECDH(), self.key.public_key())
        about = (7).to_bytes(4, "big") + b"A256GCM" + bytes(8) + (256).to_bytes(4, "big")
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(ConcatKDFHash(SHA256(), 32, about).derive(secret)).encrypt(nonce, token.encode(), header.encode())
        return ".".join((header, "", encode(nonce), encode(sealed[:-16]), encode(sealed[-16:])))


@pytest.mark.parametrize(("kind", "values", "expected"), [("sessions", (name_of(2), FAR), "revoked"), ("keys", ("k1",), "key_revoked")])
def test_paseto_is_believed_cached_and_revoked_as_a_jwt_is_also_by_its_key(kind: str, values: tuple[object, ...], expected: str) -> None:
    def prepare(authority: Authority) -> None:
        authority.jwks = named(authority)

    with ready_pair(prepare) as made:
        token = paseto(made)
        assert made.guard.verify(token).sub == name_of(1)
        made.authority.revoke(kind, *values)
        until(lambda: len(made.authority.polls) == 3)
        assert reason(lambda: made.guard.verify(token)) == expected


def test_atk_10_an_unknown_paserk_id_fetches_the_key_set_as_an_unknown_kid_does_and_what_is_none_does_not() -> None:
    with ready_pair() as made:
        authority, guard = made.authority, made.guard
        before = len(authority.key_requests)
        made.clock.advance(2000)
        for kid in ("k1", "k4.pid.A", "../../x", f"{PASERK}A", f"{PASERK}\n"):
            token = paseto(made, kid)
            assert reason(lambda token=token: guard.verify(token)) == "unknown_key"  # type: ignore[misc]
        assert len(authority.key_requests) == before
        authority.jwks = named(authority)
        authority.tag = '"2"'
        assert reason(lambda: guard.verify(paseto(made))) == "accepted"
        assert len(authority.key_requests) == before + 1
        assert reason(lambda: guard.verify(authority.mint())) == "accepted", "the same key by its kid"


@pytest.mark.parametrize(
    ("subjects", "of_user", "of_service"),
    [("users", "accepted", "wrong_subject"), ("clients", "wrong_subject", "accepted"), ("both", "accepted", "accepted")],
)
def test_atk_26_a_service_is_believed_only_where_services_are_served(subjects: str, of_user: str, of_service: str) -> None:
    with ready_pair(subjects=subjects) as made:
        authority, guard = made.authority, made.guard
        assert reason(lambda: guard.verify(authority.mint())) == of_user
        assert reason(lambda: guard.verify(authority.mint(**SERVICE))) == of_service
        yes = {"active": True, "token_type": "Bearer", "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": 1_795_261_000}
        authority.introspection = lambda _token: yes
        assert reason(lambda: guard.asking().verify("a.b.c")) == of_user
        authority.introspection = lambda _token: yes | SERVICE
        assert reason(lambda: guard.asking().verify("a.b.c")) == of_service


def test_introspection_who_acts_and_what_was_granted_or_a_refusal() -> None:
    yes = {"active": True, "token_type": "Bearer", **SERVICE, "sid": name_of(2), "aud": "web", "exp": 1_795_261_000}
    act: dict[str, Any] = {"sub": "client:a", "sid": name_of(4), "act": {"sub": name_of(5), "sid": name_of(6)}}
    wrong: list[dict[str, Any]] = [
        {"sub": "client:"}, {"sub": "billing"}, {"act": None}, {"act": {}}, {"act": [act]}, {"act": "client:a"}, {"act": act | {"more": 1}},
        {"act": act | {"act": None}}, {"act": {"sub": "client:a"}}, {"scope": ""}, {"scope": ["a"]}, {"scope": "a  b"}, {"scope": None},
    ]
    with pair(mode="introspect", subjects="both") as made:
        made.authority.introspection = lambda _token: yes | {"act": act, "scope": "a b"}
        claims = made.guard.verify("a.b.c")
        assert (claims.sub, claims.scope, claims.auth_time, claims.acr, claims.amr) == (SERVICE["sub"], "a b", 0, "", ())
        assert claims.act is not None
        assert claims.act.act is not None
        assert (claims.act.sub, claims.act.act.sid) == ("client:a", name_of(6))
        for more in wrong:
            made.authority.introspection = lambda _token, more=more: yes | more  # type: ignore[misc]
            assert reason(lambda: made.guard.verify("a.b.c")) == "bad_claim", more


def test_s2_a_token_ends_with_the_session_of_whoever_acts_and_so_does_its_watch() -> None:
    with ready_pair() as made:
        token = made.authority.mint(act={"sub": "client:a", "sid": name_of(5), "act": {"sub": "client:b", "sid": name_of(6)}})
        ends: list[str] = []
        made.guard.watch(token, lambda why: ends.append(why.reason))
        made.authority.revoke("sessions", name_of(6), FAR)
        until(lambda: len(ends) == 1)
        assert ends == ["revoked"]
        assert reason(lambda: made.guard.verify(token)) == "revoked"
        assert reason(lambda: made.guard.verify(made.authority.mint())) == "accepted", "what the user does alone is not touched"


HIDDEN: dict[str, Any] = {"private": {"email": "a@example.com"}}


def test_jwt_11_2_with_a_key_what_is_encrypted_is_opened_and_then_verified_whole_and_without_it_is_refused() -> None:
    audiences = [Audience("X25519"), Audience("P-256")]
    with ready_pair(decryption_keys=[audience.jwk for audience in audiences]) as made:
        authority, guard = made.authority, made.guard
        for audience in audiences:
            token = audience.encrypt(authority.mint(**HIDDEN))
            claims = guard.verify(token)
            assert (claims.sub, claims.private) == (name_of(1), HIDDEN["private"])
            assert guard.verify(token) is claims, "and remembered"
            with pytest.raises(TypeError):
                claims.private["email"] = "b@example.com"  # type: ignore[index]
            for other, expected in ((authority.mint(aud="api"), "wrong_audience"), (token, "malformed"), (paseto(made), "malformed")):
                twice = audience.encrypt(other)
                assert reason(lambda twice=twice: guard.verify(twice)) == expected  # type: ignore[misc]
        assert reason(lambda: guard.verify(authority.mint())) == "accepted", "encryption hides, and proves nothing"
        assert reason(lambda: guard.verify(authority.mint(**HIDDEN))) == "bad_claim", "what is private does not travel in the clear"
        assert reason(lambda: guard.verify(Audience("X25519").encrypt(authority.mint()))) == "not_decryptable", "another key of that name"
    with ready_pair() as made:
        assert reason(lambda: made.guard.verify(audiences[0].encrypt(made.authority.mint()))) == "malformed"


def test_introspection_is_asked_about_the_token_within_which_the_authority_can_read() -> None:
    audience = Audience("X25519")
    with pair(mode="introspect", decryption_keys=[audience.jwk]) as made:
        authority, guard = made.authority, made.guard
        authority.introspection = lambda _token: {
            "active": True, "token_type": "Bearer", "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": 1_795_261_000,
        }
        inner = authority.mint(**HIDDEN)
        assert guard.verify(audience.encrypt(inner)).private == HIDDEN["private"]
        assert authority.introspected[0][1] == f"token={inner}"
        assert reason(lambda: guard.verify(inner)) == "bad_claim", "the same as when the token is verified here"
        assert reason(lambda: guard.verify(audience.encrypt(authority.mint(private={"a": 1})))) == "bad_claim"
        assert guard.verify(audience.encrypt(authority.mint())).private is None
        asked = len(authority.introspected)
        assert reason(lambda: guard.verify(Audience("X25519").encrypt(inner))) == "not_decryptable"
        assert reason(lambda: guard.verify(audience.encrypt(audience.encrypt(authority.mint())))) == "malformed"
        assert len(authority.introspected) == asked, "of what cannot be opened nobody is asked"


def test_a_mistake_in_decryption_keys_stops_the_start_and_tells_no_secret() -> None:
    okp, ec, other = Audience("X25519").jwk, Audience("P-256").jwk, Audience("X25519").jwk
    wrong: list[dict[str, object]] = [
        {name: value for name, value in okp.items() if name != "d"}, {name: value for name, value in ec.items() if name != "y"}, {**okp, "kid": ""},
        {**okp, "kid": "a.b"}, {**okp, "kid": 1}, {**okp, "alg": "ECDH-ES+A128KW"}, {**okp, "use": "sig"}, {**okp, "crv": "Ed25519"},
        {**okp, "kty": "EC"}, {**okp, "x": okp["x"][1:]}, {**okp, "x": other["x"]}, {**okp, "y": okp["x"]}, {**okp, "d": okp["d"] + "="},
        {**ec, "crv": "P-384"}, {**ec, "d": Audience("P-256").jwk["d"]}, {**ec, "d": "A" * 43}, {**ec, "x": ec["y"]}, {**ec, "kty": "oct"},
        {"kty": "oct", "k": "AAAA", "kid": "k"}, {},
    ]
    for jwk in wrong:
        with pytest.raises(ValueError, match="decryption key") as refused:
            create_guard(ISSUER, "web", credential="cfg_x", decryption_keys=[jwk])
        assert str(jwk.get("d", "nothing")) not in str(refused.value)
    with pytest.raises(ValueError, match="one kid"):
        create_guard(ISSUER, "web", credential="cfg_x", decryption_keys=[okp, {**ec, "kid": okp["kid"]}])
