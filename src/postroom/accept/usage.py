"""What this node knows of today's counts, and of those of SMTP users with a cap, for the early answer at MAIL.

The commit decides exactly; this only spares a client that is over its quota from sending the whole message first.
"""

from __future__ import annotations

from collections.abc import Mapping

from postroom.store import quota_days
from postroom.store.batches.rows import CapCounter
from postroom.store.database import Database

FORGET_AFTER = 10_000
"""Spans of SMTP users remembered at once."""


class Usage:
    """`count` and `count_capped` hear from the commit, `known` and `known_capped` answer from memory, `load` asks the
    database once a day and account. Of a capped user nothing is known before this node has had a message of it.

    The day is the one that was asked for last: somebody may have set the clock back (Q07).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._day = 0
        self._used: dict[str, int] = {}
        self._capped: dict[tuple[str, str], tuple[int, int]] = {}

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

    def count_capped(self, used: Mapping[CapCounter, int]) -> None:
        if len(self._capped) >= FORGET_AFTER:
            self._capped.clear()
        for counter, count in used.items():
            self._capped[counter.smtp_user_id, counter.span] = (counter.began_at, count)

    def known_capped(self, counter: CapCounter) -> int:
        """As far as this node knows."""
        began_at, used = self._capped.get((counter.smtp_user_id, counter.span), (0, 0))
        return used if began_at == counter.began_at else 0

    def _turn(self, day: int) -> None:
        if day != self._day:
            self._day = day
            self._used.clear()
