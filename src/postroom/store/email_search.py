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
from postroom.store.schema import api_messages, emails, events, message_metadata, messages
from postroom.types.status import EmailStatus

PART = 500
"""Ids named in one statement."""
MOST_PIECES = 150
"""That are looked at for one answer: a filter that fits nothing must not walk through millions of emails."""


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
    piece, begin = _walked(database, wanted), ids.earliest(wanted.end)
    found = await walk.page(database, piece, begin, offset=offset, limit=limit)
    return [row.id for row in found]


async def some(
    database: Database, wanted: EmailFilter, *, below: str | None, limit: int
) -> tuple[list[str], str | None]:
    """Ids of the emails that fit and sort before `below`, and where to go on; as `walk.some`."""
    begin = min(ids.earliest(wanted.end), below or walk.BEHIND_ALL)
    found, rest = await walk.some(database, _walked(database, wanted), begin, limit=limit, pieces=MOST_PIECES)
    return [row.id for row in found], rest


def _walked(database: Database, wanted: EmailFilter) -> walk.Piece:
    return lambda below, size: _piece(wanted, below, size, sqlite=database.sqlite)


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
    mine = (emails.c.account_id == wanted.account_id, emails.c.id.in_(email_ids))
    period = (emails.c.id >= ids.earliest(wanted.start), emails.c.id < ids.earliest(wanted.end))
    message = and_(messages.c.account_id == wanted.account_id, messages.c.id == emails.c.message_id)
    source = emails.join(messages, message)
    if wanted.template_id is not None:
        source = source.outerjoin(api_messages, _api(wanted, emails.c.message_id))
    fits = _conditions(wanted, emails.c, sqlite=sqlite)
    statement = select(emails.c.id).select_from(source).where(*mine, *period, *_named(wanted), *fits)
    return statement.order_by(emails.c.id.desc())


def _api(wanted: EmailFilter, message_id: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(api_messages.c.account_id == wanted.account_id, api_messages.c.id == message_id)


def _piece(wanted: EmailFilter, below: str, size: int, *, sqlite: bool) -> Select[Any]:
    """What has an index narrows the candidates, the rest is asked of each."""
    named = _named(wanted)
    # SQLite knows nothing of the data: shown the bare id it walks through all of the time, whatever else is asked.
    email_id = emails.c.id.concat("") if named else emails.c.id
    between = (email_id >= ids.earliest(wanted.start), email_id < below)
    candidate = (
        select(*(emails.c[name] for name in ("id", "message_id", "recipient", "status", "sent")))
        .where(emails.c.account_id == wanted.account_id, *between, *named)
        .order_by(email_id.desc())
        .limit(size)
        .subquery("candidate")
    )
    message = and_(messages.c.account_id == wanted.account_id, messages.c.id == candidate.c.message_id)
    fits = and_(*_conditions(wanted, candidate.c, sqlite=sqlite))
    # An outer join: a candidate never gets lost, or the walk would believe that it has come to the end.
    source = candidate.outerjoin(messages, message)
    if wanted.template_id is not None:
        source = source.outerjoin(api_messages, _api(wanted, candidate.c.message_id))
    return select(candidate.c.id, fits.label("fits")).select_from(source).order_by(candidate.c.id.desc())


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


def _conditions(wanted: EmailFilter, candidate: Any, *, sqlite: bool) -> list[ColumnElement[bool]]:
    conditions = [within(messages.c.domain_id, wanted.domains), messages.c.id.is_not(None)]
    if wanted.statuses:
        conditions.append(or_(*(_has_status(candidate, word) for word in sorted(wanted.statuses))))
    if wanted.states:
        conditions.append(candidate.status.in_(sorted(wanted.states)))
    if wanted.events:
        conditions.append(_has_event(wanted, candidate))
    if wanted.recipient is not None:
        conditions.append(candidate.recipient == wanted.recipient)
    if wanted.recipient_part is not None:
        conditions.append(candidate.recipient.icontains(wanted.recipient_part, autoescape=True))
    if wanted.credential_id is not None:
        conditions.append(messages.c.credential_id == wanted.credential_id)
    if wanted.stream is not None:
        conditions.append(messages.c.stream == wanted.stream)
    if wanted.template_id is not None:
        conditions.append(api_messages.c.template_id == wanted.template_id)
    if wanted.subject is not None:
        conditions.append(messages.c.subject.icontains(wanted.subject, autoescape=True))
    if wanted.tag is not None:
        find = func.instr if sqlite else func.strpos
        conditions.append(find(literal("\n") + messages.c.tags + "\n", f"\n{wanted.tag}\n") > 0)
    return conditions


def _has_event(wanted: EmailFilter, candidate: Any) -> ColumnElement[bool]:
    """An event is never older than its email; that spares PostgreSQL the days before."""
    happened = select(events.c.id).where(
        events.c.account_id == wanted.account_id,
        events.c.email_id == candidate.id,
        events.c.at >= wanted.start,
        events.c.type.in_(sorted(wanted.events)),
    )
    return happened.exists()


def _has_status(candidate: Any, word: str) -> ColumnElement[bool]:
    """`EmailStatus.api_word` in SQL."""

    def statuses(*, attempted: bool) -> list[str]:
        return [status.value for status in EmailStatus if status.api_word(attempted=attempted) == word]

    before = and_(not_(candidate.sent), candidate.status.in_(statuses(attempted=False)))
    return or_(before, and_(candidate.sent, candidate.status.in_(statuses(attempted=True))))
