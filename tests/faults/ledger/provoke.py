"""Every named place in every mode: how to get the relay there, and what comes after."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from faults.ledger.trial import Trial, stopped
from postroom.runtime.killpoints import NAMES
from postroom.store.database import Database
from postroom.tenancy import accounts, first_run, smtp_users
from support.process import Relay
from support.waiting import until
from support.world import World

MODES = ("kill", "stop", "raise")
FIRST_RUN = tuple(name for name in NAMES if name.startswith(("migrate.", "first_run.")))
AT_THE_END = tuple(name for name in NAMES if name.startswith("drain."))
AFTER_A_STOP = ("lease.lost",)
ONLY_ON_SQLITE = ("checkpoint.before", "checkpoint.after")
ONLY_ON_POSTGRESQL = AFTER_A_STOP
"""On SQLite one process has the data directory, so nobody can take its lease away."""
REACHED_WITHIN = 20.0


def places(*, sqlite: bool) -> list[str]:
    """Those that a relay can reach on this database, but for the first run's, which come before any load."""
    elsewhere = {*(ONLY_ON_POSTGRESQL if sqlite else ONLY_ON_SQLITE), *FIRST_RUN}
    return [name for name in NAMES if name not in elsewhere]


def provoke(trial: Trial, name: str, mode: str, nth: int = 1) -> None:
    """Start the relay with this kill point, get it there under load, and have it back afterwards.

    AssertionError when the place is not reached.
    """
    trial.reached.unlink(missing_ok=True)
    stops = trial.stops + (name in AFTER_A_STOP)
    with waking(trial, f"stop at {name}"):
        up = trial.restart(f"{name}:{nth}:{mode}")
        if name in AFTER_A_STOP:
            trial.stand_still("stop before")
        if name in AT_THE_END:
            time.sleep(0.3)  # so that there is something to drain
            trial.relay.process.send_signal(signal.SIGTERM)
        until(lambda: name in reached(trial), REACHED_WITHIN, what=f"{name} is reached\n{trial.log}")
        if name in AT_THE_END:
            trial.relay.wait()
        elif mode == "kill" and up:
            trial.relay.process.wait(10)
        elif mode == "stop":
            until(lambda: trial.stops > stops, what="it stands still, and is let go on")
        time.sleep(0.3)
    if trial.relay.process.poll() is not None:
        trial.note(f"{mode} at {name}")
        trial.restart()


def provoke_first_run(trial: Trial, name: str, mode: str) -> None:
    """Disturb a first run there; the next start has to make one whole of it, with a card that is true.

    AssertionError when it does not, or when the place is not reached.
    """
    stops = trial.stops
    with waking(trial, f"stop at {name}"):
        try:
            trial.relay = trial.start(f"{name}:1:{mode}", "--first-run")
            until(lambda: name in reached(trial), REACHED_WITHIN, what=f"{name} is reached\n{trial.log}")
            if mode == "stop":
                until(lambda: trial.stops > stops, what="it stands still, and is let go on")
            time.sleep(0.3)
            trial.relay.kill()
        except pytest.fail.Exception:  # not up
            assert name in reached(trial), f"{name} is not reached"
    trial.begin()
    is_whole(trial.relay, trial.world)


def is_whole(relay: Relay, world: World) -> tuple[str, ...]:
    """What a first run has made: everything once, and a card that is true. The login on it."""
    user = re.search(r"--auth-user (\S+) --auth-password (\S+)", (relay.data / "first-run.txt").read_text())
    assert user is not None
    relay.smtp(*user.groups()).quit()
    users, names = world.run(_made)
    assert (users, names.count(first_run.ACCOUNT)) == (1, 1)
    return user.groups()


async def _made(database: Database) -> tuple[int, list[str]]:
    """How many SMTP users the first run's domain has, and the names of all accounts."""
    users = await smtp_users.list_all(database, first_run.DOMAIN)
    return len(users), [account.name for account in await accounts.list_all(database)]


def reached(trial: Trial) -> set[str]:
    with suppress(FileNotFoundError):
        return set(trial.reached.read_text().split())
    return set()


@contextmanager
def waking(trial: Trial, name: str) -> Iterator[None]:
    """Meanwhile, a process of ours that stops itself is looked at and let go on; at the end none is left stopped."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for process in _children():
                if stopped(process) and not trial.stopping:
                    trial.wake(process, name)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _children() -> list[int]:
    """Processes this one has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found
