"""`/v1/analytics/...`: how often things happened, by day, week, month or year, and who opened."""

# No postponed annotations here: they name types that only `router` knows.

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from postroom.store import analytics as store
from postroom.store import recipients
from postroom.store.analytics import AnalyticsFilter
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import own_domain
from postroom.web.api.errors import invalid
from postroom.web.api.json_out import Data
from postroom.web.api.period import DAY, FORMAT, DateFrom, Seconds
from postroom.web.api.route import routes
from postroom.web.api.shown import Count, Word, limited
from postroom.web.api.words import ARRAY

LONGEST = 184 * DAY
"""Half a year."""
UNKNOWN = "UNK"
"""A country or a user agent that nobody knows; the contract's word."""
MOST_RECIPIENTS = 50


class Event(StrEnum):
    """What can be counted. What never happens here is 0."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    SOFT_BOUNCED = "soft_bounced"
    HARD_BOUNCED = "hard_bounced"
    JUNK = "junk"
    OPENED = "opened"
    OPENED_UNIQUE = "opened_unique"
    CLICKED = "clicked"
    CLICKED_UNIQUE = "clicked_unique"
    UNSUBSCRIBED = "unsubscribed"
    SPAM_COMPLAINTS = "spam_complaints"
    SURVEY_OPENED = "survey_opened"
    SURVEY_SUBMITTED = "survey_submitted"


class GroupBy(StrEnum):
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"

    def bucket(self, day: date) -> date:
        """The first day of the one that this day belongs to; weeks begin on Monday."""
        match self:
            case GroupBy.WEEKS:
                return day - timedelta(days=day.weekday())
            case GroupBy.MONTHS:
                return day.replace(day=1)
            case GroupBy.YEARS:
                return day.replace(month=1, day=1)
        return day


Digits = Annotated[str, limited(maxLength=12, pattern="[0-9]+")]


class Bucket(BaseModel):
    """Beside `date` one number for each event that was asked for, by its name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Count] = Field(
        init=False,
        description="How often it happened.",
        examples=[3],
        json_schema_extra={"maximum": 2**53 - 1},
    )

    date: Digits = Field(description="When it begins, as a Unix timestamp.", examples=["1767225600"])


class ByDate(BaseModel):
    date_from: Digits = Field(description="When the first day begins.", examples=["1767225600"])
    date_to: Digits = Field(description="The last second of the last day.", examples=["1767311999"])
    group_by: GroupBy = Field(description="How long a bucket is.", examples=["days"])
    stats: Annotated[list[Bucket], limited(maxItems=200)] = Field(
        description="All buckets of the time, also those in which nothing happened."
    )


class Named(BaseModel):
    name: Word = Field(description=f"`{UNKNOWN}` if it is not known.", examples=["DE"])
    count: Count = Field(description="Opens.", examples=[3])


class Opens(BaseModel):
    date_from: Count = Field(description="When the first day begins.", examples=[1767225600])
    date_to: Count = Field(description="The last second of the last day.", examples=[1767311999])
    stats: Annotated[list[Named], limited(maxItems=10_000)] = Field(
        description="The most frequent come first."
    )


@dataclass(frozen=True, slots=True)
class Question:
    """`last` is the day that ends the time."""

    wanted: AnalyticsFilter
    first: date
    last: date

    @property
    def days(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)

    @property
    def date_from(self) -> int:
        return _second(self.first)

    @property
    def date_to(self) -> int:
        return _second(self.last) + DAY - 1


def _some(events: list[Event]) -> list[Event]:
    if not events:
        raise ValueError(ARRAY)
    return events


Events = Annotated[
    list[Event],
    AfterValidator(_some),
    Query(
        alias="event[]",
        default_factory=list,
        validate_default=True,
        max_length=100,
        description="What is counted; at least one.",
        examples=[["sent", "delivered"]],
    ),
]
DateTo = Annotated[
    Seconds, Query(description="Up to the end of the day of this second; later than `date_from`.")
]

OPENS = (
    ("country", "country", "Opens by country", "Two letters each."),
    ("ua-name", "ua_name", "Opens by user agent", "Programs that emails were opened with."),
    ("ua-type", "ua_type", "Opens by reading environment", "Kinds of programs, like `desktop` or `webmail`."),
)
"""Path, fact of the event, title, and what the reference says."""


def router(api: Api) -> APIRouter:
    resource = routes("Analytics")
    ask = asked(api)

    @resource.get("/analytics/date", summary="Activity by date")
    @access(Scope.ANALYTICS_READ, Scope.ANALYTICS_FULL, Permission.READ_ANALYTICS)
    async def by_date(
        event: Events,
        question: Annotated[Question, Depends(ask)],
        group_by: Annotated[
            GroupBy, Query(description="How long a bucket is.", examples=["days"])
        ] = GroupBy.DAYS,
    ) -> Data[ByDate]:
        """How often things happened, in whole days (UTC), as long as events are kept."""
        counts: dict[date, Counter[str]] = {}
        for day in question.days:
            bucket = counts.setdefault(group_by.bucket(day), Counter())
            async with api.database.read() as connection:
                bucket.update(await store.count(connection, question.wanted, *_bounds(day), event))
        stats = [
            Bucket(date=str(_second(day)), **{kind.value: found[kind] for kind in event})
            for day, found in counts.items()
        ]
        shown = ByDate(
            date_from=str(question.date_from), date_to=str(question.date_to), group_by=group_by, stats=stats
        )
        return Data(data=shown)

    for path, fact, title, about in OPENS:
        add_opens(api, resource, ask, (path, fact, title, about))
    return resource


def add_opens(api: Api, resource: APIRouter, ask: Any, kind: tuple[str, str, str, str]) -> None:
    path, fact, title, about = kind

    @resource.get(f"/analytics/{path}", name=f"by_{fact}", summary=title, description=about)
    @access(Scope.ANALYTICS_READ, Scope.ANALYTICS_FULL, Permission.READ_ANALYTICS)
    async def opens(question: Annotated[Question, Depends(ask)]) -> Data[Opens]:
        counts: Counter[str] = Counter()
        for day in question.days:
            async with api.database.read() as connection:
                found = await store.opens(connection, question.wanted, *_bounds(day), fact)
            counts.update({name or UNKNOWN: number for name, number in found.items()})
        stats = [Named(name=name, count=number) for name, number in counts.most_common()]
        return Data(data=Opens(date_from=question.date_from, date_to=question.date_to, stats=stats))


def asked(api: Api) -> Any:
    """The dependency that reads what all four have in their query."""

    async def question(
        caller: CurrentCaller,
        date_from: DateFrom,
        date_to: DateTo,
        recipient_id: Annotated[
            list[Annotated[str, Field(max_length=255)]],
            Query(
                alias="recipient_id[]",
                default_factory=list,
                max_length=MOST_RECIPIENTS,
                description="Only emails to these; unknown ids are ignored.",
                examples=[["0195f0c2a7d1000001a2b3c4"]],
            ),
        ],
        tags: Annotated[
            list[Annotated[str, Field(max_length=255)]],
            Query(
                alias="tags[]",
                default_factory=list,
                max_length=100,
                description="Only emails with one of these.",
                examples=[["order"]],
            ),
        ],
        domain_id: Annotated[
            str | None,
            Query(
                max_length=255,
                description="Only of this domain; an unknown id is ignored.",
                examples=["65qngkdovk8lwr12"],
            ),
        ] = None,
    ) -> Question:
        problems = _problems(date_from, date_to, api.clock.now_ms() // 1000)
        if problems:
            raise invalid(problems)
        domains = caller.domains
        if domain_id is not None and await own_domain(api, caller, domain_id) is not None:
            domains = frozenset({domain_id})
        known = await _recipients(api, caller, recipient_id)
        wanted = AnalyticsFilter(caller.account_id, domains, known, tags)
        return Question(wanted, _day(date_from), _day(date_to))

    return question


async def _recipients(api: Api, caller: Caller, ids: list[str]) -> list[tuple[str, str]]:
    async with api.database.read() as connection:
        found = await recipients.load(connection, caller.account_id, ids) if ids else {}
    return [(one.domain_id, one.email) for one in found.values() if caller.may_use(one.domain_id)]


def _problems(date_from: int, date_to: int, now: int) -> dict[str, list[str]]:
    """By field."""
    fields: dict[str, list[str]] = {}
    tonight = now // DAY * DAY + DAY - 1
    if date_from >= date_to:
        fields["date_from"] = ["The date from must be less than date to."]
    elif date_from < (now - LONGEST) // DAY * DAY:
        limit = "Analytics has a 6-months data retention limit."
        fields["date_from"] = [f"Date selection out of range. {limit}"]
    if date_to > tonight:
        latest = datetime.fromtimestamp(tonight, UTC).strftime(FORMAT)
        fields["date_to"] = [f"The date_to must be before or equal to {latest}."]
    return fields


def _day(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date()


def _second(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _bounds(day: date) -> tuple[int, int]:
    """In milliseconds; the second is no longer part of it."""
    start = _second(day) * 1000
    return start, start + DAY * 1000
