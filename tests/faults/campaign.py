"""Every named place in every mode once, on both databases, then random kills under load: `make faults`.

At last the power is cut at every point of a recorded run, in four ways each.

    KILLS=n     that many random kills on each database (default 20)
    MINUTES=m   no new random kill after that long
    ONLY=...    sqlite, postgresql, power, or a part of the places' names

Prints a table and ends with a status of 1 if the promise was broken once.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults import disk, power
from faults.ledger.check import Verdict
from faults.ledger.provoke import FIRST_RUN, MODES, places, provoke, provoke_first_run, reached
from faults.ledger.trial import Trial, trial
from postroom.runtime.killpoints import NAMES
from support import postgres
from support.net import small_internet

KILLS = int(os.environ.get("KILLS", "20"))
DEADLINE = time.monotonic() + 60 * float(os.environ.get("MINUTES", "1000"))
ONLY = os.environ.get("ONLY", "")
BETWEEN_DRAINS = 2
"""Random kills before the queue drains: three interrupted attempts in a row would quarantine a message (Q15)."""


@dataclass
class Account:
    """What the campaign found on one database."""

    database: str
    verdict: Verdict = field(default_factory=Verdict)
    cases: dict[tuple[str, str], str] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    kills: int = 0
    stops: int = 0
    violations: list[str] = field(default_factory=list)

    def case(self, name: str, mode: str, seconds: float, violations: list[str]) -> None:
        self.cases[name, mode] = "ok" if not violations else "FAILED"
        self.violations += [f"{self.database}: {mode} at {name}: {violation}" for violation in violations]
        say(f"{self.database:10} {mode:5} {name:32} {seconds:5.1f} s  {self.cases[name, mode]}")
        for violation in violations:
            say(f"    {violation[:4000]}")


def say(line: str) -> None:
    print(line, flush=True)


def run(database: str, url: str) -> Account:
    account = Account(database)
    seed = random.randrange(2**32)
    say(f"{database}: seed {seed}")
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory() as directory,
        small_internet() as net,
        trial(Path(directory), url, net) as one,
    ):
        every_place(account, one, sqlite=database == "sqlite")
        random_kills(account, one, chance)
        account.verdict = one.settle()
        account.violations += [f"{database}: {violation}" for violation in account.verdict.violations]
        account.kills = sum(not disturbance.goes_on for disturbance in one.disturbances)
        account.stops = sum(disturbance.goes_on for disturbance in one.disturbances)
    return account


def every_place(account: Account, one: Trial, *, sqlite: bool) -> None:
    seen: set[str] = set()
    for name in places(sqlite=sqlite):
        for mode in MODES:
            if ONLY not in name and ONLY not in account.database:
                continue
            began = time.monotonic()
            try:
                provoke(one, name, mode)
                violations = [said for said in one.settle().violations if said not in seen]
            except AssertionError as error:
                violations = [str(error)]
            seen |= set(violations)
            account.reached |= reached(one)
            account.case(name, mode, time.monotonic() - began, violations)


def random_kills(account: Account, one: Trial, chance: random.Random) -> None:
    for number in range(1, KILLS + 1):
        if time.monotonic() > DEADLINE:
            break
        time.sleep(chance.expovariate(2))
        if number % 10 == 0:
            one.stand_still(f"random stop {number}")
        else:
            one.kill(f"random kill {number}")
            one.restart()
        if number % BETWEEN_DRAINS == 0:
            verdict = one.settle()
            say(
                f"{account.database:10} {number:4} of {KILLS} at random; {len(verdict.violations)} violations so far"
            )


def first_runs(account: Account, server: postgres.PostgresServer | None) -> None:
    """Each in a place of its own."""
    for name in FIRST_RUN:
        for mode in MODES:
            if ONLY not in name and ONLY not in account.database:
                continue
            began = time.monotonic()
            with (
                tempfile.TemporaryDirectory() as directory,
                small_internet() as net,
                fresh(server) as url,
                trial(Path(directory), url, net, begin=False) as one,
            ):
                try:
                    provoke_first_run(one, name, mode)
                    violations = one.settle().violations
                except AssertionError as error:
                    violations = [str(error)]
                account.reached |= reached(one)
            account.case(name, mode, time.monotonic() - began, violations)


@contextmanager
def fresh(server: postgres.PostgresServer | None) -> Iterator[str]:
    if server is None:
        yield ""
    else:
        with server.fresh() as url:
            yield url


def every_power_cut() -> list[str]:
    """Q03, all of it; what is wrong."""
    said: list[str] = []
    with tempfile.TemporaryDirectory() as directory:
        recording = power.record(Path(directory), rounds=4)
        cuts = list(recording.disk.cuts())
        ways = {"none": disk.nothing, "all": disk.everything}
        for cut in cuts:
            for name, keep in (ways | {"some": disk.anything(cut), "others": disk.anything(-cut)}).items():
                scratch = Path(directory) / "scratch"
                wrong = power.lost(recording, cut, scratch, keep)
                said += [
                    f"power cut at line {cut}, {name} of what was not synced is kept: {one}" for one in wrong
                ]
                shutil.rmtree(scratch)
        for number, message in enumerate(recording.acknowledged):
            scratch = Path(directory) / f"start-{number}"
            recording.disk.leave(message.line, scratch, disk.nothing)
            said += power.starts(scratch, recording.acknowledged[: number + 1])
    say(f"power: {len(cuts)} points x 4 ways, {len(recording.acknowledged)} starts, {len(said)} violations")
    return said


def table(accounts: list[Account]) -> None:
    say("\nplace                             " + "".join(f"{one.database:>24}" for one in accounts))
    for name in NAMES:
        row = f"{name:34}"
        for one in accounts:
            row += f"{' '.join(one.cases.get((name, mode), '-') for mode in MODES):>24}"
        say(row)
    figures = ("acknowledged", "delivered", "extra", "window", "most_marked", "flagged", "refused", "unknown")
    for figure in figures:
        say(f"{figure:34}" + "".join(f"{getattr(one.verdict, figure):>24}" for one in accounts))
    say(f"{'ends and restarts':34}" + "".join(f"{one.kills:>24}" for one in accounts))
    say(f"{'stops of 3 s':34}" + "".join(f"{one.stops:>24}" for one in accounts))


def report(accounts: list[Account], more: list[str]) -> int:
    """Print the table; how many violations."""
    if accounts:
        table(accounts)
    violations = [violation for one in accounts for violation in one.violations] + more
    if not ONLY:
        missing = set(NAMES) - set().union(*(one.reached for one in accounts))
        violations += [f"{name} is declared and was never reached" for name in sorted(missing)]
    for violation in dict.fromkeys(violations):
        say(violation[:1000])
    say(f"{len(violations)} violations" if violations else "the promise held")
    return len(violations)


def main() -> int:
    accounts: list[Account] = []
    if ONLY not in ("postgresql", "power"):
        accounts.append(run("sqlite", ""))
        first_runs(accounts[-1], None)
    if ONLY not in ("sqlite", "power"):
        with postgres.running() as server:
            with server.fresh() as url:
                accounts.append(run("postgresql", url))
            first_runs(accounts[-1], server)
    more = every_power_cut() if ONLY in ("", "power") else []
    return 1 if report(accounts, more) else 0


if __name__ == "__main__":
    sys.exit(main())
