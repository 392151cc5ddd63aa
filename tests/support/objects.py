"""One of everything that a path of the API may name, for tests that go through all endpoints."""

from __future__ import annotations

from itertools import count
from typing import Any

from postroom.runtime import ids
from postroom.store import invites
from postroom.store.inbounds import Inbound
from postroom.store.invites import Invite
from postroom.tenancy import inbounds, passwords, tokens
from postroom.tenancy.grants import Grant
from postroom.tenancy.inbounds import NewInbound, Target
from postroom.tenancy.invites import LIFETIME
from postroom.types.actor import SYSTEM
from postroom.types.events import EventType
from postroom.types.inbound import ForwardKind
from postroom.types.permissions import Role
from support import people
from support.api import ApiWorld, Tenant
from support.identities import identity
from support.messages import PDF
from support.sent import ago, happened, in_the_inbox, sent

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


async def inbound(api: ApiWorld, tenant: Tenant) -> str:
    """Also where the installation has no host for inbound mail."""
    new = NewInbound(
        domain_id=tenant.domain.id,
        name="Support",
        targets=(Target(ForwardKind.WEBHOOK, "https://hooks.example.com/inbound"),),
    )
    made = await inbounds.add(api.database, api.box, tenant.account.id, new, by=SYSTEM)
    assert isinstance(made, Inbound)
    return made.id


async def token(api: ApiWorld, tenant: Tenant) -> str:
    """Another one than the tenant calls with, so that deleting it does no harm."""
    made = await tokens.add(api.database, tenant.account.id, name="spare", scopes=["domains_read"], by=SYSTEM)
    return made.token.id


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
    gone, bulky = await sent(api, tenant), await sent(api, tenant, 20)
    suppressed = await happened(
        api.database, gone, EventType.SUPPRESSED, ago(api, 50), status="suppressed", reason="hard_bounced"
    )
    bulk = await tenant.post("/bulk-email", json=[{}])
    hook = await tenant.post("/webhooks", json=webhook(tenant))
    user = await tenant.post(f"/domains/{tenant.domain.id}/smtp-users", json={"name": "App"})
    template = await tenant.post("/templates", json={"html": "<p>Hi {{ name }}</p>", "auto_generate": True})
    return {
        "user_id": [(await people.make(api.database, tenant.account.id)).id],
        "invite_id": [await invite(api, tenant)],
        "domain_id": [tenant.domain.id],
        "message_id": [scheduled.messages[0].id, mail.messages[0].id],
        "email_id": [mail.emails[0].id, gone.emails[0].id],
        "attachment_id": [PDF],
        "sandbox_email_id": await in_the_inbox(api.database, scheduled, bulky),
        "activity_id": [delivered, suppressed],
        "bulk_email_id": [bulk.json()["bulk_email_id"]],
        "token_id": [await token(api, tenant)],
        "identity_id": [(await identity(api, tenant)).id],
        "email": [(await identity(api, tenant)).email],
        "template_id": [template.json()["data"]["id"]],
        "recipient_id": [await recipient(tenant)],
        "inbound_id": [await inbound(api, tenant)],
        "smtp_user_id": [user.json()["data"]["id"]],
        "webhook_id": [hook.json()["data"]["id"]],
    }
