"""Requests over real sockets: what ends them, and what is taken for an answer."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from served import MachineClock, Talk, head_of, listening, over_http
from support import FAR, ISSUER, Authority, name_of, reason, until

from counterfoil_guard import HttpTransport, Request, create_guard

OK = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    made = HttpTransport()
    yield made
    made.close()


def ask(url: str, **more: Any) -> Request:
    return replace(Request(f"{url}/a?b=c", timeout=5000, whole=5000, limit=1000), **more)


def saying(*pieces: bytes) -> Talk:
    """Says the same to every request of a connection."""

    def talk(connection: socket.socket) -> None:
        while head_of(connection):
            for piece in pieces:
                connection.sendall(piece)

    return talk


def then_closing(*pieces: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        head_of(connection)
        for piece in pieces:
            connection.sendall(piece)

    return talk


def test_one_connection_serves_one_request_after_the_other(transport: HttpTransport) -> None:
    heads: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        while head := head_of(connection):
            heads.append(head)
            connection.sendall(OK)

    with listening(talk) as server:
        for _ in range(5):
            answer = transport.request(ask(server.url, headers={"authorization": "Bearer x"}))
            assert answer is not None
            assert (answer.status, answer.headers["etag"], answer.body) == (200, '"1"', b"ok")
        assert server.accepted == 1
    assert heads[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert b"authorization: Bearer x\r\n" in heads[0]
    assert "Bearer" not in repr(ask("", headers={"authorization": "Bearer x"})), "no credential in what may be logged"


def test_a_connection_that_has_ended_meanwhile_is_no_failure(transport: HttpTransport) -> None:
    with listening(then_closing(OK)) as server:
        for number in range(1, 4):
            assert transport.request(ask(server.url)) is not None
            assert server.accepted == number


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nok"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-"],
        [b"<html>"],
        [b"\xff\xfe\r\n\r\n"],
        [],
    ],
    ids=["cut", "cut in pieces", "cut in its head", "no HTTP", "rubbish", "nothing"],
)
def test_what_is_cut_off_or_no_answer_is_none(pieces: list[bytes], transport: HttpTransport) -> None:
    with listening(then_closing(*pieces)) as server:
        assert transport.request(ask(server.url)) is None


def test_an_answer_in_pieces_and_one_without_a_length_are_taken_whole(transport: HttpTransport) -> None:
    with listening(saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n")) as server:
        for _ in range(2):
            answer = transport.request(ask(server.url))
            assert answer is not None
            assert answer.body == b"ok"
        assert server.accepted == 1
    with listening(then_closing(b"HTTP/1.0 200 OK\r\n\r\nok")) as server:
        answer = transport.request(ask(server.url))
        assert answer is not None
        assert answer.body == b"ok"


def test_a_redirect_is_an_answer_and_not_followed(transport: HttpTransport) -> None:
    with listening(saying(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n")) as server:
        answer = transport.request(ask(server.url))
        assert answer is not None
        assert answer.status == 307
        assert server.accepted == 1


def test_nobody_there_is_no_answer(transport: HttpTransport) -> None:
    with listening(saying(OK)) as server:
        pass
    assert transport.request(ask(server.url)) is None
    assert transport.request(ask("http://a..example")) is None
    assert transport.request(ask(f"http://{'a' * 64}.example")) is None


def test_a_body_may_be_as_long_as_the_limit_and_no_longer(transport: HttpTransport) -> None:
    with listening(saying(OK)) as server:
        assert transport.request(ask(server.url, limit=2)) is not None
        assert transport.request(ask(server.url, limit=1)) is None


def test_what_goes_beyond_the_limit_is_not_read(transport: HttpTransport) -> None:
    def endless(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65536)

    with listening(endless) as server:
        assert transport.request(ask(server.url)) is None
        assert server.hung_up.wait(10), "and the connection is ended"


def never(connection: socket.socket) -> None:
    head_of(connection)
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    """Something all the time, and never an end: of the head."""
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"a")
        time.sleep(0.005)


def drip_body(connection: socket.socket) -> None:
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
    while True:
        connection.sendall(b"a")
        time.sleep(0.005)


@pytest.mark.parametrize(("talk", "limits"), [
    (never, {"timeout": 50}), (never, {"whole": 50}), (drip, {"timeout": 2000, "whole": 200}), (drip_body, {"timeout": 2000, "whole": 200}),
])
def test_an_answer_that_does_not_come_or_never_ends_is_not_waited_for(talk: Talk, limits: dict[str, int], transport: HttpTransport) -> None:
    with listening(talk) as server, ThreadPoolExecutor(1) as threads:
        assert threads.submit(transport.request, ask(server.url, limit=10**9, **limits)).result(20) is None


def test_a_transport_that_is_closed_waits_for_nothing(transport: HttpTransport) -> None:
    waiting = threading.Event()

    def talk(connection: socket.socket) -> None:
        head_of(connection)
        waiting.set()
        connection.recv(1)

    with listening(talk) as server, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(transport.request, ask(server.url, timeout=60_000, whole=60_000))
        assert waiting.wait(10)
        transport.close()
        assert asked.result(10) is None
        assert transport.request(ask(server.url)) is None
        assert server.accepted == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "of a test")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


def test_a_certificate_that_nobody_trusts_is_no_authority_and_one_that_is_trusted_is(certificate: Path, transport: HttpTransport) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    trusting = HttpTransport(ssl.create_default_context(cafile=str(certificate)))
    with listening(saying(OK), context) as server:
        assert transport.request(ask(server.url)) is None
        for _ in range(2):
            answer = trusting.request(ask(server.url))
            assert answer is not None
            assert answer.body == b"ok"
        assert server.accepted == 2
        other = ask(server.url.replace("127.0.0.1", "localhost"))
        assert trusting.request(other) is None, "nor is one of another name"
    trusting.close()


def test_s2_over_real_sockets_a_revocation_arrives_and_a_guard_that_is_closed_ends_its_threads() -> None:
    authority: Any = Authority(MachineClock())  # type: ignore[arg-type]
    before = threading.active_count()
    with over_http(authority) as url:
        guard = create_guard(ISSUER, "web", credential="cfg_test", authority=url, on_event=lambda _event: None)
        guard.ready(10)
        token = authority.mint()
        assert guard.verify(token).sub == name_of(1)
        until(lambda: authority.held == 1)
        authority.revoke("sessions", name_of(2), FAR)
        until(lambda: reason(lambda: guard.verify(token)) == "revoked")
        guard.close()
        until(lambda: not any(thread.name == "counterfoil-guard-feed" for thread in threading.enumerate()))
    assert before > 0
