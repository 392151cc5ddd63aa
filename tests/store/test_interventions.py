from __future__ import annotations

import asyncio

import pytest

from postroom.errors import ConflictError, NotFoundError
from postroom.store import batches, interventions
from postroom.store.database import Database
from postroom.types.status import Hold
from support.mail import (
    ACCOUNT,
    DAY_MS,
    NOW,
    OTHER,
    accepted,
    add_account,
    insert,
    lay_out,
    message_row,
    outcome,
    rows,
)

LATER = NOW + 5000


@pytest.fixture(autouse=True)
async def _account(database: Database) -> None:
    await add_account(database)


async def _cancel(database: Database, email_id: str) -> None:
    async with database.write() as connection:
        await interventions.cancel(connection, email_id, LATER, LATER + DAY_MS)


async def _retry(database: Database, email_id: str) -> None:
    async with database.write() as connection:
        await interventions.retry_now(connection, email_id, LATER)


async def _event_types(database: Database) -> list[str]:
    return [row["type"] for row in await rows(database, "events")]


async def test_cancel_makes_the_email_final_with_its_event(database: Database) -> None:
    inserts = await accepted(database, 2)
    first, second = (row.id for row in inserts.emails)
    await _cancel(database, first)
    assert [row["email_id"] for row in await rows(database, "queue")] == [second]
    email = (await rows(database, "emails"))[0]
    assert (email["status"], email["final_at"]) == ("cancelled", LATER)
    assert "cancelled" in await _event_types(database)
    assert (await rows(database, "messages"))[0]["content_expires_at"] is None
    await _cancel(database, second)
    assert (await rows(database, "messages"))[0]["content_expires_at"] == LATER + DAY_MS


async def test_what_is_final_under_way_or_unknown_cannot_be_cancelled(database: Database) -> None:
    inserts = await accepted(database)
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [], [entry.key])
    with pytest.raises(ConflictError, match="under way"):
        await _cancel(database, entry.email_id)
    with pytest.raises(ConflictError, match="under way"):
        await _retry(database, entry.email_id)
    await batches.tick(database, 1, [outcome(entry)], [])
    with pytest.raises(ConflictError, match="is delivered already"):
        await _cancel(database, inserts.emails[0].id)
    with pytest.raises(NotFoundError):
        await _cancel(database, "0" * 24)


async def test_i4_cancel_against_claim_and_mark(database: Database) -> None:
    """Whoever is first wins: a cancelled email is never marked, a marked one never cancelled."""
    for _ in range(15):
        await accepted(database)
        [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
        ticked, cancelled = await asyncio.gather(
            batches.tick(database, 1, [], [entry.key]),
            _cancel(database, entry.email_id),
            return_exceptions=True,
        )
        assert not isinstance(ticked, BaseException)
        if cancelled is None:
            assert ticked.marked == set()
        else:
            assert isinstance(cancelled, ConflictError)
            assert ticked.marked == {entry.email_id}


async def test_a_cancelled_row_is_left_alone_by_the_tick(database: Database) -> None:
    await accepted(database)
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await _cancel(database, entry.email_id)
    assert (await batches.tick(database, 1, [outcome(entry)], [entry.key])).recorded == set()
    assert (await rows(database, "emails"))[0]["status"] == "cancelled"


async def test_retry_makes_a_waiting_row_due_for_anybody(database: Database) -> None:
    inserts = await accepted(database, owner=3, due_at=NOW + DAY_MS)
    await _retry(database, inserts.emails[0].id)
    [row] = await rows(database, "queue")
    assert (row["due_at"], row["owner"]) == (interventions.AT_ONCE, 0)
    assert await _event_types(database) == []


async def test_retry_releases_what_is_quarantined(database: Database) -> None:
    inserts = await accepted(database, hold=Hold.QUARANTINED.value, due_at=NOW + DAY_MS)
    await _retry(database, inserts.emails[0].id)
    [row] = await rows(database, "queue")
    assert (row["hold"], row["unfinished"], row["due_at"]) == ("", 0, interventions.AT_ONCE)
    assert await _event_types(database) == ["released"]


async def test_hold_and_release_an_account(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interventions, "SLICE", 2)
    await add_account(database, OTHER)
    await insert(database, lay_out(message_row(OTHER)))
    await accepted(database, 6)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [], [entries[0].key])  # under way: it stays
    deferred = outcome(entries[1], status="deferred", due_at=NOW + 60_000, owner=1)
    await batches.tick(database, 1, [deferred], [])

    await _all(database, interventions.hold_account)
    held = [row for row in await rows(database, "queue") if row["hold"]]
    assert len(held) == 5
    assert {(row["owner"], row["due_at"] - row["expires_at"], row["account_id"]) for row in held} == {
        (0, 0, ACCOUNT)
    }
    assert sorted(row["status"] for row in await rows(database, "emails")) == ["held"] * 5 + ["queued"] * 2
    assert (await _event_types(database)).count("held") == 5
    assert await batches.claim(database, 2, [0], ACCOUNT, LATER, 10) == []

    await _all(database, interventions.release_account)
    assert not [row for row in await rows(database, "queue") if row["hold"]]
    statuses = sorted(row["status"] for row in await rows(database, "emails"))
    assert statuses == ["deferred", *["queued"] * 6]
    assert (await _event_types(database)).count("released") == 5
    assert len(await batches.claim(database, 2, [0], ACCOUNT, LATER, 10)) == 5


async def test_release_takes_only_what_is_on_this_hold(database: Database) -> None:
    await accepted(database, hold=Hold.QUARANTINED.value)
    await _all(database, interventions.release_account)
    assert (await rows(database, "queue"))[0]["hold"] == Hold.QUARANTINED.value


async def _all(database: Database, step: object) -> None:
    after: str | None = ""
    while after is not None:
        async with database.write() as connection:
            after = await step(connection, ACCOUNT, Hold.SUSPENDED, LATER, after)  # type: ignore[operator]
