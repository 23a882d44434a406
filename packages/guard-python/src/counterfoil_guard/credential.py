"""Finds the one credential of a request, and judges it."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .claims import Claims
from .clock import Cancel
from .cookie import ACCESS_COOKIE, cookie_values
from .cross_site import Provenance
from .dpop import Proof
from .guard import Guard
from .patience import Patience, WouldWait
from .problem import Problem
from .refusal import Refusal
from .watch import OnEnd

Source = Literal["bearer", "bound", "cookie"]
"""How a token came; ``bound`` with a proof for this very request, as ``Authorization: DPoP``."""


@dataclass(frozen=True)
class Auth:
    """What every adapter sets on a request that passed."""

    claims: Claims
    source: Source
    at: int
    """When it was judged: seconds of the authority's clock."""
    # Not shown, so that logging the object shows data only. The token itself stays in the closure.
    _watch: Callable[[OnEnd], Cancel] = field(repr=False, compare=False)

    def watch(self, on_end: OnEnd) -> Cancel:
        """Calls back once, when the token stops counting, on a thread of the guard's. Returns what takes the call-back away."""
        return self._watch(on_end)


class RequestView(Protocol):
    """A request, as far as it matters here."""

    @property
    def method(self) -> str:
        """In upper case, as it stands in the request."""

    @property
    def target(self) -> str:
        """Path and query, as the client has sent them."""

    def header(self, name: str) -> Sequence[str]:
        """Every value of a header, in order; ``name`` in lower case."""


_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# Each costs a verification.
_MOST_COOKIES = 8
_ADVICE = "send it from this application's own origin, with the header X-Requested-With"
_AUTHORIZATION = re.compile(r"(bearer|dpop) ([^ ]+)", re.ASCII | re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.ASCII | re.IGNORECASE)


def target_of(text: str) -> str:
    """A request's target, which a proxy may write with scheme and host (RFC 9112 section 3.2.2)."""
    target = _ORIGIN.sub("", text, count=1) if _ORIGIN.match(text) else text
    return target if target and target[0] not in "?#" else f"/{target}"


def path_of(target: str) -> str:
    """Without query."""
    return re.split(r"[?#]", target, maxsplit=1)[0]


def authenticate(guard: Guard, request: RequestView, patience: Patience = Patience.MAY_WAIT) -> Auth:
    """Judges a request. Raises a :class:`Refusal` or a :class:`Problem`."""
    # What carries no Authorization header can only rest on a cookie, whether the browser has sent it or held it back.
    if not request.header("authorization"):
        _check_cross_site(guard, request)
    authorization = _authorization_of(request)
    cookies = _access_cookies(request)
    if authorization is not None:
        # Two transports at once may name two people (ATK-34).
        if cookies:
            raise Problem("ambiguous_credentials", detail="send either an Authorization header or a cookie, not both")
        return _authorized(guard, authorization, _proof_of(guard, request), patience)
    if not cookies:
        raise Refusal("missing")
    _proof_of(guard, request)
    if len(cookies) == 1:
        return _by_cookie(guard, cookies[0], patience)
    return _one_of(guard, cookies, patience)


async def authenticate_async(guard: Guard, request: RequestView) -> Auth:
    """The same for those who run an event loop of asyncio, which is never kept waiting."""
    try:
        return authenticate(guard, request, Patience.AT_ONCE)
    except WouldWait:
        judged = guard.on_thread(lambda: authenticate(guard, request))
        if judged is None:
            raise Refusal("verifier_stale") from None
        return await asyncio.wrap_future(judged)


@dataclass(frozen=True)
class _Authorization:
    token: str = field(repr=False)
    bound: bool


def _authorized(guard: Guard, authorization: _Authorization, proof: Proof | None, patience: Patience) -> Auth:
    """What is bound to a key counts only with a proof, whatever else comes with the request (DPOP-7b)."""
    token = authorization.token
    if not authorization.bound:
        return _auth_of(guard, token, guard.verify(token, patience), "bearer")
    if proof is None:
        raise Refusal("proof_required")
    return _auth_of(guard, token, guard.verify_bound(token, proof, patience), "bound")


def _proof_of(guard: Guard, request: RequestView) -> Proof | None:
    """The proof that came with a request, if one did.

    Two are none (DPOP-4.3a), and a bad one is refused whatever it was sent for.
    """
    values = request.header("dpop")
    if not values:
        return None
    if len(values) > 1:
        raise Refusal("bad_proof")
    return Proof.read(values[0], request.method, guard.at + path_of(request.target))


def _by_cookie(guard: Guard, token: str, patience: Patience) -> Auth:
    return _auth_of(guard, token, guard.verify(token, patience), "cookie")


def _auth_of(guard: Guard, token: str, claims: Claims, source: Source) -> Auth:
    return Auth(claims, source, math.floor(guard.now() / 1000), lambda on_end: guard.watch(token, on_end))


def _check_cross_site(guard: Guard, request: RequestView) -> None:
    """C1, for unsafe methods and for WebSockets."""
    safe = request.method.upper() in _SAFE
    if safe and not request.header("upgrade"):
        return
    provenance = _provenance_of(request)
    permit = guard.origins.permit_socket if safe else guard.origins.permit
    if provenance is None or not permit(provenance):
        raise Problem("cross_site", detail=_ADVICE)


def _provenance_of(request: RequestView) -> Provenance | None:
    """``None`` when a header stands there twice: then it is not a browser."""
    sites, origins = request.header("sec-fetch-site"), request.header("origin")
    if len(sites) > 1 or len(origins) > 1:
        return None
    custom_header = bool(request.header("x-requested-with"))
    return Provenance(sites[0] if sites else None, origins[0] if origins else None, custom_header)


def _authorization_of(request: RequestView) -> _Authorization | None:
    """The token of an ``Authorization`` header, ``Bearer`` (RFC 6750 section 2.1) or ``DPoP`` (RFC 9449 section 7.1).

    The scheme's case does not matter; a second header, another scheme or white space in the token does.
    """
    values = request.header("authorization")
    if len(values) > 1:
        raise Problem("ambiguous_credentials", detail="there are two Authorization headers")
    if not values:
        return None
    found = _AUTHORIZATION.fullmatch(values[0])
    if found is None:
        raise Problem("token_invalid", detail="expected Authorization: Bearer TOKEN, or DPoP TOKEN with a proof")
    return _Authorization(found[2], bound=found[1].lower() == "dpop")


def _access_cookies(request: RequestView) -> list[str]:
    """All different values of the access cookie. More than one means an earlier path or domain, or tossing."""
    values = (value for header in request.header("cookie") for value in cookie_values(header, ACCESS_COOKIE))
    return list(dict.fromkeys(values))[:_MOST_COOKIES]


def _one_of(guard: Guard, tokens: Sequence[str], patience: Patience) -> Auth:
    """Of several cookies of one name, the one that verifies; if two do, none counts (ATK-33)."""
    good: list[Auth] = []
    first: Refusal | None = None
    for token in tokens:
        try:
            good.append(_by_cookie(guard, token, patience))
        except Refusal as refusal:
            # That nobody can tell is no fault of one cookie.
            if refusal.reason == "verifier_stale":
                raise
            first = first or refusal
    if len(good) > 1:
        raise Problem("token_invalid", detail="two cookies of one name both verify")
    if not good:
        raise first or Refusal("missing")
    return good[0]
