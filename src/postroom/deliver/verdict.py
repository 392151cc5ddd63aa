"""What an outcome makes of an email. Pure: entry, outcome, time and chance in; status, next attempt and events out.

The reply decides (its first digit), then the clock: a deferral beyond the lifetime is an expiry. The last attempt
comes at the end of the lifetime, not before it (Q18). A reply lost after the final dot is uncertain: it waits at
least a quarter of an hour and is tried at most three times (D06, RFC 1047).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from postroom.store.batches.rows import Entry
from postroom.types.events import EventType
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply
from postroom.types.status import EmailStatus
from postroom.wire import bounce

JITTER = 0.25
UNCERTAIN_TRIES = 3
QUARANTINE_AFTER = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """`due_at` is None when the email is final. `events` are types with their detail."""

    status: EmailStatus
    due_at: int | None
    unfinished: int = 0
    possible_duplicate: bool = False
    events: tuple[tuple[EventType, dict[str, object]], ...] = field(default=())


def wait_ms(attempts: int, retry: Sequence[float], chance: random.Random) -> int:
    """The jittered wait after the `attempts`-th attempt (counted from 1), in milliseconds; the last wait repeats."""
    base = retry[min(attempts, len(retry)) - 1]
    return round(base * 1000 * chance.uniform(1 - JITTER, 1 + JITTER))


def judge(
    entry: Entry,
    outcome: Outcome,
    now: int,
    retry: Sequence[float],
    chance: random.Random,
    *,
    ahead: int = 0,
) -> Verdict:
    """`entry.attempts` is the number of attempts before this one; `now` and `ahead` are the clock's `moment`."""
    events: list[tuple[EventType, dict[str, object]]] = []
    if outcome.reached and not entry.sent:
        events.append((EventType.SENT, {"host": outcome.host}))
    if outcome.result is Result.DELIVERED:
        events.append((EventType.DELIVERED, _detail(outcome)))
        return _final(EmailStatus.DELIVERED, entry, events)
    if outcome.result is Result.FAILED:
        kind = EventType.HARD_BOUNCED if bounce.hard(outcome.reply) else EventType.SOFT_BOUNCED
        events.append((kind, _detail(outcome)))
        return _final(EmailStatus.BOUNCED, entry, events)
    if outcome.result is Result.UNCERTAIN and entry.unfinished + 1 >= UNCERTAIN_TRIES:
        events.append((EventType.SOFT_BOUNCED, {**_detail(outcome), "reason": "outcome unknown"}))
        return _final(EmailStatus.BOUNCED, entry, events)
    if now + ahead >= entry.expires_at:
        events.append((EventType.SOFT_BOUNCED, {**_detail(outcome), "reason": "expired"}))
        return _final(EmailStatus.EXPIRED, entry, events)
    wait = max(wait_ms(entry.attempts + 1, retry, chance), round((outcome.retry_after or 0) * 1000))
    next_at = min(now + wait, max(entry.expires_at - ahead, now + 1000))
    return _again(entry, outcome, next_at, next_at + ahead, events)


def _again(
    entry: Entry,
    outcome: Outcome,
    next_at: int,
    due_at: int,
    events: list[tuple[EventType, dict[str, object]]],
) -> Verdict:
    detail = {**_detail(outcome), "next_attempt_at": next_at}
    if outcome.result is Result.UNCERTAIN:
        events.append((EventType.POSSIBLE_DUPLICATE, {**detail, "reason": "no reply to the end of data"}))
        return Verdict(EmailStatus.UNCERTAIN, due_at, entry.unfinished + 1, True, tuple(events))
    events.append((EventType.DEFERRED, detail))
    return Verdict(EmailStatus.DEFERRED, due_at, 0, entry.possible_duplicate, tuple(events))


def _final(status: EmailStatus, entry: Entry, events: list[tuple[EventType, dict[str, object]]]) -> Verdict:
    return Verdict(status, None, 0, entry.possible_duplicate, tuple(events))


def _detail(outcome: Outcome) -> dict[str, object]:
    return {"reply": describe(outcome.reply), "host": outcome.host}


def describe(reply: Reply) -> str:
    """The reply as people read it, cut to 500 characters."""
    return str(reply)[:500]
