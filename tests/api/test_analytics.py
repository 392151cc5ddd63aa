"""Analytics: whole days, every bucket, and the contract's mixture of texts and numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from postroom.events.recipients import Gathering
from postroom.runtime.clock import FakeClock
from postroom.store import events
from postroom.store.database import Database
from postroom.store.recipients import recipient_id
from postroom.tenancy.grants import Grant
from postroom.types.events import EventType
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from support.api import ApiWorld, Client
from support.sent import happened, second_domain, sent

NOW = int(datetime(2026, 6, 17, 12, 30, tzinfo=UTC).timestamp())
"""A Wednesday."""
TODAY = int(datetime(2026, 6, 17, tzinfo=UTC).timestamp())
DAY = 86_400


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> Any:
    world = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(NOW * 1000))
    yield world
    await world.stop()


async def by_date(client: Client, **query: Any) -> dict[str, Any]:
    asked = {"date_from": NOW - 2 * DAY, "date_to": NOW, "event[]": ["sent", "delivered"]} | query
    answer = await client.get("/analytics/date", params=asked)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def utc(*day: int) -> str:
    return str(int(datetime(*day, tzinfo=UTC).timestamp()))  # type: ignore[arg-type, misc]


async def test_days_are_whole_and_all_there(api: ApiWorld) -> None:
    mail = await sent(api, api.first, 2, at=TODAY * 1000)
    for at in (TODAY, TODAY + DAY - 1, TODAY - DAY):
        await happened(api.database, mail, EventType.SENT, at * 1000, status="queued")
    await happened(api.database, mail, EventType.SENT, (TODAY + DAY) * 1000, status="queued")
    assert await by_date(api, **{"event[]": ["sent", "queued", "opened"]}) == {
        "date_from": utc(2026, 6, 15),
        "date_to": str(TODAY + DAY - 1),
        "group_by": "days",
        "stats": [
            {"date": utc(2026, 6, 15), "sent": 0, "queued": 0, "opened": 0},
            {"date": utc(2026, 6, 16), "sent": 1, "queued": 0, "opened": 0},
            {"date": utc(2026, 6, 17), "sent": 2, "queued": 2, "opened": 0},
        ],
    }


@pytest.mark.parametrize(
    ("group_by", "date_from", "buckets"),
    [
        ("weeks", (2026, 6, 7), [(2026, 6, 1), (2026, 6, 8), (2026, 6, 15)]),
        ("months", (2026, 4, 30), [(2026, 4, 1), (2026, 5, 1), (2026, 6, 1)]),
        ("years", (2025, 12, 31), [(2025, 1, 1), (2026, 1, 1)]),
    ],
)
async def test_buckets(
    api: ApiWorld, group_by: str, date_from: tuple[int, ...], buckets: list[tuple[int, ...]]
) -> None:
    """The first one begins with its week, month or year; what came before `date_from` is not in it."""
    mail = await sent(api, api.first, at=TODAY * 1000)
    first = int(utc(*date_from))
    for at in (first - 1, first, TODAY):
        await happened(api.database, mail, EventType.SENT, at * 1000, status="queued")
    found = await by_date(api, group_by=group_by, date_from=first)
    assert [row["date"] for row in found["stats"]] == [utc(*day) for day in buckets]
    assert [row["sent"] for row in found["stats"]] == [1, *[0] * (len(buckets) - 2), 1]
    assert found["date_from"] == str(first)


async def test_half_a_year_has_every_day_once(api: ApiWorld) -> None:
    found = await by_date(api, date_from=NOW - 184 * DAY)
    days = [int(row["date"]) for row in found["stats"]]
    assert len(days) == 185
    assert {after - before for before, after in pairwise(days)} == {DAY}


async def test_what_is_asked_for(api: ApiWorld) -> None:
    second = await second_domain(api, api.first)
    mail = await sent(api, api.first, at=(NOW - 60) * 1000, tags="order")
    other = await sent(api, api.first, at=(NOW - 60) * 1000, domain_id=second.id)
    for one in (mail, other):
        await happened(api.database, one, EventType.DELIVERED, NOW * 1000, status="delivered")
    await Gathering(api.database, api.clock).run_once()
    whom = recipient_id(api.first.account.id, second.id, other.emails[0].recipient)

    async def delivered(client: Client = api, **query: Any) -> int:
        return sum(row["delivered"] for row in (await by_date(client, **query))["stats"])

    assert await delivered() == 2
    assert await delivered(domain_id=second.id) == 1
    assert await delivered(**{"tags[]": ["order", "none"]}) == 1
    assert await delivered(**{"recipient_id[]": [whom, "0" * 24]}) == 1
    assert await delivered(**{"recipient_id[]": [whom], "domain_id": api.first.domain.id}) == 0
    foreign = await api.tenant()
    for ignored in ({"domain_id": "no id"}, {"domain_id": foreign.domain.id}, {"recipient_id[]": ["x"]}):
        assert await delivered(**ignored) == 2
    assert await delivered(foreign, **{"recipient_id[]": [whom]}) == 0
    client = await api.first.with_token(domain=second.id)
    assert await delivered(client) == 1
    assert await delivered(client, domain_id=api.first.domain.id) == 1


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ({"event[]": []}, {"event": "The event must be an array."}),
        ({"event[]": [], "event": "sent"}, {"event": "The event must be an array."}),
        ({"event[]": ["suppressed"]}, {"event.0": "The selected event.0 is invalid."}),
        ({"group_by": "hours"}, {"group_by": "The selected group by is invalid."}),
        ({"date_from": NOW}, {"date_from": "The date from must be less than date to."}),
        ({"date_from": NOW - 186 * DAY}, {"date_from": "Date selection out of range. Analytics has a 6-months data retention limit."}),
        ({"date_to": TODAY + DAY}, {"date_to": "The date_to must be before or equal to 2026-06-17 23:59:59."}),
        ({"recipient_id[]": ["a"] * 51}, {"recipient_id": "The recipient id must not have more than 50 items."}),
    ],
)  # fmt: skip
async def test_wrong_questions(api: ApiWorld, query: dict[str, Any], errors: dict[str, str]) -> None:
    asked = {"date_from": NOW - DAY, "date_to": NOW, "event[]": ["sent"]} | query
    answer = await api.get("/analytics/date", params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {field: [text] for field, text in errors.items()}


async def test_opens(api: ApiWorld) -> None:
    """Nothing tells of opens yet; once something does, this is how it is counted."""
    query = {"date_from": NOW - DAY, "date_to": NOW}
    empty = {"date_from": TODAY - DAY, "date_to": TODAY + DAY - 1, "stats": []}
    for name in ("country", "ua-name", "ua-type"):
        answer = await api.get(f"/analytics/{name}", params=query)
        assert answer.json() == {"data": empty}
    email = (await sent(api, api.first, at=(NOW - 60) * 1000)).emails[0]
    async with api.database.write() as connection:
        for country in ("RS", None, "RS"):
            detail = {} if country is None else {"country": country}
            row = events.new(
                email.account_id, email.id, email.message_id, EventType.SENT, NOW * 1000, **detail
            )
            await events.add(connection, [row._replace(type="opened")])
    stats = (await api.get("/analytics/country", params=query)).json()["data"]["stats"]
    assert stats == [{"name": "RS", "count": 2}, {"name": "UNK", "count": 1}]


async def test_who_may(api: ApiWorld) -> None:
    query = {"date_from": NOW - DAY, "date_to": NOW}
    reader = await api.first.with_token(Scope.ANALYTICS_READ)
    assert (await reader.get("/analytics/country", params=query)).status_code == 200
    sender = await api.first.with_token(Scope.EMAIL_FULL)
    assert (await sender.get("/analytics/country", params=query)).status_code == 403
    allowed = Grant(Role.CUSTOM_USER, frozenset({Permission.READ_ANALYTICS}))
    for grant, status in ((allowed, 200), (Grant(Role.ACCOUNTANT), 403)):
        person = await api.person(grant=grant)
        assert (await person.get("/v1/analytics/country", params=query)).status_code == status
