"""The same three routes in every framework, and how a request is put to each without a socket."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import clear_url_caches, path
from django.utils.decorators import sync_and_async_middleware
from fastapi import APIRouter, Depends, FastAPI
from flask import Flask, g
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from counterfoil_guard import Auth, Guard, requirement
from counterfoil_guard import asgi as on_asgi
from counterfoil_guard import django as on_django
from counterfoil_guard import fastapi as on_fastapi
from counterfoil_guard import flask as on_flask
from counterfoil_guard import wsgi as on_wsgi

WANTED: dict[str, dict[str, Any]] = {"/me": {}, "/admin": {"role": ["admin", "owner"]}, "/strong": {"acr": "aal2", "max_age": 60}}
LOGIN = "/login"
METHODS = ["GET", "POST", "DELETE"]


def seen(auth: Auth) -> dict[str, object]:
    return {"sub": auth.claims.sub, "source": auth.source, "at": auth.at}


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Sent:
    path: str = "/me"
    method: str = "GET"
    headers: dict[str, str | list[str]] = field(default_factory=dict)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.headers.items() for value in ([values] if isinstance(values, str) else values)]


Send = Callable[[Sent], Answered]


def over_asgi(app: Any, **more: Any) -> Send:
    """Puts requests to an application of ASGI."""

    async def call(sent: Sent) -> Answered:
        target, _, query = sent.path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": sent.method, "scheme": "http", "path": target,
            "raw_path": target.encode(), "query_string": query.encode(), "root_path": "", "server": ("internal", 8080), "client": ("127.0.0.1", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.pairs],
        } | more
        said: list[Any] = []
        waiting = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if waiting.is_set():
                await asyncio.Event().wait()
            waiting.set()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        await app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in said[1:])
        return Answered(said[0]["status"], headers, json.loads(body or b"{}"))

    return lambda sent: asyncio.run(call(sent))


def over_wsgi(app: Any, raw: bool = True) -> Send:
    """Puts requests to an application of WSGI; what stands twice is joined, as servers do."""

    def call(sent: Sent) -> Answered:
        target, _, query = sent.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": sent.method, "SCRIPT_NAME": "", "PATH_INFO": target, "QUERY_STRING": query, "SERVER_NAME": "internal",
            "SERVER_PORT": "8080", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        } | ({"RAW_URI": sent.path} if raw else {})
        for name, value in sent.pairs:
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        said: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_more: object) -> Callable[[bytes], object]:
            said.extend([int(status.split()[0]), {name.lower(): value for name, value in headers}])
            return lambda _raw: None

        body = b"".join(app(environ, start_response))
        return Answered(said[0], said[1], json.loads(body or b"{}"))

    return call


def bare_asgi(guard: Guard) -> Send:
    checks = {route: requirement(**wanted) for route, wanted in WANTED.items()}

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        auth = scope["state"]["auth"]
        checks[scope["path"]](auth)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(seen(auth)).encode()})

    return over_asgi(on_asgi.GuardMiddleware(app, guard, login=LOGIN))


def starlette(guard: Guard) -> Send:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(seen(request.state.auth))

    routes = [
        Route(route, endpoint, methods=METHODS, middleware=[
            Middleware(on_asgi.GuardMiddleware, guard=guard, check=requirement(**wanted), login=LOGIN),
        ])
        for route, wanted in WANTED.items()
    ]
    return over_asgi(Starlette(routes=routes))


def fastapi_middleware(guard: Guard) -> Send:
    app = FastAPI()
    app.add_middleware(on_asgi.GuardMiddleware, guard=guard, login=LOGIN)
    for route, wanted in WANTED.items():
        add_fastapi_route(app.router, route, wanted)
    return over_asgi(app)


def fastapi_depends(guard: Guard) -> Send:
    app = FastAPI()
    on_fastapi.answer_problems(app, login=LOGIN)
    router = APIRouter(dependencies=[Depends(on_fastapi.authenticate(guard))])
    for route, wanted in WANTED.items():
        add_fastapi_route(router, route, wanted)
    app.include_router(router)
    return over_asgi(app)


def add_fastapi_route(router: APIRouter, route: str, wanted: dict[str, Any]) -> None:
    async def endpoint(auth: on_fastapi.CurrentAuth) -> dict[str, object]:
        return seen(auth)

    router.add_api_route(route, endpoint, methods=METHODS, dependencies=[Depends(on_fastapi.require(**wanted))])


def bare_wsgi(guard: Guard) -> Send:
    checks = {route: requirement(**wanted) for route, wanted in WANTED.items()}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        auth = environ["counterfoil.auth"]
        checks[environ["PATH_INFO"]](auth)
        start_response("200 OK", [])
        return [json.dumps(seen(auth)).encode()]

    return over_wsgi(on_wsgi.GuardMiddleware(app, guard, login=LOGIN))


def flask(guard: Guard) -> Send:
    app = Flask("app")
    app.before_request(on_flask.authenticate(guard, login=LOGIN))
    for route, wanted in WANTED.items():

        @app.route(route, methods=METHODS, endpoint=route[1:])
        @on_flask.require(**wanted, login=LOGIN)
        def endpoint() -> dict[str, object]:
            return seen(g.auth)

    return over_wsgi(app)


class Urls:
    """What Django reads the routes from, and finds the middleware in."""

    urlpatterns: ClassVar[list[Any]] = []
    middleware: Any = None


if not settings.configured:
    sys.modules["apps_urls"] = Urls  # type: ignore[assignment]
    settings.configure(
        SECRET_KEY="of a test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=Urls, MIDDLEWARE=["apps_urls.middleware"], LOGGING_CONFIG=None,
    )
    django.setup()


def django_wsgi(guard: Guard) -> Send:
    def endpoint(request: HttpRequest) -> JsonResponse:
        return JsonResponse(seen(request.auth))

    Urls.urlpatterns = [path(route[1:], on_django.require(**wanted, login=LOGIN)(endpoint)) for route, wanted in WANTED.items()]
    Urls.middleware = on_django.authenticate(guard, login=LOGIN)
    return over_wsgi(django_app(WSGIHandler))


def django_asgi(guard: Guard) -> Send:
    async def endpoint(request: HttpRequest) -> JsonResponse:
        return JsonResponse(seen(request.auth))

    Urls.urlpatterns = [path(route[1:], on_django.require(**wanted, login=LOGIN)(endpoint)) for route, wanted in WANTED.items()]
    Urls.middleware = on_django.authenticate(guard, login=LOGIN)
    return over_asgi(django_app(ASGIHandler))


def django_decorated(guard: Guard) -> Send:
    """Single views, without the middleware."""

    def endpoint(request: HttpRequest) -> JsonResponse:
        return JsonResponse(seen(request.auth))

    judged = on_django.authenticate(guard, login=LOGIN)
    Urls.urlpatterns = [path(route[1:], judged(on_django.require(**wanted, login=LOGIN)(endpoint))) for route, wanted in WANTED.items()]
    Urls.middleware = sync_and_async_middleware(lambda get_response: get_response)
    return over_wsgi(django_app(WSGIHandler))


def django_app(handler: Any) -> Any:
    clear_url_caches()
    return handler()


FRAMEWORKS: dict[str, Callable[[Guard], Send]] = {
    made.__name__: made
    for made in (bare_asgi, starlette, fastapi_middleware, fastapi_depends, bare_wsgi, flask, django_wsgi, django_asgi, django_decorated)
}
