"""`POST /v1/email` in tests: a body that is right, and what was kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import httpx
from sqlalchemy import Row, select

from postroom.compose.compose import Stored
from postroom.compose.source import read_source
from postroom.store import messages as store
from postroom.store import personalizations
from postroom.store.schema import api_messages, emails, messages, queue
from support.api import ApiWorld, Tenant
from support.parts import parsed


def body(tenant: Tenant | ApiWorld, **changes: Any) -> dict[str, Any]:
    """A short text from the tenant's domain to Bob; a change to None leaves the field out."""
    domain = tenant.first.domain.name if isinstance(tenant, ApiWorld) else tenant.domain.name
    made: dict[str, Any] = {
        "from": {"email": f"anna@{domain}", "name": "Anna"},
        "to": [{"email": "bob@x.test", "name": "Bob"}],
        "subject": "Hello",
        "text": "Hello Bob.",
    }
    made |= changes
    return {name: value for name, value in made.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Kept:
    """A message with its emails and queue rows by recipient. `details` is its row in api_messages."""

    message: Row[Any]
    emails: dict[str, Row[Any]]
    queue: dict[str, Row[Any]]
    details: Row[Any] | None


async def kept(api: ApiWorld, answer: httpx.Response) -> Kept:
    message_id = answer.headers["x-message-id"]
    async with api.database.read() as connection:
        message = (await connection.execute(select(messages).where(messages.c.id == message_id))).one()
        found = await connection.execute(select(emails).where(emails.c.message_id == message_id))
        mails = {row.recipient: row for row in found}
        waiting = await connection.execute(select(queue).where(queue.c.message_id == message_id))
        recipients = {row.id: row.recipient for row in mails.values()}
        rows = {recipients[row.email_id]: row for row in waiting}
        details = (
            await connection.execute(select(api_messages).where(api_messages.c.id == message_id))
        ).first()
    return Kept(message, mails, rows, details)


async def raw(api: ApiWorld, answer: httpx.Response, recipient: str = "bob@x.test") -> bytes:
    """What this recipient is sent, before signing."""
    found = await kept(api, answer)
    key = found.message.account_id, found.message.id
    email = found.message.account_id, found.emails[recipient].id
    async with api.database.read() as connection:
        row = (await store.load(connection, [key]))[key]
        personalization = (await personalizations.load(connection, [email])).get(email, b"")
    stored = Stored.from_row(row, "relay.test")
    assert stored is not None
    source = read_source(stored, personalization, api.blobs.open)
    assert isinstance(source, bytes), source
    return source


async def message(api: ApiWorld, answer: httpx.Response, recipient: str = "bob@x.test") -> EmailMessage:
    """The same as the standard library reads it."""
    return parsed(await raw(api, answer, recipient))


async def count(api: ApiWorld) -> int:
    """Messages kept."""
    async with api.database.read() as connection:
        return len((await connection.execute(select(messages.c.id))).all())
