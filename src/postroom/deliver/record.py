"""Turns an entry, its outcome and the verdict into what the ticker writes."""

from __future__ import annotations

import json

from postroom.deliver import transcript
from postroom.deliver.verdict import Verdict, describe
from postroom.runtime.ids import mail_id
from postroom.store.batches.rows import (
    AttemptRow,
    EmailChange,
    Entry,
    EventRow,
    InboxRow,
    OutcomeRecord,
    QueueChange,
)
from postroom.store.queue import NEVER
from postroom.types.events import EventType
from postroom.types.outcome import Outcome
from postroom.types.reply import Reply
from postroom.types.status import EmailStatus, Hold
from postroom.types.suppression import Lists, detail

NOBODY = 0


def attempt(
    entry: Entry, outcome: Outcome, verdict: Verdict, now: int, *, keep_content: int
) -> OutcomeRecord:
    """`keep_content` is how long the content stays after the last recipient is final, in milliseconds."""
    number = entry.attempts + 1
    final = verdict.due_at is None
    reply = describe(outcome.reply)
    return OutcomeRecord(
        owner=entry.owner,
        queue=QueueChange(
            entry.account_id,
            entry.email_id,
            entry.message_id,
            number,
            verdict.unfinished,
            verdict.due_at,
            NOBODY,
            "",
        ),
        email=EmailChange(
            entry.account_id,
            entry.email_id,
            verdict.status.value,
            number,
            reply,
            verdict.possible_duplicate,
            entry.sent or outcome.reached,
            now if final else None,
        ),
        events=[event(entry, kind, detail, now) for kind, detail in verdict.events],
        attempt=AttemptRow(
            account_id=entry.account_id,
            email_id=entry.email_id,
            number=number,
            at=now,
            result=outcome.result.value,
            duration=outcome.duration,
            host=outcome.host[:253],
            address=outcome.address,
            tls=outcome.tls[:200],
            code=outcome.reply.code,
            enhanced=outcome.reply.enhanced[:16],
            reply=reply,
            transcript=transcript.encode(outcome.transcript),
        ),
        keep_content_until=now + keep_content,
    )


def into_inbox(entry: Entry, now: int, *, keep_content: int) -> OutcomeRecord:
    """A sandbox delivery: final, without an attempt, and the content stays for the inbox."""
    return OutcomeRecord(
        owner=entry.owner,
        queue=_leaves(entry),
        email=EmailChange(
            entry.account_id,
            entry.email_id,
            EmailStatus.DELIVERED.value,
            entry.attempts,
            "kept in the sandbox inbox",
            entry.possible_duplicate,
            True,
            now,
        ),
        events=[
            event(entry, EventType.SENT, {"sandbox": True}, now),
            event(entry, EventType.DELIVERED, {"sandbox": True}, now),
        ],
        inbox=InboxRow(
            entry.account_id, entry.email_id, entry.message_id, entry.domain_id, entry.recipient, now
        ),
        keep_content_until=now + keep_content,
    )


def expired(entry: Entry, hold: Hold, now: int, *, keep_content: int) -> OutcomeRecord:
    """The email was held until its lifetime was over."""
    reason = f"expired while held: {hold.value}"
    happened = event(entry, EventType.SOFT_BOUNCED, {"reason": reason}, now)
    return _ended(entry, EmailStatus.EXPIRED, reason, happened, keep_content)


def template_gone(entry: Entry, now: int, *, keep_content: int) -> OutcomeRecord:
    """The email was scheduled, and its template has been deleted before it was tried."""
    reason = "the template was deleted before the time of sending"
    happened = event(entry, EventType.SOFT_BOUNCED, {"reason": reason}, now)
    return _ended(entry, EmailStatus.BOUNCED, reason, happened, keep_content)


def unsendable(entry: Entry, reply: Reply, now: int, *, keep_content: int) -> OutcomeRecord:
    """A sandbox's email that cannot be made."""
    reason = describe(reply)
    happened = event(entry, EventType.SOFT_BOUNCED, {"reply": reason}, now)
    return _ended(entry, EmailStatus.BOUNCED, reason, happened, keep_content)


def suppressed(entry: Entry, lists: Lists, now: int, *, keep_content: int) -> OutcomeRecord:
    """The recipient got onto a suppression list after the message was accepted."""
    reason = f"suppressed: {lists[0].activity_reason}"
    happened = event(entry, EventType.SUPPRESSED, detail(lists), now)
    return _ended(entry, EmailStatus.SUPPRESSED, reason, happened, keep_content)


def _ended(
    entry: Entry, status: EmailStatus, reason: str, happened: EventRow, keep_content: int
) -> OutcomeRecord:
    """Final without an attempt."""
    return OutcomeRecord(
        owner=entry.owner,
        queue=_leaves(entry),
        email=EmailChange(
            entry.account_id,
            entry.email_id,
            status.value,
            entry.attempts,
            reason,
            entry.possible_duplicate,
            entry.sent,
            happened.at,
        ),
        events=[happened],
        keep_content_until=happened.at + keep_content,
    )


def _leaves(entry: Entry) -> QueueChange:
    """The queue, without an attempt."""
    return QueueChange(
        entry.account_id, entry.email_id, entry.message_id, entry.attempts, 0, None, NOBODY, ""
    )


def held(entry: Entry, hold: Hold, now: int) -> OutcomeRecord:
    """The email waits for somebody; its row is due again when it expires, but for a pause."""
    return OutcomeRecord(
        owner=entry.owner,
        queue=QueueChange(
            entry.account_id,
            entry.email_id,
            entry.message_id,
            entry.attempts,
            entry.unfinished,
            NEVER if hold is Hold.PAUSED else entry.expires_at,
            NOBODY,
            hold.value,
        ),
        email=EmailChange(
            entry.account_id,
            entry.email_id,
            EmailStatus.HELD.value,
            entry.attempts,
            hold.value,
            entry.possible_duplicate,
            entry.sent,
            None,
        ),
        events=[event(entry, EventType.HELD, {"reason": hold.value}, now)],
    )


def event(entry: Entry, kind: EventType, detail: dict[str, object], now: int) -> EventRow:
    return EventRow(
        entry.account_id, mail_id(now), now, entry.email_id, entry.message_id, kind.value, json.dumps(detail)
    )
