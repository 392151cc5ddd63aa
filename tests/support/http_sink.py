"""An HTTP server that notes every request and answers as it is told, in a thread of its own.

with http_sink() as sink:
    sink.status = 500
    ...                                   # something calls sink.url
    [call] = sink.calls
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Call:
    """Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpSink:
    """`status`, `body` and `headers` are what it answers next; `by_path` are other statuses for some paths."""

    port: int
    scheme: str = "http"
    host: str = "127.0.0.1"
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    by_path: dict[str, int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """The server names of the TLS handshakes."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/hook"


@contextlib.contextmanager
def http_sink(tls: ssl.SSLContext | None = None) -> Iterator[HttpSink]:
    """On a port of 127.0.0.1 that the system chooses; with `tls` it speaks HTTPS."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.sink = sink = HttpSink(server.server_address[1], "https" if tls else "http")
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: sink.names.append(name)
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    sink: HttpSink

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away, or trust nobody, are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def answer(self) -> None:
        sink = self.server.sink
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        sink.calls.append(Call(self.command, self.path, headers, body))
        self.send_response(sink.by_path.get(self.path, sink.status))
        for name, value in {"content-length": str(len(sink.body)), **sink.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sink.body)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, format: str, *args: object) -> None:
        pass
