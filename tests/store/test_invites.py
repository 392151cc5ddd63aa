from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.runtime import ids
from postroom.store import accounts, invites, memberships
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.invites import Invite
from postroom.tenancy import invites as policy
from postroom.tenancy.grants import Grant
from postroom.tenancy.invites import NewInvite
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Role
from postroom.types.refusals import Refused

ACCOUNT, OTHER = "a" * 16, "b" * 16
INVITE = Invite(
    account_id=ACCOUNT,
    id="i" * 16,
    email="anna@example.com",
    **Grant(Role.MANAGER).columns(),
    secret_hash=b"\x00" * 32,
    created_at=1,
    updated_at=1,
    expires_at=9,
)


async def test_found_renewed_and_removed(database: Database) -> None:
    second = replace(INVITE, id="j" * 16, email="ben@example.com", secret_hash=b"\x01" * 32, created_at=0)
    async with database.write() as connection:
        await invites.add(connection, INVITE)
        await invites.add(connection, second)
        assert await invites.get(connection, ACCOUNT, INVITE.id) == INVITE
        assert await invites.get(connection, OTHER, INVITE.id) is None
        assert await invites.by_email(connection, ACCOUNT, second.email) == second
        assert await invites.page(connection, ACCOUNT, offset=0, limit=9) == [second, INVITE]
        assert await invites.page(connection, ACCOUNT, offset=1, limit=9) == [INVITE]
        assert (await invites.count(connection, ACCOUNT), await invites.count(connection, OTHER)) == (2, 0)
        renewed = replace(INVITE, secret_hash=b"\x02" * 32, updated_at=5, expires_at=20)
        await invites.renew(connection, renewed)
        assert await invites.by_hash(connection, INVITE.secret_hash) is None
        assert await invites.by_hash(connection, renewed.secret_hash) == renewed
        assert not await invites.remove(connection, OTHER, INVITE.id)
        assert await invites.remove(connection, ACCOUNT, INVITE.id)
        assert not await invites.remove(connection, ACCOUNT, INVITE.id)


async def test_an_address_is_invited_once_by_each_account(database: Database) -> None:
    async with database.write() as connection:
        await invites.add(connection, INVITE)
        await invites.add(connection, replace(INVITE, account_id=OTHER, secret_hash=b"\x01" * 32))
    with pytest.raises(ConflictError):
        async with database.write() as connection:
            await invites.add(connection, replace(INVITE, id="j" * 16, secret_hash=b"\x02" * 32))


async def test_u06_raced_acceptance_makes_one_user(database: Database) -> None:
    async with database.write() as connection:
        await accounts.add(connection, Account(ACCOUNT, "Shop", "approved", "", None, 1, 1))
    for number in range(3):
        made = await policy.add(
            database,
            ACCOUNT,
            f"a{number}@example.com",
            Grant(Role.MANAGER),
            within=Grant(Role.ADMIN),
            by=SYSTEM,
        )
        assert isinstance(made, NewInvite)
        accepting = [
            policy.accept(database, made.secret, name="A", last_name="", password="x" * 10, client="")
            for _ in range(3)
        ]
        answers = await asyncio.gather(*accepting, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert len(refused) == 2
        assert {why.rule for why in refused} <= {refusals.INVITE_INVALID, refusals.INVITE_NEEDS_SIGN_IN}
    async with database.read() as connection:
        assert await memberships.count(connection, ACCOUNT) == 3


async def test_u06_the_limit_holds_when_many_invite_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "PER_HOUR", 5)
    async with database.write() as connection:
        await accounts.add(connection, Account(ACCOUNT, "Shop", "approved", "", None, 1, 1))
    answers = await asyncio.gather(
        *[
            policy.add(
                database,
                ACCOUNT,
                f"{ids.object_id()}@example.com",
                Grant(Role.MANAGER),
                within=Grant(Role.ADMIN),
                by=SYSTEM,
            )
            for _ in range(12)
        ]
    )
    assert sum(isinstance(answer, NewInvite) for answer in answers) == 5
