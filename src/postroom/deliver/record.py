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
from postroom.types.events import EventType
from postroom.types.outcome import Outcome
from postroom.types.status import EmailStatus, Hold
from postroom.types.suppression import Lists, detail

NOBODY = 0


def attempt(
    entry: Entry, outcome: Outcome, verdict: Verdict, now: int, *, keep_content: int
) -> OutcomeRecord:
    """`keep_content` is how long the content stays after the last recipient is final, in milliseconds."""
    number = entry.attempts + 1
    final = verdict.due_at is None
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
            describe(outcome.reply),
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
            reply=describe(outcome.reply),
            transcript=transcript.encode(outcome.transcript),
        ),
        keep_content_until=now + keep_content,
    )


def into_inbox(entry: Entry, now: int, *, keep_content: int) -> OutcomeRecord:
    """A sandbox delivery: final, without an attempt, and the content stays for the inbox."""
    return OutcomeRecord(
        owner=entry.owner,
        queue=QueueChange(
            entry.account_id, entry.email_id, entry.message_id, entry.attempts, 0, None, NOBODY, ""
        ),
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
    return OutcomeRecord(
        owner=entry.owner,
        queue=QueueChange(
            entry.account_id, entry.email_id, entry.message_id, entry.attempts, 0, None, NOBODY, ""
        ),
        email=EmailChange(
            entry.account_id,
            entry.email_id,
            EmailStatus.EXPIRED.value,
            entry.attempts,
            reason,
            entry.possible_duplicate,
            entry.sent,
            now,
        ),
        events=[event(entry, EventType.SOFT_BOUNCED, {"reason": reason}, now)],
        keep_content_until=now + keep_content,
    )


def suppressed(entry: Entry, lists: Lists, now: int, *, keep_content: int) -> OutcomeRecord:
    """The recipient got onto a suppression list after the message was accepted."""
    return OutcomeRecord(
        owner=entry.owner,
        queue=QueueChange(
            entry.account_id, entry.email_id, entry.message_id, entry.attempts, 0, None, NOBODY, ""
        ),
        email=EmailChange(
            entry.account_id,
            entry.email_id,
            EmailStatus.SUPPRESSED.value,
            entry.attempts,
            f"suppressed: {lists[0].activity_reason}",
            entry.possible_duplicate,
            entry.sent,
            now,
        ),
        events=[event(entry, EventType.SUPPRESSED, detail(lists), now)],
        keep_content_until=now + keep_content,
    )


def held(entry: Entry, hold: Hold, now: int) -> OutcomeRecord:
    """The email waits for somebody; its row is due again when it expires."""
    return OutcomeRecord(
        owner=entry.owner,
        queue=QueueChange(
            entry.account_id,
            entry.email_id,
            entry.message_id,
            entry.attempts,
            entry.unfinished,
            entry.expires_at,
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
