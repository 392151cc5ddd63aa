"""The transport of one connection: octets in and out, TLS, pauses, the end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import cast

import structlog

from postroom.accept.submission.context import BUFFER, Context
from postroom.accept.submission.deadlines import Deadlines
from postroom.accept.submission.limits import client_address
from postroom.types.refusals import SHUTTING_DOWN, Refused
from postroom.wire.smtp.events import Event
from postroom.wire.smtp.server import ServerSession

log = structlog.get_logger()

ERROR_DELAY = 1.0
LINGER = 10.0  # seconds a closing connection has to take its last reply
MOST_EVENTS = 200  # of one connection before others have their turn

# Why reading stands still.
HELD = 1  # a reply is held back
BEHIND = 2  # the disk is behind
UNSENT = 4  # the client does not read its replies
FULL = 8  # enough input waits for the policy's answer


class Channel(asyncio.BufferedProtocol, ABC):
    """Feeds the session and sends what it says; what its events mean is up to the subclass (`_handle`).

    `client` is given when the listener has counted the connection in already and TLS is on from the start.
    """

    def __init__(self, context: Context, client: str = "") -> None:
        self.client = client
        self.made = False
        self._context = context
        self._session = ServerSession(context.settings, tls=bool(client))
        self._deadlines = Deadlines(context.limits, context.clock())
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # set before anything else happens
        self._paused = 0
        self._paused_at = 0.0
        self._closing_at = 0.0
        self._lost = False
        self._upgrading = False
        self._came_with_handshake = b""
        self._errors = 0
        self._goes_on_later = False

    # -- what the subclass does ------------------------------------------------------------------------------------

    @abstractmethod
    def _handle(self, event: Event) -> None:
        """Do what the event asks for, or answer it."""

    @abstractmethod
    def _record(self, refused: Refused) -> None:
        """Tell the policy."""

    @abstractmethod
    def _abandon(self) -> None:
        """Whatever was under way and is not promised ends here."""

    # -- what the transport calls ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.Transport", transport
        )  # uvloop's is one, and does not inherit from it
        self.made = True
        self._context.entered(self)
        refused = None
        if not self.client:
            peer = transport.get_extra_info("peername")
            self.client = client_address(peer[0] if peer else "0.0.0.0")  # noqa: S104 - it is gone already
            refused = self._context.open.enter(self.client)
        if refused is not None:
            self._record(refused)
            self._session.close(refused)
        else:
            self._session.greet()
        self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._context.buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._context.buffer[:nbytes])
        if self._upgrading:  # through TLS already; but the transport to answer on comes a moment later
            self._came_with_handshake += data
            return
        if self._session.in_data:
            self._deadlines.received(self._context.clock(), nbytes)
        self._session.receive(data)
        self._run()
        if self._session.buffered > BUFFER:
            self._pause(FULL)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._pause(UNSENT)

    def resume_writing(self) -> None:
        self._resume(UNSENT)
        self._run()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._lost:
            return
        self._lost = True
        # A TLS transport and its protocol hold each other: with all their buffers they would wait for the collector,
        # which hardly ever comes to what has lived for a while.
        self._transport = None  # type: ignore[assignment]  # as before `connection_made`
        self._context.left(self)
        self._context.open.leave(self.client)
        self._session.close()
        self._abandon()

    # -- what the server calls -------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Close when the client was too slow."""
        if self._closing_at:
            if now - self._closing_at > LINGER:
                self._abort()
            return
        if self._session.waiting or self._paused & (HELD | BEHIND):
            return  # it is we who take the time
        refused = self._deadlines.overdue(now)
        if refused is not None:
            self._end_session(refused)

    def drain(self) -> None:
        """Say goodbye, unless a message is under way; then that comes first."""
        if not self._upgrading:
            self._flush()

    def give_up(self) -> None:
        if not self._upgrading:
            self._session.close(Refused(SHUTTING_DOWN))
            self._flush()
        self._abort()

    def _abort(self) -> None:
        if not self._lost:
            self._transport.abort()

    # -- the loop --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Do what the session says until it needs more, or a reply has to be held back, or it is others' turn."""
        session = self._session
        left = 0 if self._goes_on_later else MOST_EVENTS
        while left and not self._paused & (HELD | UNSENT):
            event = session.next_event()
            if event is None:
                break
            self._handle(event)
            self._slow_down()
            left -= 1
            if not left:
                self._goes_on_later = True
                asyncio.get_running_loop().call_soon(self._go_on)
        if not self._paused & HELD:
            self._flush()

    def _go_on(self) -> None:
        self._goes_on_later = False
        self._run()

    def _flush(self) -> None:
        session = self._session
        if self._lost or self._closing_at:
            return
        if self._context.draining and not (session.in_data or session.waiting):
            session.close(Refused(SHUTTING_DOWN))
        output = session.take_output()
        if output:
            self._deadlines.replied(self._context.clock())
            self._transport.write(output)
        if session.closing:
            self._closing_at = self._context.clock()
            self._transport.close()
        elif self._paused & FULL and session.buffered <= BUFFER:
            self._resume(FULL)

    def _slow_down(self) -> None:
        """Delay the reply to a mistake when there were many before (S18)."""
        errors = self._session.errors
        if errors > self._errors and errors * 2 >= self._context.limits.max_errors:
            self._hold(ERROR_DELAY)
        self._errors = errors

    def _hold(self, seconds: float, then: Callable[[], None] | None = None) -> None:
        """Hold all replies back, then go on with `then`."""
        self._pause(HELD)
        asyncio.get_running_loop().call_later(seconds, self._release, then)

    def _release(self, then: Callable[[], None] | None) -> None:
        if then is not None:
            then()
        self._resume(HELD)
        self._run()

    def _pause(self, reason: int) -> None:
        if not self._paused:
            self._paused_at = self._context.clock()
            if not self._lost:
                self._transport.pause_reading()
        self._paused |= reason

    def _resume(self, reason: int) -> None:
        if not self._paused & reason:
            return
        self._paused &= ~reason
        if not self._paused:
            now = self._context.clock()
            self._deadlines.stood_still(now, now - self._paused_at)
            if not self._lost and not self._closing_at:
                self._transport.resume_reading()

    def _end_session(self, refused: Refused) -> None:
        self._record(refused)
        self._session.close(refused)
        self._abandon()
        self._flush()

    # -- TLS -------------------------------------------------------------------------------------------------------

    def _start_tls(self) -> None:
        # Before the reply: the next octets of the client belong to the handshake, and what it sent before is lost.
        self._transport.pause_reading()
        self._upgrading = True
        self._session.accept()
        self._context.spawn(self._upgrade())

    async def _upgrade(self) -> None:
        loop, plain = asyncio.get_running_loop(), self._transport
        timeout = self._context.limits.handshake_timeout
        try:
            transport = await loop.start_tls(
                plain,
                self,
                self._context.tls_context(),
                server_side=True,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, RuntimeError) as error:  # uvloop's word for a transport that is closing
            log.debug("TLS handshake failed", client=self.client, reason=str(error))
            transport = None
        if transport is None or self._lost:
            plain.abort()
            self.connection_lost(None)  # the transport does not say so when it ends within the handshake
            return
        self._transport = transport
        self._upgrading = False
        self._session.tls_started()
        self._deadlines.replied(self._context.clock())
        self._session.receive(self._came_with_handshake)
        self._came_with_handshake = b""
        self._run()
