"""Proofs of possession, as a guard and its adapters take them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
from apps import METHODS, Answered, Send, Sent, Urls, django_app, over_asgi, over_wsgi
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse
from django.urls import re_path
from fastapi import FastAPI
from flask import Blueprint, Flask, g
from support import FAR, ISSUER, START, Authority, Pair, name_of, pair, ready_pair, reason, signed, until

from counterfoil_guard import Guard, Proof, asgi, authenticate, django, flask, wsgi
from counterfoil_guard.base64url import encode
from counterfoil_guard.claims import Claims, Confirmation
from counterfoil_guard.dpop import UsedProofs
from counterfoil_guard.fastapi import CurrentAuth

AT = "https://api.example.com"
EVIL = "https://evil.example"


class Holder:
    """A client with a key of its own."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.jwk = {"crv": "Ed25519", "kty": "OKP", "x": encode(self._key.public_key().public_bytes_raw())}
        self.jkt = encode(sha256(json.dumps(self.jwk, separators=(",", ":")).encode()).digest())
        self._count = 0

    def prove(self, token: str, **more: Any) -> str:
        self._count += 1
        ath = encode(sha256(token.encode()).digest())
        claims = {"jti": f"p{self._count}", "htm": "GET", "htu": f"{ISSUER}/me", "iat": START // 1000, "ath": ath} | more
        said = {name: value for name, value in claims.items() if value is not None}
        return signed(self._key, {"alg": "EdDSA", "typ": "dpop+jwt", "jwk": self.jwk}, said)

    def read(self, token: str, **more: Any) -> Proof:
        return Proof.read(self.prove(token, **more), "GET", f"{ISSUER}/me")

    def bound(self, authority: Authority, **more: Any) -> str:
        return authority.mint(cnf={"jkt": self.jkt}, **more)


@pytest.fixture
def made() -> Iterator[Pair]:
    with ready_pair() as found:
        yield found


@pytest.fixture
def holder() -> Holder:
    return Holder()


def test_dpop_7_a_bound_token_counts_with_a_proof_of_its_key_for_it_once(made: Pair, holder: Holder) -> None:
    authority, guard, other = made.authority, made.guard, Holder()
    token, unbound = holder.bound(authority), authority.mint()
    proof = holder.read(token)

    def bound(found: Proof, of: str = token) -> str:
        return reason(lambda: guard.verify_bound(of, found))

    assert guard.verify_bound(token, proof).cnf == Confirmation(holder.jkt)
    assert reason(lambda: guard.verify(token)) == "proof_required", "also when it is remembered"
    assert bound(proof) == "bad_proof", "replayed"
    assert bound(holder.read(token)) == "accepted"
    assert bound(holder.read(token, jti=proof.jti, htu=f"{ISSUER}:443/me?again")) == "bad_proof", "the same, spelt otherwise"
    assert bound(other.read(token)) == "bad_proof", "the key of somebody else"
    assert bound(holder.read(unbound)) == "bad_proof", "for another token"
    assert bound(holder.read(token, ath=None)) == "bad_proof", "for no token"
    assert bound(holder.read(unbound), unbound) == "bad_proof", "for a token that is not bound"
    others = other.bound(authority)
    assert bound(other.read(others, jti=proof.jti), others) == "accepted", "a name counts for its key"
    elsewhere = Proof.read(holder.prove(token, jti=proof.jti, htu=f"{ISSUER}/other"), "GET", f"{ISSUER}/other")
    assert bound(elsewhere) == "accepted", "and for its address"
    aged, early = holder.read(token, iat=START // 1000 - 60), holder.read(token, iat=START // 1000 + 11)
    assert bound(early) == "bad_proof"
    made.clock.advance(1000)
    assert bound(aged) == "bad_proof"
    assert bound(early) == "accepted", "what was refused has not been used"
    authority.revoke("sessions", name_of(2), FAR)
    until(lambda: len(authority.polls) == 3)
    assert bound(holder.read(token)) == "revoked"


def test_a_flood_of_proofs_makes_no_room_for_a_replay_and_what_is_too_old_is_forgotten(holder: Holder) -> None:
    now = float(START)
    used = UsedProofs(lambda: now, 2)
    claims = Claims("", "", "", "", 0, 0, "", "", 0, "", (), cnf=Confirmation(holder.jkt))

    def use(proof: Proof) -> str:
        return reason(lambda: used.use(claims, "t", proof))

    def later(seconds: int) -> Proof:
        return holder.read("t", iat=START // 1000 + seconds)

    first = later(0)
    assert [use(first), use(later(0)), use(later(0)), use(first)] == ["accepted", "accepted", "bad_proof", "bad_proof"]
    now += 119_999
    assert use(later(119)) == "bad_proof", "still full"
    now += 1
    assert use(later(120)) == "accepted"
    assert use(first) == "bad_proof", "forgotten, and too old"


def test_s2_a_watch_of_a_bound_token_ends_with_it(made: Pair, holder: Holder) -> None:
    ends: list[str] = []
    made.guard.watch(holder.bound(made.authority), lambda why: ends.append(why.reason))
    made.authority.revoke("sessions", name_of(2), FAR)
    until(lambda: len(ends) > 0)
    assert ends == ["revoked"]


def test_introspection_the_binding_that_the_authority_tells_of_is_checked_here(holder: Holder) -> None:
    cnf = {"jkt": holder.jkt}
    wrong: list[Any] = [None, {}, [], "x", {"jkt": name_of(1)}, cnf | {"more": 1}, {"x5t#S256": holder.jkt}, {"jkt": f"{holder.jkt}="}, [holder.jkt]]
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"token_type": "DPoP", "cnf": cnf}, "proof_required", "accepted"),
        ({"token_type": "Bearer", "cnf": cnf}, "proof_required", "accepted"),
        ({"token_type": "Bearer"}, "accepted", "bad_proof"),
        ({"token_type": "DPoP"}, "bad_claim", "bad_claim"),
        ({"token_type": "dpop", "cnf": cnf}, "wrong_type", "wrong_type"),
        ({"token_type": "refresh_token", "cnf": cnf}, "wrong_type", "wrong_type"),
        *(({"token_type": "DPoP", "cnf": one}, "bad_claim", "bad_claim") for one in wrong),
    ]
    yes = {"active": True, "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": 1_795_261_000}
    with pair(mode="introspect") as made:
        for said, unproven, proven in cases:
            made.authority.introspection = lambda _token, said=said: yes | said  # type: ignore[misc]
            assert reason(lambda: made.guard.verify("a.b.c")) == unproven, said
            assert reason(lambda: made.guard.verify_bound("a.b.c", holder.read("a.b.c"))) == proven, said


def test_a_proof_that_was_used_counts_neither_here_nor_where_the_authority_is_asked(made: Pair, holder: Holder) -> None:
    token = holder.bound(made.authority)
    made.authority.introspection = lambda _token: {
        "active": True, "token_type": "DPoP", "cnf": {"jkt": holder.jkt}, "sub": name_of(1), "sid": name_of(2), "aud": "web",
        "exp": START // 1000 + 300,
    }
    guards = (made.guard, made.guard.asking())
    for first, second in (guards, guards[::-1]):
        proof = holder.read(token)
        assert [reason(lambda: one.verify_bound(token, proof)) for one in (first, second)] == ["accepted", "bad_proof"]  # noqa: B023


def in_asgi(guard: Guard) -> Send:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"source": scope["state"]["auth"].source}).encode()})

    return over_asgi(asgi.GuardMiddleware(app, guard))


def in_wsgi(guard: Guard, raw: bool = True) -> Send:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [json.dumps({"source": environ["counterfoil.auth"].source}).encode()]

    return over_wsgi(wsgi.GuardMiddleware(app, guard), raw=raw)


def mounted_in_fastapi(guard: Guard) -> Send:
    api, app = FastAPI(), FastAPI()
    api.add_middleware(asgi.GuardMiddleware, guard=guard)

    @api.api_route("/things", methods=METHODS)
    @api.api_route("/things/", methods=METHODS)
    async def endpoint(auth: CurrentAuth) -> dict[str, str]:
        return {"source": auth.source}

    app.mount("/api", api)
    return over_asgi(app)


def in_flask(guard: Guard) -> Send:
    api = Blueprint("api", "api", url_prefix="/api")
    api.before_request(flask.authenticate(guard))
    api.add_url_rule("/<path:_rest>", view_func=lambda _rest: {"source": g.auth.source}, endpoint="any", methods=METHODS)
    app = Flask("app")
    app.register_blueprint(api)
    return over_wsgi(app)


def in_django(guard: Guard) -> Send:
    Urls.urlpatterns = [re_path("^api/things/?$", lambda request: JsonResponse({"source": request.auth.source}))]
    Urls.middleware = django.authenticate(guard)
    return over_wsgi(django_app(WSGIHandler))


BEARER = 'Bearer error="invalid_token"'
PROVE = 'DPoP error="invalid_token", algs="EdDSA Ed25519 ES256"'
BAD = 'DPoP error="invalid_dpop_proof", algs="EdDSA Ed25519 ES256"'

MAKERS: dict[str, Callable[[Guard], Send]] = {
    "asgi": in_asgi, "wsgi": in_wsgi, "wsgi, path written anew": lambda guard: in_wsgi(guard, raw=False), "fastapi, mounted": mounted_in_fastapi,
    "flask": in_flask, "django": in_django,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_dpop_beside_bearer_and_the_cookie(kind: str, holder: Holder) -> None:
    with ready_pair(at=AT) as made:
        send = MAKERS[kind](made.guard)
        token, unbound = holder.bound(made.authority), made.authority.mint(sid=name_of(8), jti=name_of(9))

        def prove(of: str = token, **more: Any) -> str:
            return holder.prove(of, **{"htu": f"{AT}/api/things"} | more)

        def dpop(*proofs: str) -> dict[str, Any]:
            return {"authorization": f"DPoP {token}", "dpop": list(proofs)}

        def cookie(*of: str) -> str:
            return "; ".join(f"__Host-cf_access={one}" for one in of)

        def to(headers: dict[str, Any], method: str = "GET", path: str = "/api/things") -> Sent:
            return Sent(path, method, headers)

        def with_proof(proof: str, **headers: Any) -> Sent:
            return to(headers | {"dpop": proof})

        used, twice = prove(), prove()
        free, as_bearer = f"Bearer {unbound}", f"Bearer {token}"
        expected: list[tuple[str, int, str, str | None, Sent]] = [
            ("a proof", 200, "bound", None, to(dpop(used))),
            ("replayed", 401, "invalid_dpop_proof", BAD, to(dpop(used))),
            ("in other case", 200, "bound", None, to({"authorization": f"dpop {token}", "dpop": prove()})),
            ("with a query", 200, "bound", None, to(dpop(prove()), path="/api/things?a=/b")),
            ("another method", 200, "bound", None, to(dpop(prove(htm="DELETE")), "DELETE")),
            ("no proof", 401, "proof_required", PROVE, to({"authorization": f"DPoP {token}"})),
            ("no proof, and no token either", 401, "proof_required", PROVE, to({"authorization": "DPoP a.b.c"})),
            ("bound, as Bearer", 401, "proof_required", PROVE, to({"authorization": f"Bearer {token}"})),
            ("bound, as Bearer with a proof", 401, "proof_required", PROVE, with_proof(prove(), authorization=as_bearer)),
            ("bound, in the cookie", 401, "proof_required", PROVE, to({"cookie": cookie(token)})),
            ("bound, in the cookie with a proof", 401, "proof_required", PROVE, with_proof(prove(), cookie=cookie(token))),
            ("a bound cookie hides no other", 200, "cookie", None, to({"cookie": cookie(token, unbound)})),
            ("a proof for what is not bound", 401, "invalid_dpop_proof", BAD, with_proof(prove(unbound), authorization=f"DPoP {unbound}")),
            ("not bound, as Bearer, with a proof", 200, "bearer", None, with_proof(prove(unbound), authorization=free)),
            ("not bound, as Bearer, with a bad proof", 401, "invalid_dpop_proof", BAD, with_proof("a.b.c", authorization=free)),
            ("not bound, in the cookie, with a bad proof", 401, "invalid_dpop_proof", BAD, with_proof("a.b.c", cookie=cookie(unbound))),
            ("two proofs", 401, "invalid_dpop_proof", BAD, to(dpop(prove(), prove()))),
            ("the same proof twice", 401, "invalid_dpop_proof", BAD, to(dpop(twice, twice))),
            ("an empty proof", 401, "invalid_dpop_proof", BAD, to(dpop(""))),
            ("for another path", 401, "invalid_dpop_proof", BAD, to(dpop(prove(htu=f"{AT}/api/other")))),
            ("for the path within", 401, "invalid_dpop_proof", BAD, to(dpop(prove(htu=f"{AT}/things")))),
            ("for another path in the request", 401, "invalid_dpop_proof", BAD, to(dpop(prove()), path="/api/things/")),
            ("for another method", 401, "invalid_dpop_proof", BAD, to(dpop(prove()), "DELETE")),
            ("for the issuer's origin", 401, "invalid_dpop_proof", BAD, to(dpop(prove(htu=f"{ISSUER}/api/things")))),
            ("for what Host says", 401, "invalid_dpop_proof", BAD, to(dpop(prove(htu=f"{EVIL}/api/things")) | {"host": "evil.example"})),
            ("a minute and a second old", 401, "invalid_dpop_proof", BAD, to(dpop(prove(iat=START // 1000 - 61)))),
            ("a token that is none, with a proof for it", 401, "token_invalid", BEARER, with_proof(prove("a.b.c"), authorization="DPoP a.b.c")),
            ("two tokens in one", 401, "token_invalid", BEARER, with_proof(prove(), authorization=f"DPoP {token} {token}")),
            ("header and cookie", 400, "ambiguous_credentials", None, to(dpop(prove()) | {"cookie": cookie(unbound)})),
            ("two Authorization headers", 400, "ambiguous_credentials", None, with_proof(prove(), authorization=[f"DPoP {token}", free])),
            ("a proof and nothing else", 401, "token_missing", "Bearer", to({"dpop": prove()})),
        ]
        for what, status, said, challenge, sent in expected:
            answer: Answered = send(sent)
            found = (answer.status, answer.body.get("source", answer.body.get("code")), answer.headers.get("www-authenticate"))
            assert found == (status, said, challenge), what


def test_proofs_are_made_for_the_issuers_origin_unless_another_is_set(made: Pair, holder: Holder) -> None:
    token = holder.bound(made.authority)
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/me", "HTTP_AUTHORIZATION": f"DPoP {token}", "HTTP_DPOP": holder.prove(token)}
    assert authenticate(made.guard, wsgi.view_of(environ)).source == "bound"
