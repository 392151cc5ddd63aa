"""The submission edge's policy: joins the SMTP listener to the rules, the directory and the group commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import NamedTuple

from postroom.accept import admit
from postroom.accept.commit import Answer, GroupCommit
from postroom.accept.rate import Pace, Rate
from postroom.accept.refused import RefusalLog
from postroom.accept.usage import Usage
from postroom.config import Config
from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.runtime.ids import mail_id
from postroom.tenancy.directory import Directory
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.entries import AccountState, Credential
from postroom.tenancy.quotas import daily_quota, day_number, holds, quota_refusal
from postroom.types import refusals
from postroom.types.draft import Content
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused

Preflight = Callable[[Credential, AccountState, Envelope, Content], Awaitable[Refused]]
Suppression = Callable[[Credential, AccountState, Address], Awaitable[Refused | None]]


class _Sender(NamedTuple):
    login: Credential
    account: AccountState


class SubmissionPolicy:
    """What `accept.submission` asks.

    Answers come at once when everything is cached, which is nearly always; only then does a message cost no task.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        directory: Directory,
        usage: Usage,
        commit: GroupCommit,
        refusal_log: RefusalLog,
        requested: Callable[[str], object] = lambda _: None,
        preflight: Preflight | None = None,
        suppressed: Suppression | None = None,
    ) -> None:
        """`requested` hears whose message it is at the end of each one's data. `preflight` answers who wants to hear
        what would become of a message, `suppressed` who wants to hear at RCPT that nothing would be sent."""
        self._config = config
        self._clock = clock
        self._directory = directory
        self._usage = usage
        self._commit = commit
        self._refusals = refusal_log
        self._requested = requested
        self._preflight = preflight
        self._suppressed = suppressed
        self._rate = Rate()

    def login(
        self, username: str, password: str, client: str
    ) -> Credential | Refused | Awaitable[Credential | Refused]:
        return self._directory.login(username, password, client)

    def mail(
        self, login: Credential, envelope: Envelope, client: str
    ) -> Refused | Pace | Awaitable[Refused | Pace]:
        """At MAIL: is the login still good, may the account send, is it within its quota, caps and rate."""
        del envelope
        sender = self._known(login, client)
        if isinstance(sender, Refused):
            return sender
        if sender is None or self._used(sender.account) is None:
            return self._mail_after_reading(login, client)
        return self._mail(sender)

    async def _mail_after_reading(self, login: Credential, client: str) -> Refused | Pace:
        try:
            sender = await self._read(login, client)
            if isinstance(sender, Refused):
                return sender
            if self._used(sender.account) is None:
                async with asyncio.timeout(self._config.database.timeout):
                    await self._usage.load(sender.account.id, day_number(self._clock.now_ms()))
            return self._mail(sender)
        except (StorageUnavailableError, TimeoutError):
            return Refused(refusals.STORAGE_UNAVAILABLE)

    def _mail(self, sender: _Sender) -> Refused | Pace:
        return (
            admit.account_state(sender.account, self._config)
            or self._within_quota(sender.account)
            or self._within_caps(sender.login)
            or self._within_rate(sender.account)
        )

    def rcpt(
        self, login: Credential, envelope: Envelope, recipient: Recipient, client: str
    ) -> Refused | Awaitable[Refused | None] | None:
        """At RCPT: the plan's number of recipients; only who wants to hear of suppressed ones waits for an answer."""
        sender = self._known(login, client)
        if sender is None:
            return self._rcpt_after_reading(login, envelope, recipient, client)
        return self._rcpt(sender, envelope, recipient)

    async def _rcpt_after_reading(
        self, login: Credential, envelope: Envelope, recipient: Recipient, client: str
    ) -> Refused | None:
        try:
            answer = self._rcpt(await self._read(login, client), envelope, recipient)
        except StorageUnavailableError:
            return Refused(refusals.STORAGE_UNAVAILABLE)
        return await answer if isawaitable(answer) else answer

    def _rcpt(
        self, sender: _Sender | Refused, envelope: Envelope, recipient: Recipient
    ) -> Refused | Awaitable[Refused | None] | None:
        if isinstance(sender, Refused):
            return sender
        most = entitlements(sender.account, self._config).recipients
        if most is not None and len(envelope.recipients) >= most:
            return Refused(refusals.TOO_MANY_RECIPIENTS, {"limit": str(most)})
        if self._suppressed is None:
            return None
        if not sender.login.refuse_suppressed or not sender.account.suppresses:
            return None
        return self._suppressed(sender.login, sender.account, recipient.address)

    def message(
        self, login: Credential, envelope: Envelope, content: Content, client: str
    ) -> Refused | Awaitable[Answer]:
        """At the end of data: all the rules, then the durable end. Answers with the message id."""
        sender = self._known(login, client)
        if isinstance(sender, Refused):
            return sender
        if sender is None:
            return self._message_after_reading(login, envelope, content, client)
        return self._message(sender, envelope, content)

    async def _message_after_reading(
        self, login: Credential, envelope: Envelope, content: Content, client: str
    ) -> Answer:
        try:
            sender = await self._read(login, client)
        except StorageUnavailableError:
            return Refused(refusals.STORAGE_UNAVAILABLE)
        if isinstance(sender, Refused):
            return sender
        answer = self._message(sender, envelope, content)
        return answer if isinstance(answer, Refused) else await answer

    def _message(self, sender: _Sender, envelope: Envelope, content: Content) -> Refused | Awaitable[Answer]:
        login, account = sender
        self._requested(account.id)
        if self._preflight is not None and admit.preflight_only(content.header):
            return self._preflight(login, account, envelope, content)
        candidate = admit.Candidate(login, account, envelope, content, self._config)
        refused = admit.run(admit.MESSAGE, candidate)
        if refused is not None:
            return refused
        now = self._clock.now_ms()
        draft = admit.draft(candidate, mail_id(now), now)
        return self._commit.submit(
            draft,
            quota=daily_quota(account, self._config),
            hold_over_quota=holds(account, self._config),
            caps=login.caps,
        )

    def refused(
        self,
        refused: Refused,
        *,
        login: Credential | None,
        username: str,
        client: str,
        envelope: Envelope | None,
        header: bytes,
    ) -> None:
        self._refusals.add(
            refused,
            client=client,
            account_id=login.account_id if login is not None else "",
            credential=login.username if login is not None else username,
            envelope=envelope,
            header_from=admit.shown_from(header) if header else "",
        )

    def _known(self, login: Credential, client: str) -> _Sender | Refused | None:
        """Who sends, as it is now: what an SMTP user may do changes while its connections are open. None: something of it
        has to be read."""
        renewed = self._directory.known_credential(login, client)
        if renewed is None or isinstance(renewed, Refused):
            return renewed
        account = self._directory.known(login.account_id)
        return None if account is None else _Sender(renewed, account)

    async def _read(self, login: Credential, client: str) -> _Sender | Refused:
        """Raises StorageUnavailableError."""
        found = self._directory.account(login.account_id)
        account = await found if isawaitable(found) else found
        renewed = await self._directory.read_credential(login, client)
        if isinstance(renewed, Refused):
            return renewed
        return Refused(refusals.LOGIN_REVOKED) if account is None else _Sender(renewed, account)

    def _used(self, account: AccountState) -> int | None:
        """Today's count as far as it matters: 0 where nothing is limited, None when it has to be read."""
        if daily_quota(account, self._config) is None or holds(account, self._config):
            return 0
        return self._usage.known(account.id, day_number(self._clock.now_ms()))

    def _within_quota(self, account: AccountState) -> Refused | None:
        quota, used = daily_quota(account, self._config), self._used(account)
        if quota is None or used is None or used < quota:
            return None
        return quota_refusal(quota, used, self._clock.now_ms())

    def _within_caps(self, login: Credential) -> Refused | None:
        now = self._clock.now_ms()
        for cap in login.caps:
            used = self._usage.known_capped(cap.counter(now))
            if used >= cap.most:
                return cap.refusal(used, now)
        return None

    def _within_rate(self, account: AccountState) -> Refused | Pace:
        most = entitlements(account, self._config).messages_per_minute
        pace = self._rate.take(account.id, most, self._clock.monotonic())
        if not pace.refuse_for:
            return pace
        facts = {"limit": str(most), "seconds": str(pace.refuse_for)}
        return Refused(refusals.RATE_LIMIT, facts)
