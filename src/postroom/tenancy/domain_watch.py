"""The daily look at the records of verified domains, and what their owners are told of it."""

from __future__ import annotations

import asyncio

import structlog

from postroom.errors import NotFoundError, PostroomError, StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import accounts, users, verification
from postroom.tenancy.verification import Checked, Verifier
from postroom.types.actor import SYSTEM
from postroom.types.notices import DomainCheckFailed, DomainRestored, Notice, SystemMail
from postroom.types.permissions import Role

EVERY = 300.0
"""Seconds between two looks for domains that are due."""
AT_ONCE, MOST = 10, 500
"""Domains whose records are looked up at the same time, and in one run."""
TOLD = 20
"""Admins of an account that get a notice."""

log = structlog.get_logger(__name__)


class DomainWatch:
    """`every`: seconds between two checks of one domain. Several nodes may watch: only one of them changes something,
    and that one tells it."""

    def __init__(self, tools: Verifier, mail: SystemMail, clock: Clock, *, every: float) -> None:
        self._tools = tools
        self._mail = mail
        self._clock = clock
        self._every = every

    async def run_once(self) -> None:
        before = self._clock.now_ms() - round(self._every * 1000)
        async with self._tools.db.read() as connection:
            due = await store.due(connection, before, MOST)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(domain: Domain) -> None:
            async with gate:
                await self._check(domain)

        await asyncio.gather(*(one(domain) for domain in due))

    async def _check(self, domain: Domain) -> None:
        try:
            checked = await verification.check(self._tools, domain.id, by=SYSTEM)
        except NotFoundError:
            return  # deleted meanwhile
        await tell(self._tools, self._mail, checked)


async def tell(tools: Verifier, mail: SystemMail, checked: Checked) -> None:
    """Write to the Admins of the account when a domain begins to fail, and when it is restored."""
    domain = checked.domain
    if not checked.began_to_fail and not checked.restored:
        return
    log.warning("domain check", domain=domain.name, restored=checked.restored)
    account = await accounts.get(tools.db, domain.account_id)
    for to in await admins(tools.db, domain.account_id):
        notice: Notice = DomainRestored(to, account.name, domain.name)
        if checked.began_to_fail:
            notice = _failed(tools, mail, checked, to, account.name)
        try:
            await mail.send(notice)
        except StorageUnavailableError:
            raise
        except PostroomError as error:
            log.warning("a notice could not be sent", domain=domain.name, error=str(error))


def pauses_at(domain: Domain, grace: float) -> int | None:
    """When sending is paused if nothing is mended, in milliseconds; None while all is well."""
    return None if domain.failing_since is None else domain.failing_since + round(grace * 1000)


def _failed(tools: Verifier, mail: SystemMail, checked: Checked, to: str, account: str) -> Notice:
    domain = checked.domain
    problems = tuple(f"{one.record}: {one.mend}" for one in checked.looked.findings if one.required)
    at = pauses_at(domain, tools.grace)
    assert at is not None, "a domain that does not fail"
    return DomainCheckFailed(to, account, domain.name, problems, at, mail.link(f"/domains/{domain.id}"))


async def admins(db: Database, account_id: str) -> list[str]:
    """The addresses of those who get the notices of an account."""
    async with db.read() as connection:
        members = await users.page(connection, account_id, offset=0, limit=1000)
    return [one.user.email for one in members if one.membership.role == Role.ADMIN][:TOLD]
