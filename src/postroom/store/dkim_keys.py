"""The keys that sign a domain's mail. Private keys are sealed before they come here."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import columns, every, first, values
from postroom.store.schema import dkim_keys, domains


@dataclass(frozen=True, slots=True)
class DkimKey:
    """`private_key` is PKCS 8, sealed; `public_key` is base64 as it stands in DNS after `p=`."""

    id: str
    account_id: str
    domain_id: str
    selector: str
    algorithm: str
    private_key: bytes = field(repr=False)
    public_key: str
    active: bool
    created_at: int


_ALL = select(*columns(DkimKey, dkim_keys))


async def add(connection: AsyncConnection, key: DkimKey) -> None:
    await connection.execute(insert(dkim_keys).values(values(key)))
    await installation.bump(connection)


async def of_domain(connection: AsyncConnection, domain_id: str) -> list[DkimKey]:
    statement = _ALL.where(dkim_keys.c.domain_id == domain_id).order_by(dkim_keys.c.selector)
    return await every(connection, DkimKey, statement)


async def active(connection: AsyncConnection, domain_name: str) -> DkimKey | None:
    """The key that signs for the verified domain of this name."""
    verified = (domains.c.name == domain_name, domains.c.verified_at.is_not(None))
    owner = select(domains.c.id).where(*verified).scalar_subquery()
    return await first(connection, DkimKey, _ALL.where(dkim_keys.c.domain_id == owner, dkim_keys.c.active))
