"""Suppression lists: addresses an account must not send to."""

from __future__ import annotations

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts
from postroom.store import suppressions as store
from postroom.store.database import Database
from postroom.store.suppressions import Suppression
from postroom.wire.smtp.address import AddressError, parse_mailbox

LISTS = ("blocklist", "hard_bounces", "spam_complaints", "unsubscribes", "on_hold")


async def add(
    db: Database, account_id: str, address: str, *, on: str = "blocklist", reason: str = ""
) -> Suppression:
    """Put an address on one of the account's lists. Raises ConflictError when it is on it."""
    if on not in LISTS:
        raise PostroomError(f"{on!r} is no suppression list; choose one of {', '.join(LISTS)}")
    folded, now = _folded(address), Clock().now_ms()
    suppression = Suppression(account_id, ids.mail_id(now), None, on, folded, reason, now)
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        known = await store.of_address(connection, account_id, folded)
        if any(entry.list == on and entry.domain_id is None for entry in known):
            raise ConflictError(f"{folded} is on {on} already")
        await store.add(connection, suppression)
    return suppression


async def list_all(db: Database, account_id: str, *, after: str = "", limit: int = 100) -> list[Suppression]:
    """A page in order of ids, those behind `after`."""
    async with db.read() as connection:
        return await store.page(connection, account_id, after=after, limit=limit)


async def remove(db: Database, account_id: str, address: str) -> int:
    """Take an address off all lists of the account; from how many. Raises NotFoundError when it was on none."""
    async with db.write() as connection:
        count = await store.remove(connection, account_id, _folded(address))
    if not count:
        raise NotFoundError(f"{address} is on no suppression list")
    return count


def _folded(address: str) -> str:
    """The exact form in which accept looks addresses up: the local part keeps its case, the domain is folded."""
    try:
        return str(parse_mailbox(address.strip()))
    except AddressError as error:
        raise PostroomError(f"{address!r} is no email address: {error}") from None
