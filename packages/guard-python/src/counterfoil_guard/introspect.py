"""Asking the authority about one token (RFC 7662), where a pushed copy of the log is not wanted or not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import urlencode

from .base64url import decode
from .claims import Claims, read_confirmation, read_private
from .id import is_id
from .json import NotStrict, parse, parse_strict
from .options import Settings
from .refusal import Reason, Refusal
from .scope import is_scope
from .subject import is_subject, read_actor
from .transport import Request, Transport
from .verify import Opened, Verifier

INTROSPECTION_TIMEOUT = 2000
"""An answer that takes longer, in milliseconds, is no answer: what it says was true before it was sent."""

_MAX_BODY = 64 * 1024
_EXACT = 2**53

# RFC 6750 b64token: what may follow `Bearer`.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

# What belongs in a call of an API (INT-2): a refresh token and a session token are active too.
_ACCESS = ("Bearer", "DPoP")

# Why a token is inactive, where the authority says so.
_REASONS: dict[object, Reason] = {
    "expired": "expired",
    "token_expired": "expired",
    "revoked": "revoked",
    "session_revoked": "revoked",
    "stale": "stale",
    "token_stale": "stale",
}


class Introspector:
    """Keeps nothing: each call asks."""

    def __init__(self, settings: Settings, transport: Transport, verifier: Verifier) -> None:
        self._settings = settings
        self._transport = transport
        self._verifier = verifier

    def ask(self, token: str) -> Claims:
        """What the authority says of the token, or a :class:`Refusal`; ``verifier_stale`` when it says nothing.

        Whether whoever presents it may do so is left to ``check_binding``.
        """
        # The authority cannot open what is encrypted to this audience.
        opened = self._verifier.open(token)
        said = self._said(opened.token)
        if said.get("active") is False:
            reason = said.get("reason")
            raise Refusal(_REASONS.get(reason, "inactive") if isinstance(reason, str) else "inactive")
        if said.get("active") is not True:
            raise Refusal("verifier_stale")
        if said.get("token_type") not in _ACCESS:
            raise Refusal("wrong_type")
        claims = _claims_of(said, self._settings.issuer, opened)
        if claims is None:
            raise Refusal("bad_claim")
        # The authority knows who asks, but need not know which audiences this process answers for.
        self._verifier.check_parties(claims)
        return claims

    def _said(self, token: str) -> dict[str, Any]:
        """The answer as it came."""
        if _TOKEN.fullmatch(token) is None:
            raise Refusal("malformed")
        answer = self._transport.request(Request(
            url=f"{self._settings.base}/oauth/introspect",
            timeout=INTROSPECTION_TIMEOUT,
            whole=INTROSPECTION_TIMEOUT,
            limit=_MAX_BODY,
            headers={
                "authorization": f"Bearer {self._settings.credential}",
                "accept": "application/json",
                "content-type": "application/x-www-form-urlencoded",
            },
            method="POST",
            body=urlencode({"token": token}).encode(),
        ))
        body = parse(answer.body) if answer is not None and answer.status == 200 else None
        if not isinstance(body, dict):
            raise Refusal("verifier_stale")
        return body


def _claims_of(said: dict[str, Any], issuer: str, opened: Opened) -> Claims | None:
    """What the answer leaves out gets the value that allows least; whoever and whatever it names must be of its kind."""
    iss, sub, sid, aud = said.get("iss", issuer), said.get("sub"), said.get("sid"), said.get("aud")
    audience = aud[0] if isinstance(aud, list) and len(aud) == 1 else aud
    if not isinstance(iss, str) or not isinstance(audience, str) or not is_subject(sub) or not is_id(sid):
        return None
    exp, scope, act, cnf = said.get("exp"), said.get("scope"), read_actor(said.get("act")), read_confirmation(said.get("cnf"))
    if not _is_whole(exp) or ("scope" in said and not (isinstance(scope, str) and is_scope(scope))) or ("act" in said and act is None):
        return None
    # Bound, but not to anything that could be proven here.
    if ("cnf" in said or said.get("token_type") == "DPoP") and cnf is None:
        return None
    return Claims(
        iss=iss,
        sub=sub,
        aud=audience,
        client_id=_text_or_empty(said.get("client_id")),
        exp=exp,
        iat=_whole_or_zero(said.get("iat")),
        jti=_text_or_empty(said.get("jti")),
        sid=sid,
        auth_time=_whole_or_zero(said.get("auth_time")),
        acr=_text_or_empty(said.get("acr")),
        amr=_texts(said.get("amr")),
        roles=_texts(said.get("roles")),
        cv=_whole_or_zero(said.get("cv")),
        scope=scope,
        act=act,
        cnf=cnf,
        private=_hidden_in(opened),
    )


def _hidden_in(opened: Opened) -> Mapping[str, str] | None:
    """What is private in a token that the authority has just vouched for: it never says so itself.

    As when the token is verified here, it may only come encrypted.
    """
    parts = opened.token.split(".", 2)
    raw = decode(parts[1]) if len(parts) > 1 else None
    try:
        payload = None if raw is None else parse_strict(raw)
    except NotStrict:
        return None
    if not isinstance(payload, dict) or "private" not in payload:
        return None
    hidden = read_private(payload["private"]) if opened.encrypted else None
    if hidden is None:
        raise Refusal("bad_claim")
    return hidden


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_whole(value: object) -> TypeGuard[int]:
    return type(value) is int and -_EXACT < value < _EXACT


def _whole_or_zero(value: object) -> int:
    return value if _is_whole(value) else 0


def _texts(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else ()
