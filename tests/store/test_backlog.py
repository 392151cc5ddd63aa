"""What waits, as the dashboard tells it."""

from __future__ import annotations

from sqlalchemy import update

from postroom.store import queue
from postroom.store.database import Database
from postroom.store.queue import Backlog
from postroom.store.schema import queue as table
from support.mail import ACCOUNT, DOMAIN, OTHER, accepted, add_account, insert, lay_out, message_row


async def test_numbers_holds_and_the_oldest(database: Database) -> None:
    await add_account(database)
    await add_account(database, OTHER)
    mail = await accepted(database, 4)
    await insert(database, lay_out(message_row(OTHER)))
    emails = [email.id for email in mail.emails]
    async with database.write() as connection:
        held = update(table).where(table.c.email_id == emails[0])
        await connection.execute(held.values(hold="quota"))
        await connection.execute(
            update(table).where(table.c.email_id == emails[3]).values(domain_id="e" * 16)
        )
    async with database.read() as connection:
        assert await queue.backlog(connection, ACCOUNT, None, 9) == Backlog(4, {"quota": 1}, emails[1])
        assert await queue.backlog(connection, ACCOUNT, {DOMAIN}, 9) == Backlog(3, {"quota": 1}, emails[1])
        assert await queue.backlog(connection, ACCOUNT, None, 1) == Backlog(1, {"quota": 1}, None)
        assert await queue.backlog(connection, ACCOUNT, [], 9) == Backlog(0, {}, None)
