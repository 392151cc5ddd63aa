"""Rows of mail for store tests: one call accepts a message with its recipients as `accept` would."""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import accounts, batches, events
from postroom.store.accounts import Account
from postroom.store.batches.rows import (
    AttemptRow,
    ContentRow,
    EmailChange,
    EmailRow,
    Entry,
    Inserts,
    MessageRow,
    OutcomeRecord,
    QueueChange,
    QueueRow,
)
from postroom.store.database import Database
from postroom.store.schema import emails, metadata
from postroom.types.events import EventType

NOW = 1_780_000_000_000
DAY_MS = 86_400_000
ACCOUNT = "a" * 16
OTHER = "b" * 16
DOMAIN = "d" * 16

SMTP_USER = {
    "id": "s" * 16,
    "account_id": ACCOUNT,
    "domain_id": DOMAIN,
    "username": "app@example.com",
    "password_hash": b"",
    "scram_salt": b"",
    "scram_iterations": 1,
    "scram_stored_key": b"",
    "scram_server_key": b"",
    "created_at": NOW,
    "updated_at": NOW,
}
"""A row, for what only needs one to be there."""

_numbers = count(1)


def mail_id(at: int = NOW) -> str:
    """In order of their making, whatever the clock says."""
    return f"{at:012x}{next(_numbers):012x}"


def message_row(account: str = ACCOUNT, *, at: int = NOW, blob: str = "", **changes: Any) -> MessageRow:
    row = MessageRow(
        account_id=account,
        id=mail_id(at),
        domain_id=DOMAIN,
        credential_id="c" * 16,
        edge="smtp",
        sender="app@example.com",
        header_from="App <app@example.com>",
        subject="Hello",
        message_id="",
        signing_domain="example.com",
        stream="transactional",
        tags="",
        size=100,
        header_size=50,
        eight_bit=False,
        utf8=False,
        dsn_ret="",
        dsn_envid="",
        blob=blob,
        received_at=at,
        content_expires_at=None,
    )
    return row._replace(**changes)


def lay_out(
    message: MessageRow, recipients: int = 1, *, owner: int = 0, due_at: int | None = None, hold: str = ""
) -> Inserts:
    """A message with queued recipients."""
    at, account = message.received_at, message.account_id
    inserts = Inserts(messages=[message])
    if not message.blob:
        inserts.contents.append(ContentRow(account, message.id, b"content of " + message.id.encode()))
    for number in range(recipients):
        email = mail_id(at)
        address = f"user{number}@example.org"
        inserts.emails.append(EmailRow(account, email, message.id, address, "queued", "", "", at, None))
        inserts.queue.append(
            QueueRow(
                account,
                email,
                message.id,
                DOMAIN,
                "example.org",
                0,
                owner,
                at if due_at is None else due_at,
                at + 3 * DAY_MS,
                hold,
            )
        )
    return inserts


def together(parts: list[Inserts]) -> Inserts:
    whole = Inserts()
    for part in parts:
        for name in ("contents", "messages", "emails", "queue", "events"):
            getattr(whole, name).extend(getattr(part, name))
    return whole


async def insert(database: Database, inserts: Inserts) -> Inserts:
    account_ids = {row.account_id for row in inserts.messages}
    await batches.accept(database, NOW // DAY_MS, sorted(account_ids), [], lambda *_: inserts)
    return inserts


async def add_account(database: Database, account_id: str = ACCOUNT, *, state: str = "approved") -> None:
    async with database.write() as connection:
        await accounts.add(
            connection, Account(account_id, f"Account {account_id[0]}", state, "", None, NOW, NOW)
        )


async def accepted(database: Database, recipients: int = 1, **options: Any) -> Inserts:
    return await insert(database, lay_out(message_row(), recipients, **options))


def outcome(
    entry: Entry, *, status: str = "delivered", due_at: int | None = None, at: int = NOW, **queue: Any
) -> OutcomeRecord:
    """What an attempt at this entry came to."""
    number = entry.attempts + 1
    change = QueueChange(entry.account_id, entry.email_id, entry.message_id, number, 0, due_at, 0, "")
    kind = {"delivered": EventType.DELIVERED, "deferred": EventType.DEFERRED}.get(
        status, EventType.HARD_BOUNCED
    )
    return OutcomeRecord(
        owner=entry.owner,
        queue=change._replace(**queue),
        email=EmailChange(
            entry.account_id, entry.email_id, status, number, "250 2.0.0 Ok", False, True, None if due_at else at
        ),
        events=[events.new(entry.account_id, entry.email_id, entry.message_id, kind, at)],
        attempt=AttemptRow(
            entry.account_id, entry.email_id, number, at, status, 12, "mx.example.org", "192.0.2.1", "", 250, "2.0.0",
            "250 2.0.0 Ok", b"transcript",
        ),
        keep_content_until=at + DAY_MS,
    )  # fmt: skip


async def rows(database: Database, table: str) -> list[dict[str, Any]]:
    """A whole table, in order of its key."""
    source = metadata.tables[table]
    async with database.read() as connection:
        found = await connection.execute(select(source).order_by(*source.primary_key.columns))
        return [dict(row._mapping) for row in found]


async def statuses(connection: AsyncConnection) -> dict[str, str]:
    return {row.id: row.status for row in await connection.execute(select(emails.c.id, emails.c.status))}
