"""The Admins of an account are told when 80 and 100 % of its daily quota are used up, once a day each.

Each letter is one of a kind, and kept with its key in one transaction (`SystemMail.send`): several nodes may tell the
same, and a process may end before it has noted what it told. The note only spares the next look the work.
"""

from __future__ import annotations

import structlog

from postroom.config import Config
from postroom.errors import PostroomError, StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import accounts, quota_days
from postroom.store.accounts import Used
from postroom.store.database import Database
from postroom.tenancy import domain_watch
from postroom.tenancy.entitlements import of_plan
from postroom.tenancy.quotas import day_number, quota_of
from postroom.types.notices import QuotaNotice, SystemMail

EVERY = 30.0
"""Seconds between two looks."""
MOST = 500
"""Accounts in one read."""
NEARLY, ALL = 80, 100
"""Percent."""

log = structlog.get_logger(__name__)


class QuotaWatch:
    def __init__(self, db: Database, mail: SystemMail, config: Config, clock: Clock) -> None:
        self._db = db
        self._mail = mail
        self._config = config
        self._clock = clock

    async def run_once(self) -> None:
        day, after = day_number(self._clock.now_ms()), ""
        async with self._db.read() as connection:
            noted = await quota_days.noted(connection, day)
        while True:
            async with self._db.read() as connection:
                found = await accounts.used_on(connection, day, after=after, limit=MOST)
            for used in found:
                percent = self._reached(used)
                if percent and (used.account.id, percent) not in noted:
                    await self._tell(used, day, percent)
            if len(found) < MOST:
                return
            after = found[-1].account.id

    def _reached(self, used: Used) -> int:
        """0: nothing to tell."""
        quota = quota_of(used.account.daily_quota, used.account.plan, self._config)
        if quota is None:
            return 0
        if used.emails * 100 < quota * NEARLY:
            return 0
        return ALL if used.emails >= quota or used.ahead else NEARLY  # the rest was too little for a message

    async def _tell(self, used: Used, day: int, percent: int) -> None:
        account = used.account
        quota = quota_of(account.daily_quota, account.plan, self._config) or 0
        held = of_plan(account.plan, self._config).over_quota == "hold"
        for to in await domain_watch.admins(self._db, account.id):
            try:
                notice = QuotaNotice(to, account.name, percent, quota, held)
                await self._mail.send(notice, once=f"quota {account.id} {day} {percent}")
            except StorageUnavailableError:
                raise
            except PostroomError as error:
                log.warning("a notice could not be sent", account=account.id, error=str(error))
        async with self._db.write() as connection:
            await quota_days.note(connection, account.id, day, percent)
