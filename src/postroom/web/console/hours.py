"""What happened to mail, by the hour. An hour that is over does not change any more, so it is counted once; a page that
asks every few seconds counts what is new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from postroom.store import analytics
from postroom.store.analytics import AnalyticsFilter
from postroom.store.database import Database
from postroom.types.events import EventType

HOUR = 3_600_000
SETTLED = 60_000
"""Milliseconds after the end of an hour: what happened in it is committed by then."""
MOST_KNOWN = 20_000
"""Hours that are remembered, of all accounts."""

_TYPES = (
    EventType.QUEUED,
    EventType.DELIVERED,
    EventType.DEFERRED,
    EventType.HARD_BOUNCED,
    EventType.SOFT_BOUNCED,
    EventType.SUPPRESSED,
)

Key = tuple[str, frozenset[str] | None, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """`accepted` are emails; of the rest each time counts, so an email may be deferred often. `bounced` are those given
    up, for whatever reason."""

    accepted: int = 0
    delivered: int = 0
    deferred: int = 0
    bounced: int = 0
    suppressed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.accepted + other.accepted,
            self.delivered + other.delivered,
            self.deferred + other.deferred,
            self.bounced + other.bounced,
            self.suppressed + other.suppressed,
        )


class Hours:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[Key, Counts] = OrderedDict()

    async def counts(
        self, account_id: str, domains: frozenset[str] | None, begins: Iterable[int], now: int
    ) -> list[Counts]:
        """Of the hours that begin at these times (milliseconds), of some domains or all. One read each, so that none is
        a long one."""
        return [await self._count((account_id, domains, begin), now) for begin in begins]

    async def _count(self, key: Key, now: int) -> Counts:
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        account_id, domains, begin = key
        wanted = AnalyticsFilter(account_id, domains)
        async with self._database.read() as connection:
            found = await analytics.count(connection, wanted, begin, begin + HOUR, _TYPES)
        counted = Counts(
            accepted=found.get(EventType.QUEUED, 0),
            delivered=found.get(EventType.DELIVERED, 0),
            deferred=found.get(EventType.DEFERRED, 0),
            bounced=found.get(EventType.HARD_BOUNCED, 0) + found.get(EventType.SOFT_BOUNCED, 0),
            suppressed=found.get(EventType.SUPPRESSED, 0),
        )
        if begin + HOUR + SETTLED < now:
            self._known[key] = counted
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return counted


def today(now: int, zone: ZoneInfo) -> list[int]:
    """When the hours of today begin, the first at midnight, in milliseconds."""
    midnight = _local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return list(range(round(midnight.timestamp() * 1000), now + 1, HOUR))


def last_day(now: int, zone: ZoneInfo) -> list[int]:
    """The same of 24 hours as that zone's clocks show them; the last one is the present one."""
    offset = _local(now, zone).utcoffset() or timedelta()
    shift = round(offset.total_seconds() * 1000)
    latest = (now + shift) // HOUR * HOUR - shift
    return [latest - back * HOUR for back in range(23, -1, -1)]


def _local(now: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(now / 1000, zone)
