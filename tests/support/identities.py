"""Sender identities for tests: kept at once, without a mail and beyond the limit of mails."""

from __future__ import annotations

from itertools import count

from postroom.runtime import ids
from postroom.store import installation, sender_identities
from postroom.store.sender_identities import SenderIdentity
from support.api import ApiWorld, Tenant

_numbers = count()


async def identity(
    api: ApiWorld, tenant: Tenant, email: str = "", *, verified: bool = False, **fields: str
) -> SenderIdentity:
    """Of the tenant's domain. `fields`: name, reply_to_email, reply_to_name."""
    now = api.clock.now_ms()
    email = email or f"ben{next(_numbers)}@client.example"
    made = SenderIdentity(
        account_id=tenant.account.id,
        id=ids.object_id(),
        domain_id=tenant.domain.id,
        email=email,
        organisation=email.rpartition("@")[2],
        name=fields.get("name", ""),
        reply_to_email=fields.get("reply_to_email", ""),
        reply_to_name=fields.get("reply_to_name", ""),
        add_note=False,
        personal_note="",
        resends=0,
        secret_hash=None,
        expires_at=now,
        verified_at=now if verified else None,
        problem="",
        checked_at=now,
        created_at=now,
        updated_at=now,
    )
    async with api.database.write() as connection:
        await sender_identities.add(connection, made)
        await installation.bump(connection)
    await api.changed()
    return made
