"""An account's own sandbox domain: it needs no DNS, and what it sends stays in the sandbox inbox, also before approval."""

from __future__ import annotations

from postroom.errors import ConflictError
from postroom.runtime.secrets import SecretBox
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.domains import Domain, DomainFilter
from postroom.tenancy import domains
from postroom.tenancy.first_run import DOMAIN
from postroom.types.actor import Actor


async def ensure(db: Database, box: SecretBox, account_id: str, *, by: Actor) -> Domain:
    """The account's oldest sandbox domain; its first is made when there is none. It takes no domain space.

    Raises NotFoundError when there is no such account.
    """
    found = await _oldest(db, account_id)
    if found is not None:
        return found
    try:
        return await domains.add(
            db, box, f"{account_id}.{DOMAIN}", account_id=account_id, mode=domains.SANDBOX, by=by
        )
    except ConflictError:  # somebody else was quicker
        found = await _oldest(db, account_id)
        if found is None:
            raise
        return found


async def _oldest(db: Database, account_id: str) -> Domain | None:
    async with db.read() as connection:
        wanted = DomainFilter(account_id, mode=domains.SANDBOX)
        return next(iter(await store.page(connection, wanted, offset=0, limit=1)), None)
