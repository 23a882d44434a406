"""Django: sets ``request.auth``, or answers with a problem. Under WSGI and ASGI, for views of either kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeAlias

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from . import asgi, wsgi
from .credential import Auth, RequestView, authenticate_async
from .credential import authenticate as judge
from .guard import Guard
from .login import answering
from .problem import Problem
from .refusal import Refusal
from .require import requirement

View: TypeAlias = Callable[..., Any]


def authenticate(guard: Guard, *, login: str | None = None) -> Callable[[View], View]:
    """Lets only requests with a good token pass.

    As a middleware, ``MIDDLEWARE = [..., "project.guard.middleware"]`` where ``middleware = authenticate(guard)``; or as a decorator of single
    views. ``login``: the path of the sign-in page, to which people are led.
    """
    answer_of = answering(login)

    def refuse(error: Problem | Refusal, view: RequestView) -> HttpResponse:
        answer = answer_of(error, view)
        return HttpResponse(answer.body, status=answer.status, headers=answer.headers)

    def decorate(inner: View) -> View:
        @wraps(inner, updated=())
        def judged(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            view = _view_of(request)
            try:
                request.auth = judge(guard, view)
            except (Problem, Refusal) as error:
                return refuse(error, view)
            return inner(request, *args, **kwargs)

        @wraps(inner, updated=())
        async def judged_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            view = _view_of(request)
            try:
                request.auth = await authenticate_async(guard, view)
            except (Problem, Refusal) as error:
                return refuse(error, view)
            return await inner(request, *args, **kwargs)

        return judged_async if iscoroutinefunction(inner) else judged

    both: Callable[[View], View] = sync_and_async_middleware(decorate)
    return both


def require(
    *,
    acr: str | None = None,
    max_age: int | None = None,
    role: str | Iterable[str] | None = None,
    scope: str | Iterable[str] = (),
    login: str | None = None,
) -> Callable[[View], View]:
    """Lets only users pass who meet the requirement; a decorator of views. Stands after what authenticates."""
    check = requirement(acr=acr, max_age=max_age, role=role, scope=scope)
    answer_of = answering(login)

    def refusal_of(request: HttpRequest) -> HttpResponse | None:
        try:
            auth = getattr(request, "auth", None)
            if not isinstance(auth, Auth):
                raise Refusal("missing")
            check(auth)
        except (Problem, Refusal) as error:
            answer = answer_of(error, _view_of(request))
            return HttpResponse(answer.body, status=answer.status, headers=answer.headers)
        return None

    def decorate(inner: View) -> View:
        @wraps(inner)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            refused = refusal_of(request)
            return inner(request, *args, **kwargs) if refused is None else refused

        @wraps(inner)
        async def checked_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            refused = refusal_of(request)
            return await inner(request, *args, **kwargs) if refused is None else refused

        return checked_async if iscoroutinefunction(inner) else checked

    return decorate


def _view_of(request: HttpRequest) -> RequestView:
    environ = getattr(request, "environ", None)
    return asgi.view_of(request.scope) if environ is None else wsgi.view_of(environ)
