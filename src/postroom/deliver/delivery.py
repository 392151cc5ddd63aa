"""One recipient, from queue row to outcome: the named steps of a delivery.

    gate      may it go: suppressions, template, quarantine, account, pause, sandbox
    compose   the signed bytes
    mark      the attempt is made durable before its final dot
    talk      the courier brings it to the recipient's server
    judge     what the outcome makes of the email

Each step is short and may end the run; nothing raises for what can happen to a message.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from inspect import isawaitable
from typing import Protocol

import structlog

from postroom.compose import Composer, Uncomposed, return_path
from postroom.compose.compose import Stored
from postroom.config import Config
from postroom.deliver import record
from postroom.deliver.courier import UNCERTAIN_SECONDS, OneRecipient
from postroom.deliver.loader import Loader
from postroom.deliver.suppressed import SuppressionCheck
from postroom.deliver.ticker import Ticker
from postroom.deliver.verdict import QUARANTINE_AFTER, judge
from postroom.errors import StorageUnavailableError
from postroom.runtime import metrics
from postroom.runtime.clock import Clock
from postroom.runtime.ids import made_at
from postroom.runtime.killpoints import reach
from postroom.store.batches.rows import Entry, OutcomeRecord
from postroom.tenancy.directory import Directory
from postroom.tenancy.entries import AccountState, DomainInfo
from postroom.types.addresses import parse_mailbox
from postroom.types.composed import Composed
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply
from postroom.types.status import Hold

log = structlog.get_logger()


class Carrier(Protocol):
    """What brings one message to one recipient's server; `courier.Courier` over the network."""

    async def deliver(
        self, envelope: OneRecipient, composed: Composed, before_dot: Callable[[], Awaitable[bool]]
    ) -> Outcome: ...


FROM_MEMORY = (Hold.SUSPENDED, Hold.PAUSED)
"""Why an email is held as far as the directory knows. Somebody may have ended it a moment ago, and released the email."""
CONTENT_GONE = Reply.of(554, "5.6.0", "the content of this message is gone")
FAILED_INSIDE = Reply.of(451, "4.3.0", "internal error; see the log")


@dataclass(frozen=True, slots=True)
class Tools:
    """What every delivery needs; `node` builds it."""

    config: Config
    clock: Clock
    directory: Directory
    loader: Loader
    composer: Composer
    ticker: Ticker
    suppressions: SuppressionCheck
    lease_held: Callable[[], bool]
    verp_key: bytes
    chance: random.Random


@dataclass(slots=True)
class _Attempt:
    """`mark` is True once it is durable, `may_be_sent` when content may go out."""

    mark: asyncio.Future[bool]
    may_be_sent: bool = False

    def failed_inside(self) -> Outcome:
        if self.may_be_sent:
            return Outcome(Result.UNCERTAIN, FAILED_INSIDE, retry_after=UNCERTAIN_SECONDS)
        return deferred(FAILED_INSIDE)


class Delivery:
    """Runs the steps for one entry at a time; lanes call `run` from several workers at once."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._keep_content = round(tools.config.retention.content * 1000)
        self._keep_sandbox = round(tools.config.retention.sandbox * 1000)
        self._keep_all = round(tools.config.retention.emails * 1000)

    async def gate(self, entry: Entry) -> OutcomeRecord | None:
        """What ends the run before anything is sent, or None: it may go."""
        account, domain = await self._who(entry)
        if _hold(entry, account, domain) in FROM_MEMORY and not entry.paused:
            account, domain = await self._who_now(entry)
        now, ahead = self._tools.clock.moment()
        if lists := await self._tools.suppressions.lists(entry, account):
            return record.suppressed(entry, lists, now, keep_content=self._kept(entry))
        if entry.template_gone:
            return record.template_gone(entry, now, keep_content=self._kept(entry))
        hold = _hold(entry, account, domain)
        if hold is Hold.QUARANTINED:
            log.error(
                "email quarantined: its attempts never finish",
                message_id=entry.message_id,
                email_id=entry.email_id,
            )
            metrics.QUARANTINED.inc()
        if hold is not None:
            # What is held is due at its expiry: until then nobody claims it, then it ends here. A pause has its own end.
            if now + ahead >= entry.expires_at and hold is not Hold.PAUSED:
                return record.expired(entry, hold, now, keep_content=self._kept(entry))
            return record.held(entry, hold, now)
        if domain is not None and domain.mode == "sandbox":
            return await self._into_inbox(entry, now)
        return None

    async def _into_inbox(self, entry: Entry, now: int) -> OutcomeRecord:
        """What cannot be rendered fails here as it would in earnest: templates are tried out in sandboxes."""
        stored = await self._tools.loader.load(entry.account_id, entry.message_id)
        if stored is not None and stored.content.personalised:
            composed = await self._compose(entry, stored)
            if isinstance(composed, Uncomposed) and not composed.reply.transient:
                return record.unsendable(entry, composed.reply, now, keep_content=self._keep_sandbox)
        return record.into_inbox(entry, now, keep_content=self._keep_sandbox)

    def special(self, entry: Entry) -> bool:
        """Whether the entry may end at the gate, as far as can be told without waiting."""
        account = self._tools.directory.known(entry.account_id)
        if account is None:
            return True
        domain = account.by_id.get(entry.domain_id)
        return (
            bool(entry.suppressed)
            or entry.template_gone
            or _hold(entry, account, domain) is not None
            or (domain is not None and domain.mode == "sandbox")
        )

    def recording(self, email_id: str) -> bool:
        """Whether an outcome of this email still waits for the database."""
        return self._tools.ticker.waiting(email_id)

    async def record_all(self) -> None:
        """Write down every outcome that is known by now. Raises StorageUnavailableError."""
        await self._tools.ticker.flush()

    async def run(self, entry: Entry, carrier: Carrier) -> None:
        """Deliver once and hand the outcome to the ticker. Does not wait until it is recorded."""
        early = await self.gate(entry)
        if early is not None:
            self.finish(early)
            return
        reach("deliver.before_mark")
        attempt = _Attempt(self._tools.ticker.mark(entry))
        try:
            if entry.suspect:
                await attempt.mark  # counted before any work: it may end the process once more (Q15)
            outcome = await self._talk(entry, carrier, attempt)
            marked = await attempt.mark
            reach("deliver.before_outcome")
        except asyncio.CancelledError:
            if not attempt.may_be_sent:
                attempt.mark.cancel()
                self._tools.ticker.broken_off(entry)
            raise
        except Exception:
            # A bug of ours must not be repeated at once: it counts. And if the server may have the message, another
            # copy has to say what it may be.
            log.exception("delivery failed inside", message_id=entry.message_id, email_id=entry.email_id)
            marked, outcome = True, attempt.failed_inside()
        if marked:
            self.settle(entry, outcome)
        elif entry.paused:
            self.finish(record.held(entry, Hold.PAUSED, self._tools.clock.now_ms()))
        # Else the row is not ours any more: cancelled, or claimed by another node or by our own next incarnation.

    async def _talk(self, entry: Entry, carrier: Carrier, attempt: _Attempt) -> Outcome:
        """Load, compose, and let the carrier talk; the mark becomes durable meanwhile."""
        stored = await self._tools.loader.load(entry.account_id, entry.message_id)
        if stored is None:
            return Outcome(Result.FAILED, CONTENT_GONE)
        composed = await self._compose(entry, stored)
        reach("deliver.composed")
        if isinstance(composed, Uncomposed):
            reply = composed.reply
            return deferred(reply) if reply.transient else Outcome(Result.FAILED, reply)

        async def before_dot() -> bool:
            first = not attempt.may_be_sent and not entry.attempts
            attempt.may_be_sent = await attempt.mark and self._may_send(entry)
            reach("deliver.marked")
            if first and entry.due_at:  # 0: somebody has released it
                waited = sum(self._tools.clock.moment()) - entry.due_at
                metrics.FIRST_BYTE_SECONDS.observe(max(waited, 0) / 1000)
            return attempt.may_be_sent

        return await carrier.deliver(await self._envelope(entry, stored), composed, before_dot)

    async def _compose(self, entry: Entry, stored: Stored) -> Composed | Uncomposed:
        if not stored.content.personalised:
            return await self._tools.composer.compose(stored)
        data = await self._tools.loader.personalization(entry.account_id, entry.email_id)
        return await self._tools.composer.compose_for(stored, data)

    def _may_send(self, entry: Entry) -> bool:
        """Whether the lease under which we got the entry was never lost."""
        return entry.owner == self._tools.ticker.owner and self._tools.lease_held()

    def settle(self, entry: Entry, outcome: Outcome) -> None:
        """Judge an outcome and hand it to the ticker."""
        tools = self._tools
        now, ahead = tools.clock.moment()
        verdict = judge(entry, outcome, now, tools.config.delivery.retry, tools.chance, ahead=ahead)
        metrics.ATTEMPTS.labels(outcome.result.value).inc()
        if verdict.due_at is None:
            seconds = max(now - made_at(entry.email_id), 0) / 1000
            metrics.QUEUE_SECONDS.labels(verdict.status.value).observe(seconds)
        log.info(
            "attempt",
            message_id=entry.message_id,
            email_id=entry.email_id,
            status=verdict.status.value,
            host=outcome.host,
            reply=str(outcome.reply)[:200],
            duration_ms=outcome.duration,
        )
        self.finish(record.attempt(entry, outcome, verdict, now, keep_content=self._kept(entry)))

    def finish(self, outcome: OutcomeRecord) -> None:
        self._tools.ticker.record(outcome)

    def _kept(self, entry: Entry) -> int:
        account = self._tools.directory.known(entry.account_id)
        domain = account.by_id.get(entry.domain_id) if account is not None else None
        return self._keep_all if domain is not None and domain.keep_content else self._keep_content

    async def _who(self, entry: Entry) -> tuple[AccountState | None, DomainInfo | None]:
        found = self._tools.directory.account(entry.account_id)
        account = await found if isawaitable(found) else found
        return account, account.by_id.get(entry.domain_id) if account is not None else None

    async def _who_now(self, entry: Entry) -> tuple[AccountState | None, DomainInfo | None]:
        """The same, once the directory has looked for changes, if the database lets it."""
        with suppress(StorageUnavailableError):
            await self._tools.directory.refresh()
        return await self._who(entry)

    async def _envelope(self, entry: Entry, stored: Stored) -> OneRecipient:
        _, domain = await self._who(entry)
        sender = return_path(
            self._tools.verp_key,
            account_id=entry.account_id,
            email_id=entry.email_id,
            accepted=stored.sender,
            domain_host=domain.return_path_host if domain is not None else "",
            bounce_host=self._tools.config.server.bounce_host,
        )
        return OneRecipient(
            sender=sender,
            recipient=parse_mailbox(entry.recipient),
            ret=stored.dsn_ret or None,  # a row says "" for what was not given
            envid=stored.dsn_envid or None,
            notify=entry.dsn_notify or None,
            orcpt=entry.dsn_orcpt or None,
        )


def _hold(entry: Entry, account: AccountState | None, domain: DomainInfo | None) -> Hold | None:
    """Why the entry may not go now, or None. A pause that we have not heard of yet the table knows, at the claim and at
    the mark; that we have, too, spares a server a conversation for nothing."""
    if entry.unfinished >= QUARANTINE_AFTER:
        return Hold.QUARANTINED
    if account is not None and account.state == Hold.SUSPENDED:
        return Hold.SUSPENDED
    return Hold.PAUSED if entry.paused or (domain is not None and domain.send_paused) else None


def deferred(reply: Reply) -> Outcome:
    return Outcome(Result.DEFERRED, reply)
