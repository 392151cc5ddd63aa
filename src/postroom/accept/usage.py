"""What this node knows of today's counts, for the early answer at MAIL.

The commit decides exactly; this only spares a client that is over its quota from sending the whole message first.
"""

from __future__ import annotations

from postroom.store import quota_days
from postroom.store.database import Database


class Usage:
    """`count` hears from the commit, `known` answers from memory, `load` asks the database once a day and account.

    The day is the one that was asked for last: somebody may have set the clock back (Q07).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._day = 0
        self._used: dict[str, int] = {}

    def count(self, day: int, used: dict[str, int]) -> None:
        if day == self._day:
            self._used.update(used)

    def known(self, account_id: str, day: int) -> int | None:
        self._turn(day)
        return self._used.get(account_id)

    async def load(self, account_id: str, day: int) -> int:
        async with self._database.read() as connection:
            used = await quota_days.used(connection, account_id, day)
        self._turn(day)
        self.count(day, {account_id: max(used, self._used.get(account_id, 0))})
        return used

    def _turn(self, day: int) -> None:
        if day != self._day:
            self._day = day
            self._used.clear()
