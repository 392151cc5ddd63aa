"""API tokens: 256 random bits with a prefix by which people and scanners know them. The token is shown once.

Whoever may hand out what is `token_reach`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts, installation
from postroom.store import tokens as store
from postroom.store.database import Database
from postroom.store.tokens import Token
from postroom.tenancy import audit, domains, passwords
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope

PREFIX = "mlsn."
SHAPE = re.compile(r"mlsn\.[0-9a-f]{64}")
"""Whatever looks different is no token; the database need not be asked."""
LONGEST_NAME = 50
MOST = 2000
"""Of one account."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """The only place where the secret is ever seen."""

    token: Token
    secret: str = field(repr=False)


async def add(
    db: Database,
    account_id: str,
    *,
    by: Actor,
    name: str,
    scopes: Iterable[str],
    domain: str | None = None,
    expires_at: int | None = None,
    allowed_addresses: Sequence[str] = (),
    most: int | None = None,
) -> NewToken:
    """A new token. `domain` (name or id) restricts it to one domain, `allowed_addresses` to clients in these networks.
    `most`: how many the account may have.

    Raises NotFoundError for an account or domain that is not there, PostroomError for anything wrong.
    """
    now = Clock().now_ms()
    chosen = _chosen(scopes)
    networks = [network(written) for written in allowed_addresses]
    if expires_at is not None and expires_at <= now:
        raise PostroomError("a token cannot expire in the past")
    secret = PREFIX + secrets.token_hex(32)
    token = Token(
        id=ids.object_id(),
        account_id=account_id,
        domain_id=None,
        name=_valid_name(name),
        secret_hash=passwords.digest(secret),
        preview=f"{secret[: len(PREFIX) + 4]}...{secret[-4:]}",
        scopes=" ".join(chosen),
        paused=False,
        expires_at=expires_at,
        allowed_addresses="\n".join(networks),
        last_used_at=None,
        created_at=now,
        updated_at=now,
    )
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        token = replace(token, domain_id=await domains.owned_id(connection, account_id, domain))
        await installation.lock(connection, f"tokens {account_id}")
        most = MOST if most is None else min(most, MOST)
        if await store.count(connection, account_id) >= most:
            raise PostroomError(Refused(refusals.TOO_MANY_TOKENS, {"most": str(most)}).text)
        await store.add(connection, token)
        await _record(connection, by, "created", None, token)
    return NewToken(token, secret)


async def get(db: Database, token_id: str, *, account_id: str | None = None) -> Token:
    """Raises NotFoundError; with `account_id` also for a token of another account."""
    async with db.read() as connection:
        return await _found(connection, token_id, account_id)


async def list_all(db: Database, account_id: str | None = None) -> list[Token]:
    """Those of one account, or all."""
    async with db.read() as connection:
        if account_id is not None and await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        return await store.page(connection, account_id)


async def change(
    db: Database,
    token_id: str,
    *,
    by: Actor,
    account_id: str | None = None,
    name: str | None = None,
    paused: bool | None = None,
) -> Token:
    """Rename, pause or unpause; None: as it is. A paused token is refused like one that does not exist.

    Raises NotFoundError, PostroomError for a name that cannot be one.
    """
    async with db.write() as connection:
        before = await _found(connection, token_id, account_id)
        new: dict[str, Any] = {} if name is None else {"name": _valid_name(name)}
        new |= {} if paused is None else {"paused": paused}
        after = replace(before, **new)
        if after == before:
            return before
        new["updated_at"] = Clock().now_ms()
        await store.change(connection, before.account_id, before.id, **new)
        await _record(connection, by, _verb(before, after), before, after)
    return replace(before, **new)


async def delete(db: Database, token_id: str, *, by: Actor, account_id: str | None = None) -> Token:
    """The token as it was. Raises NotFoundError."""
    async with db.write() as connection:
        token = await _found(connection, token_id, account_id)
        await store.remove(connection, token.account_id, token.id)
        await _record(connection, by, "deleted", token, None)
    return token


def network(written: str) -> str:
    """An address or network as it is kept. Raises PostroomError."""
    try:
        return str(ip_network(written.strip(), strict=False))
    except ValueError:
        raise PostroomError(f"{written!r} is no address or network like 192.0.2.0/24") from None


async def _found(connection: AsyncConnection, token_id: str, account_id: str | None) -> Token:
    token = await store.get(connection, token_id, account_id)
    if token is None:
        raise NotFoundError(f"there is no token {token_id}")
    return token


def _verb(before: Token, after: Token) -> str:
    if before.paused != after.paused:
        return "paused" if after.paused else "unpaused"
    return "renamed"


async def _record(
    connection: AsyncConnection, by: Actor, verb: str, before: Token | None, after: Token | None
) -> None:
    token = after or before
    assert token is not None, "an entry about nothing"
    await audit.record(
        connection,
        by,
        f"token.{verb}",
        account_id=token.account_id,
        object_id=token.id,
        name=token.name,
        before=before,
        after=after,
    )


def _valid_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise PostroomError(f"a token needs a name of 1 to {LONGEST_NAME} characters")
    return name


def _chosen(scopes: Iterable[str]) -> list[str]:
    chosen = list(dict.fromkeys(scopes))
    unknown = [scope for scope in chosen if scope not in set(Scope)]
    if unknown:
        raise PostroomError(f"{', '.join(unknown)}: no such scope; there are {', '.join(Scope)}")
    if not chosen:
        raise PostroomError("a token needs at least one scope")
    return chosen
