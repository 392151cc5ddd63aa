"""Finding emails, the newest first, and those that something happened to lately."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select

from postroom.runtime import ids
from postroom.store import walk
from postroom.store.database import Database
from postroom.store.query import slices, within
from postroom.store.schema import api_messages, emails, events, message_metadata, messages, queue
from postroom.store.walk import Series, Walk
from postroom.types.status import FINAL, EmailStatus

PART = 500
"""Ids named in one statement."""
MOST_PIECES = 75
"""That are looked at for one answer: a filter that fits nothing must not walk through millions of emails."""
CLOCK_SET_BACK = 86_400_000
"""Milliseconds: an event is not older than its email but for a clock that was set back in between."""


@dataclass(frozen=True, slots=True)
class EmailFilter:
    """Accepted from `start` up to, but not at, `end` (milliseconds). None: whatever it is.

    `domains` are their ids, None: all of the account. `statuses` are the API's words, `states` our own (`EmailStatus`).
    `subject` and `recipient_part` are contained in any case; `metadata` has to be that of the message, name by name;
    one of `events` has happened to it; the others are equal.
    """

    account_id: str
    domains: Collection[str] | None
    start: int
    end: int
    statuses: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    recipient: str | None = None
    recipient_part: str | None = None
    credential_id: str | None = None
    stream: str | None = None
    message_id: str | None = None
    template_id: str | None = None
    subject: str | None = None
    tag: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


async def page(database: Database, wanted: EmailFilter, *, offset: int, limit: int) -> list[str]:
    """Ids of the emails that fit, from number `offset` on."""
    begin = ids.earliest(wanted.end)
    found = await walk.page(
        database, _walk(wanted, sqlite=database.sqlite), begin, offset=offset, limit=limit
    )
    return [row.id for row in found]


async def some(
    database: Database, wanted: EmailFilter, *, below: str | None, limit: int
) -> tuple[list[str], str | None]:
    """Ids of the emails that fit and sort before `below`, and where to go on; as `walk.some`."""
    begin = min(ids.earliest(wanted.end), below or walk.BEHIND_ALL)
    emails_walk = _walk(wanted, sqlite=database.sqlite)
    found, rest = await walk.some(database, emails_walk, begin, limit=limit, pieces=MOST_PIECES)
    return [row.id for row in found], rest


async def changed(
    database: Database, wanted: EmailFilter, since: str, *, limit: int
) -> tuple[list[str], bool]:
    """Ids of the emails that fit and were accepted, or had something happen to them, from the event or email `since`
    on; and whether that is all, for only the newest `limit` changes are looked at."""
    events_since = and_(events.c.account_id == wanted.account_id, events.c.id >= since)
    touched = (
        select(events.c.email_id)
        .where(events_since, events.c.at >= ids.made_at(since))
        .order_by(events.c.id.desc())
    )
    new = (
        select(emails.c.id)
        .where(emails.c.account_id == wanted.account_id, emails.c.id >= since)
        .order_by(emails.c.id.desc())
    )
    async with database.read() as connection:
        found = [list(await connection.scalars(one.limit(limit + 1))) for one in (touched, new)]
        candidates = sorted({email_id for part in found for email_id in part}, reverse=True)
        fitting = [
            email_id
            for part in slices(candidates, PART)
            for email_id in await connection.scalars(_among(wanted, part, sqlite=database.sqlite))
        ]
    return fitting, all(len(part) <= limit for part in found)


def _among(wanted: EmailFilter, email_ids: Collection[str], *, sqlite: bool) -> Select[Any]:
    """Those of these emails that fit."""
    period = ids.earliest(wanted.start), ids.earliest(wanted.end)
    fitting = _fitting(wanted, emails.c.id, *period, sqlite=sqlite)
    return fitting.where(emails.c.id.in_(email_ids), *_named(wanted))


def _walk(wanted: EmailFilter, *, sqlite: bool) -> Walk:
    """Through the emails, or the queue: what is not final has its row there, and that is little."""
    named, begin = _named(wanted), ids.earliest(wanted.start)
    # SQLite knows nothing of the data: shown the bare id it walks through all of the time, whatever else is asked.
    email_id = emails.c.id.concat("") if named else emails.c.id
    series = Series(email_id, [emails.c.account_id == wanted.account_id, email_id >= begin, *named])
    if _waiting(wanted) and not named:
        email_id = queue.c.email_id
        series = Series(email_id, [queue.c.account_id == wanted.account_id, email_id >= begin])

    def between(lowest: str, below: str) -> Select[Any]:
        return _fitting(wanted, email_id, max(lowest, begin), below, sqlite=sqlite).where(*named)

    return Walk([series], between)


def _waiting(wanted: EmailFilter) -> bool:
    """Whether only emails are asked for that are not final."""
    states = {EmailStatus(state) for state in wanted.states}
    return bool(states and not states & FINAL) or bool(
        wanted.statuses and wanted.statuses <= {"queued", "sent"}
    )


def _fitting(
    wanted: EmailFilter, email_id: ColumnElement[str], lowest: str, below: str, *, sqlite: bool
) -> Select[Any]:
    """What fits of the account between two ids, the newest first. An email whose message is being deleted is not there
    any more. `email_id` may be that of the queue."""
    message = and_(messages.c.account_id == wanted.account_id, messages.c.id == emails.c.message_id)
    source: Any = emails.join(messages, message)
    mine = [emails.c.account_id == wanted.account_id, email_id >= lowest, email_id < below]
    if email_id is queue.c.email_id:
        source = queue.join(source, emails.c.id == queue.c.email_id)
        mine.append(queue.c.account_id == wanted.account_id)
    if wanted.events:
        mine.append(_has_event(wanted, lowest, below, sqlite=sqlite))
    fits = _conditions(wanted, sqlite=sqlite)
    return select(emails.c.id).select_from(source).where(*mine, *fits).order_by(email_id.desc())


def _named(wanted: EmailFilter) -> list[ColumnElement[bool]]:
    """That the email is of the messages that are named: by their id, or by their metadata."""
    which = []
    if wanted.message_id is not None:
        which.append(emails.c.message_id == wanted.message_id)
    for name, value in wanted.metadata.items():
        known = (
            message_metadata.c.account_id == wanted.account_id,
            message_metadata.c.name == name,
            message_metadata.c.value == value,
        )
        which.append(emails.c.message_id.in_(select(message_metadata.c.message_id).where(*known)))
    of_account = select(emails.c.id).where(emails.c.account_id == wanted.account_id)
    return [emails.c.id.in_(of_account.where(condition)) for condition in which]


def _conditions(wanted: EmailFilter, *, sqlite: bool) -> list[ColumnElement[bool]]:
    conditions = [within(messages.c.domain_id, wanted.domains)]
    if wanted.statuses:
        conditions.append(or_(*(_has_status(word) for word in sorted(wanted.statuses))))
    if wanted.states:
        conditions.append(emails.c.status.in_(sorted(wanted.states)))
    if wanted.recipient is not None:
        conditions.append(emails.c.recipient == wanted.recipient)
    if wanted.recipient_part is not None:
        conditions.append(emails.c.recipient.icontains(wanted.recipient_part, autoescape=True))
    if wanted.credential_id is not None:
        conditions.append(messages.c.credential_id == wanted.credential_id)
    if wanted.stream is not None:
        conditions.append(messages.c.stream == wanted.stream)
    if wanted.template_id is not None:
        conditions.append(_has_template(wanted))
    if wanted.subject is not None:
        conditions.append(messages.c.subject.icontains(wanted.subject, autoescape=True))
    if wanted.tag is not None:
        find = func.instr if sqlite else func.strpos
        conditions.append(find(literal("\n") + messages.c.tags + "\n", f"\n{wanted.tag}\n") > 0)
    return conditions


def _has_event(wanted: EmailFilter, lowest: str, below: str, *, sqlite: bool) -> ColumnElement[bool]:
    """PostgreSQL would read all events of the account for each piece, were it not told twice which ids there are, and
    that the days before have none. SQLite would then use the range instead of the one id."""
    happened = [
        events.c.account_id == wanted.account_id,
        events.c.email_id == emails.c.id,
        events.c.type.in_(sorted(wanted.events)),
    ]
    if not sqlite:
        since = max(wanted.start, ids.made_at(lowest) - CLOCK_SET_BACK)
        happened += [events.c.email_id >= lowest, events.c.email_id < below, events.c.at >= since]
    return select(events.c.id).where(*happened).exists()


def _has_template(wanted: EmailFilter) -> ColumnElement[bool]:
    made = select(api_messages.c.id).where(
        api_messages.c.account_id == wanted.account_id,
        api_messages.c.id == emails.c.message_id,
        api_messages.c.template_id == wanted.template_id,
    )
    return made.exists()


def _has_status(word: str) -> ColumnElement[bool]:
    """`EmailStatus.api_word` in SQL."""

    def statuses(*, attempted: bool) -> list[str]:
        return [status.value for status in EmailStatus if status.api_word(attempted=attempted) == word]

    before = and_(not_(emails.c.sent), emails.c.status.in_(statuses(attempted=False)))
    return or_(before, and_(emails.c.sent, emails.c.status.in_(statuses(attempted=True))))
