from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy import insert as insert_into

from postroom.runtime import ids
from postroom.store import email_search, emails, events, walk
from postroom.store.database import Database
from postroom.store.email_search import EmailFilter
from postroom.store.schema import api_messages, message_metadata, queue
from postroom.store.schema import emails as emails_table
from postroom.types.events import EventType
from postroom.types.status import EmailStatus
from support.mail import ACCOUNT, DOMAIN, NOW, OTHER, add_account, insert, lay_out, message_row, rows

SUBJECTS = ["Your order 100%", "your ORDER_1", "Invoice", "Größe"]
TAGS = ["order", "order\nnews", "border", ""]


@pytest.fixture
async def mail(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four messages of two recipients each, the first from NOW, one a second; then one of another domain and one of
    another account. Ids of the four."""
    monkeypatch.setattr(walk, "PIECE", 3)
    await add_account(database)
    await add_account(database, OTHER)
    ids = []
    for number, (subject, tags) in enumerate(zip(SUBJECTS, TAGS, strict=True)):
        message = message_row(
            at=NOW + number * 1000,
            subject=subject,
            tags=tags,
            credential_id="k" * 16 if number == 2 else "c" * 16,
            stream="broadcast" if number == 1 else "transactional",
        )
        await insert(database, lay_out(message, 2))
        ids.append(message.id)
    await insert(database, lay_out(message_row(domain_id="e" * 16)))
    await insert(database, lay_out(message_row(OTHER)))
    metadata = [(0, "order", "4711"), (1, "order", "4711"), (1, "shop", 'a "b" c'), (2, "order", "4712")]
    async with database.write() as connection:
        await connection.execute(
            insert_into(message_metadata),
            [
                {"account_id": ACCOUNT, "name": name, "value": value, "message_id": ids[number]}
                for number, name, value in metadata
            ],
        )
        await connection.execute(
            insert_into(api_messages).values(
                account_id=ACCOUNT, id=ids[2], template_id="t" * 16, headers="[]", metadata='{"order":"4712"}'
            )
        )
    return ids


FILTER = EmailFilter(ACCOUNT, {DOMAIN}, NOW, NOW + 99_000)


async def _found(database: Database, *, offset: int = 0, limit: int = 99, **wanted: Any) -> list[str]:
    options = {"account_id": ACCOUNT, "domains": {DOMAIN}, "start": NOW, "end": NOW + 99_000} | wanted
    return await email_search.page(database, EmailFilter(**options), offset=offset, limit=limit)


async def _messages(database: Database, found: list[str]) -> list[str]:
    """The messages of these emails, in order, each once."""
    by_id = {row["id"]: row["message_id"] for row in await rows(database, "emails")}
    return list(dict.fromkeys(by_id[email_id] for email_id in found))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"start": NOW + 1000, "end": NOW + 3000}, [2, 1]),
        ({"start": NOW + 1001, "end": NOW + 3001}, [3, 2]),
        ({"subject": "order"}, [1, 0]),
        ({"subject": "0%"}, [0]),
        ({"subject": "r_1"}, [1]),
        ({"subject": "_____"}, []),
        ({"subject": "Größe"}, [3]),
        ({"tag": "order"}, [1, 0]),
        ({"tag": "news"}, [1]),
        ({"tag": "ORDER"}, []),
        ({"template_id": "t" * 16}, [2]),
        ({"metadata": {"order": "4711"}}, [1, 0]),
        ({"metadata": {"order": "4711", "shop": 'a "b" c'}}, [1]),
        ({"metadata": {"order": "4712", "shop": 'a "b" c'}}, []),
        ({"metadata": {"order": "471"}}, []),
        ({"metadata": {"order": "4711"}, "start": NOW + 1}, [1]),
        ({"recipient": "user1@example.org"}, [3, 2, 1, 0]),
        ({"recipient": "user2@example.org"}, []),
        ({"recipient_part": "R1@EXAMPLE"}, [3, 2, 1, 0]),
        ({"recipient_part": "user%"}, []),
        ({"credential_id": "k" * 16}, [2]),
        ({"stream": "broadcast"}, [1]),
        ({"domains": None, "stream": "broadcast"}, [1]),
        ({"domains": {"f" * 16}}, []),
    ],
)
async def test_each_filter(
    database: Database, mail: list[str], wanted: dict[str, Any], expected: list[int]
) -> None:
    found = await _found(database, **wanted)
    assert await _messages(database, found) == [mail[number] for number in expected]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(expected) * (1 if any("recipient" in name for name in wanted) else 2)


async def test_by_message_and_never_of_somebody_else(database: Database, mail: list[str]) -> None:
    found = await _found(database, message_id=mail[1])
    assert (len(found), await _messages(database, found)) == (2, [mail[1]])
    foreign = next(row["id"] for row in await rows(database, "messages") if row["account_id"] == OTHER)
    assert await _found(database, message_id=foreign) == []


async def test_page_by_page(database: Database, mail: list[str]) -> None:
    everything = await _found(database)
    for limit in (1, 3, 8):
        pages = [await _found(database, offset=at, limit=limit) for at in range(0, 9, limit)]
        assert [email_id for page in pages for email_id in page] == everything
    by_metadata = await _found(database, metadata={"order": "4711"})
    pages = [await _found(database, metadata={"order": "4711"}, offset=at, limit=1) for at in range(5)]
    assert [email_id for page in pages for email_id in page] == by_metadata


async def test_the_words_of_the_api_for_each_status(database: Database, mail: list[str]) -> None:
    [email_id, *_] = await _found(database, message_id=mail[0])
    for status in EmailStatus:
        for sent in (False, True):
            async with database.write() as connection:
                change = update(emails_table).where(emails_table.c.id == email_id)
                await connection.execute(change.values(status=status.value, sent=sent))
            word = status.api_word(attempted=sent)
            for asked in ("queued", "sent", "delivered", "rejected"):
                found = await _found(database, message_id=mail[0], statuses=frozenset([asked]))
                assert (email_id in found) is (asked == word), (status, sent, asked)
    assert len(await _found(database, statuses=frozenset(["queued", word]))) == 8


async def test_details_have_what_the_message_says(database: Database, mail: list[str]) -> None:
    found = await _found(database)
    async with database.read() as connection:
        details = await emails.details(connection, ACCOUNT, found)
        assert await emails.details(connection, OTHER, found) == {}
        of_message = await emails.details_of_message(connection, ACCOUNT, mail[2])
    assert set(details) == set(found)
    assert [email.recipient for email in of_message] == ["user0@example.org", "user1@example.org"]
    assert all(details[email.id] == email for email in of_message)
    with_row, without = of_message[0], details[found[0]]
    assert (with_row.template_id, with_row.metadata, with_row.headers) == ("t" * 16, '{"order":"4712"}', "[]")
    assert (without.template_id, without.metadata, without.subject) == (None, None, "Größe")


async def test_all_domains_but_never_another_account(database: Database, mail: list[str]) -> None:
    assert len(await _found(database, domains=None)) == 9
    assert len(await _found(database, domains=None, account_id=OTHER)) == 1
    assert await _found(database, domains=[]) == []


async def test_by_our_own_states_and_by_what_happened(database: Database, mail: list[str]) -> None:
    first, second, *_ = await _found(database)
    happened = events.new(ACCOUNT, first, mail[3], EventType.DEFERRED, NOW + 4000)
    async with database.write() as connection:
        change = update(emails_table).where(emails_table.c.id == second)
        await connection.execute(change.values(status="held"))
        await events.add(connection, [happened])
    assert await _found(database, states=frozenset({"held", "expired"})) == [second]
    assert len(await _found(database, states=frozenset({"queued"}))) == 7
    assert await _found(database, events=frozenset({"deferred", "held"})) == [first]
    assert await _found(database, events=frozenset({"held"})) == []


async def test_what_is_not_final_is_found_in_the_queue(database: Database, mail: list[str]) -> None:
    """Piece by piece, newest first; `start` and the other filters count there, too."""
    waiting = frozenset({"queued", "held"})
    everything = await _found(database)
    assert await _found(database, states=waiting) == everything
    assert await _found(database, states=waiting, offset=5, limit=2) == everything[5:7]
    assert await _found(database, states=waiting, subject="order", start=NOW + 1) == everything[4:6]
    async with database.write() as connection:
        await connection.execute(delete(queue).where(queue.c.email_id == everything[1]))
    assert await _found(database, states=waiting) == [everything[0], *everything[2:]]
    assert await _found(database, statuses=frozenset({"queued", "sent"})) == [everything[0], *everything[2:]]
    assert await _found(database, states=waiting | {"delivered"}) == everything


async def test_an_event_that_is_older_than_its_email(database: Database, mail: list[str]) -> None:
    """The clock was set back by an hour in between."""
    *_, oldest = await _found(database)
    at = NOW - 3_600_000
    async with database.write() as connection:
        await events.add(connection, [events.new(ACCOUNT, oldest, mail[0], EventType.DEFERRED, at)])
    assert await _found(database, events=frozenset({"deferred"}), start=at) == [oldest]


async def test_below_an_id(database: Database, mail: list[str]) -> None:
    everything = await _found(database)
    some = partial(email_search.some, database)
    assert await some(FILTER, limit=3, below=everything[2]) == (everything[3:6], everything[5])
    assert await some(FILTER, limit=8, below=None) == (everything, None)
    assert await some(FILTER, limit=9, below=everything[-1]) == ([], None)


async def test_not_more_is_looked_at_than_so_much(
    database: Database, mail: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_search, "MOST_PIECES", 1)
    everything = await _found(database, domains=None)
    found, rest = await email_search.some(database, replace(FILTER, subject="100%"), below=None, limit=9)
    assert (found, rest) == ([], everything[2])
    seen: list[str] = []
    below: str | None = None
    while True:
        found, below = await email_search.some(database, replace(FILTER, tag="order"), below=below, limit=9)
        seen += found
        if below is None:
            break
    assert seen == await _found(database, tag="order")


async def test_what_has_changed_since(database: Database, mail: list[str]) -> None:
    everything = await _found(database)
    oldest = everything[-1]
    since = ids.earliest(NOW + 5000)
    assert await email_search.changed(database, FILTER, since, limit=9) == ([], True)
    async with database.write() as connection:
        await events.add(
            connection,
            [
                events.new(ACCOUNT, oldest, mail[0], EventType.DEFERRED, NOW + 5000),
                events.new(ACCOUNT, oldest, mail[0], EventType.DELIVERED, NOW + 6000),
            ],
        )
    assert await email_search.changed(database, FILTER, since, limit=9) == ([oldest], True)
    again = await email_search.changed(database, FILTER, ids.earliest(NOW + 3000), limit=9)
    assert again == ([*everything[:2], oldest], True)
    assert (await email_search.changed(database, FILTER, since, limit=1))[1] is False
    for other in (replace(FILTER, subject="nothing"), replace(FILTER, account_id=OTHER)):
        assert await email_search.changed(database, other, since, limit=9) == ([], True)
    narrow = replace(FILTER, metadata={"order": "4711"})
    assert await email_search.changed(database, narrow, since, limit=9) == ([oldest], True)
