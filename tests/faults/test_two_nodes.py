"""Q14: two nodes on one database. What one of them drops the other takes up, and nobody sends what is not his own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.ledger import state
from faults.ledger.check import Verdict
from faults.ledger.trial import LEASE, Trial, trial
from support.net import small_internet
from support.process import starting
from support.waiting import until

BEFORE_THE_OTHER_TAKES_OVER = LEASE / 2
"""Seconds after a stop when both sides are looked at."""


@pytest.fixture
def one(tmp_path: Path, postgres_url: str) -> Iterator[Trial]:
    """The relay under load, and beside it another one that only delivers."""
    with ExitStack() as stack:
        net = stack.enter_context(small_internet())
        one = stack.enter_context(trial(tmp_path, postgres_url, net))
        key = {"POSTROOM_SECRETS__KEY_FILE": str(one.data / "secret.key")}
        other = starting(tmp_path / "other", "--role", "delivery", settings=one.settings | key)
        stack.enter_context(other)
        yield one


def enough(one: Trial, messages: int) -> None:
    before = one.acknowledged
    until(lambda: one.acknowledged >= before + messages, what=f"{messages} messages are accepted\n{one.log}")


def settled(one: Trial, *, go_on: bool = True) -> Verdict:
    verdict = one.settle(go_on=go_on)
    assert verdict.violations == [], one.log
    return verdict


@pytest.mark.slow
def test_q14_one_of_two_nodes_stands_still_or_dies(one: Trial) -> None:
    enough(one, 100)
    verdict = settled(one)
    assert verdict.extra == verdict.flagged == 0
    for _ in range(3):
        enough(one, 20)
        one.stand_still("stop", BEFORE_THE_OTHER_TAKES_OVER)
        enough(one, 20)
        settled(one)
    one.relay.kill()
    time.sleep(BEFORE_THE_OTHER_TAKES_OVER)
    one.note("kill", goes_on=True)  # the other one does
    until(lambda: not state.waiting(one.url), what="the other one delivers what was left")
    one.restart()
    enough(one, 20)
    settled(one, go_on=False)
    assert one.judge().violations == []
