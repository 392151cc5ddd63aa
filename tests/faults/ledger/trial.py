"""A relay under load between two ledgers: disturb it, let it recover, drain it, judge."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from faults.ledger import state
from faults.ledger.check import Disturbance, Verdict, check
from faults.ledger.client import Client
from faults.ledger.sink import Sink
from postroom.errors import PostroomError
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import LOG, SWITCH
from postroom.store import interventions
from postroom.store.database import Database
from support.net import Net
from support.process import Relay, starting
from support.waiting import until
from support.world import World

LEASE = 2.0
STOPPED = 3.0
"""How long a stopped relay stands still: longer than its lease."""
CONCURRENCY = 20
SETTINGS = {
    "POSTROOM_DELIVERY__CONCURRENCY": str(CONCURRENCY),
    "POSTROOM_DELIVERY__CONNECTIONS_PER_SITE": "8",
    "POSTROOM_DELIVERY__LEASE": f"{LEASE:g}s",
    "POSTROOM_DELIVERY__RETRY": '["200ms"]',
    "POSTROOM_RETENTION__CONTENT": "0s",
    "POSTROOM_RETENTION__EVERY": "500ms",
}
DOMAIN = "app.test"


class Trial:
    """`begin` it first. `relay` is the one that runs, `disturbances` are those so far."""

    relay: Relay
    client: Client
    world: World

    def __init__(self, directory: Path, url: str, net: Net, stack: ExitStack) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.url = url or f"sqlite:///{self.data / 'postroom.db'}"
        self.settings = SETTINGS | net.settings | {"POSTROOM_DATABASE__URL": url}
        self.disturbances: list[Disturbance] = []
        self.reached = directory / "reached"
        self.stopping = False
        self._stack = stack
        self._dots: Counter[str] = Counter()
        address = net.address()
        net.domain("sink.test", address)
        self.sink = stack.enter_context(Sink(address, net.mx_port, directory / "sink.jsonl"))

    def begin(self) -> None:
        """The first run, a tenant, and load from now on."""
        self.relay = self.start("", "--first-run")
        self.world = World(self.url, self.data)
        tenant = self.world.tenant(DOMAIN, mode="live")
        journal = self.directory / "client.jsonl"
        client = Client(self._port, self.relay.tls(), tenant.login, DOMAIN, journal)
        self.client = self._stack.enter_context(client)

    def start(self, killpoint: str, *arguments: str) -> Relay:
        switches = {SWITCH: killpoint, LOG: str(self.reached)}
        return self._stack.enter_context(starting(self.data, *arguments, settings=self.settings | switches))

    def _port(self) -> int:
        return self.relay.port()

    @property
    def log(self) -> str:
        return self.relay.log[-6000:]

    @property
    def acknowledged(self) -> int:
        return sum("id" in fact for fact in self.client.journal.read())

    # -- disturbing ------------------------------------------------------------------------------------------------

    def restart(self, killpoint: str = "") -> bool:
        """A new process; False if its kill point ended it on its way up, and it is another one without."""
        if self.relay.process.poll() is None:
            self.kill("kill before the next start")
        try:
            self.relay = self.start(killpoint)
        except pytest.fail.Exception:
            if not killpoint:
                raise
            self.note(killpoint)
            self.relay = self.start("")
            return False
        return True

    def kill(self, name: str) -> None:
        """At whatever it is doing; then look at both sides. `restart` comes next."""
        self.relay.kill()
        self.note(name)

    def stand_still(self, name: str) -> None:
        """Stop the relay, look at both sides, and let it go on after its lease has ended."""
        self.stopping = True  # nobody else need wake it
        os.kill(self.relay.process.pid, signal.SIGSTOP)
        self.wake(self.relay.process.pid, name)
        self.stopping = False

    def wake(self, process: int, name: str) -> None:
        """The same for a process that has stopped itself."""
        until(lambda: stopped(process), 5)
        time.sleep(0.15)  # what it had sent before is on its way to the sink
        self.note(name, goes_on=True)
        time.sleep(STOPPED)
        os.kill(process, signal.SIGCONT)

    def note(self, name: str, *, goes_on: bool = False) -> None:
        if not goes_on:
            assert self.sink.quiet(10), "the sink still talks to a relay that is dead"
        dots = Counter(self.sink.dots)
        self.disturbances.append(Disturbance(name, state.read(self.url), dots - self._dots, goes_on))
        self._dots = dots

    # -- judging ---------------------------------------------------------------------------------------------------

    def settle(self, seconds: float = 40.0) -> Verdict:
        """Send nothing more, let the queue drain, and judge everything so far. The load goes on afterwards."""
        self.client.pause()
        try:
            until(self._drained, seconds, what=f"the queue is empty\n{self.log}")
            drained = []
        except AssertionError:
            drained = [f"liveness: {state.read(self.url).queued} still queued after {seconds:g} s"]
        verdict = check(
            self.client.journal.read(),
            self.sink.journal.read(),
            state.read(self.url),
            self.disturbances,
            concurrency=CONCURRENCY,
        )
        verdict.violations += drained
        self.client.go()
        return verdict

    def _drained(self) -> bool:
        seen = state.read(self.url)
        now = Clock().now_ms()
        uncertain = [
            seen.email_ids[to]
            for to in seen.queued
            if seen.status[to] == "uncertain" and seen.due_at[to] > now
        ]
        if uncertain:
            self.world.run(lambda database: _retry_now(database, uncertain))
        return not seen.queued

    def stop(self) -> int:
        return self.relay.stop()


def stopped(process: int) -> bool:
    """Whether it stands still (SIGSTOP)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


async def _retry_now(database: Database, email_ids: list[str]) -> None:
    """An uncertain email waits a quarter of an hour; the trial cannot."""
    for email_id in email_ids:
        with suppress(PostroomError):  # its attempt is under way
            async with database.write() as connection:
                await interventions.retry_now(connection, email_id, Clock().now_ms())


@contextmanager
def trial(directory: Path, url: str, net: Net, *, begin: bool = True) -> Iterator[Trial]:
    """`url` is an empty PostgreSQL database, or "" for SQLite. The load begins at once."""
    with ExitStack() as stack:
        begun = Trial(directory, url, net, stack)
        if begin:
            begun.begin()
        yield begun
