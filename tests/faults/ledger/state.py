"""What the database says, by recipient: plain SQL, without the product's code."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

FINAL = {"delivered", "bounced", "expired", "suppressed", "cancelled"}
TERMINAL_EVENTS = {"delivered", "hard_bounced", "soft_bounced", "suppressed", "cancelled"}

_OURS = "e.recipient LIKE '%@sink.test' AND e.id > $1"
_QUEUED = f"FROM emails e JOIN queue q ON q.account_id = e.account_id AND q.email_id = e.id WHERE {_OURS}"
_ALL = (
    f"SELECT e.id, e.message_id, e.recipient, e.status, e.possible_duplicate FROM emails e WHERE {_OURS}",
    f"SELECT e.recipient, q.mark, q.owner {_QUEUED}",
    "SELECT e.recipient, v.id, v.type FROM emails e "
    f"JOIN events v ON v.account_id = e.account_id AND v.email_id = e.id WHERE {_OURS}",
    "SELECT e.recipient FROM emails e JOIN attempts a ON a.account_id = e.account_id AND a.email_id = e.id "
    f"WHERE a.result = 'uncertain' AND {_OURS}",
    "SELECT count(*) FROM emails e JOIN queue q ON q.account_id = e.account_id AND q.email_id = e.id "
    f"JOIN messages m ON m.account_id = e.account_id AND m.id = e.message_id WHERE m.content_gone AND {_OURS}",
)
_WAITING = (f"SELECT e.id, e.status, q.due_at {_QUEUED}",)
_SUSPECTS = (f"SELECT e.id {_QUEUED} AND q.unfinished + CASE WHEN q.mark <> 0 THEN 1 ELSE 0 END >= 2",)
_BATCHES = ("SELECT b.id FROM bulk_emails b WHERE b.state <> 'completed' AND b.id > $1",)
_SESSIONS = (
    "SELECT client_port FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND client_port > 0"
)
_ESTABLISHED = "01"
ORPHANS_LOOK, ORPHANS_LOOKS = 0.02, 500
_Rows = list[Sequence[Any]]


@dataclass
class State:
    """`queued` maps recipients with a queue row to their mark, `owners` to the incarnation that has it. `events` are (id, type) pairs. `newest` is the greatest
    id of an email."""

    message_ids: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    flagged: set[str] = field(default_factory=set)
    queued: dict[str, int] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    events: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    uncertain: Counter[str] = field(default_factory=Counter)
    queued_without_content: int = 0
    newest: str = ""
    twice: list[str] = field(default_factory=list)

    @property
    def marked(self) -> set[str]:
        return {recipient for recipient, mark in self.queued.items() if mark}

    @property
    def most_marked(self) -> int:
        """By one incarnation. While the lease of one that died lasts, nobody else takes over what it had under way."""
        return max(Counter(self.owners.get(recipient, 0) for recipient in self.marked).values(), default=0)

    def final(self, recipient: str) -> bool:
        return self.status.get(recipient) in FINAL


def read(url: str, behind: str = "") -> State:
    """Everything about the emails behind this id (ids grow with time), while a relay runs."""
    return _state(_rows(url, _ALL, behind))


def read_dead(url: str, behind: str = "") -> State:
    """The same, when the relay is dead or stands still. On SQLite a copy is looked at: to open the files themselves would
    already mend them."""
    if not url.startswith("sqlite"):
        asyncio.run(_all_alive(url))
        return read(url, behind)
    with tempfile.TemporaryDirectory() as directory:
        copied = _copy(Path(url.removeprefix("sqlite:///")), Path(directory))
        return _state(_sqlite(copied, _ALL, behind))


def waiting(url: str, behind: str = "") -> list[tuple[str, str, int]]:
    """(email id, status, due at) of those that are not final, while a relay runs."""
    [rows] = _rows(url, _WAITING, behind)
    return [(email_id, status, due_at) for email_id, status, due_at in rows]


def suspects(url: str, behind: str = "") -> list[str]:
    """Those whose attempts were interrupted twice, or once, and the second one is under way."""
    [rows] = _rows(url, _SUSPECTS, behind)
    return [email_id for (email_id,) in rows]


def batches(url: str, behind: str = "") -> list[str]:
    """The bulk emails that are not completed, while a relay runs."""
    [rows] = _rows(url, _BATCHES, behind)
    return [bulk_id for (bulk_id,) in rows]


def _rows(url: str, statements: Sequence[str], behind: str) -> list[_Rows]:
    if url.startswith("sqlite"):
        return _sqlite(Path(url.removeprefix("sqlite:///")), statements, behind)
    return asyncio.run(_postgres(url, statements, behind))


def _state(found: list[_Rows]) -> State:
    if not found:  # it died before the tables were made
        return State()
    emails, queue, events, uncertain, gone = found
    state = State(queued_without_content=gone[0][0])
    state.queued.update((recipient, mark) for recipient, mark, _ in queue)
    state.owners.update((recipient, owner) for recipient, _, owner in queue)
    for email_id, message_id, recipient, status, flagged in emails:
        state.newest = max(state.newest, email_id)
        if recipient in state.status:
            state.twice.append(recipient)
        state.message_ids[recipient] = message_id
        state.status[recipient] = status
        if flagged:
            state.flagged.add(recipient)
    for recipient, event_id, kind in events:
        state.events[recipient].add((event_id, kind))
    state.uncertain.update(recipient for (recipient,) in uncertain)
    return state


def _copy(path: Path, directory: Path) -> Path:
    for suffix in ("", "-wal"):
        if path.with_name(path.name + suffix).exists():
            shutil.copy(path.with_name(path.name + suffix), directory)
    return directory / path.name


def _sqlite(path: Path, statements: Sequence[str], behind: str) -> list[_Rows]:
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone() is None:
            return []
        connection.execute("BEGIN")  # all of one moment
        return [connection.execute(sql.replace("$", "?"), (behind,)).fetchall() for sql in statements]


async def _all_alive(url: str) -> None:
    """Wait for the sessions of clients that have died: what those had sent before, a COMMIT say, still happens."""
    connection = await asyncpg.connect(url)
    try:
        for _ in range(ORPHANS_LOOKS):
            sessions = await connection.fetch(_SESSIONS)
            if {session["client_port"] for session in sessions} <= _open_ports():
                return
            await asyncio.sleep(ORPHANS_LOOK)
        raise AssertionError("PostgreSQL still works for a relay that is dead")
    finally:
        await connection.close()


def _open_ports() -> set[int]:
    """Local ports of established TCP connections: of those whose process has died none is left."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == _ESTABLISHED}


async def _postgres(url: str, statements: Sequence[str], behind: str) -> list[_Rows]:
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('events')") is None:
            return []
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [[tuple(row) for row in await connection.fetch(sql, behind)] for sql in statements]
    finally:
        await connection.close()
