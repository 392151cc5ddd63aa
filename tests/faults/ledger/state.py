"""What the database says, by recipient; read with plain SQL, and on SQLite from a copy that nobody else has open."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

FINAL = {"delivered", "bounced", "expired", "suppressed", "cancelled"}
TERMINAL_EVENTS = {"delivered", "hard_bounced", "soft_bounced", "suppressed", "cancelled"}

_EMAILS = "SELECT id, message_id, recipient, status, possible_duplicate FROM emails WHERE recipient LIKE '%@sink.test'"
_QUEUE = "SELECT e.recipient, q.mark, q.due_at FROM queue q JOIN emails e ON e.account_id = q.account_id AND e.id = q.email_id WHERE e.recipient LIKE '%@sink.test'"
_EVENTS = "SELECT e.recipient, v.id, v.type FROM events v JOIN emails e ON e.account_id = v.account_id AND e.id = v.email_id WHERE e.recipient LIKE '%@sink.test'"
_UNCERTAIN = (
    "SELECT e.recipient, a.number FROM attempts a JOIN emails e ON e.account_id = a.account_id AND e.id = a.email_id "
    "WHERE a.result = 'uncertain'"
)
_CONTENT = "SELECT count(*) FROM queue q JOIN messages m ON m.account_id = q.account_id AND m.id = q.message_id WHERE m.content_gone"


@dataclass
class State:
    """`queued` maps recipients with a queue row to their mark. `events` are (id, type) pairs."""

    email_ids: dict[str, str] = field(default_factory=dict)
    message_ids: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    flagged: set[str] = field(default_factory=set)
    queued: dict[str, int] = field(default_factory=dict)
    due_at: dict[str, int] = field(default_factory=dict)
    events: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    uncertain: Counter[str] = field(default_factory=Counter)
    queued_without_content: int = 0
    twice: list[str] = field(default_factory=list)

    @property
    def marked(self) -> set[str]:
        return {recipient for recipient, mark in self.queued.items() if mark}

    def final(self, recipient: str) -> bool:
        return self.status.get(recipient) in FINAL


def read(url: str) -> State:
    rows = (
        _sqlite(Path(url.removeprefix("sqlite:///")))
        if url.startswith("sqlite")
        else asyncio.run(_postgres(url))
    )
    emails, queue, events, uncertain, without = rows
    state = State(queued_without_content=without[0][0])
    for recipient, mark, due_at in queue:
        state.queued[recipient], state.due_at[recipient] = mark, due_at
    for email_id, message_id, recipient, status, flagged in emails:
        if recipient in state.status:
            state.twice.append(recipient)
        state.email_ids[recipient] = email_id
        state.message_ids[recipient] = message_id
        state.status[recipient] = status
        if flagged:
            state.flagged.add(recipient)
    for recipient, event_id, kind in events:
        state.events[recipient].add((event_id, kind))
    state.uncertain.update(recipient for recipient, _ in uncertain)
    return state


def _sqlite(path: Path) -> list[list[Any]]:
    with tempfile.TemporaryDirectory() as directory:
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                shutil.copy(path.with_name(path.name + suffix), directory)
        connection = sqlite3.connect(Path(directory) / path.name)
        try:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone()
            if found is None:  # it died before the tables were made
                return [[], [], [], [], [(0,)]]
            return [connection.execute(sql).fetchall() for sql in _all()]
        finally:
            connection.close()


async def _postgres(url: str) -> list[list[Any]]:
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('events')") is None:
            return [[], [], [], [], [(0,)]]
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [[tuple(row) for row in await connection.fetch(sql)] for sql in _all()]
    finally:
        await connection.close()


def _all() -> tuple[str, ...]:
    return _EMAILS, _QUEUE, _EVENTS, _UNCERTAIN, _CONTENT
