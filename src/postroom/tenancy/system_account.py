"""The account that the mail of Postroom itself belongs to. It is made when there is something to send for the first time.

It sends from any live verified domain of the installation, whoever has that, for the operator names it in the
settings (`system.from`). Until there is one it has a sandbox domain of its own, whose inbox no customer sees.
"""

from __future__ import annotations

from dataclasses import replace

from postroom.errors import ConflictError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import accounts as account_store
from postroom.store import domains as domain_store
from postroom.store import installation
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import accounts, audit, domains, entries
from postroom.tenancy.entries import AccountState
from postroom.types.actor import SYSTEM

STATE = "system_account"
NAME = "Postroom itself"
SANDBOX = "system.postroom.example"
"""Reserved for examples (RFC 6761 section 6.5): it can never be anybody's."""
MOST_A_DAY = 100_000
"""Emails. It is nobody's quota, only the end of whatever goes wrong."""


async def sending_from(db: Database, box: SecretBox, name: str) -> AccountState | None:
    """The account as one that may send from `name` (lower-case A-labels); None when no live verified domain covers it."""
    domain = await covering(db, name)
    if domain is None:
        return None
    sandbox = await _sandbox(db, box)
    # Under another id: what its owner pauses is his own mail, and what is shown for the domain is his, too.
    return await _state(
        db, replace(domain, id=sandbox.account_id, account_id=sandbox.account_id, send_paused=False)
    )


async def sending_to_inbox(db: Database, box: SecretBox) -> tuple[AccountState, str]:
    """The account as one that sends from its sandbox, and the name of that."""
    sandbox = await _sandbox(db, box)
    return await _state(db, sandbox), sandbox.name


async def covering(db: Database, name: str) -> Domain | None:
    """The live verified domain that `name` is or lies under, of several the longest."""
    async with db.read() as connection:
        while name:
            domain = await domain_store.holder(connection, name)
            if domain is not None and domain.mode == domains.LIVE:
                return domain
            name = name.partition(".")[2]
    return None


async def _state(db: Database, domain: Domain) -> AccountState:
    account = await accounts.get(db, domain.account_id)
    return entries.account_state(account, [domain], suppresses=True)


async def _sandbox(db: Database, box: SecretBox) -> Domain:
    return await _known(db) or await _make(db, box)


async def _known(db: Database) -> Domain | None:
    async with db.read() as connection:
        account_id = await installation.get(connection, STATE)
        if account_id is None:
            return None
        return await domain_store.owned(connection, account_id, SANDBOX)


async def _make(db: Database, box: SecretBox) -> Domain:
    """What a crash left is gone on with; of those who try at the same time one is quicker."""
    account_id = await _account_id(db)
    try:
        return await domains.add(db, box, SANDBOX, account_id=account_id, mode=domains.SANDBOX, by=SYSTEM)
    except ConflictError:
        known = await _known(db)
        if known is None:
            raise
        return known


async def _account_id(db: Database) -> str:
    """Made and written down in one transaction: there is one such account, whatever happens."""
    async with db.write() as connection:
        await installation.lock(connection, STATE)
        account_id = await installation.get(connection, STATE)
        if account_id is None:
            now, account_id = Clock().now_ms(), ids.object_id()
            account = Account(account_id, NAME, accounts.APPROVED, "", MOST_A_DAY, now, now, approved_at=now)
            await account_store.add(connection, account)
            await installation.put(connection, STATE, account_id)
            await audit.record(
                connection,
                SYSTEM,
                "account.created",
                account_id=account_id,
                object_id=account_id,
                after=account,
            )
        return account_id
