"""The rows that travel in batches. Field names are column names, so a row is inserted as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from postroom.runtime.ids import mail_id
from postroom.types.draft import Stream
from postroom.types.events import EventType
from postroom.types.status import Hold
from postroom.types.suppression import Lists, Suppressed, Suppressing


class ContentRow(NamedTuple):
    account_id: str
    id: str
    data: bytes


class MessageRow(NamedTuple):
    account_id: str
    id: str
    domain_id: str
    credential_id: str
    edge: str
    sender: str
    header_from: str
    subject: str
    message_id: str
    signing_domain: str
    stream: str
    tags: str
    size: int
    header_size: int
    eight_bit: bool
    utf8: bool
    dsn_ret: str
    dsn_envid: str
    blob: str
    received_at: int
    content_expires_at: int | None
    precedence_bulk: bool = False
    credential_kind: str = ""


class PersonalizationRow(NamedTuple):
    account_id: str
    email_id: str
    message_id: str
    data: bytes


class ApiMessageRow(NamedTuple):
    account_id: str
    id: str
    template_id: str | None
    template_version: str | None
    headers: str | None
    metadata: str | None
    send_at: int | None
    settings: str | None


class MetadataRow(NamedTuple):
    account_id: str
    name: str
    value: str
    message_id: str


class IdempotencyRow(NamedTuple):
    account_id: str
    key: str
    fingerprint: bytes
    answer: str
    expires_at: int


class EmailRow(NamedTuple):
    account_id: str
    id: str
    message_id: str
    recipient: str
    status: str
    dsn_notify: str
    dsn_orcpt: str
    created_at: int
    final_at: int | None


class QueueRow(NamedTuple):
    account_id: str
    email_id: str
    message_id: str
    domain_id: str
    site: str
    lane: int
    owner: int
    due_at: int
    expires_at: int
    hold: str


class EventRow(NamedTuple):
    account_id: str
    id: str
    at: int
    email_id: str
    message_id: str
    type: str
    detail: str


class AttemptRow(NamedTuple):
    account_id: str
    email_id: str
    number: int
    at: int
    result: str
    duration: int
    host: str
    address: str
    tls: str
    code: int
    enhanced: str
    reply: str
    transcript: bytes


class InboxRow(NamedTuple):
    account_id: str
    email_id: str
    message_id: str
    domain_id: str
    recipient: str
    received_at: int


class CapCounter(NamedTuple):
    """The emails of an SMTP user in one `span` (hour, day) that began at `began_at`, in milliseconds."""

    account_id: str
    smtp_user_id: str
    span: str
    began_at: int


@dataclass(slots=True)
class Inserts:
    """What one accept batch adds. `counts` says how many emails of each account, `ahead` how many of them count on the
    day after the batch's, `capped` how many of each SMTP user
    that has a cap."""

    contents: list[ContentRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    emails: list[EmailRow] = field(default_factory=list)
    queue: list[QueueRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    personalizations: list[PersonalizationRow] = field(default_factory=list)
    api_messages: list[ApiMessageRow] = field(default_factory=list)
    metadata: list[MetadataRow] = field(default_factory=list)
    idempotency: list[IdempotencyRow] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    ahead: dict[str, int] = field(default_factory=dict)
    capped: dict[CapCounter, int] = field(default_factory=dict)


Key = tuple[str, str]
"""An account and one of its idempotency keys."""


class Used(dict[str, int]):
    """The emails counted on the day of a batch, by account; `ahead`: on the day after it."""

    def __init__(self, used: dict[str, int], ahead: dict[str, int]) -> None:
        super().__init__(used)
        self.ahead = ahead


Plan = Callable[[Used, Sequence[Suppressing], Collection[Key], dict[CapCounter, int]], Inserts]
"""Decides each member of an accept batch inside its transaction: given the emails counted today per limited account, the
suppressions that may concern its recipients, those of its idempotency keys that are taken, and the counts of SMTP users
that have a cap, returns what to insert. It is called once."""


@dataclass(slots=True)
class Entry:
    """A queue row as the delivery engine holds it, with what the engine needs of its email. `sent`: an attempt has
    reached a server, and the event that says so is written. `suppressed`: the lists the recipient was on when that was
    last looked up, at `checked_at` of the engine's monotonic clock. `paused`: sending from its domain is. `template_gone`: it
    was scheduled, was not tried yet, and its template has been deleted. `suspect`: its last owner died while it had it.
    `owner` is the incarnation that got it: what comes of it is recorded while the row still carries that number."""

    account_id: str
    email_id: str
    message_id: str
    domain_id: str
    site: str
    lane: int
    due_at: int
    expires_at: int
    attempts: int
    unfinished: int
    recipient: str
    dsn_notify: str
    dsn_orcpt: str
    possible_duplicate: bool = False
    sent: bool = False
    stream: str = Stream.TRANSACTIONAL.value
    owner: int = 0
    paused: bool = False
    template_gone: bool = False
    suppressed: Lists = ()
    checked_at: float = 0.0
    suspect: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.account_id, self.email_id


PAUSED = "EXISTS (SELECT 1 FROM domains d WHERE d.id = q.domain_id AND d.send_paused)"
"""Asked of the table, for what a node knows of a domain may be a second old. The paused have an index of their own."""

SUSPENDED = "EXISTS (SELECT 1 FROM accounts a WHERE a.id = q.account_id AND a.state = 'suspended')"

ENDING = {Hold.PAUSED.value: PAUSED, Hold.SUSPENDED.value: SUSPENDED}
"""What somebody may have ended before a node that holds an email for it has heard of that, and the condition that says
whether it still holds."""

TEMPLATE_GONE = """
q.attempts = 0 AND EXISTS (
    SELECT 1 FROM api_messages a WHERE a.account_id = q.account_id AND a.id = q.message_id
    AND a.send_at IS NOT NULL AND a.template_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM templates t WHERE t.account_id = a.account_id AND t.id = a.template_id))
"""

ENTRY_COLUMNS = f"""
q.account_id, q.email_id, q.message_id, q.domain_id, q.site, q.lane, q.due_at, q.expires_at, q.attempts, q.unfinished,
e.recipient, e.dsn_notify, e.dsn_orcpt, e.possible_duplicate, e.sent, m.stream, q.owner,
{PAUSED}, {TEMPLATE_GONE}, q.mark
"""

SUPPRESSING_COLUMNS = ", ".join(f"s.{name}" for name in Suppressing._fields)


def flag_suppressed(entries: Iterable[Entry], suppressing: Iterable[Suppressing], now: int) -> None:
    """Tell each entry on which lists its recipient is now. `now` is in milliseconds."""
    suppressed = Suppressed(suppressing, now)
    for entry in entries if suppressed else ():
        entry.suppressed = suppressed.lists(entry.account_id, entry.recipient, entry.domain_id, entry.stream)


def claimed(row: Sequence[Any], at: int) -> tuple[Entry, EventRow | None]:
    """An entry from a row of `ENTRY_COLUMNS`. If it carries a mark, its last owner went away during an attempt: that
    attempt counts, nobody knows its outcome, and the event that says so comes with it."""
    entry, mark = Entry(*row[:-1]), row[-1]
    for name in ("possible_duplicate", "sent", "paused", "template_gone"):
        setattr(entry, name, bool(getattr(entry, name)))  # SQLite has none
    if not mark:
        return entry, None
    entry.template_gone = False  # somebody may have it already
    entry.attempts = max(entry.attempts, mark)
    entry.unfinished += 1
    entry.possible_duplicate = True
    detail = json.dumps({"reason": "the attempt was interrupted", "attempt": mark})
    event = EventRow(
        account_id=entry.account_id,
        id=mail_id(at),
        at=at,
        email_id=entry.email_id,
        message_id=entry.message_id,
        type=EventType.POSSIBLE_DUPLICATE.value,
        detail=detail,
    )
    return entry, event


class QueueChange(NamedTuple):
    """What an outcome makes of the queue row. `due_at` None deletes it: the email is final."""

    account_id: str
    email_id: str
    message_id: str
    attempts: int
    unfinished: int
    due_at: int | None
    owner: int
    hold: str


class EmailChange(NamedTuple):
    """What an outcome makes of the email."""

    account_id: str
    id: str
    status: str
    attempts: int
    reply: str
    possible_duplicate: bool
    sent: bool
    final_at: int | None


@dataclass(slots=True)
class OutcomeRecord:
    """One outcome with everything it writes. `owner` is the incarnation whose attempt it was; `keep_content_until`
    matters when the message has no recipient left."""

    owner: int
    queue: QueueChange
    email: EmailChange
    events: list[EventRow]
    attempt: AttemptRow | None = None
    inbox: InboxRow | None = None
    keep_content_until: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.queue.account_id, self.queue.email_id


def current(records: Sequence[OutcomeRecord], found: dict[str, tuple[int, int]]) -> list[OutcomeRecord]:
    """The records that still fit (`found`: email id to owner and attempts in the row): nobody has claimed the row since,
    and this attempt is not counted yet. Writing a batch again after an unknown commit therefore changes nothing."""
    return [record for record in records if _fits(record, *found.get(record.queue.email_id, (-1, 0)))]


def _fits(record: OutcomeRecord, owner: int, attempts: int) -> bool:
    return record.owner == owner and (record.attempt is None or attempts < record.queue.attempts)


def content_expiries(records: Sequence[OutcomeRecord]) -> list[tuple[str, str, int]]:
    """(account id, message id, until when its content is kept) of the messages that have lost a recipient."""
    until = {
        (record.queue.account_id, record.queue.message_id): record.keep_content_until
        for record in records
        if record.queue.due_at is None
    }
    return [(account_id, message_id, at) for (account_id, message_id), at in until.items()]


class Ticked(NamedTuple):
    """What a delivery tick did: the email ids whose outcome was recorded (a hold whose reason is over is as good
    as recorded: the row was let go), those whose attempt may go on, and those whose attempt may not because sending is
    paused."""

    recorded: set[str]
    marked: set[str]
    paused: set[str]
