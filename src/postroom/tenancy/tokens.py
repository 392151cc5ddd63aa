"""API tokens: 256 random bits with a prefix by which people and scanners know them. The token is shown once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts
from postroom.store import tokens as store
from postroom.store.database import Database
from postroom.store.tokens import Token
from postroom.tenancy import domains, passwords
from postroom.types.scopes import Scope

PREFIX = "mlsn."
SHAPE = re.compile(r"mlsn\.[0-9a-f]{64}")
"""Whatever looks different is no token; the database need not be asked."""
LONGEST_NAME = 50


@dataclass(frozen=True, slots=True)
class NewToken:
    """The only place where the secret is ever seen."""

    token: Token
    secret: str = field(repr=False)


async def add(
    db: Database,
    account_id: str,
    *,
    name: str,
    scopes: Iterable[str],
    domain: str | None = None,
    expires_at: int | None = None,
    allowed_addresses: Sequence[str] = (),
) -> NewToken:
    """A new token. `domain` (name or id) restricts it to one domain, `allowed_addresses` to clients in these networks.

    Raises NotFoundError for an account or domain that is not there, PostroomError for anything wrong.
    """
    now = Clock().now_ms()
    chosen = _chosen(scopes)
    networks = [_network(written) for written in allowed_addresses]
    if expires_at is not None and expires_at <= now:
        raise PostroomError("a token cannot expire in the past")
    domain_id = None if domain is None else await _domain_of(db, account_id, domain)
    secret = PREFIX + secrets.token_hex(32)
    token = Token(
        id=ids.object_id(),
        account_id=account_id,
        domain_id=domain_id,
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
        await store.add(connection, token)
    return NewToken(token, secret)


async def get(db: Database, token_id: str, *, account_id: str | None = None) -> Token:
    """Raises NotFoundError; with `account_id` also for a token of another account."""
    async with db.read() as connection:
        token = await store.get(connection, token_id, account_id)
    if token is None:
        raise _missing(token_id)
    return token


async def list_all(db: Database, account_id: str | None = None) -> list[Token]:
    """Those of one account, or all."""
    async with db.read() as connection:
        if account_id is not None and await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        return await store.page(connection, account_id)


async def set_paused(db: Database, token_id: str, paused: bool, *, account_id: str | None = None) -> Token:
    """A paused token is refused like one that does not exist, until it is unpaused."""
    async with db.write() as connection:
        if not await store.set_paused(connection, token_id, paused, Clock().now_ms(), account_id):
            raise _missing(token_id)
    return await get(db, token_id)


async def rename(db: Database, token_id: str, name: str, *, account_id: str | None = None) -> Token:
    name = _valid_name(name)
    async with db.write() as connection:
        if not await store.rename(connection, token_id, name, Clock().now_ms(), account_id):
            raise _missing(token_id)
    return await get(db, token_id)


async def delete(db: Database, token_id: str, *, account_id: str | None = None) -> Token:
    """The token as it was."""
    token = await get(db, token_id, account_id=account_id)
    async with db.write() as connection:
        await store.remove(connection, token_id, account_id)
    return token


def _missing(token_id: str) -> NotFoundError:
    return NotFoundError(f"there is no token {token_id}")


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


def _network(written: str) -> str:
    try:
        return str(ip_network(written.strip(), strict=False))
    except ValueError:
        raise PostroomError(f"{written!r} is no address or network like 192.0.2.0/24") from None


async def _domain_of(db: Database, account_id: str, name_or_id: str) -> str:
    domain = await domains.find(db, name_or_id)
    if domain.account_id != account_id:
        raise NotFoundError(f"the account has no domain {name_or_id}")
    return domain.id
