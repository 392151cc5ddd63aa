"""Who sent a message, by name."""

from __future__ import annotations

from sqlalchemy import insert

from postroom.store import credentials
from postroom.store.credentials import Named
from postroom.store.database import Database
from postroom.store.schema import smtp_users
from postroom.tenancy import tokens
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from support import people
from support.mail import ACCOUNT, DOMAIN, OTHER, SMTP_USER, add_account


async def test_names_of_smtp_users_tokens_and_people_of_the_account(database: Database) -> None:
    await add_account(database)
    await add_account(database, OTHER)
    async with database.read() as connection:
        assert not await credentials.there_is_one(connection, ACCOUNT)
    async with database.write() as connection:
        await connection.execute(insert(smtp_users).values(SMTP_USER))
    token = (await tokens.add(database, ACCOUNT, name="Shop", scopes=[Scope.EMAIL_FULL], by=SYSTEM)).token
    person = await people.make(database, ACCOUNT, email="ada@example.com")
    ids = {"s" * 16, token.id, person.id, "x" * 16, ""}
    async with database.read() as connection:
        assert await credentials.named(connection, ACCOUNT, ids) == {
            "s" * 16: Named("s" * 16, "smtp_user", "app@example.com"),
            token.id: Named(token.id, "token", "Shop"),
            person.id: Named(person.id, "user", "ada@example.com"),
        }
        assert await credentials.named(connection, OTHER, ids) == {}
        assert await credentials.named(connection, ACCOUNT, set()) == {}
        assert await credentials.of_domains(connection, ACCOUNT, {DOMAIN}) == ["app@example.com"]
        assert await credentials.of_domains(connection, ACCOUNT, {"e" * 16}) == []
        assert await credentials.there_is_one(connection, ACCOUNT)
        assert not await credentials.there_is_one(connection, OTHER)
