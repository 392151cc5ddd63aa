"""`GET /console/home` and `/console/senders`."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, update

from postroom.runtime.clock import FakeClock
from postroom.store import analytics, installation, refusals, sender_identities
from postroom.store.database import Database
from postroom.store.schema import accounts, domains, queue, users
from postroom.store.sender_identities import SenderIdentity
from postroom.tenancy.grants import Grant
from postroom.types.events import EventType
from postroom.types.permissions import Permission, Role
from postroom.web.console import hours
from postroom.web.console.hours import HOUR, Hours, last_day, today
from support.api import ApiWorld
from support.email_api import body
from support.people import SignedIn
from support.sent import happened, second_domain, sent

NOON = 1_767_225_600_000 + 12 * HOUR + 1800_000
"""2026-01-01T12:30:00Z"""


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    world = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(NOON))
    yield world
    await world.stop()


async def _home(person: SignedIn, **query: str) -> dict[str, Any]:
    answer = await person.get("/console/home", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def _problems(home: dict[str, Any]) -> list[str]:
    return [problem["id"] for problem in home["problems"]]


async def _fill(api: ApiWorld) -> None:
    """Today: one message to two, of whom one got it; yesterday at 20:00 a bounce."""
    mail = await sent(api, api.first, 2, at=NOON - 2 * HOUR)
    await happened(api.database, mail, EventType.DEFERRED, NOON - 2 * HOUR, status="deferred")
    await happened(api.database, mail, EventType.DELIVERED, NOON - HOUR, status="delivered")
    old = await sent(api, api.first, at=NOON - 16 * HOUR - 1800_000)
    await happened(api.database, old, EventType.HARD_BOUNCED, NOON - 16 * HOUR - 1800_000, status="bounced")
    await sent(api, await api.tenant(), at=NOON - HOUR)
    made = [
        refusals.new("daily-quota", at, reply="", account_id=api.first.account.id)
        for at in (NOON, NOON - 20 * HOUR)
    ]
    async with api.database.write() as connection:
        await refusals.record(connection, made)
        gone = (mail.emails[0].id, old.emails[0].id)
        await connection.execute(delete(queue).where(queue.c.email_id.in_(gone)))


async def test_today_the_last_day_and_what_waits(api: ApiWorld) -> None:
    await _fill(api)
    person = await api.person()
    home = await _home(person)
    assert home["time_zone"] == "UTC"
    assert home["today"] == {
        "begins_at": "2026-01-01T00:00:00.000000Z",
        "accepted": 2,
        "delivered": 1,
        "deferred": 1,
        "bounced": 0,
        "suppressed": 0,
        "refused": 1,
    }
    assert len(home["hours"]) == 24
    assert home["hours"][-1]["begins_at"] == "2026-01-01T12:00:00.000000Z"
    told = {
        hour["begins_at"][11:13]: (hour["accepted"], hour["bounced"], hour["refused"])
        for hour in home["hours"]
        if any(hour[name] for name in ("accepted", "delivered", "bounced", "refused"))
    }
    assert told == {"10": (2, 0, 0), "11": (0, 0, 0), "12": (0, 0, 1), "16": (0, 0, 1), "20": (1, 1, 0)}
    assert home["queue"] == {"emails": 1, "held": {}, "oldest_at": "2026-01-01T10:30:00.000000Z"}
    assert home["quota"] == {"used": 0, "limit": None, "resets_at": "2026-01-02T00:00:00.000000Z"}
    assert _problems(home) == ["mail-refused"]


async def test_the_day_is_that_of_the_time_zone(api: ApiWorld) -> None:
    await _fill(api)
    person = await api.person()
    home = await _home(person, tz="Asia/Kolkata")
    assert home["today"]["begins_at"] == "2025-12-31T18:30:00.000000Z"
    assert (home["today"]["accepted"], home["today"]["bounced"]) == (3, 1)
    assert home["hours"][-1]["begins_at"] == "2026-01-01T12:30:00.000000Z"
    assert (await _home(person, tz="America/New_York"))["today"]["begins_at"] == "2026-01-01T05:00:00.000000Z"
    async with api.database.write() as connection:
        await connection.execute(update(users).values(time_zone="Europe/Berlin"))
    assert (await _home(person))["time_zone"] == "Europe/Berlin"
    async with api.database.write() as connection:
        await connection.execute(update(users).values(time_zone="Moon/Base"))
    assert (await _home(person))["time_zone"] == "UTC"


@pytest.mark.parametrize("zone", ["Moon/Base", "../../etc/passwd", "/etc/localtime", "Europe", "a" * 65])
async def test_only_time_zones_that_there_are(api: ApiWorld, zone: str) -> None:
    answer = await (await api.person()).get("/console/home", params={"tz": zone})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["tz"])


async def test_numbers_are_for_those_who_may_see_them(api: ApiWorld) -> None:
    await _fill(api)
    designer = await api.person(grant=Grant(Role.DESIGNER))
    home = await _home(designer)
    assert (home["today"], home["hours"], home["queue"], home["problems"]) == (None, None, None, [])
    reader = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_ACTIVITY})))
    home = await _home(reader)
    assert (home["today"]["accepted"], home["today"]["refused"]) == (2, None)


async def test_who_may_use_some_domains_sees_those(api: ApiWorld) -> None:
    await _fill(api)
    another = await second_domain(api, api.first)
    await sent(api, api.first, 3, at=NOON - HOUR, domain_id=another.id)
    permissions = frozenset({Permission.READ_ANALYTICS, Permission.READ_ERROR_LOG})
    person = await api.person(grant=Grant(Role.CUSTOM_USER, permissions, frozenset({another.id})))
    home = await _home(person)
    assert (home["today"]["accepted"], home["today"]["refused"]) == (3, 0)


async def test_what_needs_a_hand(api: ApiWorld) -> None:
    person = await api.person()
    await second_domain(api, api.first)
    async with api.database.write() as connection:
        await connection.execute(update(accounts).values(state="unapproved"))
        await connection.execute(update(domains).values(verified_at=None))
        await installation.bump(connection)
    await api.changed()
    home = await _home(person)
    assert _problems(home) == ["account-unapproved", "domain-unverified", "domain-unverified"]
    problem = next(one for one in home["problems"] if one["id"] == "domain-unverified")
    assert (problem["page"], problem["object_id"]) == ("domain", api.first.domain.id)


async def test_only_operators_hear_of_the_machine(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    assert _problems(await _home(await api.person())) == []
    [problem] = (await _home(await api.person(operator=True)))["problems"]
    assert (problem["id"], problem["level"]) == ("disk-nearly-full", "error")
    assert str(api.config.data) in problem["what"]


# -- hours --------------------------------------------------------------------------------------------------------


async def test_an_hour_that_is_over_is_counted_once(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    await sent(api, api.first, at=NOON - 3 * HOUR)
    asked: list[int] = []
    count = analytics.count

    async def counted(connection: Any, wanted: Any, start: int, *rest: Any) -> Any:
        asked.append(start)
        return await count(connection, wanted, start, *rest)

    monkeypatch.setattr(hours.analytics, "count", counted)
    known = Hours(api.database)
    begins = last_day(NOON, ZoneInfo("UTC"))
    first = await known.counts(api.first.account.id, None, begins, NOON)
    assert (len(asked), sum(one.accepted for one in first)) == (24, 1)
    asked.clear()
    await sent(api, api.first, at=NOON - 5)
    again = await known.counts(api.first.account.id, None, begins, NOON)
    assert (asked, sum(one.accepted for one in again)) == ([begins[-1]], 2)
    asked.clear()
    await known.counts(api.first.account.id, frozenset({api.first.domain.id}), begins[:1], NOON)
    assert len(asked) == 1
    monkeypatch.setattr(hours, "MOST_KNOWN", 3)
    await known.counts("x" * 16, None, begins, NOON)
    assert len(known._known) <= 25


@pytest.mark.parametrize(
    ("zone", "now", "first", "count"),
    [
        ("UTC", NOON, NOON - 12 * HOUR - 1800_000, 13),
        (
            "Europe/Berlin",
            1_774_742_400_000 + 12 * HOUR,
            1_774_742_400_000 - HOUR,
            14,
        ),  # 2026-03-29: clocks go forward
        (
            "Europe/Berlin",
            1_792_886_400_000 + 12 * HOUR,
            1_792_886_400_000 - 2 * HOUR,
            15,
        ),  # 2026-10-25: and back
    ],
)
def test_today_begins_at_midnight_whatever_clocks_do(zone: str, now: int, first: int, count: int) -> None:
    begins = today(now, ZoneInfo(zone))
    assert (begins[0], len(begins)) == (first, count)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])
def test_the_last_day_has_24_hours_and_now_is_in_the_last(zone: str) -> None:
    begins = last_day(NOON + 59, ZoneInfo(zone))
    assert [later - earlier for earlier, later in pairwise(begins)] == [HOUR] * 23
    assert begins[-1] <= NOON + 59 < begins[-1] + HOUR


# -- senders ------------------------------------------------------------------------------------------------------


async def test_what_may_stand_in_from(api: ApiWorld) -> None:
    person = await api.person()
    first = api.first.domain
    names = ("a.test", "b.test", "c.test", "d.test")
    changes = ({"send_paused": True}, {"failing_since": 5}, {"verified_at": None}, {})
    async with api.database.read() as connection:
        [row] = (await connection.execute(domains.select().where(domains.c.id == first.id))).mappings()
    async with api.database.write() as connection:
        for number, (name, change) in enumerate(zip(names, changes, strict=True)):
            new = dict(row) | {
                "id": str(number) * 16,
                "name": name,
                "mode": "live",
                "created_at": row["created_at"] + number + 1,
            }
            await connection.execute(insert(domains).values(new | change))
    answer = await person.get("/console/senders")
    assert [(one["value"], one["state"], one["usable"]) for one in answer.json()["data"]] == [
        (first.name, "sandbox", True),
        ("a.test", "paused", True),
        ("b.test", "failing", True),
        ("d.test", "ready", True),
        ("c.test", "unverified", False),
    ]
    assert [bool(one["note"]) for one in answer.json()["data"]] == [True, True, True, False, True]
    limited = Grant(Role.CUSTOM_USER, frozenset({Permission.CONTROL_SENDINGS}), frozenset({"0" * 16}))
    answer = await (await api.person(grant=limited)).get("/console/senders")
    assert [one["value"] for one in answer.json()["data"]] == ["a.test"]


async def test_a_sender_identity_is_signed_by_a_domain(api: ApiWorld) -> None:
    for number, (verified_at, paused) in enumerate(((None, False), (5, False), (5, True))):
        made = SenderIdentity(
            account_id=api.first.account.id,
            id=str(number) * 16,
            domain_id=api.first.domain.id,
            email=f"ada{number}@example.org",
            organisation="example.org",
            name="Ada",
            reply_to_email="",
            reply_to_name="",
            add_note=False,
            personal_note="",
            resends=0,
            secret_hash=None,
            expires_at=0,
            verified_at=verified_at,
            problem="",
            checked_at=0,
            created_at=number,
            updated_at=0,
        )
        async with api.database.write() as connection:
            await sender_identities.add(connection, made)
            await connection.execute(update(domains).values(send_paused=paused))
    answer = await (await api.person()).get("/console/senders")
    shown = [(one["kind"], one["value"], one["state"]) for one in answer.json()["data"]]
    assert shown == [
        ("domain", api.first.domain.name, "paused"),
        ("identity", "ada1@example.org", "paused"),
        ("identity", "ada2@example.org", "paused"),
        ("identity", "ada0@example.org", "unverified"),
    ]


async def test_who_composes_may_check_it_first(api: ApiWorld) -> None:
    """The compose page: what may stand in From, then the preflight, with the same permission as sending."""
    person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.CONTROL_SENDINGS})))
    [sender] = (await person.get("/console/senders")).json()["data"]
    draft = body(api) | {"from": {"email": f"anna@{sender['value']}"}}
    report = (await person.post("/v1/preflight", json=draft)).json()["data"]
    assert report["accepted"] is True
    assert {finding["id"] for finding in report["findings"]} >= {
        "daily-quota",
        "suppressions",
        "delivery-mode",
    }
    assert (await person.post("/v1/email", json=draft)).status_code == 202
    reader = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_EMAIL})))
    for path in ("/v1/preflight", "/v1/email"):
        assert (await reader.post(path, json=draft)).status_code == 403
    assert (await reader.get("/console/senders")).status_code == 403
