from __future__ import annotations

import asyncio

from postroom.store import refusals
from postroom.store.database import Database
from postroom.store.refusals import HOUR, Refusal
from support.mail import ACCOUNT, NOW, rows


def refusal(at: int = NOW, **changes: str) -> Refusal:
    facts = {
        "reply": "550 no",
        "account_id": ACCOUNT,
        "client": "192.0.2.1",
        "sender": "app@example.com",
    } | changes
    return refusals.new(facts.pop("rule", "from-not-verified"), at, **facts)


async def _record(database: Database, *rows: Refusal) -> None:
    async with database.write() as connection:
        await refusals.record(connection, rows)


async def test_the_same_refusal_counts_up_within_an_hour(database: Database) -> None:
    start = NOW // HOUR * HOUR
    await _record(database, refusal(start), refusal(start + 10), refusal(start + 20, client="192.0.2.2"))
    await _record(database, refusal(start + 30, reply="550 still no"), refusal(start + HOUR))
    found = sorted(await rows(database, "refusals"), key=lambda row: (row["client"], row["first_at"]))
    assert [(row["count"], row["first_at"], row["last_at"]) for row in found] == [
        (3, start, start + 30),
        (1, start + HOUR, start + HOUR),
        (1, start + 20, start + 20),
    ]
    assert found[0]["reply"] == "550 still no"


async def test_two_nodes_record_the_same_at_once(database: Database) -> None:
    await asyncio.gather(
        *(
            _record(database, *(refusal(NOW, client=f"192.0.2.{n}") for n in order))
            for order in [range(100), range(99, -1, -1)] * 5
        )
    )
    assert {row["count"] for row in await rows(database, "refusals")} == {10}


async def test_what_strangers_sent_is_cut_to_the_columns(database: Database) -> None:
    long = "x" * 5000
    await _record(
        database, refusal(credential=long, client=long, sender=long, header_from=long, recipients=long)
    )
    assert len((await rows(database, "refusals"))[0]["credential"]) == 320


async def test_pages_and_filters(database: Database) -> None:
    await _record(
        database,
        *(refusal(NOW + n, client=f"192.0.2.{n}") for n in range(5)),
        refusal(NOW + 9, rule="auth-failed", account_id=""),
    )
    async with database.read() as connection:
        first = await refusals.page(connection, limit=2)
        second = await refusals.page(connection, limit=2, before=(first[-1].last_at, first[-1].id))
        assert [row.last_at - NOW for row in first + second] == [9, 4, 3, 2]
        assert {row.rule for row in await refusals.page(connection, account_id=ACCOUNT)} == {
            "from-not-verified"
        }
        assert len(await refusals.page(connection, rule="auth-failed")) == 1
        assert len(await refusals.page(connection, since=NOW + 4)) == 2
