"""Webhooks: each has a secret of its own, which is sealed at rest and shown to those who manage it.

Whether somebody answers at the URL is asked before (`notify.ping`): nothing waits for the network in a transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import accounts
from postroom.store import webhooks as store
from postroom.store.database import Database
from postroom.store.webhooks import Webhook
from postroom.tenancy import audit
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused
from postroom.types.webhooks import WebhookEvent

MOST = 100
"""Of one domain: each event goes to all that want it."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What its owner says; each field is right by itself."""

    domain_id: str
    url: str
    name: str
    events: tuple[WebhookEvent, ...]
    enabled: bool = True
    editable: bool = True
    version: int = 2


async def add(
    db: Database, box: SecretBox, account_id: str, new: NewWebhook, *, most: int | None = None, by: Actor
) -> Webhook:
    """`most`: how many a domain may have. Raises ConflictError when the domain has one with this URL, PostroomError when
    it has too many."""
    now, webhook_id = Clock().now_ms(), ids.object_id()
    webhook = Webhook(
        account_id=account_id,
        id=webhook_id,
        domain_id=new.domain_id,
        url=new.url,
        name=new.name,
        events=joined(new.events),
        enabled=new.enabled,
        editable=new.editable,
        version=new.version,
        secret=box.seal(secrets.token_hex(16).encode(), _context(webhook_id)),
        created_at=now,
        updated_at=now,
    )
    async with db.write() as connection:
        await accounts.adding_to(connection, account_id)
        full = await room(connection, account_id, new.domain_id, most)
        if full is not None:
            raise PostroomError(full.text)
        await store.add(connection, webhook)
        await _record(connection, by, "created", webhook, None, webhook)
    return webhook


async def room(
    connection: AsyncConnection, account_id: str, domain_id: str, most: int | None = None
) -> Refused | None:
    """Why there is none for another webhook of this domain, or None."""
    most = MOST if most is None else min(most, MOST)
    if await store.count(connection, account_id, domain_id) < most:
        return None
    return Refused(refusals.TOO_MANY_WEBHOOKS, {"most": str(most)})


async def change(db: Database, webhook: Webhook, *, by: Actor, **new: Any) -> Webhook:
    """Set url, name, events (as `joined` makes them), enabled, editable or version. Without a change nothing happens.

    Raises ConflictError as `add`, NotFoundError when it is gone meanwhile.
    """
    async with db.write() as connection:
        before = await store.get(connection, webhook.account_id, webhook.id)
        if before is None:
            raise _missing(webhook)
        after = replace(before, **new)
        if after == before:
            return before
        new["updated_at"] = Clock().now_ms()
        await store.change(connection, webhook.account_id, webhook.id, **new)
        await _record(connection, by, "updated", webhook, before, after)
    return replace(before, **new)


async def delete(db: Database, webhook: Webhook, *, by: Actor) -> None:
    """Raises NotFoundError when it is gone already."""
    async with db.write() as connection:
        if not await store.remove(connection, webhook.account_id, webhook.id):
            raise _missing(webhook)
        await _record(connection, by, "deleted", webhook, webhook, None)


def secret(box: SecretBox, webhook: Webhook) -> str:
    """What signs its requests. Raises SecretError when it was sealed with another key file."""
    return box.open(webhook.secret, _context(webhook.id)).decode()


def joined(events: Iterable[WebhookEvent]) -> str:
    """As they are stored, each once."""
    return " ".join(dict.fromkeys(events))


def events_of(webhook: Webhook) -> list[WebhookEvent]:
    return [WebhookEvent(event) for event in webhook.events.split()]


async def _record(
    connection: AsyncConnection,
    by: Actor,
    verb: str,
    webhook: Webhook,
    before: Webhook | None,
    after: Webhook | None,
) -> None:
    await audit.record(
        connection,
        by,
        f"webhook.{verb}",
        account_id=webhook.account_id,
        object_id=webhook.id,
        name=webhook.name,
        before=before,
        after=after,
    )


def _missing(webhook: Webhook) -> NotFoundError:
    return NotFoundError(f"there is no webhook {webhook.id}")


def _context(webhook_id: str) -> str:
    return f"webhook:{webhook_id}"
