"""SMTP users: made, shown once, limited, changed, deleted; each change with its entry in the audit log."""

from __future__ import annotations

import hmac
import json
from hashlib import pbkdf2_hmac, sha256
from typing import Any

import pytest
from sqlalchemy import select

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime.secrets import SecretBox
from postroom.store import audit
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.schema import smtp_users as smtp_users_table
from postroom.tenancy import accounts, domains, smtp_users
from postroom.types.actor import SYSTEM, Actor, ActorKind
from support.mail import rows

BOX = SecretBox(bytes(32))
ANNA = Actor(ActorKind.USER, "u" * 16, "anna@example.com", "192.0.2.7")


@pytest.fixture
async def domain(sqlite_database: Database) -> Domain:
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    return await domains.add(
        sqlite_database, BOX, "example.com", account_id=account.id, trusted=True, by=SYSTEM
    )


async def entries(database: Database, domain: Domain) -> list[audit.Entry]:
    """The newest first."""
    async with database.read() as connection:
        return await audit.page(connection, domain.account_id, action="smtp_user.", limit=100)


async def test_it_shows_its_password_once(sqlite_database: Database, domain: Domain) -> None:
    made = await smtp_users.add(sqlite_database, domain.id, name=" App ", by=ANNA)
    assert (made.user.name, made.user.account_id, made.user.domain_id) == (
        "App",
        domain.account_id,
        domain.id,
    )
    local, _, host = made.username.partition("@")
    assert (local[:3], len(local), host) == ("pr_", 11, "example.com")
    assert len(made.password) == 43
    [found] = await smtp_users.list_all(sqlite_database, "example.com")
    assert found == made.user
    assert found.password_hash == sha256(made.password.encode()).digest()
    [stored] = await rows(sqlite_database, "smtp_users")
    assert made.password not in repr(stored) + repr(made)


@pytest.mark.parametrize("reset", [False, True])
async def test_the_scram_keys_are_those_of_rfc_5802(
    sqlite_database: Database, domain: Domain, reset: bool
) -> None:
    made = await smtp_users.add(sqlite_database, domain.id, name="App", by=ANNA)
    if reset:
        made = await smtp_users.reset_password(sqlite_database, made.user, by=ANNA)
    async with sqlite_database.read() as connection:
        row = (await connection.execute(select(smtp_users_table))).one()
    salted = pbkdf2_hmac("sha256", made.password.encode(), row.scram_salt, row.scram_iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    # A client proves it knows ClientKey: the server hashes what it recovers from the proof (RFC 5802 section 3).
    assert sha256(client_key).digest() == row.scram_stored_key
    assert hmac.digest(salted, b"Server Key", "sha256") == row.scram_server_key
    assert (row.scram_iterations, len(row.scram_salt)) == (4096, 16)


async def test_an_ordinary_one_has_no_limits(sqlite_database: Database, domain: Domain) -> None:
    user = (await smtp_users.add(sqlite_database, domain.id, name="App", by=ANNA)).user
    assert {name: getattr(user, name) for name in smtp_users.ORDINARY} == smtp_users.ORDINARY


async def test_found_changed_and_deleted(sqlite_database: Database, domain: Domain) -> None:
    user = (await smtp_users.add(sqlite_database, domain.id, name="App", hourly_cap=5, by=ANNA)).user
    assert user.hourly_cap == 5
    changed = await smtp_users.change(sqlite_database, user, enabled=False, hourly_cap=None, by=ANNA)
    assert (changed.enabled, changed.hourly_cap) == (False, None)
    assert await smtp_users.find(sqlite_database, user.username) == changed
    reset = await smtp_users.reset_password(sqlite_database, user, by=ANNA)
    found = await smtp_users.find(sqlite_database, user.id)
    assert found == reset.user
    assert found.password_hash == sha256(reset.password.encode()).digest()
    await smtp_users.delete(sqlite_database, user, by=ANNA)
    for step in (smtp_users.change, smtp_users.reset_password, smtp_users.delete):
        with pytest.raises(NotFoundError):
            await step(sqlite_database, user, by=ANNA)
    with pytest.raises(NotFoundError):
        await smtp_users.find(sqlite_database, user.id)
    assert await smtp_users.list_all(sqlite_database) == []


async def test_each_change_writes_one_entry_without_secrets(
    sqlite_database: Database, domain: Domain
) -> None:
    made = await smtp_users.add(sqlite_database, domain.id, name="App", by=ANNA)
    await smtp_users.change(sqlite_database, made.user, daily_cap=7, by=ANNA)
    await smtp_users.change(sqlite_database, made.user, daily_cap=7, by=ANNA)  # no change, no entry
    reset = await smtp_users.reset_password(sqlite_database, made.user, by=ANNA)
    await smtp_users.delete(sqlite_database, made.user, by=ANNA)
    told = await entries(sqlite_database, domain)
    assert [entry.action for entry in reversed(told)] == [
        "smtp_user.created",
        "smtp_user.updated",
        "smtp_user.password_reset",
        "smtp_user.deleted",
    ]
    _, new_password, update, _ = told
    assert (json.loads(update.before or ""), json.loads(update.after or "")) == (
        {"daily_cap": None},
        {"daily_cap": 7},
    )
    assert json.loads(new_password.after or "") == {"password_hash": "(secret)"}
    for entry in told:
        assert (entry.actor_name, entry.client) == (ANNA.name, ANNA.client)
        assert (entry.object_id, entry.object_name) == (made.id, made.username)
        assert made.password not in repr(entry)
        assert reset.password not in repr(entry)


@pytest.mark.parametrize(
    ("may", "why"),
    [
        ({"name": ""}, "1 to 50"),
        ({"name": " "}, "1 to 50"),
        ({"name": "x" * 51}, "1 to 50"),
        ({"expires_at": 1}, "in the past"),
        ({"hourly_cap": 0}, "at least 1"),
        ({"daily_cap": -1}, "at least 1"),
    ],
)
async def test_what_one_cannot_be(
    sqlite_database: Database, domain: Domain, may: dict[str, Any], why: str
) -> None:
    with pytest.raises(PostroomError, match=why):
        await smtp_users.add(sqlite_database, domain.id, **{"name": "App", "by": ANNA, **may})
    user = (await smtp_users.add(sqlite_database, domain.id, name="App", by=ANNA)).user
    with pytest.raises(PostroomError, match=why):
        await smtp_users.change(sqlite_database, user, by=ANNA, **may)
    assert await smtp_users.find(sqlite_database, user.id) == user


async def test_there_cannot_be_more_than_so_many(
    sqlite_database: Database, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_users, "MOST", 1)
    await smtp_users.add(sqlite_database, domain.id, name="App", by=ANNA)
    with pytest.raises(PostroomError, match="has 1 SMTP users"):
        await smtp_users.add(sqlite_database, domain.id, name="App", by=ANNA)


def test_networks_are_kept_in_one_form() -> None:
    written = ["192.0.2.7", "192.0.2.9/24", "192.0.2.0/24", "2001:DB8::1/32"]
    assert smtp_users.networks(written) == "192.0.2.7/32\n192.0.2.0/24\n2001:db8::/32"
    with pytest.raises(PostroomError, match="no address or network"):
        smtp_users.networks(["example.com"])


async def test_domains_by_name_or_id_of_the_same_account(sqlite_database: Database, domain: Domain) -> None:
    other = await accounts.add(sqlite_database, "Other", by=SYSTEM)
    theirs = await domains.add(sqlite_database, BOX, "example.org", account_id=other.id, by=SYSTEM)
    mine = [domain.id, "EXAMPLE.com"]
    assert await smtp_users.from_domains(sqlite_database, domain.account_id, mine) == domain.id
    for wrong in (theirs.id, theirs.name, "nobody.test", "no name!"):
        with pytest.raises(NotFoundError, match="the account has no domain"):
            await smtp_users.from_domains(sqlite_database, domain.account_id, [wrong])
