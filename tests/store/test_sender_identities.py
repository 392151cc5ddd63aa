from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.runtime.dns import FakeResolver
from postroom.runtime.secrets import SecretBox
from postroom.store import domain_belongings, installation, sender_identities
from postroom.store.database import Database
from postroom.store.sender_identities import IdentityFilter, Order, SenderIdentity
from postroom.tenancy import accounts, domains
from postroom.tenancy import sender_identities as policy
from postroom.tenancy.sender_identities import Asked, NewIdentity
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.refusals import Refused

MINE, THEIRS, DOMAIN = "a" * 16, "b" * 16, "d" * 16
IDENTITY = SenderIdentity(
    account_id=MINE,
    id="i" * 16,
    domain_id=DOMAIN,
    email="Ben@client.example",
    organisation="client.example",
    name="Ben",
    reply_to_email="",
    reply_to_name="",
    add_note=False,
    personal_note="",
    resends=0,
    secret_hash=b"\x00" * 32,
    expires_at=9,
    verified_at=None,
    problem="",
    checked_at=1,
    created_at=1,
    updated_at=1,
)
SECOND = replace(
    IDENTITY,
    id="j" * 16,
    domain_id="e" * 16,
    email="anna@other.example",
    name="Anna 100% Café",
    secret_hash=None,
    verified_at=5,
    created_at=2,
    checked_at=7,
)


async def added(database: Database, *extra: SenderIdentity) -> None:
    async with database.write() as connection:
        for identity in (IDENTITY, *extra):
            await sender_identities.add(connection, identity)


async def version(database: Database) -> int:
    async with database.read() as connection:
        return await installation.version(connection)


async def test_found_by_id_address_and_link(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert await sender_identities.get(connection, MINE, IDENTITY.id) == IDENTITY
        assert await sender_identities.lock(connection, MINE, IDENTITY.id) == IDENTITY
        assert await sender_identities.by_email(connection, MINE, "Ben@client.example") == IDENTITY
        assert await sender_identities.by_email(connection, MINE, "ben@client.example") is None
        assert await sender_identities.by_hash(connection, b"\x00" * 32) == IDENTITY
        assert await sender_identities.by_hash(connection, b"\x01" * 32) is None


async def test_h01_another_account_cannot_see_or_change_it(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert await sender_identities.get(connection, THEIRS, IDENTITY.id) is None
        assert await sender_identities.by_email(connection, THEIRS, IDENTITY.email) is None
        assert await sender_identities.count(connection, IdentityFilter(THEIRS)) == 0
        assert await sender_identities.verified(connection, THEIRS) == []
        await sender_identities.change(connection, THEIRS, IDENTITY.id, name="mine")
        assert not await sender_identities.remove(connection, THEIRS, IDENTITY.id)
        assert await sender_identities.get(connection, MINE, IDENTITY.id) == IDENTITY


async def test_an_address_is_there_once_for_an_account(database: Database) -> None:
    await added(database, replace(IDENTITY, account_id=THEIRS, secret_hash=None))
    with pytest.raises(ConflictError):
        await added(database)


async def test_lists_are_sorted_and_searched(database: Database) -> None:
    await added(database, SECOND)

    async def ids(*, query: str = "", domains: frozenset[str] | None = None, **order: object) -> list[str]:
        wanted = IdentityFilter(MINE, domains, query)
        async with database.read() as connection:
            found = await sender_identities.page(connection, wanted, offset=0, limit=9, **order)  # type: ignore[arg-type]
            assert await sender_identities.count(connection, wanted) == len(found)
        return [one.id[0] for one in found]

    assert await ids() == ["i", "j"]
    assert await ids(descending=True) == ["j", "i"]
    assert await ids(order=Order.EMAIL, query="example") in (
        ["i", "j"],
        ["j", "i"],
    )  # as the collation has it
    assert await ids(order=Order.VERIFIED_AT) == ["j", "i"]
    assert await ids(order=Order.VERIFIED_AT, descending=True) == ["j", "i"]
    assert await ids(domains=frozenset({DOMAIN})) == ["i"]
    assert await ids(domains=frozenset()) == []
    assert await ids(query="CLIENT") == ["i"]
    assert await ids(query="00% c") == ["j"]
    assert await ids(query="%") == ["j"]
    assert await ids(query="_") == []
    async with database.read() as connection:
        wanted = IdentityFilter(MINE)
        (second,) = await sender_identities.page(connection, wanted, offset=1, limit=1)
        assert second == SECOND


async def test_only_verified_ones_are_sent_from_and_looked_at(database: Database) -> None:
    await added(database, SECOND)
    async with database.write() as connection:
        assert await sender_identities.verified(connection, MINE) == [SECOND]
        assert await sender_identities.due(connection, 6, 9) == []
        assert await sender_identities.due(connection, 7, 9) == [SECOND]
        await sender_identities.note_check(connection, MINE, SECOND.id, problem="p=reject", checked_at=8)
        assert await sender_identities.due(connection, 7, 9) == []
        changed = await sender_identities.get(connection, MINE, SECOND.id)
        assert changed == replace(SECOND, problem="p=reject", checked_at=8)


async def test_every_change_that_matters_is_seen_by_the_caches(database: Database) -> None:
    seen = [await version(database)]
    await added(database)
    assert await version(database) == seen[0]  # nothing can be sent from it yet
    async with database.write() as connection:
        await sender_identities.change(connection, MINE, IDENTITY.id, verified_at=3)
    seen.append(await version(database))
    async with database.write() as connection:
        assert await sender_identities.remove(connection, MINE, IDENTITY.id)
        assert not await sender_identities.remove(connection, MINE, IDENTITY.id)
    seen.append(await version(database))
    assert seen == sorted(set(seen))


async def test_it_goes_with_its_domain(database: Database) -> None:
    await added(database, SECOND)
    async with database.write() as connection:
        gone = await domain_belongings.remove(connection, MINE, DOMAIN)
        assert gone["sender_identities"] == 1
        assert await sender_identities.count(connection, IdentityFilter(MINE)) == 1


async def test_u06_who_asks_and_who_agrees_at_the_same_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of an hour holds, an address is there once, and a link is used once."""
    monkeypatch.setattr(policy, "PER_HOUR", 3)
    resolver = FakeResolver()
    account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
    domain = await domains.add(
        database, SecretBox(bytes(32)), "shop.test", account_id=account.id, mode="sandbox", by=SYSTEM
    )

    async def ask(number: int) -> Asked | Refused:
        new = NewIdentity(domain.id, f"a{number % 4}@client.example")
        return await policy.add(database, resolver, account.id, new, by=SYSTEM)

    answers = await asyncio.gather(*map(ask, range(8)), return_exceptions=True)
    asked = [answer for answer in answers if isinstance(answer, Asked)]
    others = [answer for answer in answers if not isinstance(answer, Asked)]
    assert len(asked) == 3
    assert all(
        isinstance(one, ConflictError) or (isinstance(one, Refused) and one.rule is refusals.IDENTITY_LIMIT)
        for one in others
    )
    for one in asked:
        pressed = [policy.confirm(database, resolver, one.secret, client="") for _ in range(4)]
        agreed = await asyncio.gather(*pressed)
        assert sum(isinstance(answer, SenderIdentity) for answer in agreed) == 1
