"""What the API lists is found by key on SQLite: a plan that scans a table would be slow only once it is large."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects import postgresql

from postroom.runtime import ids
from postroom.store import (
    activity,
    analytics,
    audit,
    email_search,
    inbox,
    message_schedules,
    messages,
    partitions,
    queue,
    refusals,
)
from postroom.store.activity import ActivityFilter
from postroom.store.analytics import AnalyticsFilter
from postroom.store.database import Database
from postroom.store.email_search import EmailFilter
from postroom.store.inbox import InboxFilter
from postroom.store.message_schedules import ScheduleFilter
from postroom.store.refusals import RefusalFilter
from support.mail import ACCOUNT, DOMAIN, NOW


async def _schedules(database: Database) -> None:
    wanted = ScheduleFilter(ACCOUNT, {DOMAIN}, message_schedules.ERROR)
    async with database.read() as connection:
        await message_schedules.count(connection, wanted)
        await message_schedules.page(connection, wanted, offset=0, limit=9)


async def _changes(database: Database, **filters: str) -> None:
    async with database.read() as connection:
        await audit.page(connection, ACCOUNT, since=NOW, until=NOW + 1000, limit=9, **filters)  # type: ignore[arg-type]


async def _plan_of(database: Database, read: Callable[[Database], Awaitable[Any]]) -> list[str]:
    """The plans of all statements that a read runs."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    engine = database._read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await read(database)
    event.remove(engine, "before_cursor_execute", note)
    plan: list[str] = []
    async with database.read() as connection:
        for statement, values in statements:
            if statement.startswith("SELECT"):
                plan += [
                    row[3]
                    for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                ]
    return plan


FILTER = EmailFilter(ACCOUNT, {DOMAIN}, NOW, NOW + 1000)
PERIOD = ActivityFilter(ACCOUNT, DOMAIN, NOW, NOW + 1000)
EVERYWHERE = replace(FILTER, domains=None)
SINCE = ids.earliest(NOW)


async def _home(database: Database) -> None:
    async with database.read() as connection:
        await queue.backlog(connection, ACCOUNT, None, 9)
        await analytics.count(connection, AnalyticsFilter(ACCOUNT), NOW, NOW + 9, ["queued", "delivered"])
        await refusals.hourly(connection, REFUSED)


async def _refusals(database: Database) -> None:
    async with database.read() as connection:
        await refusals.of_account(connection, REFUSED, offset=0, limit=9)


async def _inbox(database: Database) -> None:
    async with database.read() as connection:
        await inbox.of_account(connection, InboxFilter(ACCOUNT), offset=0, limit=9)
        await inbox.count(connection, InboxFilter(ACCOUNT, {DOMAIN}, "text"))


REFUSED = RefusalFilter(ACCOUNT, NOW, NOW + 1000)
READS = {
    "emails": (
        lambda db: email_search.page(db, FILTER, offset=0, limit=9),
        "autoindex_emails_1 (account_id=? AND id>? AND id<?)",
    ),
    "emails that wait": (
        lambda db: email_search.some(
            db, replace(EVERYWHERE, states=frozenset({"held"})), below=None, limit=9
        ),
        "autoindex_queue_1 (account_id=? AND email_id>? AND email_id<?)",
    ),
    "emails by a word in the subject": (
        lambda db: email_search.some(db, replace(EVERYWHERE, subject="order"), below=None, limit=9),
        "COVERING INDEX sqlite_autoindex_emails_1 (account_id=? AND id>? AND id<?)",
    ),
    "emails of a template": (
        lambda db: email_search.some(db, replace(EVERYWHERE, template_id="0" * 16), below=None, limit=9),
        "autoindex_emails_1 (account_id=? AND id>? AND id<?)",
    ),
    "emails of a message": (
        lambda db: email_search.page(db, replace(FILTER, message_id="0" * 24), offset=0, limit=9),
        "ix_emails_message_id (account_id=? AND message_id=?)",
    ),
    "emails by metadata": (
        lambda db: email_search.page(db, replace(FILTER, metadata={"order": "4711"}), offset=0, limit=9),
        "autoindex_message_metadata_1 (account_id=? AND name=? AND value=?)",
    ),
    "emails that something happened to": (
        lambda db: email_search.some(
            db, replace(EVERYWHERE, events=frozenset({"held"})), below=None, limit=9
        ),
        "ix_events_email_id (account_id=? AND email_id=?)",
    ),
    "emails that have changed": (
        lambda db: email_search.changed(db, replace(EVERYWHERE, subject="order"), SINCE, limit=9),
        "autoindex_events_1 (account_id=? AND id>?)",
    ),
    "refusals": (_refusals, "autoindex_refusals_2 (account_id=? AND hour>? AND hour<?)"),
    "the sandbox inbox": (_inbox, "ix_inbox_domain_id (account_id=?"),
    "home": (_home, "autoindex_queue_1 (account_id=?)"),
    "activity": (
        lambda db: activity.page(db, PERIOD, offset=0, limit=9),
        "autoindex_events_1 (account_id=? AND id>? AND id<?)",
    ),
    "activity of one kind": (
        lambda db: activity.page(db, replace(PERIOD, types=["delivered"]), offset=0, limit=9),
        "autoindex_messages_1 (account_id=? AND id=?)",
    ),
    "messages": (
        lambda db: messages.newest(db, ACCOUNT, domains=[DOMAIN], offset=0, limit=9),
        "autoindex_messages_1 (account_id=? AND id>? AND id<?)",
    ),
    "changes": (_changes, "autoindex_audit_1 (account_id=? AND id>? AND id<?)"),
    "changes of an object": (
        lambda db: _changes(db, object_id="0" * 16),
        "ix_audit_object_id (account_id=? AND object_id=? AND id>? AND id<?)",
    ),
    "changes by somebody": (
        lambda db: _changes(db, actor_id="0" * 16),
        "ix_audit_actor_id (account_id=? AND actor_id=? AND id>? AND id<?)",
    ),
    "changes of a kind": (
        lambda db: _changes(db, action="webhook.updated"),
        "ix_audit_action (account_id=? AND action=? AND id>? AND id<?)",
    ),
    "schedules": (_schedules, "ix_api_messages_send_at (account_id=? AND send_at>?)"),
}


@pytest.mark.parametrize("name", READS)
async def test_what_the_api_lists_is_found_by_key(sqlite_database: Database, name: str) -> None:
    """Each table by its account at least; where a message or its metadata is named, not by walking through the time."""
    read, wanted = READS[name]
    plan = await _plan_of(sqlite_database, read)
    assert [line for line in plan if wanted in line], plan
    tables = (
        "emails",
        "events",
        "messages",
        "queue",
        "api_messages",
        "message_metadata",
        "refusals",
        "inbox",
    )
    assert not [line for line in plan if line in {f"SCAN {table}" for table in tables}], plan
    if name in ("emails of a message", "emails by metadata"):
        assert not [line for line in plan if "id>?" in line], plan
    if name.startswith("emails that wait"):
        assert not [line for line in plan if "emails_1 (account_id=? AND id>?" in line], plan


async def test_events_are_looked_for_among_the_ids_of_a_piece(database: Database) -> None:
    """PostgreSQL would read all of the account's for each piece."""
    if database.sqlite:
        return
    await partitions.ensure(database, NOW)
    walked = email_search._walk(replace(EVERYWHERE, events=frozenset({"held"})), sqlite=False)
    statement = walked.between(SINCE, ids.earliest(NOW + 1)).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )
    async with database.read() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))  # the tables are empty
        await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        plan = list(await connection.scalars(text(f"EXPLAIN {statement}")))
    conditions = [line for line in plan if "AND ((email_id)::text " in line]
    assert conditions, plan
    assert all("email_id)::text = " in line or "email_id)::text >= " in line for line in conditions), plan
