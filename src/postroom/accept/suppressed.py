"""Suppressed recipients told at RCPT, to SMTP users that are set to refuse them.

The commit decides again, for all: then the domain and the stream are known, and nobody gets on a list in between.
"""

from __future__ import annotations

import asyncio

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import suppressions
from postroom.store.database import Database
from postroom.tenancy.entries import AccountState, Credential, DomainInfo
from postroom.types import refusals
from postroom.types.envelope import Address
from postroom.types.refusals import Refused
from postroom.types.suppression import Suppressed


class SuppressedRecipients:
    """Asks the database for each recipient; nobody else's mail waits for that."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def refusal(self, login: Credential, account: AccountState, address: Address) -> Refused | None:
        """RECIPIENT_SUPPRESSED when the address is suppressed in the SMTP user's stream whichever of its domains the
        message will be from, STORAGE_UNAVAILABLE when nobody can tell."""
        recipient = str(address)
        try:
            async with asyncio.timeout(self._database.timeout), self._database.read() as connection:
                rows = await suppressions.suppressing(connection, [(account.id, recipient)])
        except (StorageUnavailableError, TimeoutError):
            return Refused(refusals.STORAGE_UNAVAILABLE)
        if not rows:
            return None
        suppressed, stream = Suppressed(rows, self._clock.now_ms()), login.stream.value
        domains = _senders(login, account)
        hits = [suppressed.lists(account.id, recipient, domain.id, stream) for domain in domains]
        if not domains or not all(hits):
            return None
        return Refused(refusals.RECIPIENT_SUPPRESSED, {"address": recipient, "reason": hits[0][0].reason})


def _senders(login: Credential, account: AccountState) -> list[DomainInfo]:
    """The domains that its mail may be from."""
    allowed = login.from_domains
    return [
        domain
        for domain in account.by_id.values()
        if allowed is None or account.lies_under(domain.name, allowed)
    ]
