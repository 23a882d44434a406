"""FastAPI: dependencies that give the :class:`Auth` of a request, and ask more of it.

Either ``app.add_middleware(GuardMiddleware, guard=guard)`` (of ``counterfoil_guard.asgi``) judges every request, or
``Depends(authenticate(guard))`` those of a router or a route; then :func:`answer_problems` sees to the answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket

from .asgi import set_auth, view_of
from .credential import Auth, authenticate_async
from .guard import Guard
from .login import answering
from .problem import Problem
from .refusal import Refusal
from .require import requirement


def current_auth(connection: HTTPConnection) -> Auth:
    """What the middleware, or :func:`authenticate`, has found; refused as ``token_missing`` where neither has been asked."""
    auth = connection.scope.get("state", {}).get("auth")
    if not isinstance(auth, Auth):
        raise Refusal("missing")
    return auth


CurrentAuth = Annotated[Auth, Depends(current_auth)]
"""For parameters: ``async def hello(auth: CurrentAuth)``."""


def authenticate(guard: Guard) -> Callable[[HTTPConnection], Awaitable[Auth]]:
    """Lets only requests and WebSockets with a good token pass; for ``dependencies=[Depends(authenticate(guard))]``."""

    async def judge(connection: HTTPConnection) -> Auth:
        auth = await authenticate_async(guard, view_of(connection.scope))
        set_auth(connection.scope, auth)
        return auth

    return judge


def require(
    *,
    acr: str | None = None,
    max_age: int | None = None,
    role: str | Iterable[str] | None = None,
    scope: str | Iterable[str] = (),
) -> Callable[[HTTPConnection], Auth]:
    """Lets only users pass who meet the requirement; for ``Depends(require(role="admin"))``. Stands after what authenticates."""
    check = requirement(acr=acr, max_age=max_age, role=role, scope=scope)

    def meet(connection: HTTPConnection) -> Auth:
        auth = current_auth(connection)
        check(auth)
        return auth

    return meet


def answer_problems(app: FastAPI, *, login: str | None = None) -> None:
    """Has the application answer what a dependency of this module raises. ``login``: the path of the sign-in page, to which people are led."""
    answer_of = answering(login)

    async def answer(connection: HTTPConnection, error: Exception) -> Response | None:
        if not isinstance(error, (Problem, Refusal)):
            raise error
        found = answer_of(error, view_of(connection.scope))
        response = Response(found.body, found.status, found.headers)
        if not isinstance(connection, WebSocket):
            return response
        if "websocket.http.response" in (connection.scope.get("extensions") or {}):
            await connection.send_denial_response(response)
        else:
            await connection.close(code=1008)
        return None

    for kind in (Problem, Refusal):
        app.add_exception_handler(kind, answer)  # type: ignore[arg-type]
