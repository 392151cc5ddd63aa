"""The daily look at the domains of verified sender identities: a policy that appears later is told.

Mail goes on: the account decides. What stands against it is shown with the identity, and the Admins get a mail once.
"""

from __future__ import annotations

import asyncio

import structlog

from postroom.errors import PostroomError, StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.store import accounts
from postroom.store import sender_identities as store
from postroom.store.database import Database
from postroom.store.sender_identities import SenderIdentity
from postroom.tenancy import audit, domain_watch, identity_rules
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.notices import IdentityProblem, SystemMail

EVERY = 300.0
"""Seconds between two looks for identities that are due."""
AT_ONCE, MOST = 10, 500
"""Whose policies are looked up at the same time, and in one run."""

log = structlog.get_logger(__name__)


class IdentityWatch:
    """`every`: seconds between two checks of one identity. Several nodes may watch: only one of them notes a change, and
    that one tells it."""

    def __init__(
        self, db: Database, resolver: Resolver, mail: SystemMail, clock: Clock, *, every: float
    ) -> None:
        self._db = db
        self._resolver = resolver
        self._mail = mail
        self._clock = clock
        self._every = every

    async def run_once(self) -> None:
        before = self._clock.now_ms() - round(self._every * 1000)
        async with self._db.read() as connection:
            due = await store.due(connection, before, MOST)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(identity: SenderIdentity) -> None:
            async with gate:
                await self._check(identity)

        await asyncio.gather(*(one(identity) for identity in due))

    async def _check(self, identity: SenderIdentity) -> None:
        domain = identity.email.rpartition("@")[2]
        refused = await identity_rules.refusal(self._db, self._resolver, identity.account_id, domain)
        unknown = refused is not None and refused.rule is refusals.IDENTITY_POLICY_UNKNOWN
        problem = identity.problem if unknown else "" if refused is None else refused.text
        if await self._note(identity, problem) and problem:
            await self._tell(identity, problem)

    async def _note(self, identity: SenderIdentity, problem: str) -> bool:
        """Whether it is another one than before."""
        async with self._db.write() as connection:
            before = await store.lock(connection, identity.account_id, identity.id)
            if before is None or before.verified_at is None:
                return False  # deleted meanwhile
            at = self._clock.now_ms()
            await store.note_check(connection, before.account_id, before.id, problem=problem, checked_at=at)
            if before.problem == problem:
                return False
            await audit.record(
                connection,
                SYSTEM,
                "sender_identity.checked",
                account_id=before.account_id,
                object_id=before.id,
                name=before.email,
                before={"problem": before.problem},
                after={"problem": problem},
            )
        return True

    async def _tell(self, identity: SenderIdentity, problem: str) -> None:
        """To the Admins of the account."""
        log.warning("sender identity", address=identity.email, problem=problem)
        async with self._db.read() as connection:
            account = await accounts.get(connection, identity.account_id)
        name = "" if account is None else account.name
        for to in await domain_watch.admins(self._db, identity.account_id):
            try:
                await self._mail.send(IdentityProblem(to, name, identity.email, problem))
            except StorageUnavailableError:
                raise
            except PostroomError as error:
                log.warning("a notice could not be sent", address=identity.email, error=str(error))
