"""Every named place in every mode once, then random kills under load, on both databases at once: `make faults`.

Beside it the power is cut at every point of a recorded run, in four ways each.

    KILLS=n     that many random kills on each database (default 20)
    MINUTES=m   no new random kill after that long
    ONLY=words  only what has all these words: sqlite, postgresql or power; kill, stop or raise; a part of a place's
                name, or random. `ONLY="postgresql stop claim"`

Prints a table and ends with a status of 1 if the promise was broken once.

A case during which something else disturbed the relay (a lease was lost that nobody here took, the machine stood
still) cannot be judged in full: the window of that moment was not counted. It is tried again.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from faults import power
from faults.ledger.provoke import FIRST_RUN, MODES, places, provoke, provoke_first_run, reached
from faults.ledger.trial import LEASE, Trial, trial
from faults.ledger.watch import Watch
from faults.report import Account, report, say
from support import postgres
from support.net import small_internet

KILLS = int(os.environ.get("KILLS", "20"))
MINUTES = float(os.environ.get("MINUTES", "1000"))
ONLY = os.environ.get("ONLY", "").split()
BETWEEN_DRAINS = 2
"""Random kills before the queue drains: three interrupted attempts in a row would quarantine a message (Q15)."""
EVERY_STOP = 10
"""One random kill in so many is a stop."""
TRIES = 3


def wanted(*words: str) -> bool:
    return all(any(only in word for word in words) for only in ONLY)


def run(database: str, deadline: float) -> Account:
    account = Account(database)
    if database == "sqlite":
        on_one_database(account, None, deadline)
    else:
        with postgres.running() as server:
            on_one_database(account, server, deadline)
    return account


def on_one_database(account: Account, server: postgres.PostgresServer | None, deadline: float) -> None:
    chance = random.Random(seed := random.randrange(2**32))
    say(f"{account.database}: seed {seed}")
    first_runs(account, server)
    with (
        tempfile.TemporaryDirectory() as directory,
        small_internet() as net,
        fresh(server) as url,
        trial(Path(directory), url, net) as one,
    ):
        every_place(account, one)
        if wanted(account.database, "random"):
            random_kills(account, one, chance, deadline)
        violations = one.settle().violations
        account.verdict = one.judge()
        violations += account.verdict.violations
        account.violations += [f"{account.database}: in the end: {violation}" for violation in violations]
        account.stops = one.stops
        account.kills = len(one.disturbances) - one.stops


def every_place(account: Account, one: Trial) -> None:
    for name in places(sqlite=account.database == "sqlite"):
        for mode in MODES:
            if wanted(account.database, name, mode):
                one_case(account, name, mode, partial(at_a_place, account, one, name, mode))


def at_a_place(account: Account, one: Trial, name: str, mode: str) -> list[str] | None:
    try:
        provoke(one, name, mode)
    finally:
        account.reached |= reached(one)
    verdict = one.settle()
    return None if verdict.uncounted else verdict.violations


def first_runs(account: Account, server: postgres.PostgresServer | None) -> None:
    """Each in a place of its own."""
    for name in FIRST_RUN:
        for mode in MODES:
            if wanted(account.database, name, mode):
                one_case(account, name, mode, partial(first_run, account, server, name, mode))


def first_run(
    account: Account, server: postgres.PostgresServer | None, name: str, mode: str
) -> list[str] | None:
    with (
        tempfile.TemporaryDirectory() as directory,
        small_internet() as net,
        fresh(server) as url,
        trial(Path(directory), url, net, begin=False) as one,
    ):
        try:
            provoke_first_run(one, name, mode)
        finally:
            account.reached |= reached(one)
        verdict = one.settle()
    return None if verdict.uncounted else verdict.violations


def one_case(account: Account, name: str, mode: str, run: Callable[[], list[str] | None]) -> None:
    """`run` says what was violated, or None when that cannot be known; then it is tried again."""
    for _ in range(TRIES):
        began = time.monotonic()
        with Watch() as watch:
            try:
                violations = run()
            except (Exception, pytest.fail.Exception) as error:
                violations = [f"{type(error).__name__}: {error}"]
        if violations is not None and not (violations and watch.longest > LEASE):
            break
        why = "a lease was lost unasked" if violations is None else "something stood still"
        say(f"{account.database:10} {mode:5} {name:32} once more: {why} (at most for {watch.longest:.1f} s)")
    else:
        violations = violations or ["a lease was lost again and again, and nobody here took it"]
    account.case(name, mode, time.monotonic() - began, violations)


def random_kills(account: Account, one: Trial, chance: random.Random, deadline: float) -> None:
    for number in range(BETWEEN_DRAINS, KILLS + 1, BETWEEN_DRAINS):
        if time.time() > deadline:
            break
        one_case(account, f"random {number} of {KILLS}", "kill", partial(some_kills, one, chance))
        account.random = number


def some_kills(one: Trial, chance: random.Random) -> list[str] | None:
    """At any moment; one in so many is a stop."""
    for _ in range(BETWEEN_DRAINS):
        time.sleep(chance.expovariate(2))
        if chance.randrange(EVERY_STOP):
            one.kill("random kill")
            one.restart()
        else:
            one.stand_still("random stop")
    verdict = one.settle()
    return None if verdict.uncounted else verdict.violations


@contextmanager
def fresh(server: postgres.PostgresServer | None) -> Iterator[str]:
    if server is None:
        yield ""
    else:
        with server.fresh() as url:
            yield url


def every_power_cut() -> list[str]:
    os.nice(5)  # those with clocks to keep come first
    return power.every_cut(say)


def end_in_order(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def begin() -> None:
    """In each process: whatever was started ends with it."""
    signal.signal(signal.SIGTERM, end_in_order)


def main() -> int:
    begin()
    deadline = time.time() + 60 * MINUTES
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn"), begin) as processes:
        databases = [one for one in ("sqlite", "postgresql") if wanted_at_all(one)]
        accounts = [processes.submit(run, one, deadline) for one in databases]
        cuts = processes.submit(every_power_cut) if wanted("power") else None
        found = [account.result() for account in accounts]
        more = cuts.result() if cuts is not None else []
    return 1 if report(found, more, complete=not ONLY) else 0


def wanted_at_all(database: str) -> bool:
    names = [*places(sqlite=database == "sqlite"), *FIRST_RUN]
    cases = [(database, name, mode) for name in names for mode in MODES]
    return any(wanted(*case) for case in [*cases, (database, "random")])


if __name__ == "__main__":
    sys.exit(main())
