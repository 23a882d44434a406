"""Real servers on free ports of this machine, for what is about sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import Authority

from counterfoil_guard import Request, SystemClock

Talk = Callable[[socket.socket], None]


class MachineClock(SystemClock):
    """The machine's clocks, for the authority of the tests."""

    @property
    def wall(self) -> float:
        return self.now().wall


class Listener:
    """Talks to whoever connects as it is told, each in a thread, and knows how many have come."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self.accepted = 0
        self.hung_up = threading.Event()
        self._talk = talk
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Otherwise whoever waits for the next connection waits on.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection if self._context is None else self._context.wrap_socket(connection, server_side=True) as made:
                self._talk(made)
        except OSError:
            self.hung_up.set()


def head_of(connection: socket.socket) -> bytes:
    """What has been asked, up to the end of the head; empty when there is nothing more."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            return b""
        head += piece
    return head


@contextmanager
def listening(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    listener = Listener(talk, context)
    try:
        yield listener
    finally:
        listener.close()


@contextmanager
def over_http(authority: Authority) -> Iterator[str]:
    """The authority of the tests behind a socket."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes | None) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = authority.request(Request(self.path, 60_000, 60_000, 0, headers, self.command, body))
            assert answer is not None
            with suppress(BrokenPipeError):
                self.send_response(answer.status)
                for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            authority.close()
            server.shutdown()
            server.block_on_close = False
