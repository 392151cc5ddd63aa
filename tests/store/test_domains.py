"""Domains in the table: who has which name, which are due, what goes with one, and cancelling in slices."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.errors import ConflictError
from postroom.store import domain_belongings, domain_counts, domains, interventions
from postroom.store.database import Database
from postroom.store.domains import Domain, DomainFilter
from support import stored
from support.mail import ACCOUNT, DOMAIN, NOW, OTHER, accepted, insert, lay_out, message_row, rows


def domain(number: int, account: str = ACCOUNT, **fields: Any) -> Domain:
    """Not verified yet; named by its number."""
    numbered: dict[str, Any] = {
        "id": f"{number:016}",
        "account_id": account,
        "name": f"d{number}.example.com",
        "verified_at": None,
        "created_at": NOW + number,
        "updated_at": NOW,
        "organisation": "example.com",
    }
    return stored.domain(**numbered | fields)


async def put(database: Database, *given: Domain) -> None:
    async with database.write() as connection:
        for one in given:
            await domains.add(connection, one)


async def test_many_may_add_a_name_and_one_has_it_verified(database: Database) -> None:
    await put(
        database,
        domain(1, name="a.test"),
        domain(2, OTHER, name="a.test", verified_at=NOW),
        domain(3, "c" * 16, name="a.test"),
    )
    async with database.read() as connection:
        assert [one.id[-1] for one in await domains.named(connection, "a.test")] == ["2", "1", "3"]
        holder = await domains.holder(connection, "a.test")
        assert holder is not None
        assert holder.account_id == OTHER
        for which in ("a.test", domain(1).id):
            owned = await domains.owned(connection, ACCOUNT, which)
            assert owned is not None
            assert owned.id == domain(1).id
        assert await domains.owned(connection, ACCOUNT, domain(2).id) is None
    for taken in (domain(4, name="a.test"), domain(5, "d" * 16, name="a.test", verified_at=NOW)):
        with pytest.raises(ConflictError):
            await put(database, taken)
    with pytest.raises(ConflictError):
        async with database.write() as connection:
            await domains.change(connection, domain(1).id, verified_at=NOW)


async def test_what_is_deleted_is_not_found_and_its_name_is_free(database: Database) -> None:
    await put(database, domain(1, name="a.test"))
    async with database.write() as connection:
        assert await domains.change(connection, domain(1).id, deleted_at=NOW, send_paused=True)
        assert not await domains.change(connection, domain(1).id, deleted_at=None)
        assert await domains.get(connection, domain(1).id) is None
        assert await domains.named(connection, "a.test") == []
        assert [one.id for one in await domains.leaving(connection)] == [domain(1).id]
    await put(database, domain(2, name="a.test"))
    async with database.write() as connection:
        await domains.remove(connection, domain(2).id)  # it is not deleted
        await domains.remove(connection, domain(1).id)
        assert await domains.leaving(connection) == []
        assert len(await domains.list_all(connection)) == 1


async def test_pages_and_their_filter(database: Database) -> None:
    await put(
        database, *(domain(n, verified_at=NOW if n % 2 else None) for n in range(1, 6)), domain(9, OTHER)
    )
    ids = frozenset({domain(1).id, domain(2).id})
    async with database.read() as connection:
        for wanted, numbers in (
            (DomainFilter(ACCOUNT), [1, 2, 3, 4, 5]),
            (DomainFilter(ACCOUNT, verified=True), [1, 3, 5]),
            (DomainFilter(ACCOUNT, verified=False), [2, 4]),
            (DomainFilter(ACCOUNT, ids, verified=True), [1]),
        ):
            found = await domains.page(connection, wanted, offset=0, limit=10)
            assert [int(one.id) for one in found] == numbers
            assert await domains.count(connection, wanted) == len(numbers)
        [second] = await domains.page(connection, DomainFilter(ACCOUNT), offset=1, limit=1)
        assert int(second.id) == 2


async def test_those_that_are_due(database: Database) -> None:
    await put(
        database,
        domain(1, verified_at=NOW, checked_at=NOW - 5),
        domain(2, verified_at=NOW, checked_at=NOW - 10),
        domain(3, verified_at=NOW, checked_at=NOW),
        domain(4, checked_at=NOW - 10),
        domain(5, verified_at=NOW, checked_at=NOW - 10, trusted=True),
        domain(6, verified_at=NOW, checked_at=NOW - 10, mode="sandbox"),
    )
    async with database.read() as connection:
        assert [int(one.id) for one in await domains.due(connection, NOW - 5, 10)] == [2, 1]
        assert [int(one.id) for one in await domains.due(connection, NOW - 5, 1)] == [2]


async def test_the_names_of_others_in_an_organisation(database: Database) -> None:
    await put(
        database,
        domain(1, verified_at=NOW),
        domain(2, OTHER, verified_at=NOW),
        domain(3, OTHER),
        domain(4, OTHER, verified_at=NOW, organisation="example.net"),
    )
    async with database.read() as connection:
        assert await domains.below(connection, ACCOUNT, {"example.com"}) == {"d2.example.com"}
        assert await domains.below(connection, ACCOUNT, set()) == frozenset()


async def test_cancelling_a_domain_in_slices(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interventions, "SLICE", 2)
    mine = [await accepted(database, 3) for _ in range(2)]
    other = await insert(database, lay_out(message_row(ACCOUNT, domain_id="e" * 16)))
    async with database.write() as connection:
        await connection.exec_driver_sql(
            f"UPDATE queue SET domain_id = '{'e' * 16}' WHERE message_id = '{other.messages[0].id}'"
        )
        under_way = mine[0].emails[0].id
        await connection.exec_driver_sql(f"UPDATE queue SET mark = 1 WHERE email_id = '{under_way}'")
    after: str | None = ""
    slices = 0
    while after is not None:
        slices += 1
        async with database.write() as connection:
            after = await interventions.cancel_domain(
                connection, ACCOUNT, DOMAIN, NOW, after, reason="domain_deleted", content_expires_at=NOW + 1
            )
    assert slices > 2
    assert {row["email_id"] for row in await rows(database, "queue")} == {under_way, other.emails[0].id}
    statuses = {row["id"]: row["status"] for row in await rows(database, "emails")}
    assert sorted(statuses.values()) == ["cancelled"] * 5 + ["queued"] * 2
    expiry = {row["id"]: row["content_expires_at"] for row in await rows(database, "messages")}
    assert expiry == {
        mine[0].messages[0].id: None,
        mine[1].messages[0].id: NOW + 1,
        other.messages[0].id: None,
    }
    happened = await rows(database, "events")
    assert {row["detail"] for row in happened if row["type"] == "cancelled"} == {
        '{"reason": "domain_deleted"}'
    }
    async with database.read() as connection:
        assert await interventions.waits(connection, ACCOUNT, DOMAIN)
        assert not await interventions.waits(connection, ACCOUNT, "f" * 16)


async def test_belongings_are_those_of_one_domain(database: Database) -> None:
    async with database.write() as connection:
        gone = await domain_belongings.remove(connection, ACCOUNT, DOMAIN)
    assert set(gone) == {table.name for table in domain_belongings.BELONGINGS}


async def test_mail_is_counted_by_domain(database: Database) -> None:
    await accepted(database, 3)
    async with database.read() as connection:
        counted = await domain_counts.stats(connection, ACCOUNT)
        assert counted[DOMAIN].queued == counted[DOMAIN].total == 3
        assert await domain_counts.totals(connection, ACCOUNT, DOMAIN) == domain_counts.Totals()
