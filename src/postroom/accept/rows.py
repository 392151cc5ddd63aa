"""What one accepted draft adds to the tables: its content, the message, and per recipient an email and a queue row.
That it is `queued` needs no event of its own: the email's row says so (see store.events). A suppressed recipient is
final at once and never queued.

Rows are laid out when a draft comes in, while the transaction before its own still runs; inside its own there is
nothing left to do but to insert them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import zstandard

from postroom.accept import api_rows
from postroom.runtime.ids import mail_id
from postroom.store.batches.rows import (
    ApiMessageRow,
    ContentRow,
    EmailRow,
    Entry,
    EventRow,
    IdempotencyRow,
    Inserts,
    MessageRow,
    MetadataRow,
    PersonalizationRow,
    QueueRow,
)
from postroom.store.queue import NEVER
from postroom.tenancy.quotas import release_ms
from postroom.types.draft import Draft, Edge, Stream
from postroom.types.envelope import Recipient
from postroom.types.events import EventType
from postroom.types.status import EmailStatus, Hold
from postroom.types.suppression import Lists
from postroom.types.suppression import detail as suppression_detail

FAST, SLOW = 0, 1
_COMPRESSOR = zstandard.ZstdCompressor(level=1)


@dataclass(slots=True)
class Layout:
    """The rows of one draft. `entries` are those queue rows that have an owner, as its delivery engine wants them."""

    message: MessageRow
    content: ContentRow | None
    emails: list[EmailRow] = field(default_factory=list)
    queue: list[QueueRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    personalizations: list[PersonalizationRow] = field(default_factory=list)
    api_message: ApiMessageRow | None = None
    metadata: list[MetadataRow] = field(default_factory=list)
    idempotency: IdempotencyRow | None = None

    def add_to(self, inserts: Inserts) -> None:
        inserts.messages.append(self.message)
        if self.content is not None:
            inserts.contents.append(self.content)
        inserts.emails.extend(self.emails)
        inserts.queue.extend(self.queue)
        inserts.events.extend(self.events)
        inserts.personalizations.extend(self.personalizations)
        if self.api_message is not None:
            inserts.api_messages.append(self.api_message)
            inserts.metadata.extend(self.metadata)
        if self.idempotency is not None:
            inserts.idempotency.append(self.idempotency)


def content_row(draft: Draft) -> ContentRow | None:
    """Small content, compressed; None for large content, which is in the blob store.

    Of personalised content the head is always here: it is read for every recipient.
    """
    if draft.content.blob is not None and not draft.content.personalised:
        return None
    return ContentRow(draft.account_id, draft.id, _COMPRESSOR.compress(draft.content.data))


def lay_out(
    draft: Draft,
    content: ContentRow | None,
    now: int,
    *,
    owner: int,
    lifetime: int,
    ahead: int = 0,
    held: bool = False,
) -> Layout:
    """`owner` is the incarnation that shall deliver, `lifetime` in milliseconds, `ahead` is the clock's, `held` means
    the quota is used up and the message waits for the next day. A scheduled message waits for its time, unowned; one that
    would go now waits for the end of the pause where sending is paused."""
    gone = draft.suppressed
    queued = [recipient for recipient in draft.envelope.recipients if str(recipient.address) not in gone]
    layout = Layout(_message(draft, expires=None if queued else now), content)
    for recipient in draft.envelope.recipients if gone else ():
        if str(recipient.address) in gone:
            _suppressed(layout, draft, recipient, gone[str(recipient.address)], now)
    lane = FAST if len(queued) == 1 and draft.stream is Stream.TRANSACTIONAL else SLOW
    later = draft.send_at is not None and draft.send_at > now
    hold = Hold.SCHEDULED if later else Hold.QUOTA if held else Hold.PAUSED if draft.paused else None
    due_at = max(draft.send_at or 0, release_ms(now) if held else now) + ahead
    expires_at = due_at + lifetime
    if hold is Hold.PAUSED:
        due_at = NEVER
    for recipient in queued:
        _queued(layout, draft, recipient, lane, 0 if hold else owner, due_at, expires_at, now, hold)
    if draft.personalizations:
        layout.personalizations = _personalizations(layout, draft)
    if draft.edge is Edge.API:
        layout.api_message = api_rows.message_row(draft)
        layout.metadata = api_rows.metadata_rows(draft)
        layout.idempotency = api_rows.idempotency_row(draft, now + ahead)
    return layout


def _message(draft: Draft, *, expires: int | None) -> MessageRow:
    envelope, content = draft.envelope, draft.content
    return MessageRow(
        account_id=draft.account_id,
        id=draft.id,
        domain_id=draft.domain_id,
        credential_id=draft.credential_id,
        edge=draft.edge.value,
        sender=str(envelope.sender) if envelope.sender else "",
        header_from=draft.header_from,
        subject=draft.subject,
        message_id=draft.message_id,
        signing_domain=draft.signing_domain,
        stream=draft.stream.value,
        tags="\n".join(draft.tags),
        size=content.size,
        header_size=content.header_size,
        eight_bit=content.eight_bit,
        utf8=envelope.utf8,
        dsn_ret=envelope.ret or "",
        dsn_envid=envelope.envid or "",
        blob=content.blob or "",
        received_at=draft.received_at,
        content_expires_at=expires,
        precedence_bulk=draft.precedence_bulk,
        credential_kind=draft.credential_kind.value,
    )


def _suppressed(layout: Layout, draft: Draft, recipient: Recipient, lists: Lists, now: int) -> None:
    email_id = mail_id(now)
    layout.emails.append(_email(draft, recipient, email_id, EmailStatus.SUPPRESSED, now, final_at=now))
    detail = json.dumps(suppression_detail(lists))
    layout.events.append(_event(draft, email_id, EventType.SUPPRESSED, now, detail))


def _queued(
    layout: Layout,
    draft: Draft,
    recipient: Recipient,
    lane: int,
    owner: int,
    due_at: int,
    expires_at: int,
    now: int,
    hold: Hold | None,
) -> None:
    email_id, site = mail_id(now), recipient.address.domain
    status = _STATUS[hold]
    layout.emails.append(_email(draft, recipient, email_id, status, now, final_at=None))
    layout.queue.append(
        QueueRow(
            draft.account_id,
            email_id,
            draft.id,
            draft.domain_id,
            site,
            lane,
            owner,
            due_at,
            expires_at,
            hold.value if hold is not None else "",
        )
    )
    if status is EmailStatus.HELD:
        layout.events.append(_event(draft, email_id, EventType.HELD, now, json.dumps({"reason": str(hold)})))
    if owner:
        layout.entries.append(_entry(layout.queue[-1], recipient, draft.stream))


_STATUS = {
    None: EmailStatus.QUEUED,
    Hold.QUOTA: EmailStatus.HELD,
    Hold.PAUSED: EmailStatus.HELD,
    Hold.SCHEDULED: EmailStatus.SCHEDULED,
}


def _personalizations(layout: Layout, draft: Draft) -> list[PersonalizationRow]:
    """Of those who will be sent something; not every recipient needs one."""
    given = draft.personalizations
    return [
        PersonalizationRow(email.account_id, email.id, email.message_id, given[email.recipient])
        for email in layout.emails
        if email.final_at is None and email.recipient in given
    ]


def _entry(row: QueueRow, recipient: Recipient, stream: Stream) -> Entry:
    return Entry(
        account_id=row.account_id,
        email_id=row.email_id,
        message_id=row.message_id,
        domain_id=row.domain_id,
        site=row.site,
        lane=row.lane,
        due_at=row.due_at,
        expires_at=row.expires_at,
        attempts=0,
        unfinished=0,
        recipient=str(recipient.address),
        dsn_notify=recipient.notify or "",
        dsn_orcpt=recipient.orcpt or "",
        stream=stream.value,
        owner=row.owner,
    )


def _email(
    draft: Draft, recipient: Recipient, email_id: str, status: EmailStatus, now: int, *, final_at: int | None
) -> EmailRow:
    return EmailRow(
        draft.account_id,
        email_id,
        draft.id,
        str(recipient.address),
        status.value,
        recipient.notify or "",
        recipient.orcpt or "",
        now,
        final_at,
    )


def _event(draft: Draft, email_id: str, kind: EventType, now: int, detail: str = "{}") -> EventRow:
    return EventRow(draft.account_id, mail_id(now), now, email_id, draft.id, kind.value, detail)
