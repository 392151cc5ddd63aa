"""The first run: what is made, once, however often it is interrupted."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mailersend.models.email import EmailContact

from postroom.cli import card
from postroom.config import Config, Tls
from postroom.runtime.secrets import SecretBox
from postroom.store import accounts as account_store
from postroom.store import domains as domain_store
from postroom.store import installation
from postroom.store import memberships as membership_store
from postroom.store import smtp_users as smtp_user_store
from postroom.store import users as user_store
from postroom.store.database import Database
from postroom.tenancy import accounts, domains, first_run, passwords, smtp_users, users
from postroom.types.actor import SYSTEM
from postroom.wire import dkim_keys

BOX = SecretBox(bytes(32))
LINK = "http://localhost:8025/sign-in#link=x"
ADDRESSES = {
    "submission": [
        {"host": "127.0.0.1", "port": 2525, "tls": "starttls"},
        {"host": "127.0.0.1", "port": 2465, "tls": "implicit"},
    ]
}


_same_key = cache(dkim_keys.generate_rsa)


@pytest.fixture(autouse=True)
def _one_key_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making RSA keys takes long and is somebody else's test."""
    monkeypatch.setattr(dkim_keys, "generate_rsa", _same_key)


async def _made(database: Database) -> first_run.FirstRun:
    made = await first_run.make(database, BOX)
    assert made is not None
    return made


async def _is_right(database: Database, made: first_run.FirstRun) -> None:
    """There is one of everything, and what the card will say is true."""
    (account,) = await accounts.list_all(database)
    assert account.state == accounts.APPROVED
    (domain,) = await domains.list_all(database)
    assert (domain.mode, domain.account_id) == (domains.SANDBOX, account.id)
    assert domain.verified_at
    (user,) = await smtp_users.list_all(database)
    assert user.username == made.smtp_user.username
    assert user.password_hash == passwords.digest(made.smtp_user.password)
    (person,) = await users.list_all(database)
    assert (person.email, person.operator) == (made.operator, True)
    async with database.read() as connection:
        known = await user_store.by_email(connection, made.operator)
    assert known is not None
    assert known.password_hash == ""  # they come by a link


async def test_it_makes_all_that_is_needed_to_send(database: Database) -> None:
    await _is_right(database, await _made(database))


async def test_once_finished_nothing_changes(database: Database) -> None:
    made = await _made(database)
    await first_run.finish(database)
    assert await first_run.make(database, BOX) is None
    await _is_right(database, made)


async def test_begun_again_it_makes_nothing_twice(database: Database) -> None:
    first = await _made(database)
    again = await _made(database)
    assert again.smtp_user == first.smtp_user
    await _is_right(database, again)


BEFORE: list[tuple[Any, str]] = [
    (account_store, "add"),
    (domain_store, "add"),
    (installation, "put"),
    (user_store, "add"),
    (membership_store, "add"),
    (smtp_user_store, "add"),
]
AFTER: list[tuple[Any, str]] = [(accounts, "add"), (domains, "add"), (users, "add"), (smtp_users, "add")]


@pytest.mark.parametrize(
    ("module", "name", "committed"),
    [(*step, False) for step in BEFORE] + [(*step, True) for step in AFTER],
)
async def test_interrupted_at_any_step_it_is_done_by_the_next_try(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, committed: bool
) -> None:
    """The process dies inside a transaction, or just after it has committed."""
    real = getattr(module, name)
    died: list[bool] = []

    async def dies(*arguments: Any, **options: Any) -> None:
        if committed:
            await real(*arguments, **options)
        died.append(True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, name, dies)
        with pytest.raises(KeyboardInterrupt):
            await first_run.make(sqlite_database, BOX)
    assert died
    await _is_right(sqlite_database, await _made(sqlite_database))


async def test_nodes_that_try_at_the_same_time_make_the_same(database: Database, database_url: str) -> None:
    """On PostgreSQL. On SQLite one after the other: a second node cannot start there."""
    if database.sqlite:
        first, second = await _made(database), await _made(database)
    else:
        other = await Database.open(database_url, pool=2)
        first, second = await asyncio.gather(_made(database), _made(other))
        await other.close()
    assert first == second
    await _is_right(database, second)


async def test_the_passwords_are_gone_from_the_database_when_it_is_over(database: Database) -> None:
    await _made(database)
    await first_run.finish(database)
    async with database.read() as connection:
        assert await installation.get(connection, first_run.STATE) == first_run.DONE


async def test_somebody_who_exists_already_keeps_the_password(database: Database) -> None:
    account = await accounts.add(database, "Ours", by=SYSTEM)
    await users.add(
        database,
        first_run.OPERATOR,
        account_id=account.id,
        grant=users.EVERYTHING,
        password="long enough",
        by=SYSTEM,
    )
    made = await _made(database)
    assert made.operator == first_run.OPERATOR
    async with database.read() as connection:
        known = await user_store.by_email(connection, made.operator)
    assert known is not None
    assert await passwords.is_right(known.password_hash, "long enough")


async def test_the_card_has_what_a_plug_in_asks_for(sqlite_database: Database, tmp_path: Path) -> None:
    made = await _made(sqlite_database)
    text = card.render(card.of(Config(data=tmp_path), made, LINK, ADDRESSES))
    for part in (
        f"Dashboard       {LINK}",
        f"user sign-in-link {made.operator}",
        "Relay host      localhost",
        '"TLS" = STARTTLS: port 2525',
        '"SSL" = implicit TLS: port 2465',
        f"Username        {made.smtp_user.username}",
        f"Password        {made.smtp_user.password}",
        f"CA file         {tmp_path}/tls/ca.crt",
        f"--data {tmp_path} inbox list",
    ):
        assert part in text


async def test_the_card_with_a_certificate_that_is_trusted_anyway(sqlite_database: Database) -> None:
    config = Config(
        tls=Tls(certificate=Path("a.crt"), key=Path("a.key")),
        server={"smtp_host": "smtp.example.com"},  # type: ignore[arg-type]
    )
    implicit = {"submission": [{"host": "0.0.0.0", "port": 465, "tls": "implicit"}]}
    text = card.render(card.of(config, await _made(sqlite_database), LINK, implicit))
    assert "CA file" not in text
    assert "STARTTLS" not in text
    assert "smtplib.SMTP_SSL('smtp.example.com', 465, context=ssl.create_default_context())" in text
    assert "swaks --server smtp.example.com --port 465 --tls-on-connect" in text


async def test_secrets_do_not_show_when_printed(database: Database) -> None:
    made = await _made(database)
    assert made.smtp_user.password not in repr(made)


def test_clients_that_check_addresses_take_those_of_the_sandbox() -> None:
    assert EmailContact(email=first_run.OPERATOR).email == first_run.OPERATOR
