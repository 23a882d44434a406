"""ASGI, on which Starlette and FastAPI stand: sets ``request.state.auth``, or answers with a problem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from .credential import Auth, RequestView, authenticate_async, target_of
from .guard import Guard
from .login import Answer, answering
from .problem import Problem
from .refusal import Refusal
from .require import Check

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# RFC 6455 section 7.4.1: a message that violates a policy. Before a WebSocket is accepted, servers answer with 403 instead.
_POLICY_VIOLATION = 1008


class _ScopeView:
    """A request of ASGI."""

    def __init__(self, scope: Scope) -> None:
        self._headers: list[tuple[str, str]] = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        self._is_socket = scope["type"] == "websocket"
        self.method: str = "GET" if self._is_socket else scope["method"]
        # A server that does not say how the path was written leaves us the one canonical way to write it.
        path = scope.get("raw_path") or quote(scope["path"], safe="/!$&'()*+,;=:@~").encode("ascii")
        query = scope.get("query_string", b"")
        self.target = target_of(path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else ""))

    def header(self, name: str) -> Sequence[str]:
        values = [value for found, value in self._headers if found == name]
        # Over HTTP/2 and HTTP/3 no header says so.
        return values or (["websocket"] if self._is_socket and name == "upgrade" else [])


def view_of(scope: Scope) -> RequestView:
    """A scope of kind ``http`` or ``websocket``, as far as it matters here."""
    return _ScopeView(scope)


def set_auth(scope: Scope, auth: Auth) -> None:
    """Sets what ``request.state.auth`` reads, in a state of this request alone, whatever the server has handed in."""
    scope["state"] = {**scope.get("state", {}), "auth": auth}


class GuardMiddleware:
    """Lets only requests and WebSockets with a good token pass.

    A :class:`Problem` or :class:`Refusal` that the application raises, as a requirement does, is answered too.
    """

    def __init__(self, app: App, guard: Guard, *, check: Check | None = None, login: str | None = None) -> None:
        """``check``: what every request must meet (see ``requirement``). ``login``: the path of the sign-in page, to which people are led."""
        self._app = app
        self._guard = guard
        self._check = check
        self._answering = answering(login)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        view = view_of(scope)
        wire = _Wire(receive, send)
        try:
            auth = await authenticate_async(self._guard, view)
            if self._check is not None:
                self._check(auth)
            set_auth(scope, auth)
            await self._app(scope, wire.receive, wire.send)
        except (Problem, Refusal) as error:
            if wire.answered:
                raise
            await wire.refuse(scope, self._answering(error, view))
        return None


class _Wire:
    """What the application sees of the connection, and what has been said on it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._received = False
        self.answered = False

    async def receive(self) -> Message:
        self._received = True
        return await self._receive()

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)

    async def refuse(self, scope: Scope, answer: Answer) -> None:
        kind = "http.response"
        if scope["type"] == "websocket":
            if not self._received:
                await self._receive()
            if "websocket.http.response" not in (scope.get("extensions") or {}):
                await self._send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return
            kind = "websocket.http.response"
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
        await self._send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
        await self._send({"type": f"{kind}.body", "body": answer.body})


async def ended(auth: Auth) -> Refusal:
    """Waits until the token counts no more, and gives why. For WebSockets: run it beside what reads the socket."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[Refusal] = loop.create_future()

    def take(why: Refusal) -> None:
        if not over.done():
            over.set_result(why)

    def tell(why: Refusal) -> None:
        loop.call_soon_threadsafe(take, why)

    stop = auth.watch(tell)
    try:
        return await over
    finally:
        stop()


async def ending_with(auth: Auth, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body, which breaks off with a :class:`Refusal` when the token that opened it stops counting."""
    source = pieces.__aiter__()
    over = asyncio.ensure_future(ended(auth))
    following: asyncio.Future[bytes | None] | None = None
    try:
        while True:
            following = asyncio.ensure_future(_next(source))
            await asyncio.wait({following, over}, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                raise over.result()
            piece = following.result()
            if piece is None:
                return
            yield piece
    finally:
        over.cancel()
        if following is not None:
            following.cancel()


async def _next(source: AsyncIterator[bytes]) -> bytes | None:
    return await anext(source, None)
