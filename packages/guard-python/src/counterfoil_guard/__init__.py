"""Verify Counterfoil access tokens offline, and still refuse a revoked one.

::

    guard = create_guard(issuer="https://auth.example.com", audience="web", credential=os.environ["COUNTERFOIL_GUARD"])
    claims = guard.verify(token)   # or a Refusal with a stable `code`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .asking_guard import RECHECK_MS, AskingGuard
from .claims import Claims, Confirmation, StatusReference
from .clock import Clock, Instant, SystemClock
from .cookie import ACCESS_COOKIE, cookie_values
from .credential import Auth, RequestView, authenticate, authenticate_async
from .cross_site import Origins, Provenance
from .dpop import Proof
from .encryption import DecryptionKeys
from .events import ClientEvent, KeysFailed, KeysLoaded, ListFailed, OnEvent, PollFailed
from .guard import Guard, GuardClosed
from .jwks import KeySet, KeySetError
from .login import LoginPage, Navigation, is_local_path
from .options import Mode, OnLeaseEnd, settings_of
from .patience import Patience, WouldWait
from .problem import Problem, ProblemCode, problem_of
from .pushed_guard import PushedGuard
from .refusal import Reason, Refusal, RefusalCode
from .require import requirement
from .status_list_guard import StatusListGuard
from .subject import Actor, Subjects
from .transport import Answer, HttpTransport, Request, Transport
from .verify import Verifier
from .watch import OnEnd

__all__ = [
    "ACCESS_COOKIE",
    "RECHECK_MS",
    "Actor",
    "Answer",
    "Auth",
    "Claims",
    "ClientEvent",
    "Clock",
    "Confirmation",
    "DecryptionKeys",
    "Guard",
    "GuardClosed",
    "HttpTransport",
    "Instant",
    "KeySet",
    "KeySetError",
    "KeysFailed",
    "KeysLoaded",
    "ListFailed",
    "LoginPage",
    "Navigation",
    "OnEnd",
    "Origins",
    "Patience",
    "PollFailed",
    "Problem",
    "ProblemCode",
    "Proof",
    "Provenance",
    "Reason",
    "Refusal",
    "RefusalCode",
    "Request",
    "RequestView",
    "StatusReference",
    "Subjects",
    "SystemClock",
    "Transport",
    "Verifier",
    "WouldWait",
    "authenticate",
    "authenticate_async",
    "cookie_values",
    "create_guard",
    "is_local_path",
    "problem_of",
    "requirement",
]


def create_guard(
    issuer: str,
    audience: str | Iterable[str],
    *,
    credential: str | None = None,
    authority: str | None = None,
    mode: Mode = "pushed",
    on_lease_end: OnLeaseEnd = "refuse",
    own_origins: Iterable[str] | None = None,
    listed_origins: Iterable[str] = (),
    at: str | None = None,
    subjects: Subjects = "users",
    decryption_keys: Iterable[Mapping[str, object]] = (),
    cache_size: int = 10_000,
    on_event: OnEvent | None = None,
    clock: Clock | None = None,
    transport: Transport | None = None,
) -> Guard:
    """Makes a guard, which in mode ``pushed`` starts following the authority at once. A mistake in the settings is a ``ValueError``.

    :param issuer: The authority's public URL, exactly as it stands in tokens.
    :param audience: The audience of the tokens meant for this server, or the few it answers for.
    :param credential: The guard credential, ``cfg_...``; not needed in mode ``status-list``.
    :param authority: Where this process reaches the authority, if it is not at the issuer. Beyond loopback only ``https``.
    :param mode: ``pushed`` judges from a copy of the revocation log; ``introspect`` asks about every token, every time; ``status-list`` goes by
        the authority's status lists, fetched when they are needed: late by the ``ttl`` of the list, and without a credential.
    :param on_lease_end: When the copy may no longer be trusted: ``refuse`` everything, or ask (``introspect``). Nothing accepts.
    :param own_origins: From where requests that rest on a cookie may come: the issuer's origin unless given.
    :param listed_origins: Further ones, of the same site.
    :param at: Under which origin clients know this server, such as ``https://api.example.com``; the issuer's unless given. Proofs of
        possession (RFC 9449) are made for it and the request's path.
    :param subjects: Whose tokens are believed: those of ``users``, of ``clients``, which are services in their own name, or of ``both``.
    :param decryption_keys: Private JWKs (X25519 or P-256, with a ``kid``) for tokens that are encrypted to this server. Without any, all such
        are refused.
    :param cache_size: How many verified tokens to remember at least; at most twice as many are.
    :param on_event: Told what happens on the wire. Unless given, that goes to the logger ``counterfoil_guard``.
    :param clock: Where time comes from; for tests.
    :param transport: How requests get to the authority, as an :class:`HttpTransport` with a TLS context of your own.
    """
    settings = settings_of(
        issuer=issuer,
        audience=audience,
        credential=credential,
        authority=authority,
        mode=mode,
        on_lease_end=on_lease_end,
        own_origins=own_origins,
        listed_origins=listed_origins,
        at=at,
        subjects=subjects,
        decryption_keys=decryption_keys,
        cache_size=cache_size,
        on_event=on_event,
        clock=SystemClock() if clock is None else clock,
        transport=transport,
    )
    if settings.mode == "introspect":
        return AskingGuard(settings)
    return StatusListGuard(settings) if settings.mode == "status-list" else PushedGuard(settings)
