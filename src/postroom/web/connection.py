"""One HTTP connection: uvicorn's protocol with the limits that it lacks (S17, H07, H08).

Size of the header, time for it, silence and rate inside a body, an answer that nobody takes, connections in all and by
address. Deadlines are looked at once a tick; keeping them costs an assignment.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from postroom.accept.submission.limits import ConnectionLimits, client_address
from postroom.config import Http
from postroom.runtime.clock import Clock
from postroom.web.parser import Parser
from postroom.web.proxies import Proxies

MOST_FIELDS = 100
RATE_AFTER = 20.0
"""Seconds of body before its rate counts."""
UNWANTED = 64 * 1024 * 1024
"""Octets of a body that are still taken after the answer, so that the client comes to read it."""


class Limits:
    """What all connections of a node share."""

    def __init__(self, settings: Http, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.proxies = Proxies(settings.trusted_proxies)
        self.open = ConnectionLimits(
            settings.connections, settings.connections_per_address, is_known=lambda _: True
        )


@dataclass(slots=True)
class _Incoming:
    """The part of a request that is under way: its header or its body. Times are monotonic seconds."""

    since: float
    heard: float
    octets: int = 0
    body: bool = False


class Connection(HttpToolsProtocol):
    limits: Limits
    """Set on a subclass, because uvicorn makes the instances: see `limited`."""
    parser: Parser  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.parser = Parser(cast(HttpRequestParser, self.parser), self)
        now = self.limits.clock.monotonic()
        self._incoming: _Incoming | None = _Incoming(now, now)
        self._unsent = (0, now)
        self._counted = ""
        host = self.client[0] if self.client else ""
        if not self.limits.proxies.trusts(host):
            self._counted = client_address(host)
            refused = self.limits.open.enter(self._counted)
            if refused is not None:
                self._end(refused.rule.status, refused.text)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._counted:
            self.limits.open.leave(self._counted)
            self._counted = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        now = self.limits.clock.monotonic()
        incoming = self._incoming
        if incoming is None:  # the first octets of another request, or a body that came too late to matter
            incoming = self._incoming = _Incoming(now, now)
        incoming.heard = now
        incoming.octets += len(data)
        super().data_received(data)
        if incoming is self._incoming and not incoming.body and incoming.octets > self._max_header:
            self._header_too_large()

    # -- what the parser tells; once the connection is closing it is not listened to --------------------------

    def on_headers_complete(self) -> None:
        if self.transport.is_closing():
            return
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self._max_header or len(self.headers) > MOST_FIELDS:
            self._header_too_large()
            return
        super().on_headers_complete()
        now = self.limits.clock.monotonic()
        self._incoming = _Incoming(now, now, body=True)

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.transport.is_closing() and not self.parser.interrupted:
            super().on_message_complete()
            self._incoming = None

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for a request that cannot be read."""
        self._end(400, msg)

    # -- time ---------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """End the connection if something takes too long. `now` is in monotonic seconds."""
        settings = self.limits.settings
        self._watch_unsent(now)
        incoming = self._incoming
        if incoming is None or self.transport.is_closing():
            return
        if not incoming.body:
            if now - incoming.since > settings.header_timeout:
                self._end(408, f"The header of the request took more than {settings.header_timeout:g} s.")
        elif self.flow.read_paused:  # it is we who do not read
            incoming.since += now - incoming.heard
            incoming.heard = now
        elif now - incoming.heard > settings.body_timeout:
            self._end(408, f"Nothing came of the request's body for {settings.body_timeout:g} s.")
        elif _too_slow(incoming, now, settings.min_data_rate):
            self._end(408, f"The request's body came at less than {settings.min_data_rate} bytes per second.")
        elif self.cycle.response_complete and incoming.octets > UNWANTED:
            self.transport.close()

    def _watch_unsent(self, now: float) -> None:
        """An answer has to be taken, if slowly."""
        unsent = self.transport.get_write_buffer_size()
        before, since = self._unsent
        if not unsent or unsent != before:
            self._unsent = (unsent, now)
        elif now - since > self.limits.settings.body_timeout:
            self.transport.abort()

    # -- the end ------------------------------------------------------------------------------------------------

    @property
    def _max_header(self) -> int:
        return self.limits.settings.max_header

    def _header_too_large(self) -> None:
        self._end(431, f"The header is larger than {self._max_header} bytes or {MOST_FIELDS} fields.")

    def _end(self, status: int, message: str) -> None:
        """Say why, unless an answer is under way or this is about a body that nobody waits for; and close."""
        if self.transport.is_closing():
            return
        in_body = self._incoming is not None and self._incoming.body
        answered = self.cycle is not None and self.cycle.response_started
        if not answered or (self.cycle.response_complete and not in_body):
            self.transport.write(_answer(status, message))
        self.transport.close()


def limited(limits: Limits) -> type[Connection]:
    """The class of connections with these limits."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


def _too_slow(incoming: _Incoming, now: float, rate: int) -> bool:
    elapsed = now - incoming.since
    return elapsed > RATE_AFTER and incoming.octets < rate * elapsed


def _answer(status: int, message: str) -> bytes:
    body = json.dumps({"message": message}).encode("ascii")
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
