"""deliver.verdict: what an outcome makes of an email."""

import random
from dataclasses import replace

import pytest

from postroom.deliver.verdict import UNCERTAIN_TRIES, judge, wait_ms
from postroom.store.batches.rows import Entry
from postroom.types.events import EventType
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply
from postroom.types.status import EmailStatus

NOW, EXPIRES = 1_000_000, 1_000_000 + 72 * 3_600_000
RETRY = [60.0, 300.0, 600.0]


def entry(attempts: int = 0, unfinished: int = 0, expires_at: int = EXPIRES) -> Entry:
    """Any attempts before have reached a server."""
    sent = attempts > 0
    return Entry(
        "a", "e", "m", "d", "x.test", 0, NOW, expires_at, attempts, unfinished, "a@x.test", "", "", sent=sent
    )


def outcome(
    result: Result, code: int, enhanced: str = "", *, reached: bool = True, retry_after: float | None = None
):
    return Outcome(
        result,
        Reply.of(code, enhanced, "text"),
        "mx.x.test",
        "192.0.2.1",
        reached=reached,
        retry_after=retry_after,
    )


def judged(of: Entry, what: Outcome, now: int = NOW):
    return judge(of, what, now, RETRY, random.Random(1))


def kinds(verdict) -> list[EventType]:
    return [kind for kind, _ in verdict.events]


def test_a_250_is_final_and_sent_comes_once() -> None:
    first = judged(entry(), outcome(Result.DELIVERED, 250, "2.0.0"))
    assert (first.status, first.due_at, kinds(first)) == (
        EmailStatus.DELIVERED, None, [EventType.SENT, EventType.DELIVERED])  # fmt: skip
    later = judged(entry(attempts=1), outcome(Result.DELIVERED, 250))
    assert kinds(later) == [EventType.DELIVERED]


def test_sent_comes_with_the_first_attempt_that_reaches_a_server() -> None:
    unreached = judged(entry(), outcome(Result.DEFERRED, 451, reached=False))
    assert kinds(unreached) == [EventType.DEFERRED]
    tried = replace(entry(attempts=1), sent=False)
    assert kinds(judged(tried, outcome(Result.DELIVERED, 250))) == [EventType.SENT, EventType.DELIVERED]


def test_sent_comes_with_the_first_attempt_also_when_it_ends_it() -> None:
    verdict = judged(entry(), outcome(Result.FAILED, 550, "5.1.1"))
    assert kinds(verdict) == [EventType.SENT, EventType.HARD_BOUNCED]


def test_no_server_reached_is_not_sent() -> None:
    assert kinds(judged(entry(), outcome(Result.DEFERRED, 451, "4.4.1", reached=False))) == [
        EventType.DEFERRED
    ]


@pytest.mark.parametrize(
    ("code", "enhanced", "kind"),
    [
        (550, "5.1.1", EventType.HARD_BOUNCED),
        (556, "5.1.10", EventType.HARD_BOUNCED),
        (550, "5.7.1", EventType.SOFT_BOUNCED),
        (552, "5.2.2", EventType.SOFT_BOUNCED),
        (554, "5.6.0", EventType.SOFT_BOUNCED),
    ],
)
def test_d09_only_a_gone_address_bounces_hard(code: int, enhanced: str, kind: EventType) -> None:
    verdict = judged(entry(attempts=1), outcome(Result.FAILED, code, enhanced))
    assert (verdict.status, verdict.due_at, kinds(verdict)) == (EmailStatus.BOUNCED, None, [kind])


def test_a_4xx_is_tried_again_with_jitter() -> None:
    waits = {wait_ms(1, RETRY, random.Random(seed)) for seed in range(200)}
    assert min(waits) >= 45_000
    assert max(waits) <= 75_000
    assert len(waits) > 100
    assert 450_000 <= wait_ms(99, RETRY, random.Random(1)) <= 750_000  # the last wait repeats


def test_q18_the_last_attempt_comes_at_the_end_of_the_lifetime_and_expiry_is_soft() -> None:
    soon = entry(attempts=5, expires_at=NOW + 10_000)
    verdict = judged(soon, outcome(Result.DEFERRED, 451))
    assert (verdict.status, verdict.due_at) == (EmailStatus.DEFERRED, NOW + 10_000)
    last = judged(soon, outcome(Result.DEFERRED, 451), now=NOW + 10_000)
    assert (last.status, last.due_at, kinds(last)) == (EmailStatus.EXPIRED, None, [EventType.SOFT_BOUNCED])
    assert last.events[0][1]["reason"] == "expired"


@pytest.mark.parametrize("days", [100, -100])
def test_q07_a_clock_that_was_set_expires_nothing_and_makes_nothing_wait(days: int) -> None:
    step = days * 86_400_000
    later = outcome(Result.DEFERRED, 451)
    verdict = judge(entry(), later, NOW + step, RETRY, random.Random(1), ahead=-step)
    assert verdict == replace(judged(entry(), later), events=verdict.events)
    assert verdict.due_at is not None
    assert (
        verdict.events[-1][1]["next_attempt_at"] == verdict.due_at + step
    )  # as people's clocks will show it
    last = judge(entry(), later, EXPIRES + step, RETRY, random.Random(1), ahead=-step)
    assert last.status is EmailStatus.EXPIRED


def test_d06_a_lost_reply_is_uncertain_waits_and_is_tried_at_most_three_times() -> None:
    lost = outcome(Result.UNCERTAIN, 451, "4.4.2", retry_after=900)
    first = judged(entry(attempts=1), lost)
    assert first.status is EmailStatus.UNCERTAIN
    assert first.possible_duplicate
    assert first.due_at is not None
    assert first.due_at >= NOW + 900_000
    assert kinds(first) == [EventType.POSSIBLE_DUPLICATE]
    last = judged(entry(attempts=3, unfinished=UNCERTAIN_TRIES - 1), lost)
    assert (last.status, kinds(last)) == (EmailStatus.BOUNCED, [EventType.SOFT_BOUNCED])
    assert last.events[0][1]["reason"] == "outcome unknown"


def test_an_answer_ends_the_count_of_unfinished_attempts() -> None:
    assert judged(entry(unfinished=2), outcome(Result.DEFERRED, 451)).unfinished == 0
