"""Requests to the authority, by the standard library: time-outs for each piece and for the whole, a limit, no redirects.

A connection is used again where the authority allows it: one long poll after another needs no new handshake for each.
"""

from __future__ import annotations

import http.client
import io
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from .forking import begin_anew_after_fork

_log = logging.getLogger("counterfoil_guard")

_PIECE = 64 * 1024
# How many connections to one place are kept for later.
_MOST_IDLE = 8


@dataclass(frozen=True)
class Request:
    """One request, and how long and how much of an answer is waited for."""

    url: str
    timeout: float
    """For the head, and for each further piece; in milliseconds."""
    whole: float
    """For all of it, in milliseconds."""
    limit: int
    """The most bytes of a body that are taken."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes


class Transport(Protocol):
    """How requests get to the authority. Called by several threads at once."""

    def request(self, request: Request) -> Answer | None:
        """The answer, whole, or ``None`` when there was none in time and within the limit. Never follows a redirect."""

    def close(self) -> None:
        """Breaks off what is waited for, and answers nothing from here on."""


class HttpTransport:
    """Plain HTTP/1.1, or TLS by the platform's trusted certificates unless a context is given. Knows no proxies."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._closed = False
        self.begin_anew()
        begin_anew_after_fork(self)

    def begin_anew(self) -> None:
        """Without connections: those of a parent process are the parent's."""
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str], list[_Connection]] = {}
        self._busy: set[_Connection] = set()

    def request(self, request: Request) -> Answer | None:
        deadline = time.monotonic() + request.whole / 1000
        url = urlsplit(request.url)
        place = (url.scheme, url.netloc)
        connection = self._taken(place)
        if connection is not None:
            answer = self._attempt(connection, request, deadline)
            # One that was kept may have been ended at the other side meanwhile; that is no answer and no failure.
            if answer is not None or connection.has_answered or time.monotonic() >= deadline:
                return self._kept(place, connection, answer)
            self._kept(place, connection, None)
        connection = _Connection(url.scheme, url.hostname or "", url.port, self._tls(url.scheme))
        return self._kept(place, connection, self._attempt(connection, request, deadline))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
            for connection in self._busy:
                connection.abort()
        for connection in idle:
            connection.close()

    def _tls(self, scheme: str) -> ssl.SSLContext | None:
        if scheme == "https" and self._context is None:
            self._context = ssl.create_default_context()
        return self._context if scheme == "https" else None

    def _taken(self, place: tuple[str, str]) -> _Connection | None:
        with self._lock:
            kept = self._idle.get(place)
            return kept.pop() if kept else None

    def _attempt(self, connection: _Connection, request: Request, deadline: float) -> Answer | None:
        with self._lock:
            if self._closed:
                return None
            self._busy.add(connection)
        try:
            return connection.ask(request, deadline)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # What callers see is that there was no answer; why is for whoever looks for it. `ValueError`: a name that can be none of a host.
            _log.debug("no answer from the authority: %r", error)
            return None

    def _kept(self, place: tuple[str, str], connection: _Connection, answer: Answer | None) -> Answer | None:
        """Keeps the connection for the next request, if it can be used again and there are not too many."""
        with self._lock:
            self._busy.discard(connection)
            kept = self._idle.setdefault(place, [])
            keep = answer is not None and connection.reusable and not self._closed and len(kept) < _MOST_IDLE
            if keep:
                kept.append(connection)
        if not keep:
            connection.close()
        return answer


class _Connection:
    """One connection, on which one request follows the other."""

    def __init__(self, scheme: str, host: str, port: int | None, context: ssl.SSLContext | None) -> None:
        self.reusable = False
        # Whether anything has come for the request under way.
        self.has_answered = False
        self._aborted = False
        self._socket: socket.socket | None = None
        self._context = context
        self._host = host
        self._http = http.client.HTTPConnection(host, port or (443 if scheme == "https" else 80))

    def ask(self, request: Request, deadline: float) -> Answer | None:
        """``None`` for an answer beyond the limit; whatever else goes wrong is raised."""
        self.reusable = self.has_answered = False
        timed = _Timed(self._connected(request.timeout / 1000, deadline), request.timeout / 1000, deadline)
        self._http.sock = cast(socket.socket, timed)
        path = request.url.split("/", 3)
        self._http.request(request.method, f"/{path[3] if len(path) > 3 else ''}", body=request.body, headers=dict(request.headers))
        response = self._http.getresponse()
        # `http.client` takes what ends within its head for whole.
        if timed.ended:
            raise http.client.IncompleteRead(b"")
        self.has_answered = True
        with response:
            body = _body(response, request.limit)
        self.reusable = body is not None and not response.will_close
        headers = {name.lower(): value for name, value in response.getheaders()}
        return None if body is None else Answer(response.status, headers, body)

    def _connected(self, timeout: float, deadline: float) -> socket.socket:
        if self._socket is None:
            left = min(timeout, deadline - time.monotonic())
            plain = socket.create_connection((self._host, self._http.port), max(left, 0.001))
            self._socket = plain
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                self._socket = self._context.wrap_socket(plain, server_hostname=self._host)
        # Broken off before there was a socket to break.
        if self._aborted:
            raise ConnectionAbortedError("the transport is closed")
        return self._socket

    def abort(self) -> None:
        """Whoever waits on it, waits no longer. Called by another thread."""
        self._aborted = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                _log.debug("a connection had already ended: %r", error)

    def close(self) -> None:
        self._http.sock = None
        self._http.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _body(response: http.client.HTTPResponse, limit: int) -> bytes | None:
    """All of it, or ``None``: of what goes beyond the limit nothing more is read."""
    pieces, length = [], 0
    while piece := response.read1(_PIECE):
        length += len(piece)
        if length > limit:
            return None
        pieces.append(piece)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


class _Timed:
    """As much of a socket as ``http.client`` uses, with a deadline: its own time-out begins anew with every byte."""

    def __init__(self, inner: socket.socket, timeout: float, deadline: float) -> None:
        self._inner = inner
        self._timeout = timeout
        self._deadline = deadline
        # Whether the other side has said that nothing more will come.
        self.ended = False

    def sendall(self, raw: bytes) -> None:
        self._arm()
        self._inner.sendall(raw)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self), _PIECE)

    def recv_into(self, buffer: memoryview) -> int:
        self._arm()
        length = self._inner.recv_into(buffer)
        self.ended = length == 0
        return length

    def close(self) -> None:
        """Whoever has opened the socket closes it."""

    def _arm(self) -> None:
        left = min(self._timeout, self._deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("the answer has taken too long")
        self._inner.settimeout(left)


class _Reading(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.recv_into(memoryview(buffer))
