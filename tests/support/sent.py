"""Mail of a tenant, for tests of what the API reads: rows as accept and delivery leave them."""

from __future__ import annotations

import json
from typing import Any

import zstandard
from sqlalchemy import insert as insert_into
from sqlalchemy import update

from postroom.store import events
from postroom.store.batches.rows import Inserts
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.schema import api_messages, emails, inbox, message_metadata
from postroom.tenancy import domains
from postroom.types.actor import SYSTEM
from postroom.types.events import EventType
from postroom.types.status import Hold
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld, Tenant
from support.mail import insert, lay_out, message_row
from support.messages import MESSAGE

AGO = 10_000
"""Milliseconds since `sent` mail was accepted, unless a test says otherwise."""


def ago(api: ApiWorld, milliseconds: int = AGO) -> int:
    return api.clock.now_ms() - milliseconds


def dates(api: ApiWorld, hours: int = 1) -> dict[str, Any]:
    """`date_from` and `date_to`: the last so many hours."""
    now = api.clock.now_ms() // 1000
    return {"date_from": now - hours * 3600, "date_to": now}


async def second_domain(api: ApiWorld, tenant: Tenant) -> Domain:
    name = f"second.{tenant.domain.name}"
    return await domains.add(
        api.database, api.box, name, account_id=tenant.account.id, mode=domains.SANDBOX, by=SYSTEM
    )


async def sent(
    api: ApiWorld,
    tenant: Tenant,
    recipients: int = 1,
    *,
    at: int | None = None,
    send_at: int | None = None,
    content: bytes = MESSAGE,
    headers: list[dict[str, str]] | None = None,
    metadata: dict[str, str] | None = None,
    template_id: str | None = None,
    **message: Any,
) -> Inserts:
    """A queued message; with `send_at` a scheduled one."""
    changes = {
        "domain_id": tenant.domain.id,
        "header_from": f"shop@{tenant.domain.name}",
        "size": len(content),
        "header_size": content.index(b"\r\n\r\n") + 2,
    } | message
    row = message_row(tenant.account.id, at=ago(api) if at is None else at, **changes)
    hold = "" if send_at is None else Hold.SCHEDULED.value
    laid_out = lay_out(row, recipients, due_at=send_at, hold=hold)
    laid_out.contents = [one._replace(data=zstandard.compress(content)) for one in laid_out.contents]
    inserts = await insert(api.database, laid_out)
    if any(value is not None for value in (send_at, headers, metadata, template_id)):
        async with api.database.write() as connection:
            await connection.execute(
                insert_into(api_messages).values(
                    account_id=tenant.account.id,
                    id=row.id,
                    template_id=template_id,
                    headers=headers and json.dumps(headers),
                    metadata=metadata and json.dumps(metadata),
                    send_at=send_at,
                )
            )
            for name, value in (metadata or {}).items():
                known = {"account_id": tenant.account.id, "name": name, "value": value, "message_id": row.id}
                await connection.execute(insert_into(message_metadata).values(known))
    return inserts


async def happened(
    database: Database, inserts: Inserts, kind: EventType, at: int, *, status: str, **detail: Any
) -> str:
    """Something happened to the first recipient at this time, and left the email with this status; the event's id."""
    email = inserts.emails[0]
    event = events.new(email.account_id, email.id, email.message_id, kind, at, **detail)
    which = (emails.c.account_id == email.account_id, emails.c.id == email.id)
    async with database.write() as connection:
        await events.add(connection, [event])
        final = {"status": status, "sent": kind != EventType.SUPPRESSED, "final_at": at}
        await connection.execute(update(emails).where(*which).values(final))
    return event.id


def times(at: int) -> dict[str, str]:
    return {"created_at": timestamp(at), "updated_at": timestamp(at)}


async def in_the_inbox(database: Database, *mails: Inserts) -> list[str]:
    """As a sandbox delivers: each recipient's copy lies in the inbox; their ids."""
    rows = [
        {
            "account_id": mail.messages[0].account_id,
            "email_id": email.id,
            "message_id": email.message_id,
            "domain_id": mail.messages[0].domain_id,
            "recipient": email.recipient,
            "received_at": email.created_at,
        }
        for mail in mails
        for email in mail.emails
    ]
    async with database.write() as connection:
        await connection.execute(insert_into(inbox), rows)
    return [row["email_id"] for row in rows]
