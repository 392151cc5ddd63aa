from __future__ import annotations

from collections.abc import Collection

import pytest

from postroom.store import activity, batches, walk
from postroom.store.activity import ActivityFilter
from postroom.store.database import Database
from postroom.store.events import new, queued
from postroom.types.events import EventType
from support.mail import (
    ACCOUNT,
    DAY_MS,
    DOMAIN,
    NOW,
    OTHER,
    add_account,
    insert,
    lay_out,
    message_row,
    outcome,
    rows,
)

ELSEWHERE = "e" * 16


@pytest.fixture(autouse=True)
async def _accounts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await add_account(database)
    await add_account(database, OTHER)
    monkeypatch.setattr(walk, "PIECE", 4)


async def _some_mail(database: Database) -> None:
    """Every second message of another domain, one of another account; most of them delivered half a second later."""
    for number in range(9):
        domain = DOMAIN if number % 2 else ELSEWHERE
        await insert(database, lay_out(message_row(at=NOW + number * 1000, domain_id=domain), 2))
    await insert(database, lay_out(message_row(OTHER, at=NOW)))
    for entry in await batches.claim(database, 1, [0], ACCOUNT, NOW + DAY_MS, 14):
        accepted_at = int(entry.email_id[:12], 16)
        await batches.tick(database, 1, [], [entry.key])
        await batches.tick(database, 1, [outcome(entry, at=accepted_at + 500)], [])


async def _expected(database: Database, wanted: ActivityFilter) -> list[tuple[str, str]]:
    """(id, type) of everything that fits, told from the tables as a whole."""
    domains = {row["id"]: row["domain_id"] for row in await rows(database, "messages")}
    told = [
        queued(row["account_id"], row["id"], row["message_id"], row["created_at"])
        for row in await rows(database, "emails")
    ]
    found = [
        (row["id"], row["type"])
        for row in [*(event._asdict() for event in told), *await rows(database, "events")]
        if row["account_id"] == wanted.account_id
        and domains[row["message_id"]] == wanted.domain_id
        and wanted.start <= row["at"] < wanted.end
        and (wanted.types is None or row["type"] in wanted.types)
    ]
    return sorted(found, reverse=True)


@pytest.mark.parametrize(
    "types", [None, {"queued"}, {"delivered"}, {"queued", "delivered"}, {"opened"}, set()]
)
async def test_rows_and_what_is_told_from_emails_are_one_list_page_by_page(
    database: Database, types: Collection[str] | None
) -> None:
    await _some_mail(database)
    wanted = ActivityFilter(ACCOUNT, DOMAIN, NOW + 1000, NOW + 7500, types)
    expected = await _expected(database, wanted)
    assert (len(expected) > 4) is (types is None or bool({"queued", "delivered"} & {*types}))
    for limit in (1, 3, 50):
        found = []
        while page := await activity.page(database, wanted, offset=len(found), limit=limit):
            assert len(page) <= limit
            found += [(event.id, event.type) for event in page]
        assert found == expected


async def test_both_ends_of_the_period(database: Database) -> None:
    inserts = await insert(database, lay_out(message_row(at=NOW)))
    for start, end, count in [
        (NOW, NOW + 1, 1),
        (NOW - 5, NOW, 0),
        (NOW + 1, NOW + 9, 0),
    ]:
        found = await activity.page(database, ActivityFilter(ACCOUNT, DOMAIN, start, end), offset=0, limit=9)
        assert [event.id for event in found] == [row.id for row in inserts.emails][:count]


async def test_what_was_suppressed_at_the_door_was_never_queued(database: Database) -> None:
    message = message_row()
    inserts = lay_out(message)
    [email] = inserts.emails
    inserts.emails[:] = [email._replace(status="suppressed", final_at=email.created_at)]
    inserts.queue.clear()
    inserts.events.append(
        new(ACCOUNT, email.id, message.id, EventType.SUPPRESSED, NOW, reason="hard_bounced")
    )
    await insert(database, inserts)
    found = await activity.page(database, ActivityFilter(ACCOUNT, DOMAIN, NOW, NOW + 1), offset=0, limit=9)
    assert [event.type for event in found] == ["suppressed"]
    async with database.read() as connection:
        assert await activity.load(connection, ACCOUNT, [email.id]) == []


async def test_load_keeps_the_order_and_the_account(database: Database) -> None:
    await _some_mail(database)
    everything = ActivityFilter(ACCOUNT, DOMAIN, NOW, NOW + DAY_MS)
    found = await activity.page(database, everything, offset=0, limit=100)
    async with database.read() as connection:
        ids = [event.id for event in found][::-1]
        assert await activity.load(connection, ACCOUNT, ["0" * 24, *ids]) == found[::-1]
        assert await activity.load(connection, OTHER, ids) == []
