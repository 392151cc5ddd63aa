from __future__ import annotations

from postroom.store import batches, inbox, messages
from postroom.store.batches.rows import InboxRow
from postroom.store.database import Database
from support.mail import (
    ACCOUNT,
    DOMAIN,
    NOW,
    OTHER,
    accepted,
    add_account,
    insert,
    lay_out,
    mail_id,
    message_row,
    outcome,
    together,
)


async def test_load_brings_messages_with_their_content(database: Database) -> None:
    small, other = lay_out(message_row()), lay_out(message_row(OTHER))
    large = lay_out(message_row(blob="key-of-a-blob"))
    await insert(database, together([small, other, large]))
    keys = [(row.account_id, row.id) for part in (small, other, large) for row in part.messages]
    async with database.read() as connection:
        found = await messages.load(connection, [*keys, keys[0], (OTHER, keys[0][1])])
        assert await messages.load(connection, []) == {}
    assert set(found) == set(keys)
    assert found[keys[0]].data == b"content of " + keys[0][1].encode()
    assert found[keys[0]].message.subject == "Hello"
    assert found[keys[2]].data is None
    assert found[keys[2]].message.blob == "key-of-a-blob"


async def test_load_of_more_than_one_statement_of_old(database: Database) -> None:
    await insert(database, together([lay_out(message_row()) for _ in range(450)]))
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 1000)
    async with database.read() as connection:
        found = await messages.load(connection, [(entry.account_id, entry.message_id) for entry in entries])
    assert len(found) == 450


async def test_existing_tells_what_became_of_a_commit(database: Database) -> None:
    inserts = await accepted(database)
    key = (ACCOUNT, inserts.messages[0].id)
    async with database.read() as connection:
        assert await messages.existing(connection, [key, (OTHER, key[1]), (ACCOUNT, mail_id())]) == {key}


async def test_show_tells_the_whole_story_by_either_id(database: Database) -> None:
    await add_account(database)
    inserts = await accepted(database, 2)
    entries = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [outcome(entries[0], status="deferred", due_at=NOW, owner=1)], [])
    async with database.read() as connection:
        story = await messages.show(connection, inserts.messages[0].id)
        assert story == await messages.show(connection, inserts.emails[1].id)
        assert await messages.show(connection, "0" * 24) is None
    assert story is not None
    tried = next(part for part in story.emails if part.email.id == entries[0].email_id)
    assert (tried.email.status, [attempt.code for attempt in tried.attempts]) == ("deferred", [250])
    assert [event.type for event in tried.events] == ["queued", "deferred"]
    assert len(story.emails) == 2


async def test_the_inbox_lists_what_sandboxes_sent(database: Database) -> None:
    await add_account(database)
    await accepted(database, 2)
    for number, entry in enumerate(await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)):
        record = outcome(entry)
        record.inbox = InboxRow(*entry.key, entry.message_id, DOMAIN, entry.recipient, NOW + number)
        await batches.tick(database, 1, [record], [])
    async with database.read() as connection:
        newest, oldest = await inbox.page(connection)
        assert (newest.received_at, oldest.subject) == (NOW + 1, "Hello")
        assert await inbox.page(connection, domain_id=DOMAIN, before=newest.received_at) == [oldest]
        assert await inbox.page(connection, domain_id="x" * 16) == []
        assert await inbox.show(connection, newest.email_id) == newest
        assert await inbox.show(connection, "0" * 24) is None
