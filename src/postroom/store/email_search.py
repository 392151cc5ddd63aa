"""Finding emails of one domain, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select

from postroom.runtime import ids
from postroom.store import walk
from postroom.store.database import Database
from postroom.store.schema import api_messages, emails, message_metadata, messages
from postroom.types.status import EmailStatus


@dataclass(frozen=True, slots=True)
class EmailFilter:
    """Accepted from `start` up to, but not at, `end` (milliseconds). None: whatever it is.

    `statuses` are the API's words; `subject` is contained in the subject in any case; `metadata` has to be that of the
    message, name by name; the others are equal.
    """

    account_id: str
    domain_id: str
    start: int
    end: int
    statuses: frozenset[str] = frozenset()
    recipient: str | None = None
    message_id: str | None = None
    template_id: str | None = None
    subject: str | None = None
    tag: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


async def page(database: Database, wanted: EmailFilter, *, offset: int, limit: int) -> list[str]:
    """Ids of the emails that fit, from number `offset` on."""

    def piece(below: str, size: int) -> Select[Any]:
        return _piece(wanted, below, size, sqlite=database.sqlite)

    found = await walk.page(database, piece, ids.earliest(wanted.end), offset=offset, limit=limit)
    return [row.id for row in found]


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
    api = and_(api_messages.c.account_id == wanted.account_id, api_messages.c.id == candidate.c.message_id)
    fits = and_(*_conditions(wanted, candidate.c, sqlite=sqlite))
    # An outer join: a candidate never gets lost, or the walk would believe that it has come to the end.
    source = candidate.outerjoin(messages, message)
    if wanted.template_id is not None:
        source = source.outerjoin(api_messages, api)
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
    conditions = [messages.c.domain_id == wanted.domain_id]
    if wanted.statuses:
        conditions.append(or_(*(_has_status(candidate, word) for word in sorted(wanted.statuses))))
    if wanted.recipient is not None:
        conditions.append(candidate.recipient == wanted.recipient)
    if wanted.template_id is not None:
        conditions.append(api_messages.c.template_id == wanted.template_id)
    if wanted.subject is not None:
        conditions.append(messages.c.subject.icontains(wanted.subject, autoescape=True))
    if wanted.tag is not None:
        find = func.instr if sqlite else func.strpos
        conditions.append(find(literal("\n") + messages.c.tags + "\n", f"\n{wanted.tag}\n") > 0)
    return conditions


def _has_status(candidate: Any, word: str) -> ColumnElement[bool]:
    """`EmailStatus.api_word` in SQL."""

    def statuses(*, attempted: bool) -> list[str]:
        return [status.value for status in EmailStatus if status.api_word(attempted=attempted) == word]

    before = and_(not_(candidate.sent), candidate.status.in_(statuses(attempted=False)))
    return or_(before, and_(candidate.sent, candidate.status.in_(statuses(attempted=True))))
