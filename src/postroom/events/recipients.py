"""The job that gathers recipients from the emails that were accepted."""

from __future__ import annotations

from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import recipients as store
from postroom.store.database import Database
from postroom.store.recipients import NEWEST, Addressed, Recipient, recipient_id

EVERY = 5.0
"""Seconds between two runs."""
LAG = 5_000
"""Milliseconds that an email is left alone: its id is a little older than its row, and the next slice begins behind
it. An email whose commit takes longer still is not missed by anybody but this list."""
SLICE = 200
"""Emails of one transaction."""
PAUSE = 0.01


class Gathering:
    """`run_once` takes in what came since the last time. Any node may run it at any time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run_once(self) -> int:
        """How many emails were looked at."""
        before = ids.earliest(self._clock.now_ms() - LAG)
        async with self._database.read() as connection:
            accounts = await store.behind(connection, before)
        count = 0
        for account_id in accounts:
            count += (size := await self._slice(account_id, before))
            while size == SLICE:
                await self._clock.sleep(PAUSE)
                count += (size := await self._slice(account_id, before))
        return count

    async def _slice(self, account_id: str, before: str) -> int:
        async with self._database.write() as connection:
            after = await store.lock(connection, account_id)
            found = await store.addressed(connection, account_id, after, before, SLICE)
            if found:
                await store.put(connection, seen(account_id, found))
                await store.mark(connection, account_id, found[-1].id)
        return len(found)


def seen(account_id: str, emails: list[Addressed]) -> list[Recipient]:
    """The recipients of these emails, which are in the order of their ids. In the order of their own ids: who changes
    rows in one order never waits in a circle."""
    by_id: dict[str, list[Addressed]] = {}
    for email in emails:
        by_id.setdefault(recipient_id(account_id, email.domain_id, email.recipient), []).append(email)
    return [
        Recipient(
            account_id=account_id,
            id=id_,
            domain_id=of[0].domain_id,
            email=of[0].recipient,
            created_at=min(email.created_at for email in of),
            updated_at=max(email.created_at for email in of),
            newest=" ".join(email.id for email in of[: -NEWEST - 1 : -1]),
        )
        for id_, of in sorted(by_id.items())
    ]
