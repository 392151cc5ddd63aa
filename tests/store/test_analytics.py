from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from postroom.store import analytics, events
from postroom.store.analytics import AnalyticsFilter
from postroom.store.batches.rows import Inserts
from postroom.store.database import Database
from postroom.types.events import EventType
from support.mail import ACCOUNT, DAY_MS, DOMAIN, NOW, OTHER, insert, lay_out, message_row

START, END = NOW, NOW + 1000
ALL = AnalyticsFilter(ACCOUNT)
TYPES = ("queued", "sent", "delivered")


async def mail(database: Database, recipients: int = 1, account: str = ACCOUNT, **changes: Any) -> Inserts:
    return await insert(database, lay_out(message_row(account, **changes), recipients))


async def happened(database: Database, of: Inserts, kind: EventType, at: int, number: int = 0) -> None:
    email = of.emails[number]
    async with database.write() as connection:
        await events.add(connection, [events.new(email.account_id, email.id, email.message_id, kind, at)])


async def count(database: Database, wanted: AnalyticsFilter = ALL, *types: str) -> dict[str, int]:
    async with database.read() as connection:
        return await analytics.count(connection, wanted, START, END, types or TYPES)


async def test_the_time_begins_with_its_start_and_ends_before_its_end(database: Database) -> None:
    sent = await mail(database, 2, at=START)
    await mail(database, at=END)
    await mail(database, at=START - 1)
    for at in (START - 1, START, END - 1, END, START + DAY_MS):
        await happened(database, sent, EventType.SENT, at)
    await happened(database, sent, EventType.DELIVERED, START, 1)
    assert await count(database) == {"queued": 2, "sent": 2, "delivered": 1}
    assert await count(database, ALL, "sent", "opened") == {"sent": 2}


async def test_only_what_is_asked_for(database: Database) -> None:
    first = await mail(database, 2, at=START, tags="order\nshop")
    second = await mail(database, at=START, tags="orders", domain_id="e" * 16)
    foreign = await mail(database, account=OTHER, at=START, tags="order")
    for one in (first, second, foreign):
        await happened(database, one, EventType.SENT, START)
    await happened(database, first, EventType.SENT, START, 1)
    whom = [(DOMAIN, first.emails[1].recipient)]
    for wanted, expected in (
        (ALL, 3),
        (replace(ALL, domains={DOMAIN}), 2),
        (replace(ALL, domains=frozenset()), 0),
        (replace(ALL, tags=["order"]), 2),
        (replace(ALL, tags=["shop", "orders"]), 3),
        (replace(ALL, recipients=whom), 1),
        (replace(ALL, recipients=[("e" * 16, whom[0][1])]), int(second.emails[0].recipient == whom[0][1])),
        (replace(ALL, recipients=whom, tags=["orders"]), 0),
        (AnalyticsFilter(OTHER, recipients=whom), 0),
    ):
        found = await count(database, wanted)
        assert (found.get("sent", 0), found["queued"]) == (expected, expected), wanted


@pytest.mark.parametrize(
    ("fact", "expected"), [("country", {"DE": 2, None: 1}), ("ua_type", {"webmail": 1, None: 2})]
)
async def test_opens_by_what_is_known_of_them(
    database: Database, fact: str, expected: dict[str | None, int]
) -> None:
    sent = await mail(database, at=START)
    email = sent.emails[0]
    details: list[dict[str, str]] = [{"country": "DE", "ua_type": "webmail"}, {"country": "DE"}, {}]
    async with database.write() as connection:
        for detail in details:
            row = events.new(ACCOUNT, email.id, email.message_id, EventType.SENT, START, **detail)
            await events.add(connection, [row._replace(type="opened")])
        assert await analytics.opens(connection, ALL, START, END, fact) == expected
        assert await analytics.opens(connection, ALL, END, END + 1, fact) == {}
