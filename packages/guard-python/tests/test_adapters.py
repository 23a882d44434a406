"""The same requests through each real framework: the answers must not differ."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from apps import FRAMEWORKS, LOGIN, Sent, over_asgi, over_wsgi
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from support import FAR, ISSUER, Pair, name_of, pair, ready_pair, until

from counterfoil_guard import Auth, Guard, Refusal, asgi, authenticate, django, fastapi, flask, requirement, wsgi
from counterfoil_guard.asgi import GuardMiddleware, ended, ending_with


def cookie(*tokens: str) -> str:
    return "; ".join(f"__Host-cf_access={token}" for token in tokens)


def bearer(token: str) -> dict[str, str | list[str]]:
    return {"authorization": f"Bearer {token}"}


OURS: dict[str, str | list[str]] = {"sec-fetch-site": "same-origin", "x-requested-with": "x"}


def post(headers: dict[str, str | list[str]] | None = None, path: str = "/me") -> Sent:
    return Sent(path, "POST", headers or {})


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> Any:
    return FRAMEWORKS[request.param]


@pytest.fixture
def made() -> Iterator[Pair]:
    with ready_pair() as found:
        yield found


def test_who_may_pass(framework: Any, made: Pair) -> None:
    send, good = framework(made.guard), made.authority.mint()
    passes: list[tuple[str, Sent, str]] = [
        ("a bearer token", Sent(headers=bearer(good)), "bearer"),
        ("the scheme in other case", Sent(headers={"authorization": f"bEARER {good}"}), "bearer"),
        ("a cookie", Sent(headers={"cookie": cookie(good)}), "cookie"),
        ("C1: a bearer token needs no origin", post(bearer(good)), "bearer"),
        ("C1: a cookie, same origin", post({"cookie": cookie(good), **OURS}), "cookie"),
        ("C1: a cookie, our Origin", post({"cookie": cookie(good), "origin": ISSUER, "x-requested-with": "x"}), "cookie"),
        ("ATK-33: the same cookie twice", Sent(headers={"cookie": cookie(good, good)}), "cookie"),
        ("ATK-33: of two cookies the one that verifies", Sent(headers={"cookie": cookie("a.b.c", good)}), "cookie"),
    ]
    for what, sent, source in passes:
        answer = send(sent)
        assert (answer.status, answer.body) == (200, {"sub": name_of(1), "source": source, "at": made.guard.now() // 1000}), what
    strong = made.authority.mint(acr="aal2", auth_time=1_795_260_590, roles=["owner"])
    assert send(Sent("/strong", headers=bearer(strong))).status == 200
    assert send(Sent("/admin", headers=bearer(strong))).status == 200


def test_who_may_not_and_what_they_are_told(framework: Any, made: Pair) -> None:
    send, good, other = framework(made.guard), made.authority.mint(), made.authority.mint(sid=name_of(8), jti=name_of(9))
    by_cookie: dict[str, str | list[str]] = {"cookie": cookie(good)}
    fails: list[tuple[str, Sent, int, str]] = [
        ("nothing", Sent(), 401, "token_missing"),
        ("nothing, unsafe", post(OURS), 401, "token_missing"),
        ("rubbish", Sent(headers=bearer("a.b.c")), 401, "token_invalid"),
        ("another scheme", Sent(headers={"authorization": "Basic eDp5"}), 401, "token_invalid"),
        ("no token", Sent(headers={"authorization": "Bearer"}), 401, "token_invalid"),
        ("an empty header", Sent(headers={"authorization": ""}), 401, "token_invalid"),
        ("two tokens in one", Sent(headers=bearer(f"{good} {good}")), 401, "token_invalid"),
        ("expired", Sent(headers=bearer(made.authority.mint(exp=1_795_260_600, iat=1_795_260_500))), 401, "token_expired"),
        ("ATK-34: header and cookie", Sent(headers={**bearer(good), "cookie": cookie(other)}), 400, "ambiguous_credentials"),
        ("ATK-34: two headers", Sent(headers={"authorization": [f"Bearer {good}", f"Bearer {other}"]}), 400, "ambiguous_credentials"),
        ("C1: says nothing", post(by_cookie), 403, "cross_site"),
        ("C1: says nothing, and no cookie", post(), 403, "cross_site"),
        ("C1: no custom header", post({**by_cookie, "sec-fetch-site": "same-origin"}), 403, "cross_site"),
        ("C1: no origin", post({**by_cookie, "x-requested-with": "x"}), 403, "cross_site"),
        ("C1: from elsewhere", post({**by_cookie, **OURS, "sec-fetch-site": "cross-site"}), 403, "cross_site"),
        ("C1: from a sibling", post({**by_cookie, **OURS, "sec-fetch-site": "same-site"}), 403, "cross_site"),
        ("C1: a wrong Origin", post({**by_cookie, **OURS, "origin": "https://evil.example"}), 403, "cross_site"),
        ("C1: two answers to where from", post({**by_cookie, **OURS, "sec-fetch-site": ["same-origin", "cross-site"]}), 403, "cross_site"),
        ("C1: on another route", post(by_cookie, "/admin"), 403, "cross_site"),
        ("C1: an upgrade, without Origin", Sent(headers={**by_cookie, "upgrade": "websocket"}), 403, "cross_site"),
        ("ATK-33: two cookies that verify", Sent(headers={"cookie": cookie(good, other)}), 401, "token_invalid"),
        ("ATK-33: a cookie in other case", Sent(headers={"cookie": f"__HOST-cf_access={good}"}), 401, "token_missing"),
        ("a role is missing", Sent("/admin", headers=bearer(good)), 403, "forbidden"),
        ("too weak", Sent("/strong", headers=bearer(good)), 401, "reauthentication_required"),
    ]
    for what, sent, status, code in fails:
        answer = send(sent)
        assert (answer.status, answer.body["code"], answer.body["status"]) == (status, code, status), what
        assert answer.headers["content-type"] == "application/problem+json", what
        assert answer.headers["cache-control"] == "no-store", what
        assert good not in repr(answer), "no token in an answer"
    challenges = [
        (Sent(), "Bearer"),
        (Sent(headers=bearer("a.b.c")), 'Bearer error="invalid_token"'),
        (Sent("/strong", headers=bearer(good)), 'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="60"'),
    ]
    for sent, challenge in challenges:
        assert send(sent).headers["www-authenticate"] == challenge
    made.guard.close()
    stale = send(Sent(headers=bearer(good)))
    assert (stale.status, stale.body["code"], stale.headers["retry-after"]) == (503, "verifier_stale", "1")


def test_atk_40_people_are_led_to_the_sign_in_page_and_programs_are_not(framework: Any, made: Pair) -> None:
    send, good = framework(made.guard), made.authority.mint()
    navigate: dict[str, str | list[str]] = {"sec-fetch-mode": "navigate", "sec-fetch-site": "none"}

    def led(path: str, method: str = "GET", **headers: str | list[str]) -> Any:
        answer = send(Sent(path, method, {**navigate, **{name.replace("_", "-"): value for name, value in headers.items()}}))
        led_there = answer.status == 303 and answer.headers["cache-control"] == "no-store"
        return answer.headers["location"] if led_there else answer.status

    assert led("/me?a=b") == f"{LOGIN}?redirect=/me%3Fa%3Db"
    assert led("/me", cookie=cookie("a.b.c")) == f"{LOGIN}?redirect=/me"
    assert led("/strong", cookie=cookie(good)) == f"{LOGIN}?redirect=/strong&ended=reauthenticate&acr_values=aal2"
    assert led("/strong", cookie=cookie(good), sec_fetch_mode="cors") == 401, "no page"
    assert led("/strong", cookie=cookie(good), sec_fetch_mode=["navigate", "cors"]) == 401
    assert led("/me", "POST", **{name.replace("-", "_"): value for name, value in OURS.items()}) == 401
    assert led("/admin", cookie=cookie(good)) == 403, "a sign-in would not help"
    made.guard.close()
    assert led("/me", cookie=cookie(good)) == 503


def test_atk_40_a_sign_in_page_of_another_host_is_refused_when_the_route_is_made(made: Pair) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        """Is never called."""

    for login in ("//evil.example", "https://auth.example.com/login", "/login?x"):
        makers: list[Any] = [
            lambda login: GuardMiddleware(app, made.guard, login=login),
            lambda login: wsgi.GuardMiddleware(app, made.guard, login=login),  # type: ignore[arg-type]
            lambda login: flask.authenticate(made.guard, login=login),
            lambda login: flask.require(login=login),
            lambda login: django.authenticate(made.guard, login=login),
            lambda login: django.require(login=login),
            lambda login: fastapi.answer_problems(FastAPI(), login=login),
        ]
        for make in makers:
            with pytest.raises(ValueError, match="sign-in page"):
                make(login)


def test_a_request_that_nobody_has_judged_is_refused_by_what_asks_for_more() -> None:
    app = FastAPI()
    fastapi.answer_problems(app)
    app.add_api_route("/me", lambda: {"called": True}, dependencies=[Depends(fastapi.require())])
    assert over_asgi(app)(Sent()).body["code"] == "token_missing"


def test_a_fault_of_the_application_is_no_refusal(made: Pair) -> None:
    async def broken(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Refusal("revoked")

    def broken_wsgi(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        raise Refusal("revoked")

    def failing(_environ: Any, _start_response: Any) -> list[bytes]:
        raise KeyError("of the application")

    sent = Sent(headers=bearer(made.authority.mint()))
    with pytest.raises(Refusal):
        over_asgi(GuardMiddleware(broken, made.guard))(sent)
    with pytest.raises(Refusal):
        over_wsgi(wsgi.GuardMiddleware(broken_wsgi, made.guard))(sent)
    with pytest.raises(KeyError):
        over_wsgi(wsgi.GuardMiddleware(failing, made.guard))(sent)


def test_what_is_set_on_a_request_is_seen_by_no_other_though_the_server_hands_in_one_state_for_all(made: Pair) -> None:
    shared = {"pool": 1}
    states: list[Any] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        states.append(scope["state"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    send = over_asgi(GuardMiddleware(app, made.guard), state=shared)
    send(Sent(headers=bearer(made.authority.mint())))
    assert shared == {"pool": 1}
    assert states[0]["pool"] == 1
    assert isinstance(states[0]["auth"], Auth)
    assert "ey" not in repr(states[0]["auth"]), "no token in what may be logged"


def test_lifespan_is_none_of_the_guards_business(made: Pair) -> None:
    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope["seen"] = True

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    scope: Any = {"type": "lifespan"}
    asyncio.run(GuardMiddleware(app, made.guard)(scope, nothing, nothing))
    assert scope["seen"]


def test_whoever_runs_an_event_loop_is_not_kept_waiting() -> None:
    with pair(mode="introspect") as made:
        go_on = threading.Event()

        def introspection(_token: str) -> dict[str, Any]:
            assert go_on.wait(10), "the event loop was kept waiting"
            return {"active": True, "token_type": "Bearer", "sub": name_of(1), "sid": name_of(2), "aud": "web", "exp": 1_795_261_000}

        made.authority.introspection = introspection

        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def both() -> list[int]:
            said: list[int] = []

            async def send(message: Any) -> None:
                said.append(message["status"])

            scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", b"Bearer a.b.c")]}
            asking = asyncio.ensure_future(GuardMiddleware(app, made.guard)(scope, send, send))  # type: ignore[arg-type]
            while not made.authority.introspected:
                await asyncio.sleep(0)
            go_on.set()
            await asking
            return said

        assert asyncio.run(both()) == [200]


class Socket:
    """A WebSocket of ASGI, as a server has it."""

    def __init__(self, app: Any, headers: dict[str, str], extensions: dict[str, Any] | None = None) -> None:
        self.said: list[Any] = []
        self._app = app
        self._scope: Any = {
            "type": "websocket", "path": "/ws", "raw_path": b"/ws", "query_string": b"", "root_path": "", "subprotocols": [],
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "extensions": extensions or {},
        }

    def run(self) -> list[str]:
        asyncio.run(self._run())
        return [message["type"] for message in self.said]

    async def _run(self) -> None:
        first = [{"type": "websocket.connect"}]

        async def receive() -> Any:
            if first:
                return first.pop()
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            self.said.append(message)

        await asyncio.wait_for(self._app(self._scope, receive, send), 10)


def sockets(guard: Guard) -> dict[str, Any]:
    """Each says who it is, and stays open until the token ends."""

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["state"]["auth"].claims.sub})
        why = await ended(scope["state"]["auth"])
        await send({"type": "websocket.close", "code": 1008, "reason": why.code})

    app = FastAPI()
    fastapi.answer_problems(app)
    router = APIRouter(dependencies=[Depends(fastapi.authenticate(guard))])

    @router.websocket("/ws")
    async def endpoint(socket: WebSocket, auth: fastapi.CurrentAuth) -> None:
        await socket.accept()
        await socket.send_text(auth.claims.sub)
        why = await ended(auth)
        await socket.close(1008, why.code)

    app.include_router(router)
    return {"bare": GuardMiddleware(bare, guard), "fastapi": app}


@pytest.mark.parametrize("kind", ["bare", "fastapi"])
def test_c1_a_web_socket_that_rests_on_a_cookie_opens_only_to_our_own_pages_and_ends_with_the_token(kind: str, made: Pair) -> None:
    app = sockets(made.guard)[kind]
    with_cookie = {"cookie": cookie(made.authority.mint())}
    for headers in (with_cookie, with_cookie | {"origin": "https://evil.example"}, {}):
        refused = Socket(app, headers)
        assert refused.run() == ["websocket.close"]
        denied = Socket(app, headers, {"websocket.http.response": {}})
        assert set(denied.run()) == {"websocket.http.response.start", "websocket.http.response.body"}
        assert denied.said[0]["status"] == 403
    opened = Socket(app, with_cookie | {"origin": ISSUER})
    running = threading.Thread(target=opened.run)
    running.start()
    until(lambda: len(opened.said) == 2)
    assert opened.said[1]["text"] == name_of(1)
    made.authority.revoke("sessions", name_of(2), FAR)
    running.join(10)
    assert opened.said[-1] == {"type": "websocket.close", "code": 1008, "reason": "session_revoked"}


def judged(made: Pair) -> Auth:
    return authenticate(made.guard, wsgi.view_of({"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": f"Bearer {made.authority.mint()}"}))


def test_a_streamed_body_ends_with_the_access_of_whoever_opened_it(made: Pair) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"open"
        made.authority.revoke("sessions", name_of(2), FAR)
        await asyncio.Event().wait()

    async def read() -> list[bytes]:
        pieces: list[bytes] = []
        with pytest.raises(Refusal, match="revoked"):
            async for piece in ending_with(judged(made), endless()):
                pieces.append(piece)
        return pieces

    assert asyncio.run(asyncio.wait_for(read(), 10)) == [b"open"]


def test_a_streamed_body_that_ends_by_itself_is_watched_no_longer(made: Pair) -> None:
    async def short() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def read() -> list[bytes]:
        return [piece async for piece in ending_with(judged(made), short())]

    assert asyncio.run(read()) == [b"a", b"b"]
    assert list(wsgi.ending_with(judged(made), [b"a", b"b"])) == [b"a", b"b"]
    assert len(made.guard._watches) == 0


def test_a_streamed_body_of_wsgi_ends_with_the_next_piece(made: Pair) -> None:
    closed: list[bool] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            yield b"open"
            made.authority.revoke("sessions", name_of(2), FAR)
            until(lambda: len(made.guard._watches) == 0)
            yield b"more"

        def close(self) -> None:
            closed.append(True)

    body = wsgi.ending_with(judged(made), Pieces())
    assert next(body) == b"open"
    with pytest.raises(Refusal, match="revoked"):
        next(body)
    assert closed == [True]


def test_the_target_is_what_the_client_has_sent_however_the_server_writes_it() -> None:
    def of(raw: str) -> str:
        return wsgi.view_of({"REQUEST_METHOD": "GET", "RAW_URI": raw, "PATH_INFO": "/other"}).target

    written = ["/a/b?c=/d", "/", "//a", "/a#b", "http://h:1/a?b", "HTTPS://h", "*", "?a"]
    assert [of(raw) for raw in written] == ["/a/b?c=/d", "/", "//a", "/a#b", "/a?b", "/", "*", "/?a"]
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/a", "PATH_INFO": "/\xc3\xa4 %/b", "QUERY_STRING": "c=%20"}
    assert wsgi.view_of(environ).target == "/a/%C3%A4%20%25/b?c=%20"
    scope: Any = {"type": "http", "method": "GET", "headers": [], "path": "/ä%/b", "query_string": b"c"}
    assert asgi.view_of(scope).target == "/%C3%A4%25/b?c"
    assert asgi.view_of(scope | {"raw_path": b"/%c3%a4%25/b"}).target == "/%c3%a4%25/b?c"


def test_a_check_of_the_middleware_stands_before_the_application(made: Pair) -> None:
    def app(_environ: Any, _start_response: Any) -> list[bytes]:
        raise AssertionError("was called")

    guarded = wsgi.GuardMiddleware(app, made.guard, check=requirement(scope="orders:read"))
    answer = over_wsgi(guarded)(Sent(headers=bearer(made.authority.mint())))
    assert (answer.status, answer.headers["www-authenticate"]) == (403, 'Bearer error="insufficient_scope", scope="orders:read"')
    assert answer.body["code"] == "insufficient_scope"
