"""The hot path: what happens for every message happens here, many at once.

`accept` inserts a batch of messages (one transaction, one fsync, then all the `250`s). `claim` takes queue rows for
a node. `tick` records the outcomes of finished attempts and marks the attempts about to begin, in one transaction:
only a marked attempt may send its final dot, so only marked rows can become a second copy after a crash.

Each exists twice, in `sqlite` (one call in the writer's thread) and in `postgres` (asyncpg). A statement carries
all rows of the batch: stepping row by row would hand the interpreter lock back and forth for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from postroom.runtime.killpoints import reach
from postroom.store.batches import postgres, sqlite
from postroom.store.batches.rows import Entry, OutcomeRecord, Plan, Ticked
from postroom.store.database import Database


async def accept(
    database: Database, day: int, limited: Sequence[str], addresses: Sequence[tuple[str, str]], plan: Plan
) -> dict[str, int]:
    """Insert what `plan` decides, in one transaction; durable when this returns. Answers with the emails that each
    account has now had accepted on that day.

    `limited` are the accounts for which `plan` needs to know that beforehand, exactly: their counters are read, and
    on PostgreSQL locked, first. `addresses` are the (account id, recipient) pairs of the batch.
    """
    arguments = (day, sorted(set(limited)), addresses, plan)
    counts: dict[str, int]
    if database.sqlite:
        counts = await database.sqlite_batch(sqlite.accept, *arguments)
    else:
        counts = await database.postgres_batch(postgres.accept, *arguments)
    reach("accept.after_commit")
    return counts


async def claim(
    database: Database, owner: int, free: Sequence[int], account_id: str, now: int, limit: int
) -> list[Entry]:
    """Up to `limit` due rows of one account whose owner is in `free` (0 and dead incarnations) become `owner`'s.

    Rows that carry a mark had an attempt whose outcome nobody recorded: they come back with `attempts` and
    `unfinished` raised, the mark cleared, and the event `possible_duplicate` recorded.
    """
    arguments = (owner, list(free), account_id, now, limit)
    entries: list[Entry]
    if database.sqlite:
        entries = await database.sqlite_batch(sqlite.claim, *arguments)
    else:
        entries = await database.postgres_batch(postgres.claim, *arguments)
    reach("claim.after_commit")
    return entries


async def tick(
    database: Database, owner: int, records: Sequence[OutcomeRecord], marks: Sequence[tuple[str, str]]
) -> Ticked:
    """Record outcomes and mark attempts ((account id, email id) pairs) of rows that `owner` still owns.

    Rows that are not owned any more (claimed by another node, cancelled) are left alone and not in the answer.
    """
    ticked: Ticked
    if database.sqlite:
        ticked = await database.sqlite_batch(sqlite.tick, owner, records, marks)
    else:
        ticked = await database.postgres_batch(postgres.tick, owner, records, marks)
    reach("tick.after_commit")
    return ticked
