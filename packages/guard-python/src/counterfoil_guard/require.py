"""What a route asks beyond a good token: a granted scope, a role, a strength, a recent proof (RFC 9470)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .credential import Auth
from .problem import Problem
from .scope import has_scope, is_scope_token

Check = Callable[[Auth], None]
"""A requirement, checked when the route is made rather than at the first request."""

# The levels of NIST SP 800-63B that the authority knows, weakest first.
_LEVELS = ("aal1", "aal2", "aal3")

# What may stand in a quoted string of a challenge without escaping, less the space that separates `acr_values`.
_ACR = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")


def requirement(
    *,
    acr: str | None = None,
    max_age: int | None = None,
    role: str | Iterable[str] | None = None,
    scope: str | Iterable[str] = (),
) -> Check:
    """All that is given must hold.

    ``acr``: at least this strong; ``aal2`` satisfies ``aal1``, any other value must be met exactly. ``max_age``: proven no longer ago than so
    many seconds; a refresh is no proof. ``role``: this one, or one of these. ``scope``: this one, or all of these.

    The check raises 403 ``insufficient_scope`` when the token was granted too little (RFC 6750 section 3.1), 403 ``forbidden`` when the role is
    missing (no sign-in would help), and otherwise 401 ``reauthentication_required`` with a challenge that says what would be enough.
    """
    if acr is not None and _ACR.fullmatch(acr) is None:
        raise ValueError("acr must be one printable word without quotes")
    if max_age is not None and (type(max_age) is not int or max_age < 0):
        raise ValueError("max_age must be a whole number of seconds")
    roles = None if role is None else _list_of(role)
    scopes = tuple(dict.fromkeys(_list_of(scope)))
    if not all(map(is_scope_token, scopes)):
        raise ValueError("scope must be printable words without quotes, one in each text")
    challenge = ({} if acr is None else {"acr_values": acr}) | ({} if max_age is None else {"max_age": str(max_age)})

    def check(auth: Auth) -> None:
        claims = auth.claims
        if not all(has_scope(claims.scope, wanted) for wanted in scopes):
            raise Problem("insufficient_scope", challenge={"scope": " ".join(scopes)})
        if roles is not None and not any(wanted in claims.roles for wanted in roles):
            raise Problem("forbidden")
        weak = acr is not None and not _strong_enough(claims.acr, acr)
        old = max_age is not None and auth.at - claims.auth_time > max_age
        if weak or old:
            # Both are said even if only one is wanting: whoever signs in again should not come back for the other.
            raise Problem("reauthentication_required", challenge=challenge)

    return check


def _list_of(one: str | Iterable[str]) -> tuple[str, ...]:
    return (one,) if isinstance(one, str) else tuple(one)


def _strong_enough(has: str, wants: str) -> bool:
    return has == wants or (wants in _LEVELS and has in _LEVELS and _LEVELS.index(has) > _LEVELS.index(wants))
