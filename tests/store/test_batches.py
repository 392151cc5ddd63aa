"""The hot path on both databases: accept, claim, tick."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from postroom.errors import ConflictError
from postroom.store import batches
from postroom.store.batches.rows import InboxRow, Inserts
from postroom.store.database import Database
from postroom.types.suppression import Suppressing
from support.mail import (
    ACCOUNT,
    DAY_MS,
    DOMAIN,
    NOW,
    OTHER,
    accepted,
    insert,
    lay_out,
    message_row,
    outcome,
    rows,
    together,
)

DAY = NOW // DAY_MS


async def test_accept_inserts_what_the_plan_decides(database: Database) -> None:
    refused, kept = lay_out(message_row()), lay_out(message_row(), 2)

    def plan(used: dict[str, int], suppressing: Sequence[Suppressing], *_: object) -> Inserts:
        assert used == {ACCOUNT: 0, OTHER: 0}
        assert [(entry.account_id, entry.address) for entry in suppressing] == [(ACCOUNT, "gone@example.org")]
        kept.counts[ACCOUNT] = 2
        return kept

    async with database.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO suppressions (account_id, id, list, address, created_at) "
                "VALUES (:account, '1', 'blocklist', 'gone@example.org', 0)"
            ),
            {"account": ACCOUNT},
        )
    addresses = [(ACCOUNT, "gone@example.org"), (OTHER, "gone@example.org"), (ACCOUNT, "user0@example.org")]
    assert await batches.accept(database, DAY, [OTHER, ACCOUNT, ACCOUNT], addresses, plan) == {ACCOUNT: 2}

    assert [row["id"] for row in await rows(database, "messages")] == [kept.messages[0].id]
    assert refused.messages[0].id not in {row["id"] for row in await rows(database, "contents")}
    assert len(await rows(database, "emails")) == len(await rows(database, "queue")) == 2
    assert [row["used"] for row in await rows(database, "quota_days") if row["account_id"] == ACCOUNT] == [2]


async def test_a_batch_that_fails_leaves_nothing(database: Database) -> None:
    first = await accepted(database)
    twice = together([lay_out(message_row()), first])
    with pytest.raises(ConflictError):
        await insert(database, twice)
    assert len(await rows(database, "messages")) == 1
    assert len(await rows(database, "contents")) == 1


async def test_a_plan_that_raises_leaves_nothing(database: Database) -> None:
    def plan(used: dict[str, int], suppressing: Sequence[Suppressing], *_: object) -> Inserts:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await batches.accept(database, DAY, [ACCOUNT], [], plan)
    await accepted(database)  # and the writer is free again


@pytest.mark.parametrize("recipients", [1, 199, 200, 201, 401])
async def test_batches_at_the_borders_of_a_statement(database: Database, recipients: int) -> None:
    inserts = await accepted(database, recipients)
    entries = await batches.claim(database, 5, [0], ACCOUNT, NOW, 1000)
    assert {entry.email_id for entry in entries} == {row.id for row in inserts.emails}
    ticked = await batches.tick(database, 5, [], [entry.key for entry in entries])
    assert len(ticked.marked) == recipients
    half = entries[: recipients // 2]
    records = [outcome(entry) for entry in half]
    records += [
        outcome(entry, status="deferred", due_at=NOW + 60_000, owner=5) for entry in entries[len(half) :]
    ]
    ticked = await batches.tick(database, 5, records, [])
    assert len(ticked.recorded) == recipients
    assert len(await rows(database, "queue")) == recipients - len(half)
    assert {row["status"] for row in await rows(database, "emails")} <= {"delivered", "deferred"}
    assert len(await rows(database, "attempts")) == recipients
    assert len(await rows(database, "events")) == recipients


async def test_x04_quota_counters_are_exact_under_racing_batches(database: Database) -> None:
    quota, kept = 50, 0

    async def one() -> None:
        def plan(used: dict[str, int], _suppressing: Sequence[Suppressing], *_: object) -> Inserts:
            nonlocal kept
            inserts = Inserts()
            for account in (ACCOUNT, OTHER):
                if used[account] + 3 <= quota:
                    inserts.counts[account] = 3
                    kept += 3
            return inserts

        await batches.accept(database, DAY, [OTHER, ACCOUNT], [], plan)

    await asyncio.gather(*(one() for _ in range(40)))
    assert [row["used"] for row in await rows(database, "quota_days")] == [48, 48]
    assert kept == 96


async def test_racing_batches_without_a_quota_are_counted_exactly(database: Database) -> None:
    async def one() -> dict[str, int]:
        return await batches.accept(database, DAY, [], [], lambda *_: Inserts(counts={ACCOUNT: 2, OTHER: 1}))

    counted = await asyncio.gather(*(one() for _ in range(40)))
    assert sorted(counts[ACCOUNT] for counts in counted) == list(range(2, 81, 2))
    assert [row["used"] for row in await rows(database, "quota_days")] == [80, 40]


async def test_two_nodes_never_claim_the_same_row(database: Database) -> None:
    await insert(database, together([lay_out(message_row()) for _ in range(60)]))
    claims = await asyncio.gather(
        *(batches.claim(database, owner, [0], ACCOUNT, NOW, 10) for owner in (1, 2, 3, 4) for _ in range(3))
    )
    ids = [entry.email_id for entries in claims for entry in entries]
    assert len(ids) == len(set(ids)) == 60


async def test_claim_takes_the_longest_due_first_and_leaves_the_rest(database: Database) -> None:
    late = lay_out(message_row(), due_at=NOW - 1000)
    early = lay_out(message_row(), due_at=NOW - 9000)
    future = lay_out(message_row(), due_at=NOW + 1)
    other = lay_out(message_row(OTHER))
    owned = lay_out(message_row(), owner=7)
    await insert(database, together([late, early, future, other, owned]))
    first = await batches.claim(database, 5, [0], ACCOUNT, NOW, 1)
    assert [entry.email_id for entry in first] == [early.emails[0].id]
    second = await batches.claim(database, 5, [0], ACCOUNT, NOW, 10)
    assert [entry.email_id for entry in second] == [late.emails[0].id]
    assert await batches.claim(database, 5, [0], ACCOUNT, NOW, 10) == []
    third = await batches.claim(database, 5, [0, 7], ACCOUNT, NOW, 10)
    assert [entry.email_id for entry in third] == [owned.emails[0].id]


async def test_q15_a_mark_without_an_outcome_counts_as_unfinished(database: Database) -> None:
    await accepted(database)
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    for owner in (2, 3, 4):
        assert (await batches.tick(database, owner - 1, [], [entry.key])).marked == {entry.email_id}
        [entry] = await batches.claim(database, owner, [owner - 1], ACCOUNT, NOW, 10)
        assert (entry.attempts, entry.unfinished) == (owner - 1, owner - 1)
    [row] = await rows(database, "queue")
    assert row["mark"] == 0
    [email] = await rows(database, "emails")
    assert (email["status"], email["possible_duplicate"]) == ("uncertain", True)
    types = [event["type"] for event in await rows(database, "events")]
    assert types == ["possible_duplicate"] * 3


async def test_a_lease_is_not_an_attempt(database: Database) -> None:
    """A row that was only claimed comes back as it was."""
    await accepted(database)
    await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    [entry] = await batches.claim(database, 2, [1], ACCOUNT, NOW, 10)
    assert (entry.attempts, entry.unfinished) == (0, 0)


async def test_an_old_incarnation_neither_marks_nor_records_over_a_new_one(database: Database) -> None:
    await accepted(database)
    [old] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [], [old.key])
    [new] = await batches.claim(database, 2, [1], ACCOUNT, NOW, 10)
    ticked = await batches.tick(database, 1, [outcome(old, status="bounced")], [old.key])
    assert ticked.recorded == ticked.marked == set()
    [email] = await rows(database, "emails")
    assert email["status"] == "uncertain"
    assert await rows(database, "attempts") == []
    assert (await batches.tick(database, 2, [outcome(new)], [])).recorded == {new.email_id}


async def test_q14_what_was_learned_under_a_lost_lease_is_recorded_while_nobody_has_claimed_the_row(
    database: Database,
) -> None:
    await accepted(database, 2)
    sent, waiting = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [], [sent.key])
    ticked = await batches.tick(database, 2, [outcome(sent)], [waiting.key])
    assert (ticked.recorded, ticked.marked) == ({sent.email_id}, set())
    assert [(row["email_id"], row["mark"]) for row in await rows(database, "queue")] == [
        (waiting.email_id, 0)
    ]


async def test_i4_writing_a_tick_again_changes_nothing(database: Database) -> None:
    """After an unknown commit the engine writes its records again."""
    await accepted(database, 2)
    first, second = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    records = [outcome(first), outcome(second, status="deferred", due_at=NOW + 60_000, owner=1)]
    assert len((await batches.tick(database, 1, records, [])).recorded) == 2
    before = [await rows(database, table) for table in ("queue", "emails", "events", "attempts")]
    assert (await batches.tick(database, 1, records, [])).recorded == set()
    assert [await rows(database, table) for table in ("queue", "emails", "events", "attempts")] == before


async def test_held_rows_are_not_marked(database: Database) -> None:
    await accepted(database, owner=1, hold="suspended")
    [row] = await rows(database, "queue")
    assert (await batches.tick(database, 1, [], [(ACCOUNT, row["email_id"])])).marked == set()


async def test_the_last_outcome_gives_the_content_its_expiry(database: Database) -> None:
    await accepted(database, 2)
    first, second = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [outcome(first)], [])
    assert (await rows(database, "messages"))[0]["content_expires_at"] is None
    await batches.tick(database, 1, [outcome(second)], [])
    assert (await rows(database, "messages"))[0]["content_expires_at"] == NOW + DAY_MS


async def test_both_recipients_in_one_tick_give_it_too(database: Database) -> None:
    await accepted(database, 2)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [outcome(entry) for entry in entries], [])
    assert (await rows(database, "messages"))[0]["content_expires_at"] == NOW + DAY_MS


async def test_an_outcome_may_go_into_the_inbox(database: Database) -> None:
    await accepted(database)
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    kept = InboxRow(ACCOUNT, entry.email_id, entry.message_id, DOMAIN, entry.recipient, NOW)
    await batches.tick(database, 1, [replace(outcome(entry), inbox=kept)], [])
    assert [row["email_id"] for row in await rows(database, "inbox")] == [entry.email_id]


async def test_skip_locked_leaves_rows_that_another_node_is_claiming(database: Database) -> None:
    if database.sqlite:
        pytest.skip("PostgreSQL only: SQLite has one writer")
    inserts = await accepted(database, 2)
    async with database.write() as connection:
        locked = inserts.emails[0].id
        await connection.execute(text("SELECT 1 FROM queue WHERE email_id = :id FOR UPDATE"), {"id": locked})
        entries = await asyncio.wait_for(batches.claim(database, 1, [0], ACCOUNT, NOW, 10), 5)
    assert [entry.email_id for entry in entries] == [inserts.emails[1].id]
