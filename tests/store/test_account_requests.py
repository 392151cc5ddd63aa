"""store.account_requests: one open request of a kind, decided once, told once."""

from __future__ import annotations

import asyncio

import pytest

from postroom.errors import ConflictError
from postroom.store import account_requests as store
from postroom.store.account_requests import AccountRequest
from postroom.store.database import Database


def request(
    number: int, kind: str = "approval", state: str = "submitted", account: str = "a"
) -> AccountRequest:
    return AccountRequest(f"{number:016}", account * 16, kind, state, "{}", "", "", number, None, None)


async def add(database: Database, *requests: AccountRequest) -> None:
    async with database.write() as connection:
        for one in requests:
            await store.add(connection, one)


async def test_of_a_kind_one_is_open(database: Database) -> None:
    await add(database, request(1), request(2, kind="quota"), request(3, account="b"))
    with pytest.raises(ConflictError):
        await add(database, request(4))
    await add(database, request(5, state="refused"))
    async with database.read() as connection:
        newest = await store.newest(connection, "a" * 16, "approval")
        listed = await store.page(connection, state="submitted", kind="approval", offset=0, limit=9)
        assert await store.count(connection, state=None, kind="approval") == 3
    assert newest == request(5, state="refused")
    assert listed == [request(1), request(3, account="b")]


async def test_of_those_who_decide_one_is_quicker(database: Database) -> None:
    await add(database, request(1))

    async def decide(number: int) -> bool:
        async with database.write() as connection:
            return await store.decide(
                connection, f"{1:016}", state="refused", reason=str(number), decided_at=number, told_at=None
            )

    decided = await asyncio.gather(*map(decide, range(5)))
    assert sorted(decided) == [False] * 4 + [True]
    async with database.read() as connection:
        found = await store.get(connection, f"{1:016}")
    assert found is not None
    assert (found.state, found.reason) == ("refused", str(decided.index(True)))


async def test_each_state_is_told(database: Database) -> None:
    asked = request(1)
    await add(database, asked)

    async def told() -> list[str]:
        """What is left to tell, once the first state was told."""
        async with database.write() as connection:
            await store.tell(connection, asked, 9)
        async with database.read() as connection:
            return [one.state for one in await store.untold(connection, 9)]

    assert await told() == []
    async with database.write() as connection:
        await store.decide(connection, asked.id, state="approved", told_at=None)
    assert await told() == ["approved"]
