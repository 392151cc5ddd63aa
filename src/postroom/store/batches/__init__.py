"""The hot path: what happens for every message happens here, many at once.

`accept` inserts a batch of messages (one transaction, one fsync, then all the `250`s). `claim` takes queue rows for
a node. `tick` records the outcomes of finished attempts and marks the attempts about to begin, in one transaction:
only a marked attempt may send its final dot, so only marked rows can become a second copy after a crash.

Each exists twice, in `sqlite` (one call in the writer's thread) and in `postgres` (asyncpg). A statement carries
all rows of the batch: stepping row by row would hand the interpreter lock back and forth for each of them.

Each is called with the database, or within a turn of its writer (`Database.turn`) by who gathers until that has come.
"""

from __future__ import annotations

from collections.abc import Sequence

from postroom.runtime.killpoints import reach
from postroom.store.batches import postgres, sqlite
from postroom.store.batches.rows import CapCounter, Entry, Key, OutcomeRecord, Plan, Ticked
from postroom.store.database import Database, InTurn


async def accept(
    database: Database | InTurn,
    day: int,
    limited: Sequence[str],
    addresses: Sequence[tuple[str, str]],
    plan: Plan,
    keys: Sequence[Key] = (),
    now: int = 0,
    capped: Sequence[CapCounter] = (),
    holding: Sequence[str] = (),
) -> dict[str, int]:
    """Insert what `plan` decides, in one transaction; durable when this returns. Answers with the emails that each
    account has now had accepted on that day.

    `limited` are the accounts for which `plan` needs to know that beforehand, exactly: their counters are read, and
    on PostgreSQL locked, first. `addresses` are the (account id, recipient) pairs of the batch. `keys` are idempotency
    keys: until the transaction ends nobody else can take them, and `plan` is told which are taken at the time
    `now` (on the clock's steady scale). `capped` are the counters of SMTP users that `plan` needs to know, as exactly.
    `holding` are those of the limited accounts for which it needs to know the count of the day after, too.
    """
    arguments = (
        day,
        sorted(set(limited)),
        addresses,
        plan,
        sorted(set(keys)),
        now,
        sorted(set(capped)),
        sorted(set(holding)),
    )
    counts: dict[str, int]
    if database.sqlite:
        counts = await database.sqlite_batch(sqlite.accept, *arguments)
    else:
        counts = await database.postgres_batch(postgres.accept, *arguments)
    reach("accept.after_commit")
    return counts


async def claim(
    database: Database | InTurn,
    owner: int,
    free: Sequence[int],
    account_id: str,
    now: int,
    limit: int,
    *,
    ahead: int = 0,
) -> list[Entry]:
    """Up to `limit` due rows of one account whose owner is in `free` (0 and dead incarnations) become `owner`'s.

    `now` and `ahead` are the clock's `moment`. Entries whose recipient is suppressed by now say so (X05).
    Rows that carry a mark had an attempt whose outcome nobody recorded: they come back with `attempts` and
    `unfinished` raised, the mark cleared, and the event `possible_duplicate` recorded.
    """
    arguments = (owner, list(free), account_id, now + ahead, limit, now)
    entries: list[Entry]
    if database.sqlite:
        entries = await database.sqlite_batch(sqlite.claim, *arguments)
    else:
        entries = await database.postgres_batch(postgres.claim, *arguments)
    reach("claim.after_commit")
    return entries


async def tick(
    database: Database | InTurn,
    owner: int,
    records: Sequence[OutcomeRecord],
    marks: Sequence[tuple[str, str]],
) -> Ticked:
    """Record outcomes, and mark the attempts of `owner` that are about to begin ((account id, email id) pairs).

    Each outcome has its own owner: a node that has lost its lease, and has a new number, still records what it learned
    under the old one. Rows with another owner (claimed by another node, cancelled) are left alone and not in the answer.
    """
    ticked: Ticked
    if database.sqlite:
        ticked = await database.sqlite_batch(sqlite.tick, owner, records, marks)
    else:
        ticked = await database.postgres_batch(postgres.tick, owner, records, marks)
    reach("tick.after_commit")
    return ticked
