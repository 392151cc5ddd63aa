"""Sending from a domain is paused, or its account suspended: what the queue makes of it, on both databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from postroom.deliver import record
from postroom.store import accounts, batches, domains, interventions, queue
from postroom.store.database import Database
from postroom.store.queue import AT_ONCE, NEVER
from postroom.types.status import Hold
from support.mail import (
    ACCOUNT,
    DAY_MS,
    DOMAIN,
    NOW,
    accepted,
    add_account,
    insert,
    lay_out,
    message_row,
    outcome,
    rows,
)
from support.stored import domain

LATER = NOW + 5000
ELSEWHERE = "e" * 16


@pytest.fixture(autouse=True)
async def _domains(database: Database) -> None:
    await add_account(database)
    async with database.write() as connection:
        for domain_id in (DOMAIN, ELSEWHERE):
            sending = domain(id=domain_id, account_id=ACCOUNT, name=f"{domain_id[0]}.test")
            await domains.add(connection, sending)


async def pause(database: Database, *, paused: bool = True) -> None:
    """The column alone, as if nobody had come to the rows yet."""
    async with database.write() as connection:
        await domains.change(connection, DOMAIN, send_paused=paused)


async def slices(database: Database, step: Callable[..., Awaitable[str | None]]) -> int:
    """How many there were."""
    after: str | None = ""
    count = 0
    while after is not None:
        async with database.write() as connection:
            after = await step(connection, ACCOUNT, DOMAIN, LATER, after)
        count += 1
    return count


async def elsewhere(database: Database, recipients: int = 1) -> None:
    """Mail of another domain."""
    inserts = lay_out(message_row(domain_id=ELSEWHERE), recipients)
    inserts.queue = [row._replace(domain_id=ELSEWHERE) for row in inserts.queue]
    await insert(database, inserts)


async def events(database: Database) -> list[str]:
    return sorted(row["type"] for row in await rows(database, "events"))


async def test_pausing_holds_what_waits_and_resuming_releases_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what waits for its next attempt; what is being delivered may end, and what waits for its time goes on
    waiting for it."""
    monkeypatch.setattr(interventions, "SLICE", 2)
    await accepted(database, 5)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [], [entries[0].key])
    retried = outcome(entries[1], status="deferred", due_at=NOW + 60_000)
    await batches.tick(database, 1, [retried], [])
    await elsewhere(database, 3)
    await accepted(database, due_at=NOW + 9000, hold=Hold.SCHEDULED.value)
    await accepted(database, due_at=NOW + DAY_MS, hold=Hold.SUSPENDED.value)
    await pause(database)

    assert (
        await slices(database, interventions.hold_domain) == 6
    )  # ten rows, two in a slice, and the last is empty
    held = [row for row in await rows(database, "queue") if row["hold"] == "paused"]
    assert {(row["owner"], row["due_at"], row["domain_id"]) for row in held} == {(0, NEVER, DOMAIN)}
    assert len(held) == 4
    kept = {row["hold"] for row in await rows(database, "queue")}
    assert kept == {"", "paused", "scheduled", "suspended"}
    assert await events(database) == ["deferred", *["held"] * 4]
    assert (await batches.tick(database, 1, [], [entries[2].key])).marked == set()
    async with database.read() as connection:
        assert await queue.paused_messages(connection, ACCOUNT, DOMAIN, 100) == 1
        assert await queue.paused_messages(connection, ACCOUNT, ELSEWHERE, 100) == 0

    await pause(database, paused=False)
    assert await slices(database, interventions.release_domain) == 3
    released = [row for row in await rows(database, "queue") if row["due_at"] == AT_ONCE]
    assert len(released) == 4
    assert {row["hold"] for row in released} == {""}
    assert (await events(database)).count("released") == 4
    statuses = [
        row["status"] for row in await rows(database, "emails") if row["id"] in {r["email_id"] for r in held}
    ]
    assert sorted(statuses) == ["deferred", "queued", "queued", "queued"]
    assert len(await batches.claim(database, 2, [0], ACCOUNT, NOW, 10)) == 4 + 3


async def test_a_claim_asks_the_table_whether_sending_is_paused(database: Database) -> None:
    """Nobody has held these rows: the node that pauses may have died, or they have become due since."""
    await accepted(database, due_at=NOW, hold=Hold.SCHEDULED.value)
    await elsewhere(database)
    await pause(database)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    assert {(entry.domain_id, entry.paused) for entry in entries} == {(DOMAIN, True), (ELSEWHERE, False)}


async def test_no_attempt_begins_while_sending_is_paused(database: Database) -> None:
    """The mark asks the table, too: a node that accepts mail itself claims nothing."""
    await accepted(database)
    await elsewhere(database)
    first, second = sorted(
        await batches.claim(database, 1, [0], ACCOUNT, NOW, 10), key=lambda entry: entry.domain_id
    )
    await pause(database)
    ticked = await batches.tick(database, 1, [], [first.key, second.key, (ACCOUNT, "0" * 24)])
    assert ticked == (set(), {second.email_id}, {first.email_id})
    [row] = [row for row in await rows(database, "queue") if row["email_id"] == first.email_id]
    assert (row["owner"], row["mark"]) == (1, 0)
    assert (await batches.tick(database, 9, [], [first.key])).paused == set()  # it is not theirs anyway


async def test_nothing_is_held_for_a_pause_that_is_over(database: Database) -> None:
    """Its node has not heard of the end yet. The row goes back, to be claimed by who asks the table."""
    await accepted(database)
    await elsewhere(database)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    paused, resumed = sorted(entries, key=lambda entry: entry.domain_id)
    await pause(database)
    holds = [record.held(entry, Hold.PAUSED, LATER) for entry in (paused, resumed)]
    assert (await batches.tick(database, 1, holds, [])).recorded == {paused.email_id, resumed.email_id}
    found = {row["domain_id"]: row for row in await rows(database, "queue")}
    assert (found[DOMAIN]["hold"], found[DOMAIN]["due_at"]) == ("paused", NEVER)
    assert (found[ELSEWHERE]["hold"], found[ELSEWHERE]["due_at"]) == ("", resumed.due_at)
    assert {row["owner"] for row in found.values()} == {0}
    assert await events(database) == ["held"]
    assert (await batches.tick(database, 1, holds, [])).recorded == set()  # written once
    assert [entry.email_id for entry in await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)] == [
        resumed.email_id
    ]


async def test_nothing_is_held_for_a_suspension_that_is_over(database: Database) -> None:
    """As of a pause: the account is asked of the table when its mail is about to be held."""
    await accepted(database, 2)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    suspended, released = entries
    held = [record.held(entry, Hold.SUSPENDED, LATER) for entry in entries]
    async with database.write() as connection:
        await accounts.change(connection, ACCOUNT, state="suspended")
    await batches.tick(database, 1, held[:1], [])
    async with database.write() as connection:
        await accounts.change(connection, ACCOUNT, state="approved")
    assert (await batches.tick(database, 1, held, [])).recorded == {released.email_id}
    found = {row["email_id"]: row for row in await rows(database, "queue")}
    assert [found[entry.email_id]["hold"] for entry in entries] == ["suspended", ""]
    assert await events(database) == ["held"]
    again = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    assert [entry.email_id for entry in again] == [released.email_id]
    assert suspended.email_id not in {entry.email_id for entry in again}


async def test_what_was_left_behind_is_found(database: Database) -> None:
    await accepted(database, due_at=NEVER, hold=Hold.PAUSED.value)
    await pause(database)
    async with database.read() as connection:
        assert await queue.resumed(connection) == []
    await pause(database, paused=False)
    async with database.read() as connection:
        assert await queue.resumed(connection) == [(ACCOUNT, DOMAIN)]
    await slices(database, interventions.release_domain)
    async with database.read() as connection:
        assert await queue.resumed(connection) == []


async def test_what_has_become_old_in_a_pause_is_tried_for_another_day(database: Database) -> None:
    await accepted(database, due_at=NEVER, hold=Hold.PAUSED.value)
    expires_at = (await rows(database, "queue"))[0]["expires_at"]
    async with database.write() as connection:
        await interventions.release_domain(connection, ACCOUNT, DOMAIN, NOW)
    assert (await rows(database, "queue"))[0]["expires_at"] == expires_at
    async with database.write() as connection:
        await connection.execute(text(f"UPDATE queue SET hold = 'paused', due_at = {NEVER}"))
        await interventions.release_domain(connection, ACCOUNT, DOMAIN, expires_at + DAY_MS)
    assert (await rows(database, "queue"))[0]["expires_at"] == expires_at + 2 * DAY_MS


async def test_the_list_of_the_queue_says_that_it_is_never_due(database: Database) -> None:
    inserts = await accepted(database, due_at=NEVER, hold=Hold.PAUSED.value)
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO installation VALUES ('timescale_correction', '5')"))
    async with database.read() as connection:
        item = await queue.show(connection, inserts.emails[0].id)
        [count] = await queue.counts(connection, "domain")
    assert item is not None
    assert (item.due_at, item.hold, count.next_due_at, count.held) == (NEVER, "paused", NEVER, 1)


async def test_a_scheduled_message_can_be_taken_back_while_sending_is_paused(database: Database) -> None:
    inserts = await accepted(database, 2, due_at=NEVER, hold=Hold.PAUSED.value)
    message_id = inserts.messages[0].id
    async with database.write() as connection:
        await connection.execute(text("UPDATE queue SET attempts = 1"))
        assert not await interventions.cancel_scheduled(connection, ACCOUNT, message_id, LATER, LATER)
        await connection.execute(text("UPDATE queue SET attempts = 0"))
        assert await interventions.cancel_scheduled(connection, ACCOUNT, message_id, LATER, LATER)
    assert await rows(database, "queue") == []


async def test_a_claim_tells_of_a_template_that_is_gone_unless_somebody_may_have_the_message(
    database: Database,
) -> None:
    inserts = await accepted(database)
    async with database.write() as connection:
        values = f"'{ACCOUNT}', '{inserts.messages[0].id}', '{'t' * 16}', {NOW}"
        await connection.execute(
            text(f"INSERT INTO api_messages (account_id, id, template_id, send_at) VALUES ({values})")
        )
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    assert entry.template_gone
    await batches.tick(database, 1, [], [entry.key])  # and its node dies
    [entry] = await batches.claim(database, 2, [1], ACCOUNT, NOW, 10)
    assert (entry.template_gone, entry.unfinished) == (False, 1)


async def test_the_paused_rows_are_found_by_their_index(sqlite_database: Database) -> None:
    def plan(sql: str) -> str:
        return f"EXPLAIN QUERY PLAN {sql}"

    async with sqlite_database.read() as connection:
        found = await connection.execute(text(plan(queue._RESUMED)))
        plans = [row[3] for row in found]
    assert not [line for line in plans if line.startswith("SCAN queue")], plans
    assert any("ix_queue_paused" in line for line in plans), plans
