"""The rows that personalised messages are rendered with: they come with accept and go with the content."""

from __future__ import annotations

from sqlalchemy import select, text, update

from postroom.store import messages as records
from postroom.store import personalizations, retention
from postroom.store.batches.rows import ContentRow, Inserts, PersonalizationRow
from postroom.store.database import Database
from postroom.store.schema import messages
from postroom.store.schema import personalizations as table
from support.mail import ACCOUNT, NOW, OTHER, add_account, insert, lay_out, message_row, rows


def with_data(inserts: Inserts, data: bytes = b"data") -> Inserts:
    inserts.personalizations = [
        PersonalizationRow(email.account_id, email.id, email.message_id, data + email.id.encode())
        for email in inserts.emails
    ]
    return inserts


async def test_they_are_accepted_with_their_message_and_loaded_by_email(database: Database) -> None:
    mine = await insert(database, with_data(lay_out(message_row(), 300)))
    theirs = await insert(database, with_data(lay_out(message_row(OTHER), 2)))
    none = await insert(database, lay_out(message_row(), 1))
    wanted = [(email.account_id, email.id) for email in (*mine.emails[:100], *theirs.emails, *none.emails)]
    async with database.read() as connection:
        found = await personalizations.load(connection, [*wanted, (ACCOUNT, "f" * 24)])
    assert found == {key: b"data" + key[1].encode() for key in wanted[:-1]}
    assert len(await rows(database, "personalizations")) == 302


async def test_they_go_with_the_content_and_with_the_message(database: Database) -> None:
    await add_account(database)
    expiring, old, kept = [
        await insert(database, with_data(lay_out(message_row(at=at), 2))) for at in (NOW, 1, NOW)
    ]
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM queue"))
        due = update(messages).where(messages.c.id == expiring.messages[0].id)
        await connection.execute(due.values(content_expires_at=NOW))
        assert await retention.expire_contents(connection, NOW, 10) == (1, [])
        left = set(await connection.scalars(select(table.c.message_id)))
        assert left == {old.messages[0].id, kept.messages[0].id}
        assert await retention.delete_messages(connection, 2, 10) == (1, [])
    assert {row["message_id"] for row in await rows(database, "personalizations")} == {kept.messages[0].id}


async def test_content_may_have_a_head_and_a_blob(database: Database) -> None:
    """Of personalised content: the head beside its row, the tail in the blob store. Both go at once."""
    whole = lay_out(message_row(blob="tail"), 1)
    message = whole.messages[0]
    whole.contents = [ContentRow(ACCOUNT, message.id, b"head")]
    await insert(database, whole)
    async with database.write() as connection:
        key = (ACCOUNT, message.id)
        stored = (await records.load(connection, [key]))[key]
        assert (stored.data, stored.message.blob) == (b"head", "tail")
        await connection.execute(update(messages).values(content_expires_at=NOW))
        assert await retention.expire_contents(connection, NOW, 10) == (1, ["tail"])
    assert await rows(database, "contents") == []
