"""The submission edge's policy: joins the SMTP listener to the rules, the directory and the group commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

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
from postroom.tenancy.entries import AccountState, Credential
from postroom.tenancy.quotas import daily_quota, day_number, quota_refusal
from postroom.types import refusals
from postroom.types.draft import Content
from postroom.types.envelope import Envelope
from postroom.types.refusals import Refused

Preflight = Callable[[Credential, AccountState, Envelope, Content], Awaitable[Refused]]


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
    ) -> None:
        """`requested` hears whose message it is at the end of each one's data. `preflight` answers who wants to hear
        what would become of a message."""
        self._config = config
        self._clock = clock
        self._directory = directory
        self._usage = usage
        self._commit = commit
        self._refusals = refusal_log
        self._requested = requested
        self._preflight = preflight
        self._rate = Rate(config.limits.messages_per_minute)
        self._hold = config.limits.over_quota == "hold"

    def login(
        self, username: str, password: str, client: str
    ) -> Credential | Refused | Awaitable[Credential | Refused]:
        return self._directory.login(username, password, client)

    def mail(
        self, login: Credential, envelope: Envelope, client: str
    ) -> Refused | Pace | Awaitable[Refused | Pace]:
        """At MAIL: is the login still good, may the account send, is it within its quota and rate."""
        del envelope, client
        account = self._directory.known(login.account_id)
        if account is None or self._used(account) is None:
            return self._mail_after_reading(login)
        valid = self._directory.credential_valid(login)
        if isawaitable(valid):
            return self._mail_once_valid(account, valid)
        return self._mail(account, valid=valid)

    async def _mail_after_reading(self, login: Credential) -> Refused | Pace:
        try:
            account = await self._account(login)
            if account is not None and self._used(account) is None:
                async with asyncio.timeout(self._config.database.timeout):
                    await self._usage.load(account.id, day_number(self._clock.now_ms()))
            valid = self._directory.credential_valid(login)
            return self._mail(account, valid=await valid if isawaitable(valid) else valid)
        except (StorageUnavailableError, TimeoutError):
            return Refused(refusals.STORAGE_UNAVAILABLE)

    async def _mail_once_valid(self, account: AccountState, valid: Awaitable[bool]) -> Refused | Pace:
        return self._mail(account, valid=await valid)

    def _mail(self, account: AccountState | None, *, valid: bool) -> Refused | Pace:
        if not valid or account is None:
            return Refused(refusals.LOGIN_REVOKED)
        return (
            admit.account_state(account, self._config)
            or self._within_quota(account)
            or self._within_rate(account)
        )

    def message(
        self, login: Credential, envelope: Envelope, content: Content, client: str
    ) -> Refused | Awaitable[Answer]:
        """At the end of data: all the rules, then the durable end. Answers with the message id."""
        del client
        account = self._directory.known(login.account_id)
        if account is None:
            return self._message_after_reading(login, envelope, content)
        return self._message(login, account, envelope, content)

    async def _message_after_reading(self, login: Credential, envelope: Envelope, content: Content) -> Answer:
        try:
            account = await self._account(login)
        except StorageUnavailableError:
            return Refused(refusals.STORAGE_UNAVAILABLE)
        if account is None:
            return Refused(refusals.LOGIN_REVOKED)
        answer = self._message(login, account, envelope, content)
        return answer if isinstance(answer, Refused) else await answer

    def _message(
        self, login: Credential, account: AccountState, envelope: Envelope, content: Content
    ) -> Refused | Awaitable[Answer]:
        self._requested(account.id)
        if self._preflight is not None and admit.preflight_only(content.header):
            return self._preflight(login, account, envelope, content)
        candidate = admit.Candidate(login, account, envelope, content, self._config)
        refused = admit.run(admit.MESSAGE, candidate)
        if refused is not None:
            return refused
        now = self._clock.now_ms()
        draft = admit.draft(candidate, mail_id(now), now)
        return self._commit.submit(draft, quota=self._quota(account), hold_over_quota=self._hold)

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

    async def _account(self, login: Credential) -> AccountState | None:
        found = self._directory.account(login.account_id)
        return await found if isawaitable(found) else found

    def _quota(self, account: AccountState) -> int | None:
        return daily_quota(account, self._config.limits)

    def _used(self, account: AccountState) -> int | None:
        """Today's count as far as it matters: 0 where nothing is limited, None when it has to be read."""
        if self._quota(account) is None or self._hold:
            return 0
        return self._usage.known(account.id, day_number(self._clock.now_ms()))

    def _within_quota(self, account: AccountState) -> Refused | None:
        quota, used = self._quota(account), self._used(account)
        if quota is None or used is None or self._hold or used < quota:
            return None
        return quota_refusal(quota, used, self._clock.now_ms())

    def _within_rate(self, account: AccountState) -> Refused | Pace:
        pace = self._rate.take(account.id, self._clock.monotonic())
        if not pace.refuse_for:
            return pace
        facts = {"limit": str(self._rate.per_minute), "seconds": str(pace.refuse_for)}
        return Refused(refusals.RATE_LIMIT, facts)
