"""WSGI, on which Flask stands: sets ``environ["counterfoil.auth"]``, or answers with a problem.

WSGI has one value for each header. What stood twice servers join with a comma, which none of the headers that matter can hold by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .credential import Auth, RequestView, authenticate, target_of
from .guard import Guard
from .login import answering
from .problem import Problem
from .refusal import Refusal
from .require import Check

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AUTH_KEY = "counterfoil.auth"
"""Where the :class:`Auth` of a request stands in its ``environ``."""

_SINGLE = ("authorization", "dpop", "origin", "sec-fetch-mode", "sec-fetch-site")


class _EnvironView:
    """A request of WSGI."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.target = target_of(environ.get("RAW_URI") or environ.get("REQUEST_URI") or _rewritten(environ))

    def header(self, name: str) -> Sequence[str]:
        value: str | None = self._environ.get("HTTP_" + name.upper().replace("-", "_"))
        if value is None:
            return []
        return [one.strip(" \t") for one in value.split(",")] if name in _SINGLE else [value]


def _rewritten(environ: WSGIEnvironment) -> str:
    """A server that does not say how the path was written leaves us the one canonical way to write it."""
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    query = environ.get("QUERY_STRING", "")
    return quote(path, safe="/!$&'()*+,;=:@~") + (f"?{query}" if query else "")


def view_of(environ: WSGIEnvironment) -> RequestView:
    """An ``environ``, as far as it matters here."""
    return _EnvironView(environ)


class GuardMiddleware:
    """Lets only requests with a good token pass.

    A :class:`Problem` or :class:`Refusal` that the application raises before its answer, as a requirement does, is answered too.
    """

    def __init__(self, app: WSGIApplication, guard: Guard, *, check: Check | None = None, login: str | None = None) -> None:
        """``check``: what every request must meet (see ``requirement``). ``login``: the path of the sign-in page, to which people are led."""
        self._app = app
        self._guard = guard
        self._check = check
        self._answering = answering(login)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        view = view_of(environ)
        answered = False

        def starting(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
            nonlocal answered
            answered = True
            return start_response(status, headers, *more)

        try:
            auth = authenticate(self._guard, view)
            if self._check is not None:
                self._check(auth)
            environ[AUTH_KEY] = auth
            return self._app(environ, starting)
        except (Problem, Refusal) as error:
            if answered:
                raise
            answer = self._answering(error, view)
            headers = [*answer.headers.items(), ("content-length", str(len(answer.body)))]
            start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
            return [answer.body]


def ending_with(auth: Auth, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a body, which breaks off with a :class:`Refusal` at the first that comes after the token has stopped counting."""
    over: list[Refusal] = []
    stop = auth.watch(over.append)
    try:
        for piece in pieces:
            if over:
                raise over[0]
            yield piece
    finally:
        stop()
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
