"""One connection: what the session's events mean to the policy, and its answers to the session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from postroom.accept.rate import Pace
from postroom.accept.submission.channel import BEHIND, Channel
from postroom.accept.submission.context import BUFFER, Context
from postroom.accept.submission.limits import too_many_failed_logins
from postroom.accept.submission.policy import Answer
from postroom.accept.submission.spool import Spool
from postroom.errors import StorageUnavailableError
from postroom.runtime import metrics
from postroom.runtime.killpoints import reach
from postroom.types.envelope import Envelope, Recipient
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
    Event,
    MailFrom,
    ProtocolRefusal,
    RcptTo,
    StartTls,
)

log = structlog.get_logger()

LONGEST_PACE = 10.0
SHOWN_HEADER = 16 * 1024


class Connection(Channel):
    """See Channel. Each event has its handler in the table at the end."""

    def __init__(self, context: Context, client: str = "") -> None:
        super().__init__(context, client)
        self._login: Any = None
        self._login_attempts = 0
        self._failed_users: set[str] = set()
        self._spool: Spool | None = None
        self._data_ended_at = 0.0

    def _handle(self, event: Event) -> None:
        _HANDLERS[type(event)](self, event)

    # -- login -----------------------------------------------------------------------------------------------------

    def _authenticate(self, event: Authenticate) -> None:
        username = event.username
        then = partial(self._login_answered, username)
        refused = self._context.failed_logins.wait(self.client, username)
        if refused is not None:
            then(refused)
            return
        check = partial(self._ask, then, self._context.policy.login, username, event.password, self.client)
        delay = self._context.failed_logins.delay(self.client, username)
        if delay:
            self._hold(delay, check)
        else:
            check()

    def _login_answered(self, username: str, answer: Any) -> None:
        if not isinstance(answer, Refused):
            self._login = answer
            self._context.failed_logins.succeeded(self.client, username)
            self._deadlines.logged_in()
            self._session.accept()
            return
        if answer.rule is INTERNAL_ERROR or answer.rule is STORAGE_UNAVAILABLE:
            answer = Refused(LOGIN_UNAVAILABLE)
        checked = answer.rule.code == AUTH_FAILED.code  # else any name may come, and there are a great many
        self._refuse(answer, username=username if checked else "")
        if checked:
            self._count_failed_login(username, guessed=answer.rule is AUTH_FAILED)

    def _count_failed_login(self, username: str, *, guessed: bool) -> None:
        """One failure per connection and user counts for the address, each attempt for the connection."""
        wait = 0.0
        self._login_attempts += 1
        if guessed and username not in self._failed_users:
            self._failed_users.add(username)
            wait = self._context.failed_logins.failed(self.client, username)
        if self._login_attempts >= self._context.limits.failed_logins_per_connection:
            refused = too_many_failed_logins(wait)
            self._record(refused)
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
        envelope, recipient = self._session.envelope, event.recipient
        assert envelope is not None
        then = partial(self._rcpt_answered, recipient)
        self._ask(then, self._context.policy.rcpt, self._login, envelope, recipient, self.client)

    def _rcpt_answered(self, recipient: Recipient, refused: Refused | None) -> None:
        if refused is None:
            self._session.accept()
            return
        envelope = self._session.envelope
        self._refuse(refused, None if envelope is None else replace(envelope, recipients=[recipient]))

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
        self._data_ended_at = self._context.clock()
        reach("submission.end_of_data")
        if end.refused is not None:
            header = _shown_header(spool.head + end.refused_chunk)
            self._abandon()
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
        reach("submission.large_content_stored")
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
            reach("submission.before_answer")
            self._context.accepted += 1
            metrics.ACK_SECONDS.observe(self._context.clock() - self._data_ended_at)
            self._session.accept(answer)

    def _abandon(self) -> None:
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
        try:
            then(answer)
            self._slow_down()
            self._run()
        except Exception:  # a callback's end: nobody else would close, and the client would wait for long
            log.exception("internal error")
            self._abort()

    def _refuse(
        self,
        refused: Refused,
        envelope: Envelope | None = None,
        header: bytes = b"",
        *,
        username: str = "",
    ) -> None:
        self._record(refused, envelope, header, username=username)
        self._session.refuse(refused)

    def _record(
        self,
        refused: Refused,
        envelope: Envelope | None = None,
        header: bytes = b"",
        *,
        username: str = "",
    ) -> None:
        envelope = envelope or self._session.envelope
        self._context.record(
            refused, self.client, login=self._login, username=username, envelope=envelope, header=header
        )

    def _tls_wanted(self, event: StartTls) -> None:
        del event
        self._start_tls()

    def _refused_by_protocol(self, event: ProtocolRefusal) -> None:
        self._record(event.refused)

    def _closed(self, event: Closed) -> None:
        """Nothing to do: `_flush` closes when the session is closing."""


def _shown_header(content: bytes) -> bytes:
    """Whole fields of what came before content was refused, for the log."""
    start = content[:SHOWN_HEADER]
    end = start.find(b"\r\n\r\n")
    return start[: end + 2] if end >= 0 else b"".join(start.rpartition(b"\r\n")[:2])


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
    StartTls: Connection._tls_wanted,
    Authenticate: Connection._authenticate,
    ProtocolRefusal: Connection._refused_by_protocol,
    Closed: Connection._closed,
}
