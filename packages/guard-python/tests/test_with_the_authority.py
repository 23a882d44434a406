"""The guard with the real authority: somebody signs in, is served by two APIs, is banned, and is served by neither.

The authority is the program in ``COUNTERFOIL_BIN``, or the debug build of this repository (``cargo build``).
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import uvicorn

from counterfoil_guard import Guard, create_guard
from counterfoil_guard import asgi as on_asgi
from counterfoil_guard import wsgi as on_wsgi

BINARY = Path(os.environ.get("COUNTERFOIL_BIN") or Path(__file__).parents[3] / "target" / "debug" / "counterfoil")
EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Authority:
    url: str
    issuer: str
    data: Path
    settings: dict[str, str]

    def run(self, noun: str, verb: str, *arguments: str, say: str = "") -> str:
        command = [str(BINARY), noun, verb, "--data", str(self.data), *arguments]
        done = subprocess.run(command, env=os.environ | self.settings, input=say, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def sign_in(self) -> str:
        """The access cookie."""
        body = json.dumps({"email": EMAIL, "password": PASSWORD})
        headers = {"content-type": "application/json", "origin": self.issuer}
        answer = fetch(self.url, "/api/auth/login", headers, "POST", body)
        assert answer.status == 200, answer.body
        return next(cookie for cookie in answer.cookies if cookie.startswith("__Host-cf_access="))


@dataclass
class Answered:
    status: int
    body: str
    cookies: list[str]

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


def fetch(url: str, path: str, headers: dict[str, str], method: str = "GET", body: str | None = None) -> Answered:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        cookies = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        return Answered(answer.status, answer.read().decode(), cookies)
    finally:
        connection.close()


def waited_for(what: str, found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    assert BINARY.is_file(), f"{BINARY} is not there: build it with `cargo build`, or name another in COUNTERFOIL_BIN"
    port = free_port()
    settings = {"COUNTERFOIL__PUBLIC_URL": f"http://localhost:{port}", "COUNTERFOIL__REVOCATION__MAX_STALENESS": "1s"}
    made = Authority(f"http://127.0.0.1:{port}", f"http://localhost:{port}", tmp_path / "data", settings)
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--data", made.data], env=os.environ | settings, stdout=log, stderr=log,
        )
        try:
            waited_for("the authority listens", lambda: server.poll() is not None or "listening on" in (tmp_path / "log").read_text())
            assert server.poll() is None, (tmp_path / "log").read_text()
            made.run("user", "add", EMAIL, "--password-stdin", say=PASSWORD)
            yield made
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def guards(authority: Authority) -> Iterator[dict[str, Guard]]:
    made = {
        name: create_guard(authority.issuer, "web", credential=authority.run("guard", "add", name), authority=authority.url)
        for name in ("python-asgi", "python-wsgi")
    }
    for guard in made.values():
        guard.ready(30)
    yield made
    for guard in made.values():
        guard.close()


@pytest.fixture
def asgi_url(guards: dict[str, Guard]) -> Iterator[str]:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"]["auth"].claims.sub.encode()})

    guarded: Any = on_asgi.GuardMiddleware(app, guards["python-asgi"])
    server = uvicorn.Server(uvicorn.Config(guarded, host="127.0.0.1", port=0, lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    waited_for("uvicorn listens", lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def wsgi_url(guards: dict[str, Guard]) -> Iterator[str]:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["counterfoil.auth"].claims.sub.encode()]

    with make_server("127.0.0.1", 0, on_wsgi.GuardMiddleware(app, guards["python-wsgi"]), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(30)


@pytest.mark.parametrize("way", ["ban", "one session"])
def test_s2_who_is_banned_is_refused_by_asgi_and_wsgi_when_the_receipt_is_there(
    way: str, authority: Authority, guards: dict[str, Guard], asgi_url: str, wsgi_url: str
) -> None:
    urls = (asgi_url, wsgi_url)
    cookie = authority.sign_in()
    seen = [fetch(url, "/", {"cookie": cookie}) for url in urls]
    assert [answer.status for answer in seen] == [200, 200], seen
    assert seen[0].body == seen[1].body != ""
    assert [fetch(url, "/", {}).code for url in urls] == ["token_missing"] * 2
    assert [fetch(url, "/", {"cookie": cookie}, "POST").code for url in urls] == ["cross_site"] * 2
    # So long after the start that acknowledgements count.
    time.sleep(1.1)
    sid = guards["python-asgi"].verify(cookie.partition("=")[2]).sid
    # An id may begin with a hyphen.
    receipt = authority.run("user", "ban", "--receipt", EMAIL) if way == "ban" else authority.run("session", "revoke", "--receipt", "--", sid)
    assert "3 of 3 verifiers confirmed it" in receipt, receipt
    assert [name in receipt for name in guards] == [True, True], receipt
    refused = [fetch(url, "/", {"cookie": cookie}) for url in urls]
    assert [(answer.status, answer.code) for answer in refused] == [(401, "session_revoked")] * 2


def test_s2_an_authority_that_is_gone_stops_everything_within_the_lease(authority: Authority, guards: dict[str, Guard], wsgi_url: str) -> None:
    cookie = authority.sign_in()
    assert fetch(wsgi_url, "/", {"cookie": cookie}).status == 200
    authority.run("guard", "remove", "python-wsgi")
    waited_for("the lease ends", lambda: not guards["python-wsgi"].alive())
    refused = fetch(wsgi_url, "/", {"cookie": cookie})
    assert (refused.status, refused.code) == (503, "verifier_stale")
    assert guards["python-asgi"].alive(), "the other one is still known"


def test_introspection_and_watches(authority: Authority, guards: dict[str, Guard]) -> None:
    guard = guards["python-asgi"]
    token = authority.sign_in().partition("=")[2]
    claims = guard.verify(token)
    asked = guard.asking().verify(token)
    assert (asked.sub, asked.sid, asked.exp) == (claims.sub, claims.sid, claims.exp)
    ends: list[str] = []
    guard.watch(token, lambda why: ends.append(why.reason))
    authority.run("session", "revoke", "--", claims.sid)
    waited_for("the watch ends", lambda: ends == ["revoked"])
    with pytest.raises(Exception, match="revoked"):
        guard.asking().verify(token)
