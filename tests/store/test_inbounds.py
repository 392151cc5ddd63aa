from __future__ import annotations

from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.store import domain_belongings, domains, inbounds, installation
from postroom.store.database import Database
from postroom.store.inbounds import Inbound
from postroom.types.inbound import CatchKind, Comparer, Condition, Filter, Forward, ForwardKind, MatchKind
from support.stored import domain

MINE, THEIRS, DOMAIN = "a" * 16, "b" * 16, "d" * 16
INBOUND = Inbound(
    account_id=MINE,
    id="i" * 16,
    domain_id=DOMAIN,
    name="Support",
    mailbox="m" * 20,
    inbound_domain="inbound.example.com",
    priority=5,
    enabled=True,
    catch_filter=Filter(CatchKind.RECIPIENT, (Condition(Comparer.STARTS_WITH, "süpport"),)),
    catch_type="one",
    match_filter=Filter(MatchKind.HEADER, (Condition(Comparer.EQUAL, "1", "X-Priority"),)),
    match_type="all",
    forwards=(
        Forward("f" * 16, ForwardKind.WEBHOOK, "https://example.com/", b"\x00sealed\xff"),
        Forward("g" * 16, ForwardKind.EMAIL, "ann@example.com"),
    ),
    created_at=1,
    updated_at=1,
)


async def added(database: Database, *all_of_them: Inbound) -> None:
    async with database.write() as connection:
        for inbound in all_of_them or (INBOUND,):
            await inbounds.add(connection, inbound)


async def test_it_comes_back_as_it_was_kept(database: Database) -> None:
    await added(database)
    async with database.read() as connection:
        assert await inbounds.get(connection, MINE, INBOUND.id) == INBOUND
        assert await inbounds.lock(connection, MINE, INBOUND.id) == INBOUND
        assert await inbounds.get(connection, MINE, "x" * 16) is None
        assert await inbounds.lock(connection, MINE, "x" * 16) is None


async def test_every_field_can_be_changed(database: Database) -> None:
    await added(database)
    new = {
        "name": "Sales",
        "inbound_domain": None,
        "priority": 0,
        "enabled": False,
        "catch_filter": Filter(CatchKind.ALL),
        "match_filter": Filter(MatchKind.ALL),
        "forwards": INBOUND.forwards[1:],
        "updated_at": 2,
    }
    async with database.write() as connection:
        assert await inbounds.change(connection, MINE, INBOUND.id, **new)
        assert await inbounds.get(connection, MINE, INBOUND.id) == replace(INBOUND, **new)  # type: ignore[arg-type]


async def test_h01_another_account_cannot_see_or_change_it(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert await inbounds.get(connection, THEIRS, INBOUND.id) is None
        assert await inbounds.lock(connection, THEIRS, INBOUND.id) is None
        assert await inbounds.page(connection, THEIRS) == []
        assert await inbounds.count(connection, THEIRS) == 0
        assert not await inbounds.change(connection, THEIRS, INBOUND.id, name="mine")
        assert not await inbounds.remove(connection, THEIRS, INBOUND.id)
        assert await inbounds.get(connection, MINE, INBOUND.id) == INBOUND


async def test_an_address_belongs_to_one_route(database: Database) -> None:
    await added(database)
    with pytest.raises(ConflictError):
        await added(database, replace(INBOUND, account_id=THEIRS))


async def test_pages_of_an_account_or_of_some_of_its_domains(database: Database) -> None:
    numbered = [
        replace(INBOUND, id=f"{n:016}", mailbox=f"{n:020}", domain_id=str(n % 2) * 16, created_at=10 - n)
        for n in range(5)
    ]
    await added(database, *numbered, replace(INBOUND, account_id=THEIRS))
    async with database.read() as connection:
        made = [one.created_at for one in await inbounds.page(connection, MINE)]
        assert made == [6, 7, 8, 9, 10]
        some = await inbounds.page(connection, MINE, offset=1, limit=2)
        assert [one.created_at for one in some] == [7, 8]
        odd = await inbounds.page(connection, MINE, domain_ids={"1" * 16})
        assert [one.created_at for one in odd] == [7, 9]
        assert await inbounds.count(connection, MINE) == 5
        assert await inbounds.count(connection, MINE, domain_ids={"1" * 16}) == 2
        assert await inbounds.count(connection, MINE, domain_ids=set()) == 0


async def test_a_name_is_claimed_by_routes_of_another_verified_domain(database: Database) -> None:
    name = INBOUND.inbound_domain or ""
    verified = domain(id=DOMAIN, account_id=MINE)
    await added(database)
    async with database.write() as connection:
        assert not await inbounds.claimed(connection, name, "e" * 16)
        await domains.add(connection, verified)
        assert await inbounds.claimed(connection, name, "e" * 16)
        assert not await inbounds.claimed(connection, name, DOMAIN)
        assert not await inbounds.claimed(connection, "other.example.com", "e" * 16)
        await domains.change(connection, DOMAIN, verified_at=None)
        assert not await inbounds.claimed(connection, name, "e" * 16)


async def test_it_goes_with_its_domain(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        gone = await domain_belongings.remove(connection, MINE, DOMAIN)
        assert gone["inbounds"] == 1
        assert await inbounds.page(connection, MINE) == []


async def test_every_change_is_seen_by_the_caches(database: Database) -> None:
    seen = []

    async def note() -> None:
        async with database.read() as connection:
            seen.append(await installation.version(connection))

    await note()
    await added(database)
    await note()
    async with database.write() as connection:
        await inbounds.change(connection, MINE, INBOUND.id, name="New")
    await note()
    async with database.write() as connection:
        assert await inbounds.remove(connection, MINE, INBOUND.id)
        assert not await inbounds.remove(connection, MINE, INBOUND.id)
    await note()
    assert seen == sorted(set(seen))
