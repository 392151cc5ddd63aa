"""The sandbox inbox as its owner sees and empties it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert as insert_into

from postroom.store import audit, inbox
from postroom.store.database import Database
from postroom.store.inbox import InboxFilter
from postroom.store.schema import inbox as table
from postroom.store.schema import queue
from postroom.tenancy import inbox as emptying
from postroom.types.actor import SYSTEM
from support.mail import ACCOUNT, DOMAIN, NOW, OTHER, add_account, insert, lay_out, message_row, rows

ELSEWHERE = "e" * 16


@pytest.fixture
async def mail(database: Database) -> list[str]:
    """Ids in the inbox, the newest first: of a message to two, one of another domain; and one of another account."""
    await add_account(database)
    await add_account(database, OTHER)
    laid_out = [
        lay_out(message_row(at=NOW, subject="Your order 100%"), 2),
        lay_out(message_row(at=NOW + 1000, domain_id=ELSEWHERE, header_from="News <n@example.com>")),
        lay_out(message_row(OTHER, at=NOW + 2000)),
    ]
    for one in laid_out:
        await insert(database, one)
        message = one.messages[0]
        async with database.write() as connection:
            for email in one.emails:
                where = (email.account_id, email.id, message.id, message.domain_id)
                values = dict(zip(("account_id", "email_id", "message_id", "domain_id"), where, strict=True))
                row = values | {"recipient": email.recipient, "received_at": email.created_at}
                await connection.execute(insert_into(table).values(row))

            await connection.execute(queue.delete())
    return [laid_out[1].emails[0].id, laid_out[0].emails[1].id, laid_out[0].emails[0].id]


async def _found(database: Database, *, offset: int = 0, limit: int = 9, **wanted: Any) -> list[str]:
    which = InboxFilter(ACCOUNT, **wanted)
    async with database.read() as connection:
        found = await inbox.of_account(connection, which, offset=offset, limit=limit)
        if not offset:
            assert await inbox.count(connection, which) == len(found)
    return [item.email_id for item in found]


async def test_the_newest_first_by_domain_and_text(database: Database, mail: list[str]) -> None:
    assert await _found(database) == mail
    assert await _found(database, offset=1, limit=1) == [mail[1]]
    assert await _found(database, domains={DOMAIN}) == mail[1:]
    assert await _found(database, domains=[]) == []
    assert await _found(database, text="ORDER 100%") == mail[1:]
    assert await _found(database, text="news") == [mail[0]]
    assert await _found(database, text="USER1@") == [mail[1]]
    assert await _found(database, text="_") == []
    assert await _found(database, before=NOW + 1000) == mail[1:]


async def test_one_of_the_account(database: Database, mail: list[str]) -> None:
    async with database.read() as connection:
        found = await inbox.get(connection, ACCOUNT, mail[0])
        assert found is not None
        assert found.subject == "Hello"
        assert await inbox.get(connection, OTHER, mail[0]) is None


async def test_the_content_goes_with_the_last_copy(database: Database, mail: list[str]) -> None:
    for email_id, expires in ((mail[1], None), (mail[2], NOW + 5)):
        async with database.read() as connection:
            item = await inbox.get(connection, ACCOUNT, email_id)
        assert item is not None
        await emptying.delete(database, item, now=NOW + 5, by=SYSTEM)
        [message] = [row for row in await rows(database, "messages") if row["id"] == item.message_id]
        assert message["content_expires_at"] == expires
    assert await _found(database) == [mail[0]]


async def test_emptied_in_slices_with_one_entry_in_the_log(
    database: Database, mail: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emptying, "SLICE", 1)
    wanted = InboxFilter(ACCOUNT, before=NOW + 9000)
    assert await emptying.empty(database, wanted, now=NOW + 9000, by=SYSTEM) == 3
    assert await _found(database) == []
    assert len(await rows(database, "inbox")) == 1
    assert [row["content_expires_at"] for row in await rows(database, "messages")] == [NOW + 9000] * 2 + [
        None
    ]
    async with database.read() as connection:
        [entry] = await audit.page(connection, ACCOUNT, action="inbox.", limit=9)
    assert (entry.action, entry.before) == ("inbox.emptied", '{"emails": 3, "text": null}')
