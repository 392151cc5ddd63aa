"""A relay under load between two ledgers: disturb it, let it recover, drain it, judge."""

from __future__ import annotations

import os
import re
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
from faults.ledger.poster import Poster
from faults.ledger.sink import Sink
from postroom.errors import PostroomError
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import LOG, SWITCH
from postroom.store import bulk_emails, interventions
from postroom.store.database import Database
from support.net import Net
from support.process import Relay, starting
from support.waiting import until
from support.world import World

LEASE = 2.0
STOPPED = 2.5
"""How long a stopped relay stands still: longer than its lease."""
CONCURRENCY = 20
SETTINGS = {
    "POSTROOM_DELIVERY__CONCURRENCY": str(CONCURRENCY),
    "POSTROOM_DELIVERY__CONNECTIONS_PER_SITE": "8",
    "POSTROOM_DELIVERY__LEASE": f"{LEASE:g}s",
    "POSTROOM_DELIVERY__RETRY": '["200ms"]',
    "POSTROOM_RETENTION__CONTENT": "0s",
    "POSTROOM_RETENTION__EVERY": "500ms",
    "POSTROOM_API__EMAIL_PER_MINUTE": "0",
    "POSTROOM_API__BULK_PER_MINUTE": "0",
    "POSTROOM_API__OTHER_PER_MINUTE": "0",
    "POSTROOM_API__REQUESTS_PER_DAY": "0",
}
DOMAIN = "app.test"
POSTER_PAUSE = 0.25
LOOK = 0.1  # seconds between two looks at the queue
_LOST_LEASE = re.compile(r'"incarnation": (\d+), "event": "lease lost')


class Chapter:
    """What has happened since everything was settled: where each ledger, the log and the database stood then."""

    def __init__(self, client: int = 0, sink: int = 0, log: int = 0, behind: str = "") -> None:
        self.client, self.sink, self.log, self.behind = client, sink, log, behind
        self.disturbances: list[Disturbance] = []


class Trial:
    """`begin` it first. `relay` is the one that runs, `disturbances` are those so far."""

    relay: Relay
    client: Client
    poster: Poster
    world: World

    def __init__(self, directory: Path, url: str, net: Net, stack: ExitStack) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.url = url or f"sqlite:///{self.data / 'postroom.db'}"
        self.settings = SETTINGS | net.settings | {"POSTROOM_DATABASE__URL": url}
        self.disturbances: list[Disturbance] = []
        self.uncounted: set[str] = set()
        self.reached = directory / "reached"
        self.stopping = False
        self._chapter = Chapter()
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
        token = self.world.token(tenant)
        poster = Poster(self._http_port, token, DOMAIN, client.journal, POSTER_PAUSE)
        self.poster = self._stack.enter_context(poster)

    def start(self, killpoint: str, *arguments: str) -> Relay:
        switches = {SWITCH: killpoint, LOG: str(self.reached)}
        settings = self.settings | switches
        return self._stack.enter_context(starting(self.data, *arguments, settings=settings))

    def _port(self) -> int:
        return self.relay.port()

    def _http_port(self) -> int:
        return int(self.relay.addresses["http"]["port"])

    @property
    def log(self) -> str:
        """Its end."""
        return _read(self.relay.log_file, self.relay.log_file.stat().st_size - 6000)

    @property
    def acknowledged(self) -> int:
        return sum("id" in fact for fact in self.client.journal.read())

    @property
    def refused(self) -> int:
        return sum("code" in fact for fact in self.client.journal.read())

    @property
    def stops(self) -> int:
        """How often a relay has stood still and gone on."""
        return sum(disturbance.goes_on for disturbance in self.disturbances)

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

    def stand_still(self, name: str, look: float = STOPPED) -> None:
        """Stop the relay, look at both sides after so many seconds, and let it go on after its lease has ended."""
        self.stopping = True  # nobody else need wake it
        os.kill(self.relay.process.pid, signal.SIGSTOP)
        self.wake(self.relay.process.pid, name, look)
        self.stopping = False

    def wake(self, process: int, name: str, look: float = STOPPED) -> None:
        """The same for a process that has stopped itself."""
        until(lambda: stopped(process), 5)
        time.sleep(look)  # until all it had sent is at the sink, and in the database
        self.note(name, goes_on=True)
        time.sleep(STOPPED - look)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)

    def let_through(self) -> None:
        """Wait for whoever was interrupted twice: the third time would be a quarantine (Q15)."""

        def done() -> bool:
            self._hurry()
            return not state.suspects(self.url, self._chapter.behind)

        until(done, what=f"those interrupted twice are through\n{self.log}")

    def note(self, name: str, *, goes_on: bool = False) -> None:
        if not goes_on:
            assert self.sink.quiet(10), "the sink still talks to a relay that is dead"
        dots = Counter(self.sink.dots)
        seen = state.read_dead(self.url, self._chapter.behind)
        made = Disturbance(name, seen, dots - self._dots, goes_on)
        self._chapter.disturbances.append(made)
        self.disturbances.append(made)
        self._dots = dots

    # -- judging ---------------------------------------------------------------------------------------------------

    def settle(self, seconds: float = 40.0, *, go_on: bool = True) -> Verdict:
        """Send nothing more, let the queue drain, and judge what has happened since the last time. Another chapter begins
        afterwards, and the load goes on with it if it shall."""
        self.client.pause()
        self.poster.pause()
        self.world.run(_nobodys_batches)
        self.poster.nudge()
        # Looks are counted and not seconds: the machine may stand still meanwhile.
        looks = round(seconds / LOOK)
        drained = any(self._drained() for _ in range(looks))
        self.poster.resolve(looks)
        chapter, end = self._chapter, state.read(self.url, self._chapter.behind)
        if len(self._lost_leases()) > sum(disturbance.goes_on for disturbance in chapter.disturbances):
            self.uncounted |= set(end.status)
        verdict = self._judge(chapter, end, chapter.disturbances)
        if not drained:
            left = f"{end.queued}, and the batches {state.batches(self.url)}"
            verdict.violations.append(f"liveness: still queued after {seconds:g} s: {left}\n{self.log}")
        self._chapter = Chapter(
            self.client.journal.size,
            self.sink.journal.size,
            self.relay.log_file.stat().st_size,
            end.newest or chapter.behind,
        )
        if go_on:
            self.client.go()
            self.poster.go()
        return verdict

    def judge(self) -> Verdict:
        """Everything from the beginning, once more: what was settled has to be as it was. Call it after a `settle` that does
        not go on."""
        return self._judge(Chapter(), state.read(self.url), self.disturbances)

    def _judge(self, since: Chapter, end: state.State, disturbances: list[Disturbance]) -> Verdict:
        return check(
            self.client.journal.read(since.client),
            self.sink.journal.read(since.sink),
            end,
            disturbances,
            concurrency=CONCURRENCY,
            uncounted=self.uncounted,
        )

    def _lost_leases(self) -> set[str]:
        """In this chapter; more than there were stops means that something else stopped the relay, or its database."""
        return set(_LOST_LEASE.findall(_read(self.relay.log_file, self._chapter.log)))

    def _drained(self) -> bool:
        time.sleep(LOOK)
        batches = state.batches(
            self.url
        )  # before the queue: what one accepts at the last moment must be seen there
        return not self._hurry() and not batches

    def _hurry(self) -> list[str]:
        """Those that are not final; who is uncertain is tried again now."""
        rows = state.waiting(self.url, self._chapter.behind)
        now = Clock().now_ms()
        uncertain = [email_id for email_id, status, due_at in rows if status == "uncertain" and due_at > now]
        if uncertain:
            self.world.run(lambda database: _retry_now(database, uncertain))
        return [email_id for email_id, _, _ in rows]

    def stop(self) -> int:
        return self.relay.stop()


def stopped(process: int) -> bool:
    """Whether it stands still (SIGSTOP)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


def _read(path: Path, behind: int) -> str:
    with path.open("rb") as file:
        file.seek(max(0, behind))
        return file.read().decode("utf-8", "replace")


async def _retry_now(database: Database, email_ids: list[str]) -> None:
    """An uncertain email waits a quarter of an hour; the trial cannot."""
    for email_id in email_ids:
        with suppress(PostroomError):  # its attempt is under way
            async with database.write() as connection:
                await interventions.retry_now(connection, email_id, Clock().now_ms())


async def _nobodys_batches(database: Database) -> None:
    """A batch whose worker has died is busy for two minutes more; the trial cannot wait. Whoever does work on one now
    does that group anew."""
    async with database.write() as connection:
        await bulk_emails.free_all(connection)


@contextmanager
def trial(directory: Path, url: str, net: Net, *, begin: bool = True) -> Iterator[Trial]:
    """`url` is an empty PostgreSQL database, or "" for SQLite. The load begins at once."""
    with ExitStack() as stack:
        begun = Trial(directory, url, net, stack)
        if begin:
            begun.begin()
        yield begun
