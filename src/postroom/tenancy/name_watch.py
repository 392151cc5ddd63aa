"""Whether receivers will trust the name that live mail goes out under (D17)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from postroom.errors import StorageUnavailableError
from postroom.runtime.dns import Resolver
from postroom.store import domains
from postroom.store.database import Database
from postroom.tenancy import network_checks
from postroom.tenancy.domains import LIVE
from postroom.types.check import OK

log = structlog.get_logger(__name__)


class NameWatch:
    """Looks at the name once there is a live domain, at the start or later, and says loudly what is wrong with it.

    `changed` is for the directory to call: until the first live domain is there each change is looked at.
    """

    def __init__(self, db: Database, dns: Resolver, hostname: str) -> None:
        self._db = db
        self._dns = dns
        self._hostname = hostname
        self._change = asyncio.Event()

    def changed(self) -> None:
        self._change.set()

    async def run(self) -> None:
        """Ends when the name has been looked at."""
        while not await self._sends_live():
            await self._change.wait()
            self._change.clear()
        check = await network_checks.host_name(self._hostname, self._dns)
        if check.result != OK:
            log.warning("receivers will distrust this host name", reason=check.detail, fix=check.fix)

    async def _sends_live(self) -> bool:
        with suppress(StorageUnavailableError):  # the next change is looked at, too
            async with self._db.read() as connection:
                return await domains.any_in(connection, LIVE)
        return False
