"""`GET /console/home`: today at a glance, and what needs a hand."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import asdict, replace
from typing import Annotated
from zoneinfo import ZoneInfo

from cryptography import x509
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from postroom.runtime import ids, tls
from postroom.store import credentials, domains, queue, quota_days, refusals
from postroom.store.domains import DomainFilter
from postroom.store.queue import Backlog
from postroom.store.refusals import RefusalFilter
from postroom.tenancy import profile
from postroom.tenancy.quotas import daily_quota, day_number, next_day_ms
from postroom.types.permissions import Permission
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.errors import invalid
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.refusals import whose
from postroom.web.api.route import routes
from postroom.web.console import hours, problems
from postroom.web.console.hours import HOUR, Counts, Hours
from postroom.web.console.problems import Facts, Level, Machine, Page

MOST_DOMAINS = 100
"""Domains that are looked at for problems."""
MOST_QUEUED = 50_000
"""Rows of the queue that are counted."""

_NUMBERS = (Permission.READ_ANALYTICS, Permission.READ_ACTIVITY, Permission.READ_EMAIL)


class CountsOut(BaseModel):
    """`refused` are attempts to send and requests, by whole hours of UTC; null without the permission `read-error-log`."""

    begins_at: Timestamp
    accepted: int
    delivered: int
    deferred: int
    bounced: int
    suppressed: int
    refused: int | None


class QueueOut(BaseModel):
    """`held` says how many wait for somebody or something, by what for. `oldest_at`: since when the oldest waits that
    waits for nothing but its next attempt. Not more than 50,000 are counted."""

    emails: int
    held: dict[str, int]
    oldest_at: Timestamp | None


class QuotaOut(BaseModel):
    """`limit` null: there is none."""

    used: int
    limit: int | None
    resets_at: Timestamp


class ProblemOut(BaseModel):
    """`page` is where it is mended, `object_id` which one there."""

    id: str
    level: Level
    what: str
    fix: str
    page: Page
    object_id: str


class HomeOut(BaseModel):
    """`today` begins at midnight in `time_zone`; `hours` are the last 24, the present one last. Numbers and queue are null
    for who may see neither activity nor analytics."""

    time_zone: str
    today: CountsOut | None
    hours: list[CountsOut] | None = Field(max_length=24)
    queue: QueueOut | None
    quota: QuotaOut
    problems: list[ProblemOut]


def router(api: Api) -> APIRouter:
    resource = routes("Home")
    counted = Hours(api.database)

    @resource.get("/home", summary="Today at a glance")
    @access()
    async def home(
        caller: CurrentCaller, tz: Annotated[str | None, Query(max_length=64)] = None
    ) -> Data[HomeOut]:
        """`tz` is an IANA name, like Europe/Berlin; the person's own if it is left out, else UTC."""
        zone = await _zone(api, caller, tz)
        return Data(data=await _home(api, caller, zone, counted))

    return resource


async def _zone(api: Api, caller: Caller, asked: str | None) -> ZoneInfo:
    """Raises ApiError (422). A zone of the person's that this machine does not know is UTC."""
    if asked is not None:
        zone = await asyncio.to_thread(_named, asked)
        if zone is None:
            raise invalid({"tz": ["The tz must be the name of a time zone, like Europe/Berlin."]})
        return zone
    user = await profile.show(api.database, caller.credential_id)
    own = user.time_zone if user is not None else ""
    return await asyncio.to_thread(_named, own) or ZoneInfo("UTC")


def _named(name: str) -> ZoneInfo | None:
    """It is read from a file."""
    if not profile.TIME_ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such file, a folder, or something else
        return None


async def _home(api: Api, caller: Caller, zone: ZoneInfo, counted: Hours) -> HomeOut:
    now = api.clock.now_ms()
    day, begun = hours.last_day(now, zone), hours.today(now, zone)
    refused = await _refused(api, caller, min(day[0], begun[0]), now)
    quota = await _quota(api, caller, now)
    if not any(map(caller.has, _NUMBERS)):
        facts = await _facts(api, caller, now, quota)
        shown = _problems(facts)
        return HomeOut(time_zone=zone.key, today=None, hours=None, queue=None, quota=quota, problems=shown)
    of_day = await counted.counts(caller.account_id, caller.domains, day, now)
    of_today = await counted.counts(caller.account_id, caller.domains, begun, now)
    backlog = await _backlog(api, caller)
    facts = replace(
        await _facts(api, caller, now, quota),
        day=sum(of_day, Counts()),
        refused=_refused_in(refused, day[0], day[-1] + HOUR),
        backlog=backlog,
    )
    return HomeOut(
        time_zone=zone.key,
        today=_counts(begun[0], begun[-1] + HOUR, sum(of_today, Counts()), refused),
        hours=[_counts(at, at + HOUR, one, refused) for at, one in zip(day, of_day, strict=True)],
        queue=_queue(backlog),
        quota=quota,
        problems=_problems(facts),
    )


def _problems(facts: Facts) -> list[ProblemOut]:
    return [ProblemOut(**asdict(one)) for one in problems.found(facts)]


async def _facts(api: Api, caller: Caller, now: int, quota: QuotaOut) -> Facts:
    """Without numbers."""
    operator = caller.person is not None and caller.person.operator
    async with api.database.read() as connection:
        wanted = DomainFilter(caller.account_id, caller.domains)
        owned = await domains.page(connection, wanted, offset=0, limit=MOST_DOMAINS)
        can_send = await credentials.there_is_one(connection, caller.account_id)
    return Facts(
        now=now,
        state=caller.account.state,
        domains=owned,
        grace=round(api.config.domains.grace * 1000),
        can_send=can_send,
        used=quota.used,
        quota=quota.limit,
        machine=await asyncio.to_thread(_machine, api) if operator else None,
    )


async def _quota(api: Api, caller: Caller, now: int) -> QuotaOut:
    async with api.database.read() as connection:
        used = await quota_days.used(connection, caller.account_id, day_number(now))
    return QuotaOut(used=used, limit=daily_quota(caller.account, api.config), resets_at=next_day_ms(now))


async def _backlog(api: Api, caller: Caller) -> Backlog:
    async with api.database.read() as connection:
        return await queue.backlog(connection, caller.account_id, caller.domains, MOST_QUEUED)


def _queue(backlog: Backlog) -> QueueOut:
    oldest_at = None if backlog.oldest is None else ids.made_at(backlog.oldest)
    return QueueOut(emails=backlog.emails, held=backlog.held, oldest_at=oldest_at)


async def _refused(api: Api, caller: Caller, start: int, now: int) -> dict[int, int] | None:
    """By hours since 1970; None for who may not see the log."""
    if not caller.has(Permission.READ_ERROR_LOG):
        return None
    async with api.database.read() as connection:
        own = await whose(connection, caller)
        wanted = RefusalFilter(caller.account_id, start, now + HOUR, own)
        return await refusals.hourly(connection, wanted)


def _refused_in(refused: dict[int, int] | None, begin: int, end: int) -> int | None:
    """Of the hours of UTC that lie for the most part between these times."""
    if refused is None:
        return None
    return sum(count for hour, count in refused.items() if begin <= hour * HOUR + HOUR // 2 < end)


def _counts(begin: int, end: int, counts: Counts, refused: dict[int, int] | None) -> CountsOut:
    return CountsOut(begins_at=begin, refused=_refused_in(refused, begin, end), **asdict(counts))


def _machine(api: Api) -> Machine:
    """In a thread: the disk is asked. What cannot be found out here other checks tell (`postroom doctor`)."""
    data = api.config.data
    try:
        free: int | None = shutil.disk_usage(data).free
    except OSError:
        free = None
    file, _ = tls.certificate_files(api.config)
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        ends: int | None = round(certificate.not_valid_after_utc.timestamp() * 1000)
    except (OSError, ValueError):
        ends = None
    return Machine(str(data), free, ends)
