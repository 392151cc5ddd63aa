"""The hot path on PostgreSQL. Each function runs on an asyncpg connection inside a transaction already begun.

Rows come as one array for each column (unnest): one statement and one round trip for any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger

from postroom.runtime.killpoints import reach
from postroom.store.batches.rows import (
    ENDING,
    ENTRY_COLUMNS,
    PAUSED,
    SUPPRESSING_COLUMNS,
    ApiMessageRow,
    AttemptRow,
    CapCounter,
    ContentRow,
    EmailChange,
    EmailRow,
    Entry,
    EventRow,
    IdempotencyRow,
    InboxRow,
    Inserts,
    Key,
    MessageRow,
    MetadataRow,
    OutcomeRecord,
    PersonalizationRow,
    Plan,
    QueueChange,
    QueueRow,
    Ticked,
    Used,
    claimed,
    content_expiries,
    current,
    flag_suppressed,
)
from postroom.store.schema import metadata
from postroom.store.suppressions import lock_name
from postroom.types.suppression import Suppressing

LOCK = """
INSERT INTO quota_days (account_id, day, used) SELECT account_id, $2, 0 FROM unnest($1::text[]) AS account_id ORDER BY 1
ON CONFLICT (account_id, day) DO UPDATE SET used = quota_days.used
RETURNING account_id, used
"""

COUNT_AHEAD = """
UPDATE quota_days q SET used = q.used + c.used FROM unnest($1::text[], $2::bigint[]) AS c(account_id, used)
WHERE q.account_id = c.account_id AND q.day = $3
"""


async def _used(connection: Any, day: int, accounts: Sequence[str]) -> dict[str, int]:
    """The upsert locks the counters, in account order: two batches can wait for each other, never deadlock."""
    if not accounts:
        return {}
    return {row["account_id"]: row["used"] for row in await connection.fetch(LOCK, accounts, day)}


SUPPRESSED = f"""
SELECT {SUPPRESSING_COLUMNS} FROM suppressions s
JOIN unnest($1::text[], $2::text[]) AS a(account_id, address) ON s.account_id = a.account_id AND s.address = a.address
WHERE NOT s.pattern
UNION ALL SELECT {SUPPRESSING_COLUMNS} FROM suppressions s WHERE s.pattern AND s.account_id = ANY($1::text[])
"""  # noqa: S608 - column names of ours


async def _suppressing(connection: Any, addresses: Sequence[tuple[str, str]]) -> list[Suppressing]:
    return [Suppressing(*row) for row in await connection.fetch(SUPPRESSED, *_columns(addresses, 2))]


LOCK_KEYS = (
    "SELECT pg_advisory_xact_lock(lock) FROM (SELECT DISTINCT hashtextextended(k, 0) AS lock "
    "FROM unnest($1::text[]) AS k ORDER BY 1) AS locks"
)
EXPIRED = """
DELETE FROM idempotency_keys i USING unnest($1::text[], $2::text[]) AS k(account_id, key)
WHERE i.account_id = k.account_id AND i.key = k.key AND i.expires_at <= $3
"""
TAKEN = """
SELECT i.account_id, i.key FROM idempotency_keys i JOIN unnest($1::text[], $2::text[]) AS k(account_id, key)
ON i.account_id = k.account_id AND i.key = k.key
"""


async def _taken(connection: Any, keys: Sequence[Key], now: int) -> set[Key]:
    """Another node may be about to take one of them: who comes second waits for its transaction."""
    if not keys:
        return set()
    await connection.fetch(LOCK_KEYS, [f"idempotency {account_id} {key}" for account_id, key in keys])
    await connection.execute(EXPIRED, *_columns(keys, 2), now)
    return {(row["account_id"], row["key"]) for row in await connection.fetch(TAKEN, *_columns(keys, 2))}


LOCK_CAPPED = """
INSERT INTO smtp_user_counts (account_id, smtp_user_id, span, began_at, used)
SELECT *, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS c(a, b, c, d) ORDER BY a, b, c, d
ON CONFLICT (account_id, smtp_user_id, span, began_at) DO UPDATE SET used = smtp_user_counts.used
RETURNING account_id, smtp_user_id, span, began_at, used
"""

COUNT_CAPPED = """
UPDATE smtp_user_counts u SET used = u.used + c.used
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
    AS c(account_id, smtp_user_id, span, began_at, used)
WHERE (u.account_id, u.smtp_user_id, u.span, u.began_at) = (c.account_id, c.smtp_user_id, c.span, c.began_at)
"""


async def _capped(connection: Any, counters: Sequence[CapCounter]) -> dict[CapCounter, int]:
    """Locked, in their order: after the accounts that have a quota, before those that have none. So batches can wait
    for each other, never deadlock."""
    if not counters:
        return {}
    rows = await connection.fetch(LOCK_CAPPED, *_columns(counters, 4))
    return {CapCounter(*row[:-1]): row[-1] for row in map(tuple, rows)}


async def accept(
    connection: Any,
    day: int,
    limited: Sequence[str],
    addresses: Sequence[tuple[str, str]],
    plan: Plan,
    keys: Sequence[Key],
    now: int,
    capped: Sequence[CapCounter],
    holding: Sequence[str],
) -> dict[str, int]:
    used = Used(await _used(connection, day, limited), await _used(connection, day + 1, holding))
    known = await _capped(connection, capped)
    taken = await _taken(connection, keys, now)
    inserts = plan(used, await _suppressing(connection, addresses), taken, known)
    if inserts.capped:
        rows = [(*counter, count) for counter, count in inserts.capped.items()]
        await connection.execute(COUNT_CAPPED, *_columns(rows, 5))
    if inserts.ahead:
        await connection.execute(COUNT_AHEAD, list(inserts.ahead), list(inserts.ahead.values()), day + 1)
    counted = await _insert_all(connection, inserts, day) if inserts.messages or inserts.counts else []
    reach("accept.before_commit")
    return {row["account_id"]: row["used"] for row in counted}


_TYPES = {
    LargeBinary: "bytea",
    BigInteger: "bigint",
    SmallInteger: "smallint",
    Integer: "int",
    Boolean: "bool",
}


def _unnested(table: str, row: type[Any], first: int) -> str:
    """INSERT of rows that come as one array for each column, in parameters from number `first` on."""
    columns = [metadata.tables[table].c[name] for name in row._fields]
    arrays = [
        f"${number}::{_TYPES.get(type(column.type), 'text')}[]"
        for number, column in enumerate(columns, first)
    ]
    return f"INSERT INTO {table} ({', '.join(row._fields)}) SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608


def _insert_statement() -> str:
    """Everything an ordinary batch adds, in one statement: each costs a round trip, which outweighs its rows.

    The counters come last, so they are locked for as short as can be; again in account order.
    """
    parts, first = [], 4
    for table, row in _ORDINARY:
        parts.append(f"{table}_in AS ({_unnested(table, row, first)})")
        first += len(row._fields)
    return f"""WITH {", ".join(parts)}
INSERT INTO quota_days (account_id, day, used)
SELECT account_id, $3, used FROM unnest($1::text[], $2::bigint[]) AS c(account_id, used) ORDER BY 1
ON CONFLICT (account_id, day) DO UPDATE SET used = quota_days.used + excluded.used RETURNING account_id, used
"""  # noqa: S608 - table and column names of ours


_ORDINARY = (("contents", ContentRow), ("messages", MessageRow), ("emails", EmailRow), ("queue", QueueRow))
INSERT = _insert_statement()


async def _insert_all(connection: Any, inserts: Inserts, day: int) -> list[Any]:
    """The new counters come back."""
    await _insert(connection, "personalizations", PersonalizationRow, inserts.personalizations)
    await _insert(connection, "api_messages", ApiMessageRow, inserts.api_messages)
    await _insert(connection, "message_metadata", MetadataRow, inserts.metadata)
    await _insert(connection, "idempotency_keys", IdempotencyRow, inserts.idempotency)
    await _insert(connection, "events", EventRow, inserts.events)
    arrays: list[list[Any]] = []
    for table, row in _ORDINARY:
        arrays += _columns(getattr(inserts, table), len(row._fields))
    counts = inserts.counts
    return await connection.fetch(INSERT, list(counts), list(counts.values()), day, *arrays)  # type: ignore[no-any-return]


CLAIM = f"""
WITH due AS (
    SELECT account_id, email_id FROM queue WHERE owner = ANY($1::int[]) AND account_id = $2 AND due_at <= $3
    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE queue q SET owner = $5, hold = '' FROM due
    WHERE q.account_id = due.account_id AND q.email_id = due.email_id RETURNING q.*)
SELECT {ENTRY_COLUMNS} FROM claimed q JOIN emails e ON e.account_id = q.account_id AND e.id = q.email_id
JOIN messages m ON m.account_id = q.account_id AND m.id = q.message_id
"""  # noqa: S608 - column names of ours


LOCK_SUPPRESSIONS = "SELECT pg_advisory_xact_lock_shared(hashtext($1))"


async def claim(
    connection: Any, owner: int, free: Sequence[int], account_id: str, due_by: int, limit: int, at: int
) -> list[Entry]:
    rows = await connection.fetch(CLAIM, free, account_id, due_by, limit, owner)
    taken = [claimed(tuple(row), at) for row in rows]
    await _interrupt(connection, [event for _, event in taken if event is not None])
    entries = [entry for entry, _ in taken]
    if entries:
        addresses = [(account_id, entry.recipient) for entry in entries]
        await connection.fetch(LOCK_SUPPRESSIONS, lock_name(account_id))
        flag_suppressed(entries, await _suppressing(connection, addresses), at)
    reach("claim.before_commit")
    return entries


UNMARK = """
UPDATE queue q SET attempts = greatest(q.attempts, q.mark), unfinished = q.unfinished + 1, mark = 0
FROM unnest($1::text[], $2::text[]) AS k(account_id, email_id)
WHERE q.account_id = k.account_id AND q.email_id = k.email_id
"""

UNCERTAIN = """
UPDATE emails e SET status = 'uncertain', possible_duplicate = true
FROM unnest($1::text[], $2::text[]) AS k(account_id, id) WHERE e.account_id = k.account_id AND e.id = k.id
"""


async def _interrupt(connection: Any, events: list[EventRow]) -> None:
    if events:
        keys = _columns([(event.account_id, event.email_id) for event in events], 2)
        await connection.execute(UNMARK, *keys)
        await connection.execute(UNCERTAIN, *keys)
        await _insert(connection, "events", EventRow, events)


OWNED = """
SELECT q.email_id, q.owner, q.attempts FROM queue q JOIN unnest($2::text[], $3::text[]) AS k(account_id, email_id)
    ON q.account_id = k.account_id AND q.email_id = k.email_id
WHERE q.owner = ANY($1::int[]) ORDER BY q.email_id FOR UPDATE OF q
"""

MARK = f"""
UPDATE queue q SET mark = q.attempts + 1 FROM unnest($2::text[], $3::text[]) AS k(account_id, email_id)
WHERE q.account_id = k.account_id AND q.email_id = k.email_id AND q.owner = $1 AND q.hold = '' AND NOT {PAUSED}
RETURNING q.email_id
"""  # noqa: S608 - a condition of ours


async def tick(
    connection: Any, owner: int, records: Sequence[OutcomeRecord], marks: Sequence[tuple[str, str]]
) -> Ticked:
    kept: list[OutcomeRecord] = []
    if records:
        owners = list({record.owner for record in records})
        owned = await connection.fetch(OWNED, owners, *_columns([record.key for record in records], 2))
        kept = current(records, {row["email_id"]: (row["owner"], row["attempts"]) for row in owned})
        await _record(connection, await _without_ended_holds(connection, kept))
        reach("tick.outcomes_written")
    marked: set[str] = set()
    if marks:
        marked = {row["email_id"] for row in await connection.fetch(MARK, owner, *_columns(marks, 2))}
    stopped = await _where(connection, PAUSED, [key for key in marks if key[1] not in marked])
    paused = {email_id for email_id, has in stopped.items() if has == owner}
    reach("tick.before_commit")
    return Ticked({record.queue.email_id for record in kept}, marked, paused)


WHERE = """
SELECT q.email_id, q.owner FROM queue q JOIN unnest($1::text[], $2::text[]) AS k(account_id, email_id)
    ON q.account_id = k.account_id AND q.email_id = k.email_id
WHERE {condition}
"""

LET_GO = """
UPDATE queue q SET owner = 0 FROM unnest($1::text[], $2::text[]) AS k(account_id, email_id)
WHERE q.account_id = k.account_id AND q.email_id = k.email_id
"""


async def _where(connection: Any, condition: str, keys: Sequence[Key]) -> dict[str, int]:
    """Email id to owner of those for which a condition of `rows` is true."""
    if not keys:
        return {}
    found = await connection.fetch(WHERE.format(condition=condition), *_columns(keys, 2))
    return {row["email_id"]: row["owner"] for row in found}


async def _without_ended_holds(connection: Any, records: list[OutcomeRecord]) -> list[OutcomeRecord]:
    """A node may hear late that a pause or a suspension is over. What it would hold for that goes back to be claimed."""
    ended: set[Key] = set()
    for hold, condition in ENDING.items():
        keys = [record.key for record in records if record.queue.hold == hold]
        still = await _where(connection, condition, keys)
        ended.update(key for key in keys if key[1] not in still)
    if ended:
        await connection.execute(LET_GO, *_columns(sorted(ended), 2))
    return [record for record in records if record.key not in ended] if ended else records


REQUEUE = """
UPDATE queue q SET attempts = c.attempts, unfinished = c.unfinished, due_at = c.due_at, owner = c.owner, hold = c.hold,
    mark = 0
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::bigint[], $7::int[], $8::text[])
    AS c(account_id, email_id, message_id, attempts, unfinished, due_at, owner, hold)
WHERE q.account_id = c.account_id AND q.email_id = c.email_id
"""


def _record_statement() -> str:
    """Everything an ordinary tick writes of its outcomes, in one statement, as `_insert_statement` does.

    Its parts see the tables as they were before: a message has no recipient left if those deleted here were its last.
    """
    attempts_at = 3 + len(EmailChange._fields)
    events_at = attempts_at + len(AttemptRow._fields)
    expiries_at = events_at + len(EventRow._fields)
    return f"""
WITH gone AS (
    DELETE FROM queue q USING unnest($1::text[], $2::text[]) AS k(account_id, email_id)
    WHERE q.account_id = k.account_id AND q.email_id = k.email_id),
settled AS (
    UPDATE emails e SET status = c.status, attempts = c.attempts, reply = c.reply,
        possible_duplicate = c.possible_duplicate, sent = c.sent, final_at = c.final_at
    FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bool[], $9::bool[], $10::bigint[])
        AS c(account_id, id, status, attempts, reply, possible_duplicate, sent, final_at)
    WHERE e.account_id = c.account_id AND e.id = c.id),
attempts_in AS ({_unnested("attempts", AttemptRow, attempts_at)}),
events_in AS ({_unnested("events", EventRow, events_at)})
UPDATE messages m SET content_expires_at = c.at
FROM unnest(${expiries_at}::text[], ${expiries_at + 1}::text[], ${expiries_at + 2}::bigint[]) AS c(account_id, id, at)
WHERE m.account_id = c.account_id AND m.id = c.id AND NOT EXISTS (
    SELECT 1 FROM queue q
    WHERE q.account_id = m.account_id AND q.message_id = m.id AND q.email_id <> ALL($2::text[]))
"""  # noqa: S608 - table and column names of ours


RECORD = _record_statement()


async def _record(connection: Any, records: list[OutcomeRecord]) -> None:
    if not records:
        return
    changes = [record.queue for record in records]
    waiting = [change for change in changes if change.due_at is not None]
    if waiting:
        await connection.execute(REQUEUE, *_columns(waiting, len(QueueChange._fields)))
    await _insert(connection, "inbox", InboxRow, [record.inbox for record in records if record.inbox])
    finished = [(change.account_id, change.email_id) for change in changes if change.due_at is None]
    settled = [record.email for record in records]
    attempts = [record.attempt for record in records if record.attempt]
    events = [row for record in records for row in record.events]
    await connection.execute(
        RECORD,
        *_columns(finished, 2),
        *_columns(settled, len(EmailChange._fields)),
        *_columns(attempts, len(AttemptRow._fields)),
        *_columns(events, len(EventRow._fields)),
        *_columns(content_expiries(records), 3),
    )


async def _insert(connection: Any, table: str, row: type[Any], rows: Sequence[Any]) -> None:
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=row._fields)


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """The columns of rows, for unnest. No rows: as many empty columns."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
