"""Q01, Q12, Q14, Q19: a relay under load is ended, stopped and disturbed at named places; nothing is lost, nobody
is fooled.

A selection; `make faults` goes to every place in every mode and then kills at random.
"""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.ledger.provoke import ONLY_ON_POSTGRESQL, provoke, reached
from faults.ledger.trial import Trial, trial
from postroom.runtime.killpoints import NAMES
from support.net import small_internet
from support.waiting import until

ON_SQLITE = (
    ("accept.after_commit", "kill"),
    ("blobs.before_rename", "kill"),
    ("deliver.after_final_dot", "kill"),
    ("deliver.reply_received", "raise"),
    ("bulk.group_kept", "kill"),
)
ON_POSTGRESQL = (
    ("deliver.reply_received", "kill"),
    ("tick.before_commit", "raise"),
    ("lease.lost", "raise"),  # after a stop that is longer than the lease
)

RESTARTS = 3


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_q01_a_fault_at_any_step_loses_nothing(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("postgres_url")) if database == "postgresql" else ""
    visited: set[str] = set()
    with ExitStack() as stack:
        net = stack.enter_context(small_internet())
        one = stack.enter_context(trial(tmp_path, url, net))
        until(lambda: "first_run.before_finish" in reached(one), 60, what="the first run ends")
        for name, mode in ON_SQLITE if database == "sqlite" else ON_POSTGRESQL:
            visited |= reached(one)
            provoke(one, name, mode)
            verdict = one.settle()  # each time: three interrupted attempts in a row are a quarantine (Q15)
            assert verdict.violations == [], one.log
        assert one.stop() == 0
        visited |= reached(one)
    assert verdict.acknowledged > 0
    if database == "sqlite":
        assert set(NAMES) - visited == set(ONLY_ON_POSTGRESQL), "a declared place is never reached"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_q19_restarts_in_order_under_load_lose_and_repeat_nothing(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("postgres_url")) if database == "postgresql" else ""
    with small_internet() as net, trial(tmp_path, url, net) as one:
        for number in range(1, RESTARTS + 1):
            enough(one, 20 * number)
            assert one.stop() == 0, one.log
            one.note("graceful stop")
            assert one.disturbances[-1].window == one.disturbances[-1].state.marked == set()
            one.restart()
        verdict = one.settle()
        assert one.relay.stop(signal.SIGINT) == 0
    assert verdict.violations == []
    assert verdict.flagged == verdict.extra == 0


def enough(one: Trial, messages: int) -> None:
    until(lambda: one.acknowledged >= messages, what=f"{messages} messages are accepted\n{one.log}")
