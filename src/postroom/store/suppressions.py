"""Addresses an account must not send to. The hot path asks about many at once, in its own transactions (`batches`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import among, changed, columns, every, is_sqlite, values, within
from postroom.store.schema import suppressions
from postroom.types.suppression import Suppressing


@dataclass(frozen=True, slots=True)
class Suppression:
    """`domain_id` None: for the whole account; `list` names the list it is on; `stream` "": all mail.

    `pattern`: `*` in `address` stands for anything. `expires_at` None: until somebody takes it away.
    """

    account_id: str
    id: str
    domain_id: str | None
    list: str
    address: str
    reason: str
    created_at: int
    pattern: bool = False
    stream: str = ""
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What is on one of the lists; `domains`: only what is for these, None: everything of the account."""

    account_id: str
    on: str
    domains: Collection[str] | None = None

    def which(self) -> list[ColumnElement[bool]]:
        mine = (suppressions.c.account_id == self.account_id, suppressions.c.list == self.on)
        return [*mine, within(suppressions.c.domain_id, self.domains)]


_ALL = select(*columns(Suppression, suppressions))
_SUPPRESSING = select(*(suppressions.c[name] for name in Suppressing._fields))


async def add(connection: AsyncConnection, new: Sequence[Suppression]) -> None:
    """Add those that are not there yet, all of one account: an address is on a list once for the account and once for
    each domain.

    A claim that is under way is waited for: what is claimed after this has committed is not sent (X05). The caches
    only remember who has any at all, so they need to hear of an account's first one alone.
    """
    if not new:
        return
    await installation.lock(connection, lock_name(new[0].account_id))
    first = not await any_of(connection, new[0].account_id)
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    rows = [values(suppression) for suppression in new]
    await connection.execute(insert(suppressions).on_conflict_do_nothing(), rows)
    if first:
        await installation.bump(connection)


def lock_name(account_id: str) -> str:
    """Held by who adds to an account's suppressions, and shared by those who claim its mail."""
    return f"suppressions {account_id}"


async def any_of(connection: AsyncConnection, account_id: str) -> bool:
    """Whether anything of this account is suppressed."""
    some = select(suppressions.c.id).where(suppressions.c.account_id == account_id).limit(1)
    return await connection.scalar(some) is not None


async def patterns(connection: AsyncConnection, account_id: str) -> int:
    """How many patterns an account has."""
    mine = (suppressions.c.account_id == account_id, suppressions.c.pattern)
    return int(await connection.scalar(select(func.count()).select_from(suppressions).where(*mine)) or 0)


async def suppressing(connection: AsyncConnection, pairs: Sequence[tuple[str, str]]) -> list[Suppressing]:
    """The entries for these (account id, address) pairs, and all patterns of these accounts."""
    exact = among(connection, pairs, suppressions.c.account_id, suppressions.c.address)
    accounts = suppressions.c.account_id.in_({account_id for account_id, _ in pairs})
    statement = union_all(
        _SUPPRESSING.where(~suppressions.c.pattern, exact),
        _SUPPRESSING.where(suppressions.c.pattern, accounts),
    )
    return [Suppressing(*row) for row in await connection.execute(statement)]


async def of_addresses(
    connection: AsyncConnection, account_id: str, addresses: Sequence[str]
) -> list[Suppression]:
    """The entries that name these addresses or patterns, on all lists, for the account and for its domains."""
    pairs = [(account_id, address) for address in addresses]
    which = among(connection, pairs, suppressions.c.account_id, suppressions.c.address)
    return await every(connection, Suppression, _ALL.where(which))


async def page(
    connection: AsyncConnection, account_id: str, *, after: str = "", limit: int = 100
) -> list[Suppression]:
    """In order of their ids, those behind `after`."""
    which = (suppressions.c.account_id == account_id, suppressions.c.id > after)
    return await every(connection, Suppression, _ALL.where(*which).order_by(suppressions.c.id).limit(limit))


async def newest(
    connection: AsyncConnection,
    listed: Listed,
    now: int,
    *,
    search: str = "",
    older_than: str | None = None,
    offset: int = 0,
    limit: int,
) -> list[Suppression]:
    """What is on a list and not over yet, the newest first; with `search` a part of its address in any case.

    `older_than` is the id of an entry, which itself is not among them.
    """
    which = [*listed.which(), or_(suppressions.c.expires_at.is_(None), suppressions.c.expires_at > now)]
    if search:
        which.append(func.lower(suppressions.c.address).contains(search.lower(), autoescape=True))
    if older_than is not None:
        which.append(suppressions.c.id < older_than)
    statement = _ALL.where(*which).order_by(suppressions.c.id.desc())
    return await every(connection, Suppression, statement.offset(offset).limit(limit))


async def load(connection: AsyncConnection, listed: Listed, ids: Collection[str]) -> list[Suppression]:
    """Those on a list with these ids."""
    which = (*listed.which(), suppressions.c.id.in_(sorted(set(ids))))
    return await every(connection, Suppression, _ALL.where(*which))


async def clear(connection: AsyncConnection, listed: Listed, ids: Collection[str] | None = None) -> int:
    """Take those with these ids off a list, None: all; how many were on it. The caches may go on asking."""
    which = (*listed.which(), within(suppressions.c.id, ids))
    return await changed(connection, delete(suppressions).where(*which))


async def remove(connection: AsyncConnection, account_id: str, address: str) -> int:
    """Take an address off every list of the account; from how many. The caches may go on asking."""
    which = (suppressions.c.account_id == account_id, suppressions.c.address == address)
    return await changed(connection, delete(suppressions).where(*which))
