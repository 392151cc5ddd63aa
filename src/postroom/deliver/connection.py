"""One connection to one server: it moves bytes between the transport and the pure session, and keeps the time.

No task per command: the session runs inside the transport's callbacks, and whoever delivers waits for its events only.
`BufferedProtocol` because a plain `Protocol` loses a factor of 2.5 under TLS.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import cast

from postroom.config import Delivery
from postroom.deliver.tls import TlsContexts, describe
from postroom.deliver.transcript import Transcript
from postroom.runtime.killpoints import reach
from postroom.types.reply import Reply
from postroom.wire.smtp.client import ClientSession, Event, Stage, TlsPolicy
from postroom.wire.smtp.dot_stuffing import DotStuffer

BLOCK = 64 * 1024
GOODBYE_SECONDS = 2.0
_BUFFER = 16 * 1024
_MISDIRECTED = "the connection leads to another address than the one asked for"


class ConnectionLostError(Exception):
    """The connection could not be made, broke, or took too long. `reply` is ours and says which."""

    def __init__(self, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.reply = Reply.of(451, enhanced, text)


class HandshakeError(ConnectionLostError):
    """There was no agreement on TLS, or the certificate was not good enough for the policy."""


class Connection(asyncio.BufferedProtocol):
    """Made by `connect`. `transcript` is that of the attempt the connection is used for at the moment."""

    def __init__(
        self, session: ClientSession, config: Delivery, address: str, transcript: Transcript
    ) -> None:
        self.session = session
        self.transcript = transcript
        self.tls = ""
        self.misdirected = False
        self._address = ip_address(address)
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_BUFFER))
        self._transport: asyncio.Transport | None = None
        self._event: Event | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._lost = ""
        self._closed: asyncio.Future[None] = self._loop.create_future()

    @property
    def usable(self) -> bool:
        return not self._lost and not self.session.closed

    # -- what a courier does with it ------------------------------------------------------------------------------

    async def event(self) -> Event:
        """The session's next event. Each reply has its own time. Raises ConnectionLostError.

        A refusal that came before the connection broke is as good as an event.
        """
        while self._event is None and not self._lost:
            await self._wait(self._reply_timeout(), "no reply to {stage} within {seconds:g} s")
        event, self._event = self._event or self.session.refusal, None
        if event is None:
            raise ConnectionLostError("4.4.2", self._lost)
        return event

    def flush(self) -> None:
        """Write what the session has to say."""
        output = self.session.take_output()
        self.transcript.extend(self.session.take_trace())
        if output:
            self._write(output)

    async def start_tls(self, contexts: TlsContexts, policy: TlsPolicy, host: str) -> None:
        """Raises HandshakeError; the connection is of no use then."""
        if self._transport is None:
            raise HandshakeError("4.7.5", "the server closed the connection before the TLS handshake")
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self,
                contexts.context_for(policy),
                server_hostname=host,
                ssl_handshake_timeout=self._config.connect_timeout,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
        except OSError as error:
            raise HandshakeError("4.7.5", f"the TLS handshake failed: {_reason(error)}") from None
        if transport is None:
            raise HandshakeError("4.7.5", "the server closed the connection during the TLS handshake")
        self._transport = transport
        self.tls = describe(transport.get_extra_info("ssl_object"), host)
        self.transcript.note(f"TLS: {self.tls}")
        self.session.tls_started()
        self.flush()

    async def send_small(self, wire: bytes, octets: int) -> None:
        """Content in memory, stuffed and ended. Goes out in one write up to BLOCK, which needs no flow control."""
        last = (len(wire) - 1) // BLOCK * BLOCK
        for at in range(0, last, BLOCK):
            if not await self._send_block(wire[at : at + BLOCK]):
                return
        self._send_end(wire[last:], octets)

    async def send_large(
        self, head: bytes, body: AsyncIterator[bytes], octets: int, before_dot: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Content in chunks. Raises UnsafeContentError, and whatever `body` raises; then `abort` is due, as it is
        after False: `before_dot` said no at the end, because all this took its time."""
        stuffer = DotStuffer()
        if not await self._send_block(stuffer.feed(head)):
            return True
        async for chunk in body:
            if not await self._send_block(stuffer.feed(chunk)):
                return True
        if not await before_dot():
            return False
        self._send_end(stuffer.finish(), octets)
        return True

    def quit(self) -> None:
        """Say goodbye. The connection ends with the server's reply, or a little later by itself."""
        if not self.usable or self.session.awaiting is not None:
            self.abort()
            return
        self.session.quit()
        self.flush()
        self._arm(GOODBYE_SECONDS, "no reply to {stage} within {seconds:g} s")

    async def wait_closed(self) -> None:
        await self._closed

    def abort(self) -> None:
        self._end("the connection was dropped")

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _wait(self, seconds: float, complaint: str) -> None:
        """Until something happens: an event, room to write, the end of the connection or of the time."""
        self._waiter = self._loop.create_future()
        self._arm(seconds, complaint)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._disarm()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _arm(self, seconds: float, complaint: str) -> None:
        self._disarm()
        self._timer = self._loop.call_later(seconds, self._timed_out, complaint, seconds)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _timed_out(self, complaint: str, seconds: float) -> None:
        self._end(complaint.format(stage=self.session.awaiting or "a command", seconds=seconds))

    def _reply_timeout(self) -> float:
        stage = self.session.awaiting
        if stage is Stage.CONTENT:
            return self._config.dot_timeout
        return self._config.data_timeout if stage is Stage.DATA else self._config.command_timeout

    # -- writing --------------------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if self.usable and self._transport is not None:
            self._transport.write(data)

    async def _send_block(self, data: bytes) -> bool:
        """False when there is no sense in going on: the server refused already, or is gone."""
        if self.usable and data:
            self._write(data)
            # Lets the transport write, and callbacks run, between blocks.
            await asyncio.sleep(0)
        while self._paused and self.usable:
            await self._wait(self._config.block_timeout, "the server took no content for {seconds:g} s")
        return self.usable

    def _send_end(self, data: bytes, octets: int) -> None:
        if self.usable:
            reach("deliver.before_final_dot")
            self.session.content_sent(octets)
            self.flush()
            self._write(data)
            reach("deliver.after_final_dot")

    # -- callbacks of the transport -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Whatever happened in between, what was vetted is what we talk to (D24); nobody else gets to see an EHLO."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if not peer or ip_address(peer[0]) != self._address:
            self.misdirected = True
            self._end(_MISDIRECTED)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        awaited = self.session.awaiting
        event = self.session.receive(bytes(self._buffer[:nbytes]))
        self.flush()
        if event is not None:
            self._event = event
            self._wake()
        elif self._timer is not None and self.session.awaiting is not awaited:
            self._arm(self._reply_timeout(), "no reply to {stage} within {seconds:g} s")
        if self.session.closed:
            self._end("the session is over")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(_reason(exc) if exc is not None else "the server closed the connection")
        self._transport = None  # a TLS transport holds us, too: together they would wait for the collector
        if not self._closed.done():
            self._closed.set_result(None)

    def _end(self, reason: str) -> None:
        """The first reason is the one that counts."""
        self._lost = self._lost or reason
        self._disarm()
        if self._transport is not None:
            # Not close(): that would wait for a peer that does not read.
            self._transport.abort()
        self._wake()


async def connect(
    session: ClientSession, config: Delivery, address: str, port: int, transcript: Transcript
) -> Connection:
    """Connect to a vetted address, never to a name. Raises ConnectionLostError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    source = (config.ipv4_source, 0) if config.ipv4_source and family == socket.AF_INET else None
    connection = Connection(session, config, address, transcript)
    try:
        async with asyncio.timeout(config.connect_timeout):
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                address,
                port,
                family=family,
                flags=socket.AI_NUMERICHOST,
                local_addr=source,
            )
    except TimeoutError:
        raise ConnectionLostError(
            "4.4.1", f"no connection to {address}:{port} within {config.connect_timeout:g} s"
        ) from None
    except OSError as error:
        raise ConnectionLostError("4.4.1", f"no connection to {address}:{port}: {_reason(error)}") from None
    if connection.misdirected:
        raise ConnectionLostError("4.4.1", _MISDIRECTED)
    transcript.note("connected")
    return connection


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
