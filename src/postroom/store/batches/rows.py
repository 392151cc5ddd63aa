"""The rows that travel in batches. Field names are column names, so a row is inserted as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from postroom.runtime.ids import mail_id
from postroom.types.events import EventType


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


@dataclass(slots=True)
class Inserts:
    """What one accept batch adds. `counts` says how many emails of each account."""

    contents: list[ContentRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    emails: list[EmailRow] = field(default_factory=list)
    queue: list[QueueRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


Plan = Callable[[dict[str, int], set[tuple[str, str]]], Inserts]
"""Decides each member of an accept batch inside its transaction: given the emails counted today per limited account and the
suppressed (account id, address) pairs among its recipients, returns what to insert. It is called once."""


@dataclass(slots=True)
class Entry:
    """A queue row as the delivery engine holds it, with what the engine needs of its email. `sent`: an attempt has
    reached a server, and the event that says so is written."""

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

    @property
    def key(self) -> tuple[str, str]:
        return self.account_id, self.email_id


ENTRY_COLUMNS = """
q.account_id, q.email_id, q.message_id, q.domain_id, q.site, q.lane, q.due_at, q.expires_at, q.attempts, q.unfinished,
e.recipient, e.dsn_notify, e.dsn_orcpt, e.possible_duplicate, e.sent, q.mark
"""


def claimed(row: Sequence[Any], now: int) -> tuple[Entry, EventRow | None]:
    """An entry from a row of `ENTRY_COLUMNS`. If it carries a mark, its last owner went away during an attempt: that
    attempt counts, nobody knows its outcome, and the event that says so comes with it."""
    entry, mark = Entry(*row[:-1]), row[-1]
    entry.possible_duplicate, entry.sent = bool(entry.possible_duplicate), bool(entry.sent)  # SQLite has none
    if not mark:
        return entry, None
    entry.attempts = max(entry.attempts, mark)
    entry.unfinished += 1
    entry.possible_duplicate = True
    detail = json.dumps({"reason": "the attempt was interrupted", "attempt": mark})
    event = EventRow(
        account_id=entry.account_id,
        id=mail_id(now),
        at=now,
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
    """One outcome with everything it writes. `keep_content_until` matters when the message has no recipient left."""

    queue: QueueChange
    email: EmailChange
    events: list[EventRow]
    attempt: AttemptRow | None = None
    inbox: InboxRow | None = None
    keep_content_until: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.queue.account_id, self.queue.email_id


def current(records: Sequence[OutcomeRecord], owned: dict[str, int]) -> list[OutcomeRecord]:
    """The records that still fit: the row is ours (`owned`: email id to attempts in the row) and this attempt is not
    counted yet. Writing a batch again after an unknown commit therefore changes nothing."""
    return [
        record
        for record in records
        if (attempts := owned.get(record.queue.email_id)) is not None
        and (record.attempt is None or attempts < record.queue.attempts)
    ]


class Ticked(NamedTuple):
    """What a delivery tick did: the email ids whose outcome was recorded, and those whose attempt may go on."""

    recorded: set[str]
    marked: set[str]
