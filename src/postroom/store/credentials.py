"""Who sent a message, by name: SMTP users, API tokens and people have ids of one kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import within
from postroom.store.schema import memberships, smtp_users, tokens, users

Kind = Literal["smtp_user", "token", "user"]


@dataclass(frozen=True, slots=True)
class Named:
    """`name` is for people: a username, a token's name, an address."""

    id: str
    kind: Kind
    name: str


async def named(connection: AsyncConnection, account_id: str, ids: Collection[str]) -> dict[str, Named]:
    """Those of these ids that are of the account, by id. One that is gone is left out; so is a person who left."""
    smtp = select(
        smtp_users.c.id, literal("smtp_user").label("kind"), smtp_users.c.username.label("name")
    ).where(smtp_users.c.account_id == account_id, smtp_users.c.id.in_(ids))
    token = select(tokens.c.id, literal("token"), tokens.c.name).where(
        tokens.c.account_id == account_id, tokens.c.id.in_(ids)
    )
    person = (
        select(users.c.id, literal("user"), users.c.email)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.account_id == account_id, users.c.id.in_(ids))
    )
    rows = await connection.execute(union_all(smtp, token, person)) if ids else ()
    return {id_: Named(id_, kind, name) for id_, kind, name in rows}


async def of_domains(connection: AsyncConnection, account_id: str, domains: Collection[str]) -> list[str]:
    """Usernames of SMTP users, and ids of tokens, that belong to these domains: as refusals name them."""
    smtp = select(smtp_users.c.username).where(
        smtp_users.c.account_id == account_id, within(smtp_users.c.domain_id, domains)
    )
    token = select(tokens.c.id).where(tokens.c.account_id == account_id, within(tokens.c.domain_id, domains))
    return list(await connection.scalars(union_all(smtp, token)))


async def accounts_of(connection: AsyncConnection, usernames: Collection[str]) -> dict[str, str]:
    """The accounts of those usernames (in lower case) that there are."""
    columns = (smtp_users.c.username, smtp_users.c.account_id)
    rows = await connection.execute(select(*columns).where(smtp_users.c.username.in_(usernames)))
    return {row.username: row.account_id for row in rows}


async def there_is_one(connection: AsyncConnection, account_id: str) -> bool:
    """Whether any program can send for the account: it has an SMTP user or a token."""
    first = [
        select(table.c.id).where(table.c.account_id == account_id).limit(1) for table in (smtp_users, tokens)
    ]
    return any([await connection.scalar(statement) is not None for statement in first])
