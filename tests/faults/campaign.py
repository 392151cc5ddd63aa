"""Every named place in every mode once, then random kills under load, on both databases at once: `make faults`.

Beside it the power is cut at every point of a recorded run, in four ways each.

    KILLS=n     that many random kills on each database (default 20)
    MINUTES=m   no new random kill after that long
    LANES=l     so many relays side by side on each database (default 2); most of the time they wait
    ONLY=words  only what has all these words: sqlite, postgresql or power; kill, stop or raise; a part of a place's
                name, or random. `ONLY="postgresql stop claim"`

Prints a table and ends with a status of 1 if the promise was broken once.

A case during which something else disturbed the relay (a lease was lost that nobody here took, the machine stood
still) cannot be judged in full: the window of that moment was not counted. It is tried again.

Random kills come one after the other while the load goes on; who was interrupted twice is let through before the next
one, as three times in a row would be a quarantine (Q15). They are judged some at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from faults import power
from faults.ledger.provoke import FIRST_RUN, MODES, places, provoke, provoke_first_run, reached
from faults.ledger.trial import LEASE, Trial, trial
from faults.ledger.watch import Watch
from faults.report import Account, merged, report, say
from support import postgres
from support.net import small_internet
from support.waiting import until

KILLS = int(os.environ.get("KILLS", "20"))
MINUTES = float(os.environ.get("MINUTES", "1000"))
LANES = int(os.environ.get("LANES", "2"))
ONLY = os.environ.get("ONLY", "").split()
ROW = 8
"""Random kills before the queue drains and is judged."""
ROWS = 12
"""Then a new relay takes over, so that looking at both sides stays quick."""
EVERY_STOP = 10
"""One random kill in so many is a stop."""
MOMENT = 0.5
"""Seconds of load before a random kill, on average; at least until the relay has taken something."""
TRIES = 3


def wanted(*words: str) -> bool:
    return all(any(only in word for word in words) for only in ONLY)


def run(database: str, lane: int, deadline: float) -> Account:
    """Every `LANES`th case, and as large a part of the random kills."""
    account = Account(database)
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running()) if database == "postgresql" else None
        made = partial(relay_under_load, server)
        for name, mode in mine(lane, cases(FIRST_RUN, database)):
            one_case(account, name, mode, partial(first_run, account, made, name, mode))
        every_place(account, made, mine(lane, cases(places(sqlite=server is None), database)))
        if wanted(database, "random"):
            random_kills(account, made, -(-KILLS // LANES), deadline)
    return account


def cases(names: Sequence[str], database: str) -> list[tuple[str, str]]:
    return [(name, mode) for name in names for mode in MODES if wanted(database, name, mode)]


def mine(lane: int, all_of_them: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return all_of_them[lane::LANES]


@contextmanager
def relay_under_load(server: postgres.PostgresServer | None, *, begin: bool = True) -> Iterator[Trial]:
    with (
        tempfile.TemporaryDirectory() as directory,
        small_internet() as net,
        fresh(server) as url,
        trial(Path(directory), url, net, begin=begin) as one,
    ):
        yield one


Made = Callable[..., AbstractContextManager[Trial]]


def every_place(account: Account, made: Made, chosen: Sequence[tuple[str, str]]) -> None:
    if not chosen:
        return
    with made() as one:
        for name, mode in chosen:
            one_case(account, name, mode, partial(at_a_place, account, one, name, mode))
        in_the_end(account, one)


def at_a_place(account: Account, one: Trial, name: str, mode: str) -> list[str] | None:
    try:
        provoke(one, name, mode)
    finally:
        account.reached |= reached(one)
    verdict = one.settle()
    return None if verdict.uncounted else verdict.violations


def in_the_end(account: Account, one: Trial) -> None:
    """Everything once more, as a whole."""
    violations = one.settle(go_on=False).violations
    verdict = one.judge()
    violations += verdict.violations
    account.violations += [f"{account.database}: in the end: {violation}" for violation in violations]
    account.verdict.add(verdict)
    account.stops += one.stops
    account.kills += len(one.disturbances) - one.stops


def first_run(account: Account, made: Made, name: str, mode: str) -> list[str] | None:
    """In a place of its own."""
    with made(begin=False) as one:
        try:
            provoke_first_run(one, name, mode)
        finally:
            account.reached |= reached(one)
        verdict = one.settle()
    return None if verdict.uncounted else verdict.violations


def one_case(
    account: Account, name: str, mode: str, run: Callable[[], list[str] | None], *, has_to: bool = True
) -> bool:
    """`run` says what was violated, or None when that cannot be known; then it is tried again. False when it was never
    known, which is a failure if it `has_to`."""
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
        if not (violations or has_to):
            return False
        violations = violations or ["a lease was lost again and again, and nobody here took it"]
    account.case(name, mode, time.monotonic() - began, violations)
    return True


def random_kills(account: Account, made: Made, kills: int, deadline: float) -> None:
    chance = random.Random(seed := random.randrange(2**32))
    say(f"{account.database}: seed {seed}")
    while account.random < kills and time.time() < deadline:
        with made() as one:
            for _ in range(ROWS):
                if account.random >= kills or time.time() > deadline:
                    break
                name = f"random {account.random + 1} to {account.random + ROW}"
                if one_case(account, name, "kill", partial(a_row, one, chance), has_to=False):
                    account.random += ROW
            in_the_end(account, one)


def a_row(one: Trial, chance: random.Random) -> list[str] | None:
    """At any moment; one in so many is a stop."""
    for _ in range(ROW):
        before = one.client.journal.size
        time.sleep(chance.expovariate(1 / MOMENT))
        until(lambda before=before: one.client.journal.size > before, what=f"it takes mail\n{one.log}")
        if chance.randrange(EVERY_STOP):
            one.kill("random kill")
            one.restart()
        else:
            one.stand_still("random stop")
        one.let_through()
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
    try:
        return power.every_cut(say)
    except pytest.fail.Exception as error:  # which cannot travel between processes
        return [f"power: not finished: {error}"]


def end_in_order(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def begin() -> None:
    """In each process: whatever was started ends with it."""
    signal.signal(signal.SIGTERM, end_in_order)


def main() -> int:
    begin()
    deadline = time.time() + 60 * MINUTES
    databases = [one for one in ("sqlite", "postgresql") if wanted_at_all(one)]
    lanes = [(database, lane) for lane in range(LANES) for database in databases]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(lanes) + 1, spawn, begin) as processes:
        accounts = [processes.submit(run, database, lane, deadline) for database, lane in lanes]
        cuts = processes.submit(every_power_cut) if wanted("power") else None
        found = [account.result() for account in accounts]
        more = cuts.result() if cuts is not None else []
    together = [merged([one for one in found if one.database == database]) for database in databases]
    return 1 if report(together, more, complete=not ONLY) else 0


def wanted_at_all(database: str) -> bool:
    names = [*places(sqlite=database == "sqlite"), *FIRST_RUN]
    return bool(cases(names, database)) or wanted(database, "random")


if __name__ == "__main__":
    sys.exit(main())
