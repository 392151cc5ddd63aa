"""Suppression lists: addresses an account must not send to, all of it or one of its domains.

Unsubscribing takes somebody off newsletters, not off receipts: unless an entry says otherwise, unsubscribes count for
the broadcast stream only, everything else for all mail. On the blocklist `*` in an address stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts, recipients
from postroom.store import suppressions as store
from postroom.store.database import Database
from postroom.store.recipients import Recipient, recipient_id
from postroom.store.suppressions import Listed, Suppression
from postroom.tenancy import audit, domains
from postroom.types.actor import Actor
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.draft import Stream
from postroom.types.suppression import SuppressionList

LISTS = tuple(SuppressionList)
EVERY_STREAM = ""
MOST_PATTERNS = 1000
"""Of one account: each is tried on each of its recipients."""
LONGEST_PATTERN = 320


@dataclass(frozen=True, slots=True)
class Terms:
    """What the entries of one call have in common.

    `domain` (name or id) restricts them to one domain, `stream` to one stream ("": all mail; None: what is usual for the
    list). `expires_at` in milliseconds ends them.
    """

    on: str = SuppressionList.BLOCKLIST
    reason: str = ""
    domain: str | None = None
    stream: str | None = None
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
    by: Actor,
) -> Suppression:
    """Put an address, or a pattern, on a list; see `Terms`. Raises ConflictError when it is on it, and what `put`
    raises."""
    exact, patterns = ([], [address]) if pattern else ([address], [])
    [entry], new = await _put(db, account_id, exact, patterns, Terms(on, reason, domain, stream), by)
    if not new:
        raise ConflictError(f"{entry.address} is on {entry.list} already")
    return entry


async def put(
    db: Database,
    account_id: str,
    addresses: Sequence[str],
    terms: Terms,
    *,
    patterns: Sequence[str] = (),
    by: Actor,
) -> list[Suppression]:
    """The entries for these addresses and then for these patterns, in their order: new ones, or those that were there.

    Raises NotFoundError for an account or a domain that is not there, PostroomError for anything wrong; then nothing is
    added.
    """
    entries, _ = await _put(db, account_id, addresses, patterns, terms, by)
    return entries


async def list_all(db: Database, account_id: str, *, after: str = "", limit: int = 100) -> list[Suppression]:
    """A page in order of ids, those behind `after`."""
    async with db.read() as connection:
        return await store.page(connection, account_id, after=after, limit=limit)


async def remove(db: Database, account_id: str, address: str, *, by: Actor) -> int:
    """Take an address or a pattern off all lists of the account and its domains; from how many.

    Raises NotFoundError when it was on none.
    """
    folded = folded_pattern(address) if "*" in address else folded_address(address)
    async with db.write() as connection:
        count = await store.remove(connection, account_id, folded)
        if not count:
            raise NotFoundError(f"{address} is on no suppression list")
        before = {"addresses": [folded], "lists": count}
        await _record(connection, by, "deleted", account_id, folded, before=before)
    return count


async def clear(db: Database, listed: Listed, entry_ids: Sequence[str] | None, *, by: Actor) -> list[str]:
    """Take the entries with these ids off a list, None: all of them. Those ids that are not on it; then nothing is
    changed."""
    async with db.write() as connection:
        if entry_ids is None:
            count = await store.clear(connection, listed)
            told: dict[str, object] = {"entries": count}
        else:
            found = {entry.id: entry for entry in await store.load(connection, listed, entry_ids)}
            missing = [entry_id for entry_id in entry_ids if entry_id not in found]
            if missing:
                return missing
            count = await store.clear(connection, listed, found)
            told = {"addresses": [entry.address for entry in found.values()]}
        if count:
            domain_ids = None if listed.domains is None else sorted(listed.domains)
            before = {"list": listed.on, "domains": domain_ids, **told}
            await _record(connection, by, "deleted", listed.account_id, listed.on, before=before)
    return []


def folded_address(address: str) -> str:
    """The exact form in which accept looks addresses up: the local part keeps its case, the domain is folded.

    Raises PostroomError.
    """
    address = address.strip()
    try:
        return str(parse_mailbox(address))
    except AddressError as error:
        raise PostroomError(f"{address!r} is no email address: {error}") from None


def folded_pattern(pattern: str) -> str:
    """`.*` is taken for `*`: customers of other services write their patterns that way. Raises PostroomError."""
    local, _, domain = pattern.strip().replace(".*", "*").rpartition("@")
    folded = re.sub(r"\*+", "*", f"{local}@{domain.lower()}")
    if not local or len(folded) > LONGEST_PATTERN or not folded.isprintable() or not folded.strip("*@."):
        raise PostroomError(f"{pattern[:50]!r} is no pattern; write it like *@example.com")
    return folded


async def _put(
    db: Database,
    account_id: str,
    addresses: Iterable[str],
    patterns: Iterable[str],
    terms: Terms,
    by: Actor,
) -> tuple[list[Suppression], list[Suppression]]:
    """All the entries, and those that are new."""
    exact = dict.fromkeys((folded_address(address) for address in addresses), False)
    wanted = exact | dict.fromkeys(map(folded_pattern, patterns), True)
    listed, stream = _list(terms, patterns=len(wanted) > len(exact)), _stream(terms)
    now = Clock().now_ms()
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        domain_id = await domains.owned_id(connection, account_id, terms.domain)
        named = [
            entry
            for entry in await store.of_addresses(connection, account_id, list(wanted))
            if (entry.list, entry.domain_id) == (listed, domain_id)
        ]
        there = {entry.address: entry for entry in named if not _over(entry, now)}
        if len(there) < len(named):  # nobody has swept them out yet
            over = [entry.id for entry in named if _over(entry, now)]
            await store.clear(connection, Listed(account_id, listed), over)
        new = [
            Suppression(
                account_id=account_id,
                id=ids.mail_id(now),
                domain_id=domain_id,
                list=listed.value,
                address=address,
                reason=terms.reason,
                created_at=now,
                pattern=pattern,
                stream=stream,
                expires_at=terms.expires_at,
            )
            for address, pattern in wanted.items()
            if address not in there
        ]
        await _add(connection, new, by)
    there |= {entry.address: entry for entry in new}
    return [there[address] for address in wanted], new


def _over(entry: Suppression, now: int) -> bool:
    return entry.expires_at is not None and entry.expires_at <= now


async def _add(connection: AsyncConnection, new: list[Suppression], by: Actor) -> None:
    """With a recipient for each address of a domain, and an entry in the audit log for all of them."""
    if not new:
        return
    of = new[0]
    patterns = sum(entry.pattern for entry in new)
    if patterns and patterns + await store.patterns(connection, of.account_id) > MOST_PATTERNS:
        raise PostroomError(f"an account may have at most {MOST_PATTERNS} patterns")
    await store.add(connection, new)
    known = [_recipient(entry, entry.domain_id) for entry in new if entry.domain_id and not entry.pattern]
    await recipients.put(connection, sorted(known, key=lambda one: one.id))
    after = {
        "list": of.list,
        "domain_id": of.domain_id,
        "stream": of.stream,
        "reason": of.reason,
        "expires_at": of.expires_at,
        "addresses": [entry.address for entry in new],
    }
    name = of.address if len(new) == 1 else of.list
    await _record(connection, by, "created", of.account_id, name, after=after)


def _recipient(entry: Suppression, domain_id: str) -> Recipient:
    return Recipient(
        account_id=entry.account_id,
        id=recipient_id(entry.account_id, domain_id, entry.address),
        domain_id=domain_id,
        email=entry.address,
        created_at=entry.created_at,
        updated_at=entry.created_at,
    )


async def _record(
    connection: AsyncConnection, by: Actor, verb: str, account_id: str, name: str, **change: Any
) -> None:
    await audit.record(connection, by, f"suppression.{verb}", account_id=account_id, name=name, **change)


def _list(terms: Terms, *, patterns: bool) -> SuppressionList:
    if terms.on not in LISTS:
        raise PostroomError(f"{terms.on!r} is no suppression list; choose one of {', '.join(LISTS)}")
    if patterns and terms.on != SuppressionList.BLOCKLIST:
        raise PostroomError("patterns are for the blocklist")
    return SuppressionList(terms.on)


def _stream(terms: Terms) -> str:
    if terms.stream is None:
        return Stream.BROADCAST.value if terms.on == SuppressionList.UNSUBSCRIBES else EVERY_STREAM
    if terms.stream not in (EVERY_STREAM, *Stream):
        raise PostroomError(f"{terms.stream!r} is no stream; choose one of {', '.join(Stream)}")
    return terms.stream
