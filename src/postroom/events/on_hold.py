"""The job that puts on hold whose server turns mail away again and again: every further try costs the sender's name.

`BOUNCES` soft bounces among the newest emails of a domain to an address, within `WITHIN`, put it on hold for that domain
for `LASTS`; then the entry is over by itself, and the next soft bounce may renew it. Only what a server was asked about
counts, not what ended here. Delivery tells of each soft bounce and waits for nothing; what a crash forgets, the next one
makes good, for the table of events is what is counted.
"""

from __future__ import annotations

from collections import defaultdict

import structlog

from postroom.errors import NotFoundError
from postroom.runtime.clock import Clock
from postroom.store import emails, events, recipients
from postroom.store.database import Database
from postroom.store.recipients import recipient_id
from postroom.tenancy import suppressions
from postroom.tenancy.suppressions import Terms
from postroom.types.actor import SYSTEM
from postroom.types.suppression import SuppressionList

DAY = 24 * 3600 * 1000
BOUNCES = 5
WITHIN, LASTS = 30 * DAY, 3 * DAY
REASON = f"{BOUNCES} soft bounces within 30 days"
EVERY = 15.0
"""Seconds between two runs. An email is looked at in the second one: then its recipient has been gathered."""
MOST = 10_000
"""Emails that wait for a run; of a greater flood the rest is left to the next bounce."""
SLICE = 100

log = structlog.get_logger()


class OnHold:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._bounced: set[tuple[str, str]] = set()
        self._ripe: set[tuple[str, str]] = set()

    def bounced(self, account_id: str, email_id: str) -> None:
        """This email has just bounced softly."""
        if len(self._bounced) < MOST:
            self._bounced.add((account_id, email_id))

    async def run_once(self) -> None:
        ripe, self._ripe, self._bounced = self._ripe, self._bounced, set()
        by_account: dict[str, list[str]] = defaultdict(list)
        for account_id, email_id in sorted(ripe):
            by_account[account_id].append(email_id)
        for account_id, email_ids in by_account.items():
            for at in range(0, len(email_ids), SLICE):
                await self._look(account_id, email_ids[at : at + SLICE])

    async def _look(self, account_id: str, email_ids: list[str]) -> None:
        async with self._database.read() as connection:
            found = await emails.details(connection, account_id, email_ids)
        by_recipient: dict[tuple[str, str], list[str]] = defaultdict(list)
        for email in found.values():
            by_recipient[email.domain_id, email.recipient].append(email.id)
        for (domain_id, address), new in by_recipient.items():
            if await self._count(account_id, domain_id, address, new) >= BOUNCES:
                await self._hold(account_id, domain_id, address)

    async def _count(self, account_id: str, domain_id: str, address: str, new: list[str]) -> int:
        """Emails of this domain to this address that have bounced softly."""
        known = recipient_id(account_id, domain_id, address)
        since = self._clock.now_ms() - WITHIN
        async with self._database.read() as connection:
            row = (await recipients.load(connection, account_id, [known])).get(known)
            newest = {*new, *(row.newest.split() if row is not None else ())}
            return await events.soft_bounced(connection, account_id, newest, since)

    async def _hold(self, account_id: str, domain_id: str, address: str) -> None:
        terms = Terms(
            SuppressionList.ON_HOLD,
            reason=REASON,
            domain=domain_id,
            expires_at=self._clock.now_ms() + LASTS,
        )
        try:
            await suppressions.put(self._database, account_id, [address], terms, by=SYSTEM)
        except NotFoundError:
            log.info("nobody is put on hold for a domain that is gone", domain=domain_id)
