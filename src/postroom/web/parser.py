"""httptools' parser for a server that knows nothing but HTTP/1.1: an Upgrade header changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import httptools

_FRAMING = (b"content-length", b"transfer-encoding")


class Listener(Protocol):
    """What a parser tells of a request, as far as it matters here."""

    headers: list[tuple[bytes, bytes]]

    def on_body(self, body: bytes) -> None: ...

    def on_message_complete(self) -> None: ...


class Parser:
    """Takes the place of `httptools.HttpRequestParser`.

    A server may ignore Upgrade (RFC 9110 section 7.8). httptools takes what follows for another protocol: the body would
    be lost, and if it came a moment later it would be read as the next request. Java's own client asks for h2c with
    every request over plain HTTP. The body of such a request is read by a parser of its own, and the connection ends
    with it.
    """

    def __init__(self, parser: httptools.HttpRequestParser, listener: Listener) -> None:
        self._parser = parser
        self._listener = listener
        self._rest: _Rest | None = None

    @property
    def interrupted(self) -> bool:
        """The end of the message that is told now is none: the body is still to come."""
        return self._rest is None and self._parser.should_upgrade()

    def feed_data(self, data: bytes) -> None:
        """Raises httptools.HttpParserError."""
        if self._rest is not None:
            self._rest.feed(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._rest = _Rest(self._listener)
            self._rest.feed(_head(self._listener.headers) + data[upgrade.args[0] :])

    def should_upgrade(self) -> bool:
        return False

    def should_keep_alive(self) -> bool:
        return not self._parser.should_upgrade() and self._parser.should_keep_alive()

    def get_http_version(self) -> str:
        return self._parser.get_http_version()

    def get_method(self) -> bytes:
        return self._parser.get_method()


class _Rest:
    """A parser of one body. What comes behind it is nobody's."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = httptools.HttpRequestParser(self)
        self._complete = False

    def feed(self, data: bytes) -> None:
        if self._complete:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._complete:
                raise

    def on_body(self, body: bytes) -> None:
        if not self._complete:
            self._listener.on_body(body)

    def on_message_complete(self) -> None:
        if not self._complete:
            self._complete = True
            self._listener.on_message_complete()


def _head(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Of a request whose body is framed in the same way."""
    framing = b"".join(b"%b: %b\r\n" % field for field in headers if field[0] in _FRAMING)
    return b"POST / HTTP/1.1\r\n" + framing + b"\r\n"
