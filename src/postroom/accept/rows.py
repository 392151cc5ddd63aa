"""What one accepted draft adds to the tables: its content, the message, and per recipient an email, a queue row and
its first event. A suppressed recipient is final at once and never queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from postroom.runtime.ids import mail_id
from postroom.store.batches.rows import ContentRow, EmailRow, Entry, EventRow, Inserts, MessageRow, QueueRow
from postroom.tenancy.quotas import next_day_ms
from postroom.types.draft import Draft, Stream
from postroom.types.envelope import Recipient
from postroom.types.events import EventType
from postroom.types.status import EmailStatus, Hold

if TYPE_CHECKING:
    from postroom.accept.commit import Member

FAST, SLOW = 0, 1


def lay_out(
    inserts: Inserts,
    member: Member,
    gone: set[str],
    compressor: zstandard.ZstdCompressor,
    now: int,
    *,
    held: bool,
) -> list[Entry]:
    """Add the rows of one draft to `inserts`; the entries of its queue rows come back. `gone` are suppressed addresses,
    `held` means the quota is used up and the message waits for the next day."""
    draft = member.draft
    queued = [recipient for recipient in draft.envelope.recipients if str(recipient.address) not in gone]
    if draft.content.blob is None:
        inserts.contents.append(
            ContentRow(draft.account_id, draft.id, compressor.compress(draft.content.data))
        )
    inserts.messages.append(_message(draft, expires=None if queued else now))
    for recipient in draft.envelope.recipients:
        if str(recipient.address) in gone:
            _suppressed(inserts, draft, recipient, now)
    lane = FAST if len(queued) == 1 and draft.stream is Stream.TRANSACTIONAL else SLOW
    return [_queued(inserts, member, recipient, lane, now, held=held) for recipient in queued]


def _message(draft: Draft, *, expires: int | None) -> MessageRow:
    envelope, content = draft.envelope, draft.content
    return MessageRow(
        account_id=draft.account_id,
        id=draft.id,
        domain_id=draft.domain_id,
        credential_id=draft.credential_id,
        edge="smtp",
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
    )


def _suppressed(inserts: Inserts, draft: Draft, recipient: Recipient, now: int) -> None:
    email_id = mail_id(now)
    inserts.emails.append(_email(draft, recipient, email_id, EmailStatus.SUPPRESSED, now, final_at=now))
    inserts.events.append(_event(draft, email_id, EventType.SUPPRESSED, now))


def _queued(
    inserts: Inserts, member: Member, recipient: Recipient, lane: int, now: int, *, held: bool
) -> Entry:
    draft = member.draft
    email_id = mail_id(now)
    site = recipient.address.domain
    due_at, owner, hold = (next_day_ms(now), 0, Hold.QUOTA.value) if held else (now, member.owner, "")
    expires_at = due_at + member.lifetime
    status = EmailStatus.HELD if held else EmailStatus.QUEUED
    inserts.emails.append(_email(draft, recipient, email_id, status, now, final_at=None))
    inserts.queue.append(
        QueueRow(
            draft.account_id, email_id, draft.id, draft.domain_id, site, lane, owner, due_at, expires_at, hold
        )
    )
    inserts.events.append(_event(draft, email_id, EventType.QUEUED, now))
    if held:
        inserts.events.append(_event(draft, email_id, EventType.HELD, now, '{"reason": "quota"}'))
    return Entry(
        account_id=draft.account_id,
        email_id=email_id,
        message_id=draft.id,
        domain_id=draft.domain_id,
        site=site,
        lane=lane,
        due_at=due_at,
        expires_at=expires_at,
        attempts=0,
        unfinished=0,
        recipient=str(recipient.address),
        dsn_notify=recipient.notify or "",
        dsn_orcpt=recipient.orcpt or "",
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
