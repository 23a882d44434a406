"""Flask: sets ``g.auth``, or answers with a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, current_app, g, request

from .credential import Auth
from .credential import authenticate as judge
from .guard import Guard
from .login import Answer, answering
from .problem import Problem
from .refusal import Refusal
from .require import requirement
from .wsgi import view_of

P = ParamSpec("P")
R = TypeVar("R")


def authenticate(guard: Guard, *, login: str | None = None) -> Callable[[], Response | None]:
    """Lets only requests with a good token pass; for ``app.before_request(authenticate(guard))``, or a blueprint's.

    ``login``: the path of the sign-in page, to which people are led.
    """
    answer_of = answering(login)

    def before_request() -> Response | None:
        view = view_of(request.environ)
        try:
            g.auth = judge(guard, view)
        except (Problem, Refusal) as error:
            return _response(answer_of(error, view))
        return None

    return before_request


def require(
    *,
    acr: str | None = None,
    max_age: int | None = None,
    role: str | Iterable[str] | None = None,
    scope: str | Iterable[str] = (),
    login: str | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Lets only users pass who meet the requirement; a decorator of views, below ``@app.route``."""
    check = requirement(acr=acr, max_age=max_age, role=role, scope=scope)
    answer_of = answering(login)

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            try:
                auth = g.get("auth")
                if not isinstance(auth, Auth):
                    raise Refusal("missing")
                check(auth)
            except (Problem, Refusal) as error:
                return _response(answer_of(error, view_of(request.environ)))
            answer: R = current_app.ensure_sync(view)(*args, **kwargs)
            return answer

        return checked

    return decorate


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers)
