"""The hot path on SQLite. Each function runs in the writer's thread, inside a transaction that is already begun."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

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
from postroom.types.suppression import Suppressing

VARIABLES = 30_000  # SQLite takes 32,766 in one statement
ROWS = 192  # beyond this a longer statement saves nothing
STEP = 16
"""Longer statements have a multiple of so many rows. One for each number of rows would be thousands: making them anew costs
more than the rows, and keeping them 0.1 MB each."""


def accept(
    connection: sqlite3.Connection,
    day: int,
    limited: Sequence[str],
    addresses: Sequence[tuple[str, str]],
    plan: Plan,
    keys: Sequence[Key],
    now: int,
    capped: Sequence[CapCounter],
    holding: Sequence[str],
) -> dict[str, int]:
    used = Used(_used(connection, day, limited), _used(connection, day + 1, holding))
    known = _capped(connection, capped)
    inserts = plan(used, _suppressing(connection, addresses), _taken(connection, keys, now), known)
    _insert_all(connection, inserts)
    _count_capped(connection, inserts.capped)
    counted = _count(connection, day, inserts.counts)
    _count(connection, day + 1, inserts.ahead)
    reach("accept.before_commit")
    return counted


USED = "SELECT account_id, used FROM quota_days WHERE day = ? AND account_id IN"


def _used(connection: sqlite3.Connection, day: int, accounts: Sequence[str]) -> dict[str, int]:
    used = dict.fromkeys(accounts, 0)
    for part in _parts([(account,) for account in accounts], 1):
        used.update(connection.execute(_cached_in(USED, len(part), 1), (day, *_flat(part))))
    return used


COUNT = """
ON CONFLICT DO UPDATE SET used = quota_days.used + excluded.used RETURNING account_id, used"""


def _count(connection: sqlite3.Connection, day: int, counts: dict[str, int]) -> dict[str, int]:
    counted: dict[str, int] = {}
    rows = [(account, day, count) for account, count in counts.items()]
    for part in _parts(rows, 3):
        sql = _insert_sql("quota_days", ("account_id", "day", "used"), len(part)) + COUNT
        counted.update(connection.execute(sql, _flat(part)).fetchall())
    return counted


CAPPED = (
    "SELECT account_id, smtp_user_id, span, began_at, used FROM smtp_user_counts "
    "WHERE (account_id, smtp_user_id, span, began_at) IN"
)
COUNT_CAPPED = " ON CONFLICT DO UPDATE SET used = smtp_user_counts.used + excluded.used"


def _capped(connection: sqlite3.Connection, counters: Sequence[CapCounter]) -> dict[CapCounter, int]:
    used = dict.fromkeys(counters, 0)
    for part in _parts(counters, 4):
        rows = connection.execute(_cached_in(CAPPED, len(part), 4), _flat(part))
        used.update((CapCounter(*row[:-1]), row[-1]) for row in rows)
    return used


def _count_capped(connection: sqlite3.Connection, counts: dict[CapCounter, int]) -> None:
    columns = (*CapCounter._fields, "used")
    for part in _parts([(*counter, count) for counter, count in counts.items()], len(columns)):
        sql = _insert_sql("smtp_user_counts", columns, len(part)) + COUNT_CAPPED
        connection.execute(sql, _flat(part))


SUPPRESSED = (
    f"SELECT {SUPPRESSING_COLUMNS} FROM suppressions s WHERE NOT pattern AND (account_id, address) IN"  # noqa: S608
)
PATTERNS = f"SELECT {SUPPRESSING_COLUMNS} FROM suppressions s WHERE pattern AND account_id IN"  # noqa: S608


def _suppressing(connection: sqlite3.Connection, addresses: Sequence[tuple[str, str]]) -> list[Suppressing]:
    if connection.execute("SELECT 1 FROM suppressions LIMIT 1").fetchone() is None:
        return []  # the common case is worth a shortcut
    found: list[Suppressing] = []
    for part in _parts(addresses, 2):
        sql = _cached_in(SUPPRESSED, len(part), 2)
        found += map(Suppressing._make, connection.execute(sql, _flat(part)))
    accounts = {account_id for account_id, _ in addresses}
    for part in _parts([(account_id,) for account_id in accounts], 1):
        sql = _cached_in(PATTERNS, len(part), 1)
        found += map(Suppressing._make, connection.execute(sql, _flat(part)))
    return found


TAKEN = "SELECT account_id, key FROM idempotency_keys WHERE (account_id, key) IN"
EXPIRED = "DELETE FROM idempotency_keys WHERE expires_at <= ? AND (account_id, key) IN"


def _taken(connection: sqlite3.Connection, keys: Sequence[Key], now: int) -> set[Key]:
    taken: set[Key] = set()
    for part in _parts(keys, 2):
        connection.execute(_cached_in(EXPIRED, len(part), 2), (now, *_flat(part)))
        taken.update(connection.execute(_cached_in(TAKEN, len(part), 2), _flat(part)).fetchall())
    return taken


def _insert_all(connection: sqlite3.Connection, inserts: Inserts) -> None:
    _insert(connection, "contents", ContentRow, inserts.contents)
    _insert(connection, "messages", MessageRow, inserts.messages)
    _insert(connection, "personalizations", PersonalizationRow, inserts.personalizations)
    _insert(connection, "api_messages", ApiMessageRow, inserts.api_messages)
    _insert(connection, "message_metadata", MetadataRow, inserts.metadata)
    _insert(connection, "idempotency_keys", IdempotencyRow, inserts.idempotency)
    _insert(connection, "emails", EmailRow, inserts.emails)
    _insert(connection, "queue", QueueRow, inserts.queue)
    _insert(connection, "events", EventRow, inserts.events)


CLAIM = """
UPDATE queue SET owner = ?1, hold = '' WHERE account_id = ?2 AND email_id IN (
    SELECT email_id FROM queue WHERE owner IN ({free}) AND account_id = ?2 AND due_at <= ?3 ORDER BY due_at LIMIT ?4)
RETURNING email_id
"""

ENTRIES = f"""
SELECT {ENTRY_COLUMNS} FROM queue q JOIN emails e ON e.account_id = q.account_id AND e.id = q.email_id
JOIN messages m ON m.account_id = q.account_id AND m.id = q.message_id
WHERE q.account_id = ? AND q.email_id IN
"""  # noqa: S608 - column names of ours


def claim(
    connection: sqlite3.Connection,
    owner: int,
    free: Sequence[int],
    account_id: str,
    due_by: int,
    limit: int,
    at: int,
) -> list[Entry]:
    sql = CLAIM.format(free=", ".join(str(int(number)) for number in free))
    rows = connection.execute(sql, (owner, account_id, due_by, limit)).fetchall()
    entries: list[Entry] = []
    interrupted: list[EventRow] = []
    for part in _parts(rows, 1):
        for row in connection.execute(_cached_in(ENTRIES, len(part), 1), (account_id, *_flat(part))):
            entry, event = claimed(row, at)
            entries.append(entry)
            if event is not None:
                interrupted.append(event)
    _interrupt(connection, interrupted)
    addresses = [(account_id, entry.recipient) for entry in entries]
    flag_suppressed(entries, _suppressing(connection, addresses), at)
    reach("claim.before_commit")
    return entries


UNMARK = """
UPDATE queue SET attempts = max(attempts, mark), unfinished = unfinished + 1, mark = 0
WHERE (account_id, email_id) IN"""

UNCERTAIN = """
UPDATE emails SET status = 'uncertain', possible_duplicate = true
WHERE (account_id, id) IN"""


def _interrupt(connection: sqlite3.Connection, events: list[EventRow]) -> None:
    for part in _parts([(event.account_id, event.email_id) for event in events], 2):
        connection.execute(_cached_in(UNMARK, len(part), 2), _flat(part))
        connection.execute(_cached_in(UNCERTAIN, len(part), 2), _flat(part))
    _insert(connection, "events", EventRow, events)


# The plus keeps SQLite from the index on owner: the key finds each row, while a node owns thousands of them.
MARK = f"""
UPDATE queue AS q SET mark = attempts + 1 WHERE +owner = ? AND hold = '' AND NOT {PAUSED}
AND (account_id, email_id) IN"""  # noqa: S608 - a condition of ours


def tick(
    connection: sqlite3.Connection,
    owner: int,
    records: Sequence[OutcomeRecord],
    marks: Sequence[tuple[str, str]],
) -> Ticked:
    kept = current(records, _found(connection, [record.key for record in records]))
    if kept:
        _record(connection, _without_ended_holds(connection, kept))
        reach("tick.outcomes_written")
    marked: set[str] = set()
    for part in _parts(marks, 2):
        sql = _cached_in(MARK, len(part), 2) + " RETURNING email_id"
        marked.update(row[0] for row in connection.execute(sql, (owner, *_flat(part))).fetchall())
    stopped = _where(connection, PAUSED, [key for key in marks if key[1] not in marked])
    paused = {email_id for email_id, has in stopped.items() if has == owner}
    reach("tick.before_commit")
    return Ticked({record.queue.email_id for record in kept}, marked, paused)


WHERE = "SELECT email_id, owner FROM queue q WHERE {condition} AND (account_id, email_id) IN"
LET_GO = "UPDATE queue SET owner = 0 WHERE (account_id, email_id) IN"


def _where(connection: sqlite3.Connection, condition: str, keys: Sequence[Key]) -> dict[str, int]:
    """Email id to owner of those for which a condition of `rows` is true."""
    sql = WHERE.format(condition=condition)
    found: dict[str, int] = {}
    for part in _parts(keys, 2):
        found.update(connection.execute(_cached_in(sql, len(part), 2), _flat(part)).fetchall())
    return found


def _without_ended_holds(connection: sqlite3.Connection, records: list[OutcomeRecord]) -> list[OutcomeRecord]:
    """A node may hear late that a pause or a suspension is over. What it would hold for that goes back to be claimed."""
    ended: set[Key] = set()
    for hold, condition in ENDING.items():
        keys = [record.key for record in records if record.queue.hold == hold]
        still = _where(connection, condition, keys)
        ended.update(key for key in keys if key[1] not in still)
    for part in _parts(sorted(ended), 2):
        connection.execute(_cached_in(LET_GO, len(part), 2), _flat(part))
    return [record for record in records if record.key not in ended] if ended else records


FOUND = "SELECT email_id, owner, attempts FROM queue WHERE (account_id, email_id) IN"


def _found(connection: sqlite3.Connection, keys: list[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Email id to owner and attempts."""
    found: dict[str, tuple[int, int]] = {}
    for part in _parts(keys, 2):
        rows = connection.execute(_cached_in(FOUND, len(part), 2), _flat(part)).fetchall()
        found.update((email_id, (owner, attempts)) for email_id, owner, attempts in rows)
    return found


def _record(connection: sqlite3.Connection, records: list[OutcomeRecord]) -> None:
    changes = [record.queue for record in records]
    finished = [change for change in changes if change.due_at is None]
    for part in _parts([(change.account_id, change.email_id) for change in finished], 2):
        connection.execute(
            _cached_in("DELETE FROM queue WHERE (account_id, email_id) IN", len(part), 2), _flat(part)
        )
    _update(connection, REQUEUE, QueueChange, [change for change in changes if change.due_at is not None])
    _update(connection, SETTLE, EmailChange, [record.email for record in records])
    _insert(connection, "attempts", AttemptRow, [record.attempt for record in records if record.attempt])
    _insert(connection, "events", EventRow, [row for record in records for row in record.events])
    _insert(connection, "inbox", InboxRow, [record.inbox for record in records if record.inbox])
    for part in _parts(content_expiries(records), 3):
        connection.execute(_with_values(EXPIRE_CONTENT, ("account_id", "id", "at"), len(part)), _flat(part))


REQUEUE = """
UPDATE queue SET attempts = change.attempts, unfinished = change.unfinished, due_at = change.due_at,
    owner = change.owner, hold = change.hold, mark = 0
FROM change WHERE queue.account_id = change.account_id AND queue.email_id = change.email_id
"""

SETTLE = """
UPDATE emails SET status = change.status, attempts = change.attempts, reply = change.reply,
    possible_duplicate = change.possible_duplicate, sent = change.sent, final_at = change.final_at
FROM change WHERE emails.account_id = change.account_id AND emails.id = change.id
"""

EXPIRE_CONTENT = """
UPDATE messages SET content_expires_at = change.at FROM change
WHERE messages.account_id = change.account_id AND messages.id = change.id AND NOT EXISTS (
    SELECT 1 FROM queue WHERE queue.account_id = messages.account_id AND queue.message_id = messages.id)
"""


def _insert(connection: sqlite3.Connection, table: str, row: type[Any], rows: Sequence[Any]) -> None:
    for part in _parts(rows, len(row._fields)):
        connection.execute(_insert_sql(table, row._fields, len(part)), _flat(part))


def _update(connection: sqlite3.Connection, sql: str, row: type[Any], rows: Sequence[Any]) -> None:
    for part in _parts(rows, len(row._fields)):
        connection.execute(_with_values(sql, row._fields, len(part)), _flat(part))


@lru_cache(maxsize=4096)
def _insert_sql(table: str, columns: tuple[str, ...], rows: int) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {_tuples(len(columns), rows)}"  # noqa: S608


@lru_cache(maxsize=4096)
def _with_values(sql: str, columns: tuple[str, ...], rows: int) -> str:
    return f"WITH change({', '.join(columns)}) AS (VALUES {_tuples(len(columns), rows)}) {sql}"


@lru_cache(maxsize=4096)
def _cached_in(sql: str, rows: int, width: int) -> str:
    """`sql` ends in IN. Row values are selected from VALUES: an IN on VALUES itself does not use the key (3.40)."""
    if width == 1:
        return f"{sql} ({', '.join('?' * rows)})"
    return f"{sql} (SELECT * FROM (VALUES {_tuples(width, rows)}))"  # noqa: S608


def _tuples(width: int, rows: int) -> str:
    return ", ".join(["(" + ", ".join("?" * width) + ")"] * rows)


def _parts(rows: Sequence[Any], width: int) -> Iterator[Sequence[Any]]:
    """As many as there are room for in a statement, then whole steps, then the rest."""
    most = min(ROWS, VARIABLES // width // STEP * STEP)
    at = 0
    while left := len(rows) - at:
        size = min(left // STEP * STEP or left, most)
        yield rows[at : at + size]
        at += size


def _flat(rows: Iterable[Sequence[Any]]) -> list[Any]:
    return list(chain.from_iterable(rows))
