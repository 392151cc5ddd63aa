from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import insert

from postroom.store import refusals
from postroom.store.database import Database
from postroom.store.refusals import HOUR, Refusal, RefusalFilter
from postroom.store.schema import smtp_users
from support.mail import ACCOUNT, NOW, OTHER, SMTP_USER, rows


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


async def test_a_login_that_failed_gets_the_account_of_its_user(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(smtp_users).values(SMTP_USER))
    strangers = [
        refusal(rule="auth-failed", account_id="", credential=name)
        for name in ("App@Example.com", "nobody@example.com", "", "x" * 5000)
    ]
    known = refusal(account_id=OTHER, credential="app@example.com")
    await _record(database, *strangers, known)
    await _record(database, strangers[0], *(refusal(account_id="", credential=f"{n}") for n in range(1200)))
    found = {(row["account_id"], row["credential"]): row["count"] for row in await rows(database, "refusals")}
    assert (len(found), found[ACCOUNT, "app@example.com"], found[OTHER, "app@example.com"]) == (1205, 2, 1)
    assert {account for account, credential in found if credential != "app@example.com"} == {""}


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


FILTER = RefusalFilter(ACCOUNT, NOW, NOW + 9 * HOUR)


async def test_those_of_an_account_the_latest_first(database: Database) -> None:
    await _record(
        database,
        *(refusal(NOW + n * HOUR // 2, client=f"192.0.2.{n}", credential=f"u{n % 2}") for n in range(6)),
        refusal(NOW + 1, rule="auth-failed", account_id=""),
        refusal(NOW + 2, rule="daily-quota", recipients="Ada@example.org, bob@example.org"),
        refusal(NOW + 3, account_id=OTHER),
    )

    async def found(**wanted: Any) -> list[int]:
        """Half hours since NOW."""
        async with database.read() as connection:
            rows = await refusals.of_account(connection, replace(FILTER, **wanted), offset=0, limit=9)
        return [(row.last_at - NOW) // (HOUR // 2) for row in rows]

    assert await found() == [5, 4, 3, 2, 1, 0, 0]
    assert await found(rules=["daily-quota"]) == [0]
    assert await found(credentials=["u1"]) == [5, 3, 1]
    assert await found(credentials=[]) == []
    assert await found(client="192.0.2.4") == [4]
    assert await found(text="ADA@") == [0]
    assert await found(start=NOW + HOUR, end=NOW + 2 * HOUR) == [3, 2]
    async with database.read() as connection:
        page = await refusals.of_account(connection, FILTER, offset=2, limit=2)
    assert [row.client for row in page] == ["192.0.2.3", "192.0.2.2"]


async def test_attempts_by_the_hour(database: Database) -> None:
    begin = NOW // HOUR * HOUR
    for number in (0, 0, 1, 59):
        await _record(database, refusal(begin + number * 60_000))
    await _record(database, refusal(begin + HOUR), refusal(begin + HOUR, account_id=OTHER))
    async with database.read() as connection:
        found = await refusals.hourly(connection, RefusalFilter(ACCOUNT, begin, begin + 2 * HOUR))
    assert found == {begin // HOUR: 4, begin // HOUR + 1: 1}
