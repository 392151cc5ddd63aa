"""One of everything that a path of the API may name, for tests that go through all endpoints."""

from __future__ import annotations

from itertools import count
from typing import Any

from postroom.runtime import ids
from postroom.store import invites
from postroom.store.invites import Invite
from postroom.tenancy import passwords
from postroom.tenancy.grants import Grant
from postroom.tenancy.invites import LIFETIME
from postroom.types.events import EventType
from postroom.types.permissions import Role
from support import people
from support.api import ApiWorld, Tenant
from support.sent import ago, happened, sent

_numbers = count()


def webhook(tenant: Tenant) -> dict[str, Any]:
    """A body; each has a URL of its own."""
    return {
        "url": f"https://hooks.example.com/{next(_numbers)}",
        "name": "Orders",
        "events": ["activity.sent"],
        "domain_id": tenant.domain.id,
    }


async def invite(api: ApiWorld, tenant: Tenant) -> str:
    """Without its mail, and beyond the limit of invitations."""
    now = api.clock.now_ms()
    made = Invite(
        account_id=tenant.account.id,
        id=ids.object_id(),
        email=f"invited{next(_numbers)}@example.com",
        **Grant(Role.MANAGER).columns(),
        secret_hash=passwords.digest(ids.secret()),
        created_at=now,
        updated_at=now,
        expires_at=now + LIFETIME,
    )
    async with api.database.write() as connection:
        await invites.add(connection, made)
    return made.id


def new_domain() -> dict[str, Any]:
    """A body; each has a name of its own."""
    return {"name": f"new{next(_numbers)}.example.com"}


async def recipient(tenant: Tenant) -> str:
    """Somebody who came to be known with an entry on a list: mail is gathered later."""
    body = {"domain_id": tenant.domain.id, "recipients": [f"r{next(_numbers)}@example.org"]}
    added = await tenant.post("/suppressions/unsubscribes", json=body)
    found: str = added.json()["data"][0]["recipient"]["id"]
    return found


async def objects(api: ApiWorld, tenant: Tenant) -> dict[str, list[str]]:
    """Ids by the name of their parameter. A new resource adds its own here."""
    later = api.clock.now_ms() + 3_600_000
    scheduled = await sent(api, tenant, send_at=later)
    mail = await sent(api, tenant, 2, metadata={"order": "1"}, headers=[{"name": "X-A", "value": "b"}])
    delivered = await happened(api.database, mail, EventType.DELIVERED, ago(api, 100), status="delivered")
    gone = await sent(api, tenant)
    suppressed = await happened(
        api.database, gone, EventType.SUPPRESSED, ago(api, 50), status="suppressed", reason="hard_bounced"
    )
    bulk = await tenant.post("/bulk-email", json=[{}])
    hook = await tenant.post("/webhooks", json=webhook(tenant))
    template = await tenant.post("/templates", json={"html": "<p>Hi {{ name }}</p>", "auto_generate": True})
    return {
        "user_id": [(await people.make(api.database, tenant.account.id)).id],
        "invite_id": [await invite(api, tenant)],
        "domain_id": [tenant.domain.id],
        "message_id": [scheduled.messages[0].id, mail.messages[0].id],
        "email_id": [mail.emails[0].id, gone.emails[0].id],
        "activity_id": [delivered, suppressed],
        "bulk_email_id": [bulk.json()["bulk_email_id"]],
        "token_id": [tenant.token.id],
        "template_id": [template.json()["data"]["id"]],
        "recipient_id": [await recipient(tenant)],
        "webhook_id": [hook.json()["data"]["id"]],
    }
