from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import insert as insert_into
from sqlalchemy import update

from postroom.store import batches, interventions, message_schedules
from postroom.store.batches.rows import Inserts, MessageRow
from postroom.store.database import Database
from postroom.store.message_schedules import MessageSchedule, ScheduleFilter
from postroom.store.query import slices
from postroom.store.schema import api_messages, emails
from postroom.types.status import Hold
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
    together,
)

LATER = NOW + 5000


@pytest.fixture(autouse=True)
async def _accounts(database: Database) -> None:
    await add_account(database)
    await add_account(database, OTHER)


async def _schedule(database: Database, *messages: tuple[MessageRow, int], recipients: int = 2) -> Inserts:
    """Messages with the times at which they are to be sent."""
    parts = [
        lay_out(message, recipients, due_at=send_at, hold=Hold.SCHEDULED.value)
        for message, send_at in messages
    ]
    values = [
        {"account_id": message.account_id, "id": message.id, "send_at": send_at}
        for message, send_at in messages
    ]
    inserts = await insert(database, together(parts))
    async with database.write() as connection:
        await connection.execute(insert_into(api_messages), values)
    return inserts


async def _cancel(database: Database, message_id: str, account_id: str = ACCOUNT) -> bool:
    async with database.write() as connection:
        return await interventions.cancel_scheduled(connection, account_id, message_id, LATER, LATER + DAY_MS)


async def _page(database: Database, wanted: ScheduleFilter, **options: int) -> list[MessageSchedule]:
    async with database.read() as connection:
        found = await message_schedules.page(connection, wanted, **{"offset": 0, "limit": 99} | options)
        if not options:
            assert await message_schedules.count(connection, wanted) == len(found)
    return found


async def test_a_list_of_what_is_scheduled_alone(database: Database) -> None:
    first, second, foreign = message_row(), message_row(domain_id="e" * 16), message_row(OTHER)
    await _schedule(database, (first, NOW + 2000), (second, NOW + 3000), (foreign, NOW + 4000))
    await insert(database, lay_out(message_row()))
    found = await _page(database, ScheduleFilter(ACCOUNT))
    assert [schedule.message_id for schedule in found] == [second.id, first.id]
    assert found[1] == MessageSchedule(first.id, DOMAIN, "Hello", NOW + 2000, NOW, "scheduled", "")
    assert await _page(database, ScheduleFilter(ACCOUNT), offset=1, limit=1) == found[1:]
    assert await _page(database, ScheduleFilter(ACCOUNT, {DOMAIN})) == found[1:]
    assert await _page(database, ScheduleFilter(ACCOUNT, status="scheduled")) == found
    assert await _page(database, ScheduleFilter(ACCOUNT, status="sent")) == []
    async with database.read() as connection:
        assert await message_schedules.get(connection, ACCOUNT, first.id) == found[1]
        assert await message_schedules.get(connection, ACCOUNT, foreign.id) is None


async def test_sent_from_the_claim_on_and_an_error_when_nothing_ever_left(database: Database) -> None:
    left, failed = message_row(), message_row()
    await _schedule(database, (left, NOW + 1), (failed, NOW + 2))
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW + 2, 10)
    assert {schedule.status for schedule in await _page(database, ScheduleFilter(ACCOUNT))} == {"sent"}
    await batches.tick(database, 1, [], [entry.key for entry in entries])
    records = [outcome(entry, status="bounced") for entry in entries]
    await batches.tick(database, 1, records, [])
    async with database.write() as connection:
        never = update(emails).where(emails.c.message_id == failed.id)
        await connection.execute(never.values(sent=False, reply="550 5.6.0 the template is gone"))
    found = await _page(database, ScheduleFilter(ACCOUNT))
    assert [(schedule.message_id, schedule.status) for schedule in found] == [
        (failed.id, "error"),
        (left.id, "sent"),
    ]
    assert found[0].reply == "550 5.6.0 the template is gone"
    assert await _page(database, ScheduleFilter(ACCOUNT, status="error")) == found[:1]


async def test_cancel_takes_the_message_back_from_everybody(database: Database) -> None:
    message = message_row()
    await _schedule(database, (message, NOW + 1000))
    assert await _cancel(database, message.id, OTHER) is False
    assert await _cancel(database, message.id) is True
    assert await _cancel(database, message.id) is False
    assert await rows(database, "queue") == []
    final = {(row["status"], row["final_at"]) for row in await rows(database, "emails")}
    assert final == {("cancelled", LATER)}
    assert [row["type"] for row in await rows(database, "events")] == ["cancelled", "cancelled"]
    assert (await rows(database, "messages"))[0]["content_expires_at"] == LATER + DAY_MS
    assert await _page(database, ScheduleFilter(ACCOUNT)) == []
    async with database.read() as connection:
        assert await message_schedules.get(connection, ACCOUNT, message.id) is None


async def test_too_late_is_when_one_recipient_is_on_its_way_or_has_it(database: Database) -> None:
    message = message_row()
    await _schedule(database, (message, NOW))
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 1)
    assert await _cancel(database, message.id) is False
    await batches.tick(database, 1, [], [entry.key])
    await batches.tick(database, 1, [outcome(entry)], [])
    assert [row["hold"] for row in await rows(database, "queue")] == ["scheduled"]
    assert await _cancel(database, message.id) is False
    assert [row["type"] for row in await rows(database, "events")] == ["delivered"]


async def test_what_was_never_scheduled_is_not_cancelled(database: Database) -> None:
    [message] = (await insert(database, lay_out(message_row()))).messages
    assert await _cancel(database, message.id) is False
    assert await _cancel(database, "0" * 24) is False
    assert len(await rows(database, "queue")) == 1


async def test_q22_cancel_against_claim_a_thousand_times(database: Database) -> None:
    """Whoever is first wins: a recipient is claimed or cancelled, never both, and the answer says which of them."""
    messages = [(message_row(), NOW + number) for number in range(1000)]
    await _schedule(database, *messages)
    claimed: set[str] = set()
    answers: dict[str, bool] = {}

    async def claim(now: int, limit: int) -> None:
        entries = await batches.claim(database, 1, [0], ACCOUNT, now, limit)
        claimed.update(entry.email_id for entry in entries)

    async def cancel(message_id: str) -> None:
        answers[message_id] = await _cancel(database, message_id)

    for few in slices(enumerate(messages), 4):
        rivals = [
            rival
            for number, (message, send_at) in few
            for rival in (claim(send_at, 1 + number % 3), cancel(message.id))
        ]
        await asyncio.gather(*(rivals if len(answers) % 8 else reversed(rivals)))
    everybody = await rows(database, "emails")
    cancelled = {row["id"] for row in everybody if row["status"] == "cancelled"}
    waiting = {row["email_id"] for row in await rows(database, "queue")}
    assert len(everybody) == 2000
    assert claimed <= waiting
    assert cancelled == {row["id"] for row in everybody} - waiting
    for row in everybody:
        assert (row["id"] in cancelled) is answers[row["message_id"]]
    assert 0 < len(cancelled) < 2000
