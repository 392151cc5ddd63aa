"""Which addresses cannot be sender identities: what is asked when one is made, when its owner confirms, and daily."""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime.dns import DnsUnavailableError, Resolver
from postroom.store import domains
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import dmarc_policy, domain_names
from postroom.types import refusals
from postroom.types.free_mail import is_free_mail
from postroom.types.refusals import Refused


async def refusal(db: Database, resolver: Resolver, account_id: str, domain: str) -> Refused | None:
    """Why nobody of this account can send from addresses at `domain` (lower-case A-labels), or None. Asks the DNS.

    Refused: IDENTITY_FREE_MAIL, IDENTITY_FOREIGN, IDENTITY_DMARC, IDENTITY_POLICY_UNKNOWN. A domain that the account has
    verified itself may have any policy: its own key signs.
    """
    if is_free_mail(domain):
        return Refused(refusals.IDENTITY_FREE_MAIL, {"domain": domain})
    async with db.read() as connection:
        holder = await _holder(connection, domain)
    if holder is not None:
        own = holder.account_id == account_id
        return None if own else Refused(refusals.IDENTITY_FOREIGN, {"domain": domain})
    try:
        found = await dmarc_policy.enforced(resolver, domain, await organisation(domain))
    except DnsUnavailableError:
        return Refused(refusals.IDENTITY_POLICY_UNKNOWN, {"domain": domain})
    if found is None:
        return None
    return Refused(refusals.IDENTITY_DMARC, {"name": found.name, "policy": found.policy})


async def organisation(domain: str) -> str:
    """The part of it that somebody registered; the domain itself where the list of public suffixes knows none."""
    return await asyncio.to_thread(domain_names.organisation, domain) or domain


async def _holder(connection: AsyncConnection, domain: str) -> Domain | None:
    """Who has verified it, or the longest of what it lies under."""
    while domain:
        holder = await domains.holder(connection, domain)
        if holder is not None:
            return holder
        domain = domain.partition(".")[2]
    return None
