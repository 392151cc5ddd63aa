"""One connection: the session on a transport."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import structlog

from postroom.accept.rate import Pace
from postroom.accept.submission.context import BUFFER, Context
from postroom.accept.submission.deadlines import Deadlines
from postroom.accept.submission.limits import client_address, too_many_failed_logins
from postroom.accept.submission.policy import Answer
from postroom.accept.submission.spool import Spool
from postroom.errors import StorageUnavailableError
from postroom.types.envelope import Envelope
from postroom.types.refusals import (
    AUTH_FAILED,
    INTERNAL_ERROR,
    LOGIN_UNAVAILABLE,
    SHUTTING_DOWN,
    STORAGE_UNAVAILABLE,
    Refused,
)
from postroom.wire.smtp.events import (
    Authenticate,
    BodyChunk,
    Closed,
    DataStarted,
    EndOfData,
    MailFrom,
    ProtocolRefusal,
    RcptTo,
    StartTls,
)
from postroom.wire.smtp.server import ServerSession

log = structlog.get_logger()

ERROR_DELAY = 1.0
LONGEST_PACE = 10.0
LINGER = 10.0  # seconds a closing connection has to take its last reply
SHOWN_HEADER = 16 * 1024

# Why reading stands still.
HELD = 1  # a reply is held back
BEHIND = 2  # the disk is behind
UNSENT = 4  # the client does not read its replies
FULL = 8  # enough input waits for the policy's answer


class Connection(asyncio.BufferedProtocol):
    """`client` is given when the listener has counted the connection in already and TLS is on from the start."""

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
        self._login: Any = None
        self._login_attempts = 0
        self._failed_users: set[str] = set()
        self._spool: Spool | None = None

    # -- what the transport calls ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and does not inherit from it
        self.made = True
        self._context.entered(self)
        refused = None
        if not self.client:
            peer = transport.get_extra_info("peername")
            self.client = client_address(peer[0] if peer else "0.0.0.0")  # noqa: S104 - it is gone already
            refused = self._context.open.enter(self.client)
        if refused is not None:
            self._context.record(refused, self.client)
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
        if self._spool is not None:
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
        self._context.left(self)
        self._context.open.leave(self.client)
        self._session.close()
        self._drop_content()

    # -- what the server calls -------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Close when the client was too slow."""
        if self._closing_at:
            if now - self._closing_at > LINGER:
                self._transport.abort()
            return
        if self._session.waiting or (self._paused and self._paused != UNSENT):
            return
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
        self._transport.abort()

    # -- the loop --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Do what the session says until it needs more, or a reply has to be held back."""
        session = self._session
        while not self._paused & (HELD | UNSENT):
            event = session.next_event()
            if event is None:
                break
            _HANDLERS[type(event)](self, event)
            self._slow_down()
        if not self._paused & HELD:
            self._flush()

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
        self._record(refused, self._session.envelope)
        self._session.close(refused)
        self._drop_content()
        self._flush()

    # -- TLS -------------------------------------------------------------------------------------------------------

    def _start_tls(self, event: StartTls) -> None:
        del event
        # Before the reply: the next octets of the client belong to the handshake, and what it sent before is lost.
        self._transport.pause_reading()
        self._upgrading = True
        self._session.accept()
        self._context.spawn(self._upgrade())

    async def _upgrade(self) -> None:
        loop = asyncio.get_running_loop()
        timeout = self._context.limits.handshake_timeout
        try:
            transport = await loop.start_tls(
                self._transport,
                self,
                self._context.tls_context(),
                server_side=True,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, RuntimeError) as error:  # uvloop's word for a transport that is closing
            log.debug("TLS handshake failed", client=self.client, reason=str(error))
            transport = None
        if transport is None or self._lost:
            self._transport.abort()
            self.connection_lost(None)  # the transport does not say so when it ends within the handshake
            return
        self._transport = transport
        self._upgrading = False
        self._session.tls_started()
        self._deadlines.replied(self._context.clock())
        self._session.receive(self._came_with_handshake)
        self._came_with_handshake = b""
        self._run()

    # -- login -----------------------------------------------------------------------------------------------------

    def _authenticate(self, event: Authenticate) -> None:
        username = event.username
        then = partial(self._login_answered, username)
        refused = self._context.failed_logins.wait(self.client, username)
        if refused is not None:
            then(refused)
        else:
            self._ask(then, self._context.policy.login, username, event.password, self.client)

    def _login_answered(self, username: str, answer: Any) -> None:
        if not isinstance(answer, Refused):
            self._login = answer
            self._context.failed_logins.succeeded(self.client, username)
            self._deadlines.logged_in()
            self._session.accept()
            return
        if answer.rule is INTERNAL_ERROR or answer.rule is STORAGE_UNAVAILABLE:
            answer = Refused(LOGIN_UNAVAILABLE)
        self._refuse(answer, None)
        if answer.rule.code == AUTH_FAILED.code:
            self._count_failed_login(username, guessed=answer.rule is AUTH_FAILED)

    def _count_failed_login(self, username: str, *, guessed: bool) -> None:
        """One failure per connection and user counts for the address, each attempt for the connection."""
        wait = 0.0
        self._login_attempts += 1
        if guessed and username not in self._failed_users:
            self._failed_users.add(username)
            wait = self._context.failed_logins.failed(self.client)
        if self._login_attempts >= self._context.limits.failed_logins_per_connection:
            refused = too_many_failed_logins(wait)
            self._record(refused, None)
            self._session.close(refused)

    # -- a message -------------------------------------------------------------------------------------------------

    def _mail(self, event: MailFrom) -> None:
        then = partial(self._mail_answered, event.envelope)
        self._ask(then, self._context.policy.mail, self._login, event.envelope, self.client)

    def _mail_answered(self, envelope: Envelope, answer: Refused | Pace) -> None:
        if isinstance(answer, Refused):
            self._refuse(answer, envelope)
        elif answer.delay > 0:
            self._hold(min(answer.delay, LONGEST_PACE), self._session.accept)
        else:
            self._session.accept()

    def _rcpt(self, event: RcptTo) -> None:
        del event
        self._session.accept()

    def _data_started(self, event: DataStarted) -> None:
        del event
        limits = self._context.limits
        self._spool = Spool(
            max(limits.spool_above, limits.max_header_size + BUFFER),  # the header stays in memory
            self._context.blobs,
            behind=partial(self._pause, BEHIND),
            caught_up=partial(self._resume, BEHIND),
        )
        self._deadlines.data_started(self._context.clock())

    def _chunk(self, event: BodyChunk) -> None:
        assert self._spool is not None
        self._spool.add(event.data)

    def _end_of_data(self, end: EndOfData) -> None:
        spool, envelope = self._spool, self._session.envelope
        assert spool is not None
        assert envelope is not None
        self._deadlines.data_ended()
        if end.refused is not None:
            header = spool.head.partition(b"\r\n\r\n")[0][:SHOWN_HEADER]
            self._drop_content()
            self._refuse(end.refused, envelope, header)
            return
        self._spool = None
        if spool.large:
            then = partial(self._message_answered, envelope, spool.head[: end.header_size])
            self._ask(then, self._keep_large, spool, end, envelope)
        else:
            content = spool.content(end)
            then = partial(self._message_answered, envelope, content.header)
            self._ask(then, self._context.policy.message, self._login, envelope, content, self.client)

    async def _keep_large(self, spool: Spool, end: EndOfData, envelope: Envelope) -> Answer:
        try:
            content = await spool.store(end)
        except BaseException:
            await spool.abort()
            raise
        promise = self._context.policy.message(self._login, envelope, content, self.client)
        answer = promise if isinstance(promise, Refused) else await promise
        if isinstance(answer, Refused) and answer.rule.code >= 500 and content.blob is not None:
            # A 5xx is certain. After a 4xx a row may exist all the same; the sweep of the blob store knows.
            with contextlib.suppress(StorageUnavailableError):
                await self._context.blobs.delete(content.blob)
        return answer

    def _message_answered(self, envelope: Envelope, header: bytes, answer: Answer) -> None:
        if isinstance(answer, Refused):
            self._refuse(answer, envelope, header)
        else:
            self._context.accepted += 1
            self._session.accept(answer)

    def _drop_content(self) -> None:
        spool, self._spool = self._spool, None
        if spool is not None and spool.large:
            self._context.spawn(spool.abort())

    # -- asking and refusing ---------------------------------------------------------------------------------------

    def _ask(
        self, then: Callable[[Any], None], question: Callable[..., Any | Awaitable[Any]], *facts: Any
    ) -> None:
        """Put the question; go on with its answer now, or when it comes. A fault is a refusal."""
        try:
            answer = question(*facts)
        except Exception as error:
            answer = _fault(error)
        if not hasattr(answer, "__await__"):
            then(answer)
            return
        self._context.promise(answer).add_done_callback(partial(self._answered, then))

    def _answered(self, then: Callable[[Any], None], future: asyncio.Future[Any]) -> None:
        try:
            answer = future.result()
        except asyncio.CancelledError:
            answer = Refused(SHUTTING_DOWN)
        except Exception as error:
            answer = _fault(error)
        then(answer)
        self._slow_down()
        self._run()

    def _refuse(self, refused: Refused, envelope: Envelope | None, header: bytes = b"") -> None:
        self._record(refused, envelope, header)
        self._session.refuse(refused)

    def _record(self, refused: Refused, envelope: Envelope | None, header: bytes = b"") -> None:
        self._context.record(refused, self.client, login=self._login, envelope=envelope, header=header)

    def _refused_by_protocol(self, event: ProtocolRefusal) -> None:
        self._record(event.refused, self._session.envelope)

    def _closed(self, event: Closed) -> None:
        """Nothing to do: `_flush` closes when the session is closing."""


def _fault(error: Exception) -> Refused:
    if isinstance(error, StorageUnavailableError):
        log.error("storage is unavailable", reason=str(error))
        return Refused(STORAGE_UNAVAILABLE)
    log.error("internal error", exc_info=error)
    return Refused(INTERNAL_ERROR)


_HANDLERS: dict[type, Callable[[Connection, Any], None]] = {
    MailFrom: Connection._mail,
    RcptTo: Connection._rcpt,
    DataStarted: Connection._data_started,
    BodyChunk: Connection._chunk,
    EndOfData: Connection._end_of_data,
    StartTls: Connection._start_tls,
    Authenticate: Connection._authenticate,
    ProtocolRefusal: Connection._refused_by_protocol,
    Closed: Connection._closed,
}
