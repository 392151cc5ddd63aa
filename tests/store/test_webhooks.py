from __future__ import annotations

from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.store import installation, webhooks
from postroom.store.database import Database
from postroom.store.webhooks import Webhook

MINE, THEIRS, DOMAIN = "a" * 16, "b" * 16, "d" * 16
WEBHOOK = Webhook(
    account_id=MINE,
    id="w" * 16,
    domain_id=DOMAIN,
    url="https://example.com/hook",
    name="Orders",
    events="activity.sent activity.delivered",
    enabled=True,
    editable=True,
    version=2,
    secret=b"sealed",
    created_at=1,
    updated_at=1,
)


async def added(database: Database, *extra: Webhook) -> None:
    async with database.write() as connection:
        for webhook in (WEBHOOK, *extra):
            await webhooks.add(connection, webhook)


async def test_found_by_id(database: Database) -> None:
    await added(database)
    async with database.read() as connection:
        assert await webhooks.get(connection, MINE, WEBHOOK.id) == WEBHOOK
        assert await webhooks.get(connection, MINE, "x" * 16) is None


async def test_h01_another_account_cannot_see_or_change_it(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert await webhooks.get(connection, THEIRS, WEBHOOK.id) is None
        assert await webhooks.page(connection, THEIRS, DOMAIN) == []
        assert await webhooks.count(connection, THEIRS, DOMAIN) == 0
        assert not await webhooks.taken(connection, THEIRS, DOMAIN, WEBHOOK.url)
        assert not await webhooks.change(connection, THEIRS, WEBHOOK.id, name="mine")
        assert not await webhooks.remove(connection, THEIRS, WEBHOOK.id)
        assert await webhooks.get(connection, MINE, WEBHOOK.id) == WEBHOOK


async def test_a_url_is_there_once_for_a_domain(database: Database) -> None:
    await added(
        database, replace(WEBHOOK, id="x" * 16, domain_id="e" * 16), replace(WEBHOOK, account_id=THEIRS)
    )
    with pytest.raises(ConflictError):
        await added(database)
    second = replace(WEBHOOK, id="y" * 16, url="https://example.com/other")
    async with database.write() as connection:
        await webhooks.add(connection, second)
        assert await webhooks.taken(connection, MINE, DOMAIN, second.url)
    with pytest.raises(ConflictError):
        async with database.write() as connection:
            await webhooks.change(connection, MINE, second.id, url=WEBHOOK.url)


async def test_every_change_is_seen_by_the_caches(database: Database) -> None:
    seen = []

    async def note() -> None:
        async with database.read() as connection:
            seen.append(await installation.version(connection))

    await note()
    await added(database)
    await note()
    async with database.write() as connection:
        assert await webhooks.change(connection, MINE, WEBHOOK.id, name="New", enabled=False)
        assert await webhooks.get(connection, MINE, WEBHOOK.id) == replace(WEBHOOK, name="New", enabled=False)
    await note()
    async with database.write() as connection:
        assert await webhooks.remove(connection, MINE, WEBHOOK.id)
        assert not await webhooks.remove(connection, MINE, WEBHOOK.id)
    await note()
    assert seen == sorted(set(seen))


async def test_pages_are_those_of_a_domain_in_the_order_they_were_made(database: Database) -> None:
    more = [
        replace(WEBHOOK, id=f"{number:016}", url=f"https://example.com/{number}", created_at=10 - number)
        for number in range(1, 6)
    ]
    await added(database, *more, replace(WEBHOOK, id="x" * 16, domain_id="e" * 16))
    async with database.read() as connection:
        made = [one.created_at for one in await webhooks.page(connection, MINE, DOMAIN)]
        assert made == [1, 5, 6, 7, 8, 9]
        some = await webhooks.page(connection, MINE, DOMAIN, offset=2, limit=2)
        assert [one.created_at for one in some] == [6, 7]
        assert await webhooks.count(connection, MINE, DOMAIN) == 6
