"""Who is concerned by a request of an account is told of it: the operator of a new one, the Admins of a decision.

A request says itself whether that was done (`told_at`), once the letters are kept. Each is one of a kind
(`SystemMail.send`): several nodes may look, and a process may end before it has noted what it told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from postroom.config import Config
from postroom.errors import PostroomError, StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import account_requests as store
from postroom.store import accounts
from postroom.store.account_requests import SUBMITTED, AccountRequest
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.tenancy import domain_watch
from postroom.tenancy.account_requests import APPROVED, Kind, answers_of
from postroom.tenancy.approvals import QUESTIONS
from postroom.tenancy.quotas import quota_of
from postroom.types.notices import (
    ApprovalDecision,
    ApprovalRequest,
    Notice,
    QuotaDecision,
    QuotaRequest,
    SystemMail,
)

EVERY = 5.0
"""Seconds between two looks."""
MOST = 100
"""Requests in one run."""
PAGE = "/operator/requests/"
"""Where the operator decides; the id follows."""

log = structlog.get_logger(__name__)


class AccountLetters:
    def __init__(self, db: Database, mail: SystemMail, config: Config, clock: Clock) -> None:
        self._db = db
        self._mail = mail
        self._config = config
        self._clock = clock

    async def run_once(self) -> None:
        """Raises StorageUnavailableError; what was not told then is told later."""
        async with self._db.read() as connection:
            untold = await store.untold(connection, MOST)
        for request in untold:
            await self._tell(request)

    async def _tell(self, request: AccountRequest) -> None:
        async for notice in self._notices(request):
            try:
                await self._mail.send(notice, once=f"request {request.id} {request.state}")
            except StorageUnavailableError:
                raise
            except PostroomError as error:
                log.warning("a notice could not be sent", request=request.id, error=str(error))
        async with self._db.write() as connection:
            await store.tell(connection, request, self._clock.now_ms())

    async def _notices(self, request: AccountRequest) -> AsyncIterator[Notice]:
        async with self._db.read() as connection:
            account = await accounts.get(connection, request.account_id)
        if account is None:
            return
        if request.state == SUBMITTED:
            yield self._asked(request, account)
            return
        for to in await domain_watch.admins(self._db, account.id):
            yield self._decided(request, account, to)

    def _asked(self, request: AccountRequest, account: Account) -> Notice:
        answers, link = answers_of(request), self._mail.link(f"{PAGE}{request.id}")
        if request.kind == Kind.QUOTA:
            wanted, why = int(answers["daily_quota"]), str(answers["why"])
            return QuotaRequest(account.name, self._quota(account), wanted, why, link)
        told = tuple((QUESTIONS[name], str(answers[name])) for name in QUESTIONS)
        return ApprovalRequest(account.name, told, link)

    def _decided(self, request: AccountRequest, account: Account, to: str) -> Notice:
        approved = request.state == APPROVED
        if request.kind == Kind.QUOTA:
            return QuotaDecision(to, account.name, approved, self._quota(account), request.reason)
        return ApprovalDecision(to, account.name, approved, request.reason)

    def _quota(self, account: Account) -> int:
        return quota_of(account.daily_quota, account.plan, self._config) or 0
