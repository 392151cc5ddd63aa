"""Around a running relay: tenants made at once, and what became of the messages.

Everything goes straight to the relay's database, beside it, as a command would; only quicker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import zstandard
from sqlalchemy import select

from postroom.runtime.secrets import SecretBox
from postroom.store import inbox, messages, refusals, schema
from postroom.store.database import Database
from postroom.store.emails import Email
from postroom.store.messages import EmailStory, MessageStory
from postroom.store.query import columns
from postroom.store.refusals import Refusal
from postroom.tenancy import accounts, domains, smtp_users, tokens
from postroom.types.actor import SYSTEM
from support.waiting import until

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account with one domain and one SMTP user."""

    account_id: str
    domain: str
    username: str
    password: str

    @property
    def login(self) -> tuple[str, str]:
        return self.username, self.password


class World:
    """`url` is the relay's database, `data` its directory."""

    def __init__(self, url: str, data: Path) -> None:
        self._url = url
        self._data = data

    @classmethod
    def of(cls, data: Path) -> World:
        """On SQLite."""
        return cls(f"sqlite:///{data / 'postroom.db'}", data)

    def run(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def do() -> T:
            database = await Database.open(self._url, timeout=10, pool=2)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(do())

    def tenant(
        self,
        domain: str,
        *,
        mode: str = domains.SANDBOX,
        approved: bool = True,
        quota: int | None = None,
        plan: str = "",
        **may: Any,
    ) -> Tenant:
        """`may` are fields of the SMTP user, as they are stored."""
        box = SecretBox.load(self._data / "secret.key")

        async def add(database: Database) -> Tenant:
            name = domain.partition(".")[0].title()
            account = await accounts.add(
                database, name, approved=approved, daily_quota=quota, plan=plan, by=SYSTEM
            )
            await domains.add(
                database, box, domain, account_id=account.id, trusted=True, mode=mode, by=SYSTEM
            )
            user = await smtp_users.add(database, domain, name="application", by=SYSTEM, **may)
            return Tenant(account.id, domain, user.username, user.password)

        return self.run(add)

    def token(self, tenant: Tenant) -> str:
        """To send by the API."""

        async def add(database: Database) -> str:
            made = await tokens.add(
                database, tenant.account_id, name="application", scopes=["email_full"], by=SYSTEM
            )
            return made.secret

        return self.run(add)

    def suspend(self, tenant: Tenant) -> None:
        self.run(lambda database: accounts.suspend(database, tenant.account_id, by=SYSTEM))

    def disable(self, tenant: Tenant) -> None:
        async def switch_off(database: Database) -> None:
            user = await smtp_users.find(database, tenant.username)
            await smtp_users.change(database, user, enabled=False, by=SYSTEM)

        self.run(switch_off)

    def without_smtp(self, tenant: Tenant) -> None:
        """Nobody sends by SMTP for its domain."""

        async def switch_off(database: Database) -> None:
            domain = await domains.find(database, tenant.domain)
            await domains.change(database, domain.id, smtp_enabled=False, by=SYSTEM)

        self.run(switch_off)

    def dkim_records(self, domain: str) -> dict[str, str]:
        """The TXT records of the domain's keys, by name."""
        details = self.run(lambda database: domains.show(database, domain))
        return {record.name: record.value for record in details.records if "_domainkey" in record.name}

    def story(self, message_id: str) -> MessageStory:
        """Everything that is known about a message now."""

        async def look(database: Database) -> MessageStory | None:
            async with database.read() as connection:
                return await messages.show(connection, message_id)

        story = self.run(look)
        assert story is not None, f"there is no message {message_id}"
        return story

    def settled(self, message_id: str, *statuses: str, seconds: float = 10.0) -> list[EmailStory]:
        """The emails of a message, by recipient, once each has one of these statuses ("delivered" if none is named)."""
        wanted = statuses or ("delivered",)
        emails: list[EmailStory] = []

        def look() -> bool:
            emails[:] = sorted(self.story(message_id).emails, key=lambda story: story.email.recipient)
            return all(story.email.status in wanted for story in emails)

        try:
            until(look, seconds)
        except AssertionError:
            raise AssertionError(f"not {' or '.join(wanted)} within {seconds:g} s: {emails}") from None
        return emails

    def emails(self) -> list[Email]:
        """Every email there is."""

        async def look(database: Database) -> list[Email]:
            async with database.read() as connection:
                return [
                    Email(*row) for row in await connection.execute(select(*columns(Email, schema.emails)))
                ]

        return self.run(look)

    def message_ids(self, subject: str) -> list[str]:
        """The messages with exactly this subject."""

        async def look(database: Database) -> list[str]:
            async with database.read() as connection:
                page = await messages.page(connection, limit=10_000)
            return [message.id for message, _ in page if message.subject == subject]

        return self.run(look)

    def inbox(self, message_id: str) -> list[tuple[str, bytes]]:
        """(recipient, content) of a message in the sandbox inbox."""

        async def look(database: Database) -> list[tuple[str, bytes]]:
            async with database.read() as connection:
                items = [
                    item
                    for item in await inbox.page(connection, limit=10_000)
                    if item.message_id == message_id
                ]
                loaded = await messages.load(
                    connection, {(item.account_id, item.message_id) for item in items}
                )
            content = {key: zstandard.decompress(stored.data or b"") for key, stored in loaded.items()}
            return [(item.recipient, content[item.account_id, item.message_id]) for item in items]

        return self.run(look)

    def refusals(self) -> list[Refusal]:
        async def look(database: Database) -> list[Refusal]:
            async with database.read() as connection:
                return list(await refusals.page(connection, limit=10_000))

        return self.run(look)
