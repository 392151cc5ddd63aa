"""Brings one message to one recipient's server, and keeps the connection for the next one.

The rules of an attempt:

- Addresses are tried in order: at most `MAX_ADDRESSES`, and `MAX_SESSIONS` of them that greeted us (D03).
- The next address is tried as long as no server has accepted MAIL and none has refused for good. From then on the
  first digit of the reply decides, and a 5xx to MAIL is final, too.
- A reused connection that fails before MAIL was accepted is replaced without a word: servers close when they like (D12).
- Before the first octet of content goes out `before_dot` is asked, and again before the final dot of large content;
  if it says no, nothing is sent.
- An envelope that cannot be put into commands is the recipient's fault only if it is for his address; a fault of ours
  is deferred.
- When the reply to the final dot is lost nobody knows: `Result.UNCERTAIN`, and a wish to wait (D06, RFC 1047).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice

import structlog

from postroom.config import Delivery
from postroom.deliver.connection import Connection, ConnectionLostError, HandshakeError, connect
from postroom.deliver.destination import Destination, Host
from postroom.deliver.tls import TlsContexts
from postroom.deliver.transcript import Transcript
from postroom.errors import StorageUnavailableError
from postroom.runtime.blobs import Blobs
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import reach
from postroom.types.composed import Composed
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply
from postroom.wire.smtp.client import ClientSession, Ended, Ready, SendContent, Stage, StartTls, TlsPolicy
from postroom.wire.smtp.client_commands import (
    InjectionError,
    Needs,
    OneRecipient,
    RecipientError,
    hello_name,
)
from postroom.wire.smtp.dot_stuffing import UnsafeContentError, stuffed

__all__ = ["Courier", "OneRecipient"]

log = structlog.get_logger()

MAX_ADDRESSES = 5
MAX_SESSIONS = 2
UNCERTAIN_SECONDS = 900.0


@dataclass(slots=True)
class _Attempt:
    """What is sent, and what became of it so far. `wire` is small content as it travels, None for large content."""

    envelope: OneRecipient
    composed: Composed
    needs: Needs
    wire: bytes | None
    before_dot: Callable[[], Awaitable[bool]]
    transcript: Transcript
    host: str = ""
    address: str = ""
    tls: str = ""
    reached: bool = False

    def outcome(self, result: Result, reply: Reply) -> Outcome:
        return Outcome(
            result,
            reply,
            self.host,
            self.address,
            self.tls,
            self.reached,
            self.transcript.elapsed,
            self.transcript.lines(),
            UNCERTAIN_SECONDS if result is Result.UNCERTAIN else None,
        )


@dataclass(frozen=True, slots=True)
class _Unopened:
    """Why there is no session with a server, and whether it had greeted us at least."""

    reply: Reply
    greeted: bool


class Courier:
    """One worker's way to one destination: at most one connection at a time. Not to be used by two tasks at once.

    Raises InjectionError if `hostname` cannot be a host name.
    """

    def __init__(
        self,
        destination: Destination,
        config: Delivery,
        contexts: TlsContexts,
        blobs: Blobs,
        hostname: str,
        clock: Clock,
    ) -> None:
        self._destination = destination
        self._config = config
        self._contexts = contexts
        self._blobs = blobs
        self._hostname = hello_name(hostname)
        self._clock = clock
        self._connection: Connection | None = None
        self._messages = 0  # transactions on this connection
        self._where = ("", "")  # host and address of this connection
        self.idle_since: float | None = None
        """When the connection was last used (`clock.monotonic()`), None while there is none or it is in use."""

    async def deliver(
        self, envelope: OneRecipient, composed: Composed, before_dot: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """One attempt. Raises nothing for what a server or the network may do; cancelling drops the connection."""
        transcript = Transcript(self._clock)
        # A message that only declares SMTPUTF8 loses nothing without it.
        needs = Needs(composed.size, composed.eight_bit, composed.utf8 and not composed.head.isascii())
        attempt = _Attempt(envelope, composed, needs, None, before_dot, transcript)
        self.idle_since = None
        try:
            if composed.blob is None:
                attempt.wire = stuffed(composed.head, composed.body)
            outcome = await self._on_kept_connection(attempt) or await self._on_new_connection(attempt)
        except UnsafeContentError as error:
            self._drop()
            outcome = attempt.outcome(Result.FAILED, Reply.of(554, "5.6.0", str(error)))
        except RecipientError as error:
            outcome = attempt.outcome(Result.FAILED, Reply.of(554, "5.1.3", str(error)))
        except InjectionError as error:
            # A return path or a parameter of ours: a setting can be mended while the email waits.
            log.warning("our own envelope cannot be sent", reason=str(error))
            outcome = attempt.outcome(Result.DEFERRED, Reply.of(451, "4.3.5", f"our envelope: {error}"))
        except StorageUnavailableError as error:
            self._drop()
            outcome = attempt.outcome(
                Result.DEFERRED, Reply.of(451, "4.3.0", f"the content cannot be read: {error}")
            )
        except BaseException:
            self._drop()
            raise
        if self._connection is not None and not self._connection.usable:
            self._connection = None
        if self._connection is not None:
            self.idle_since = self._clock.monotonic()
        return outcome

    async def close(self) -> None:
        """Part from the server; takes two seconds at most."""
        connection = self._connection
        self._part()
        if connection is not None:
            await connection.wait_closed()

    # -- which connection -----------------------------------------------------------------------------------------

    async def _on_kept_connection(self, attempt: _Attempt) -> Outcome | None:
        """None if there is no connection that can be used, or it turned out to be of no use any more."""
        connection = self._connection
        if connection is None:
            return None
        if not connection.usable or self._messages >= self._destination.messages_per_connection:
            self._part()
            return None
        host, address = self._where
        number = self._messages + 1
        attempt.transcript.note(f"message {number} on the connection to {host} [{address}]")
        outcome = await self._converse(attempt, connection)
        if not _may_go_elsewhere(outcome, connection):
            return outcome
        attempt.transcript.note("this connection is of no use any more: connecting anew")
        self._part()
        return None

    async def _on_new_connection(self, attempt: _Attempt) -> Outcome:
        hosts = self._destination.hosts
        attempt.transcript.note(f"servers: {', '.join(map(_named, hosts))}"[:500])
        outcome: Outcome | None = None
        sessions = 0
        targets = ((host.name, address) for host in hosts for address in host.addresses)
        for host, address in islice(targets, MAX_ADDRESSES):
            opened = await self._open(attempt, host, address, self._destination.tls)
            if isinstance(opened, Connection):
                outcome = await self._converse(attempt, opened)
                if not _may_go_elsewhere(outcome, opened):
                    return outcome
                sessions += 1
            else:
                outcome = attempt.outcome(Result.DEFERRED, opened.reply)
                sessions += opened.greeted
            self._part()
            if sessions == MAX_SESSIONS:
                break
        return outcome or attempt.outcome(Result.DEFERRED, Reply.of(451, "4.4.4", "no server to connect to"))

    async def _open(
        self, attempt: _Attempt, host: str, address: str, policy: TlsPolicy
    ) -> Connection | _Unopened:
        """A session that is ready, or why there is none."""
        destination, transcript = self._destination, attempt.transcript
        session = ClientSession(self._hostname, tls=policy, login=destination.login)
        transcript.note(f"connecting to {host} [{address}]:{destination.port}")
        try:
            connection = await connect(session, self._config, address, destination.port, transcript)
            self._connection, self._messages, self._where = connection, 0, (host, address)
            attempt.host, attempt.address, attempt.tls = host, address, ""
            event = await connection.event()
            if isinstance(event, StartTls):
                await connection.start_tls(self._contexts, policy, host)
                attempt.tls = connection.tls
                event = await connection.event()
        except ConnectionLostError as error:
            transcript.note(error.reply.text)
            self._drop()
            if isinstance(error, HandshakeError) and policy == "opportunistic" and destination.login is None:
                transcript.note("trying once more without TLS")
                return await self._open(attempt, host, address, "none")
            return _Unopened(error.reply, session.greeted)
        if isinstance(event, Ready):
            return connection
        assert isinstance(event, Ended)
        return _Unopened(event.reply, session.greeted)

    def _part(self) -> None:
        if self._connection is not None:
            self._connection.quit()
            self._connection = None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    # -- the conversation -----------------------------------------------------------------------------------------

    async def _converse(self, attempt: _Attempt, connection: Connection) -> Outcome:
        """One transaction on an open session."""
        connection.transcript = attempt.transcript
        attempt.host, attempt.address = self._where
        attempt.tls = connection.tls
        session = connection.session
        refusal = session.begin(attempt.envelope, attempt.needs)
        if refusal is not None:
            attempt.transcript.note(str(refusal))
            return attempt.outcome(Result.FAILED, refusal)
        self._messages += 1
        connection.flush()
        try:
            event = await connection.event()
            if isinstance(event, SendContent):
                if not await attempt.before_dot():
                    return self._hold_back(attempt)
                reach("deliver.before_content")
                if not await self._send_content(attempt, connection):
                    return self._hold_back(attempt)
                event = await connection.event()
                reach("deliver.reply_received")
        except ConnectionLostError as error:
            attempt.transcript.note(error.reply.text)
            return self._lost(attempt, session, error.reply)
        assert isinstance(event, Ended)
        attempt.reached = attempt.reached or session.mail_accepted
        return attempt.outcome(_result(event, session), event.reply)

    async def _send_content(self, attempt: _Attempt, connection: Connection) -> bool:
        """False when it was held back before its end."""
        composed = attempt.composed
        if attempt.wire is not None:
            await connection.send_small(attempt.wire, composed.size)
            return True
        assert composed.blob is not None
        body = self._blobs.read(composed.blob, composed.offset)
        return await connection.send_large(composed.head, body, composed.size, attempt.before_dot)

    def _hold_back(self, attempt: _Attempt) -> Outcome:
        """After a 354 the only way to send nothing, or no final dot, is to leave."""
        self._drop()
        attempt.reached = True
        reply = Reply.of(451, "4.3.0", "held back before the final dot: the message is not ours to send now")
        attempt.transcript.note(reply.text)
        return attempt.outcome(Result.DEFERRED, reply)

    @staticmethod
    def _lost(attempt: _Attempt, session: ClientSession, reply: Reply) -> Outcome:
        attempt.reached = attempt.reached or session.mail_accepted
        return attempt.outcome(Result.UNCERTAIN if session.dot_sent else Result.DEFERRED, reply)


def _result(ended: Ended, session: ClientSession) -> Result:
    """The first digit of the basic code decides (D08). A refused RSET is not about this message."""
    if not ended.understood:
        return Result.UNCERTAIN if session.dot_sent else Result.DEFERRED
    if ended.stage is Stage.RSET or ended.reply.transient:
        return Result.DEFERRED
    return Result.DELIVERED if ended.reply.positive else Result.FAILED


def _may_go_elsewhere(outcome: Outcome, connection: Connection) -> bool:
    """Whether another server, or another connection, might still take the message in this attempt."""
    return outcome.result is Result.DEFERRED and not connection.session.mail_accepted


def _named(host: Host) -> str:
    return f"{host.name} [{', '.join(host.addresses)}]"
