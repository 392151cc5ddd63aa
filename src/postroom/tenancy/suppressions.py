"""Suppression lists: addresses an account must not send to, all of it or one of its domains.

Unsubscribing takes somebody off newsletters, not off receipts: unless an entry says otherwise, unsubscribes count for
the broadcast stream only, everything else for all mail. On the blocklist `*` in an address stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts
from postroom.store import suppressions as store
from postroom.store.database import Database
from postroom.store.suppressions import Suppression
from postroom.tenancy import domains
from postroom.types.draft import Stream
from postroom.types.suppression import SuppressionList
from postroom.wire.smtp.address import AddressError, parse_mailbox

LISTS = tuple(SuppressionList)
EVERY_STREAM = ""
MOST_PATTERNS = 1000
"""Of one account: each is tried on each of its recipients."""
LONGEST_PATTERN = 320


@dataclass(frozen=True, slots=True)
class Terms:
    """What the entries of one call have in common.

    `domain` (name or id) restricts them to one domain, `stream` to one stream ("": all mail; None: what is usual for the
    list). `pattern`: `*` stands for anything. `expires_at` in milliseconds ends them.
    """

    on: str = SuppressionList.BLOCKLIST
    reason: str = ""
    domain: str | None = None
    stream: str | None = None
    pattern: bool = False
    expires_at: int | None = None


async def add(
    db: Database,
    account_id: str,
    address: str,
    *,
    on: str = SuppressionList.BLOCKLIST,
    reason: str = "",
    domain: str | None = None,
    stream: str | None = None,
    pattern: bool = False,
) -> Suppression:
    """Put an address on a list; see `Terms`. Raises ConflictError when it is on it, and what `put` raises."""
    terms = Terms(on, reason, domain, stream, pattern)
    [entry], new = await _put(db, account_id, [address], terms)
    if not new:
        raise ConflictError(f"{entry.address} is on {entry.list} already")
    return entry


async def put(db: Database, account_id: str, addresses: Sequence[str], terms: Terms) -> list[Suppression]:
    """The entries for these addresses, in their order: new ones, or those that were there.

    Raises NotFoundError for an account or a domain that is not there, PostroomError for anything wrong; then nothing is
    added.
    """
    entries, _ = await _put(db, account_id, addresses, terms)
    return entries


async def list_all(db: Database, account_id: str, *, after: str = "", limit: int = 100) -> list[Suppression]:
    """A page in order of ids, those behind `after`."""
    async with db.read() as connection:
        return await store.page(connection, account_id, after=after, limit=limit)


async def remove(db: Database, account_id: str, address: str) -> int:
    """Take an address or a pattern off all lists of the account and its domains; from how many.

    Raises NotFoundError when it was on none.
    """
    folded = _folded(address, pattern="*" in address)
    async with db.write() as connection:
        count = await store.remove(connection, account_id, folded)
    if not count:
        raise NotFoundError(f"{address} is on no suppression list")
    return count


async def _put(
    db: Database, account_id: str, addresses: Sequence[str], terms: Terms
) -> tuple[list[Suppression], list[Suppression]]:
    """All the entries, and those that are new."""
    listed, stream = _list(terms), _stream(terms)
    wanted = list(dict.fromkeys(_folded(address, pattern=terms.pattern) for address in addresses))
    now = Clock().now_ms()
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        domain_id = await domains.owned_id(connection, account_id, terms.domain)
        there = {
            entry.address: entry
            for entry in await store.of_addresses(connection, account_id, wanted)
            if (entry.list, entry.domain_id) == (listed, domain_id)
        }
        new = [
            Suppression(
                account_id=account_id,
                id=ids.mail_id(now),
                domain_id=domain_id,
                list=listed.value,
                address=address,
                reason=terms.reason,
                created_at=now,
                pattern=terms.pattern,
                stream=stream,
                expires_at=terms.expires_at,
            )
            for address in wanted
            if address not in there
        ]
        if terms.pattern and len(new) + await store.patterns(connection, account_id) > MOST_PATTERNS:
            raise PostroomError(f"an account may have at most {MOST_PATTERNS} patterns")
        await store.add(connection, new)
    there |= {entry.address: entry for entry in new}
    return [there[address] for address in wanted], new


def _list(terms: Terms) -> SuppressionList:
    if terms.on not in LISTS:
        raise PostroomError(f"{terms.on!r} is no suppression list; choose one of {', '.join(LISTS)}")
    if terms.pattern and terms.on != SuppressionList.BLOCKLIST:
        raise PostroomError("patterns are for the blocklist")
    return SuppressionList(terms.on)


def _stream(terms: Terms) -> str:
    if terms.stream is None:
        return Stream.BROADCAST.value if terms.on == SuppressionList.UNSUBSCRIBES else EVERY_STREAM
    if terms.stream not in (EVERY_STREAM, *Stream):
        raise PostroomError(f"{terms.stream!r} is no stream; choose one of {', '.join(Stream)}")
    return terms.stream


def _folded(address: str, *, pattern: bool = False) -> str:
    """The exact form in which accept looks addresses up: the local part keeps its case, the domain is folded."""
    address = address.strip()
    if pattern:
        return _folded_pattern(address)
    try:
        return str(parse_mailbox(address))
    except AddressError as error:
        raise PostroomError(f"{address!r} is no email address: {error}") from None


def _folded_pattern(pattern: str) -> str:
    """`.*` is taken for `*`: customers of other services write their patterns that way."""
    local, _, domain = pattern.replace(".*", "*").rpartition("@")
    folded = re.sub(r"\*+", "*", f"{local}@{domain.lower()}")
    if not local or len(folded) > LONGEST_PATTERN or not folded.isprintable() or not folded.strip("*@."):
        raise PostroomError(f"{pattern[:50]!r} is no pattern; write it like *@example.com")
    return folded
