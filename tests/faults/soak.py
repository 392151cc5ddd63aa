"""A relay under steady mixed load for a while: is it as large at the end as it was in the middle? `make soak`.

Kept and single connections, small and large messages, recipients who put off, do not exist or never answer, refusals
and clients that hang. Every few seconds it is looked at: memory, descriptors, threads, tasks, the write-ahead log, the
queue. Each of these must be flat (`faults.flat`), and by the ledgers nothing may be lost.

    MINUTES=n             how long (default 10)
    DATABASE=postgresql   default: sqlite

Prints a line every half minute and a table at the end. Its status is 1 if something grows or was lost.
"""

from __future__ import annotations

import os
import re
import smtplib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from faults.flat import Trend, trend
from faults.ledger import state
from faults.ledger.check import Verdict, check
from faults.ledger.client import Client
from faults.ledger.trial import CONCURRENCY, DOMAIN, Trial, trial
from support import postgres
from support.net import Net, small_internet
from support.peer import Silence
from support.process import Relay
from support.waiting import until
from support.world import Tenant, World

MIB = 1024 * 1024
EVERY = 5.0
"""Seconds between two samples."""
LINE_EVERY = 6
ALLOWANCES = {"memory": 8 * MIB, "descriptors": 6, "threads": 2, "tasks": 25, "log": 8 * MIB, "queue": 40}
"""By how much each may grow over the later half; or by a twentieth."""
SETTINGS = {
    "POSTROOM_DELIVERY__LEASE": "60s",
    "POSTROOM_DELIVERY__RETRY": '["2s"]',
    "POSTROOM_DELIVERY__LIFETIME": "60s",
    "POSTROOM_DELIVERY__COMMAND_TIMEOUT": "5s",
    "POSTROOM_SUBMISSION__COMMAND_TIMEOUT": "10s",
    "POSTROOM_SUBMISSION__LOGIN_TIMEOUT": "10s",
    "POSTROOM_DATABASE__CACHE": "8MB",
}
SMALL = 30_000
"""Octets of a message that is not large. A thousand of them, and the caches are full long before the middle: those of
recent and of signed messages, 32 MB each, and that of the database."""


@dataclass(frozen=True)
class Sample:
    """`memory` and `log` (the write-ahead log's file) in octets."""

    at: float
    memory: int
    descriptors: int
    threads: int
    tasks: int
    log: int
    queue: int


@dataclass
class Report:
    samples: list[Sample] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)

    def trends(self) -> dict[str, Trend]:
        """Raises ValueError if it was too short to tell."""
        return {
            name: trend([(sample.at, getattr(sample, name)) for sample in self.samples], allowance)
            for name, allowance in ALLOWANCES.items()
        }


# -- the load ----------------------------------------------------------------------------------------------------------


class OneByOne(Client):
    """A new connection for each message; its numbers are its own."""

    def __init__(self, *account: Any, **more: Any) -> None:
        super().__init__(*account, **more)
        self._numbers = count(1_000_000)

    def _connection(self) -> None:
        self._going.wait()
        with smtplib.SMTP("localhost", self._port(), timeout=15) as client, self._busy:
            client.starttls(context=self._context)
            client.login(*self._login)
            if self._going.is_set():
                self._message(client)


@contextmanager
def repeatedly(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Every so many seconds in a thread; what goes wrong there is what is meant to."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds):
            with suppress(OSError, smtplib.SMTPException):
                act()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


def to_nobody(relay: Relay, tenant: Tenant) -> None:
    """For a server that never answers: it is tried until its lifetime is over."""
    sender = f"app@{tenant.domain}"
    with relay.smtp(*tenant.login) as client:
        client.sendmail(sender, "you@dead.test", f"From: {sender}\r\n\r\nhello\r\n")


def refused(relay: Relay, tenant: Tenant) -> None:
    """A From that is not verified, a wrong command, a wrong password."""
    with relay.smtp(*tenant.login) as client:
        client.docmd("WIZ")
        with suppress(smtplib.SMTPResponseException):
            client.sendmail("a@b.test", "you@sink.test", "From: a@b.test\r\n\r\nhello\r\n")
    with relay.smtp() as client:
        client.login(tenant.username, "wrong")


def hanging(relay: Relay) -> None:
    """Connects, and waits to be sent away."""
    client = smtplib.SMTP("localhost", relay.port(), timeout=30)
    threading.Thread(target=client.getreply, daemon=True).start()


@contextmanager
def loaded(one: Trial, net: Net) -> Iterator[list[Client]]:
    """The relay under all of it; what keeps a ledger is given."""
    one.settings |= SETTINGS
    one.relay = one.start("", "--first-run")
    one.world = World(one.url, one.data)
    tenant, other = (one.world.tenant(name, mode="live") for name in (DOMAIN, "other.test"))
    relay, directory = one.relay, one.directory
    account = (relay.port, relay.tls(), tenant.login, DOMAIN)
    with ExitStack() as stack:
        stack.enter_context(net.peer("dead.test", {"CONNECT": Silence()}))
        clients: list[Client] = [
            Client(*account, directory / "kept.jsonl", connections=3, pause=0.1, small=SMALL),
            OneByOne(*account, directory / "single.jsonl", connections=2, pause=0.3, small=SMALL),
        ]
        for client in clients:
            stack.enter_context(client)
        stack.enter_context(repeatedly(2.0, lambda: to_nobody(relay, other)))
        stack.enter_context(repeatedly(5.0, lambda: refused(relay, other)))
        stack.enter_context(repeatedly(4.0, lambda: hanging(relay)))
        yield clients


# -- looking -----------------------------------------------------------------------------------------------------------


def sample(one: Trial, at: float) -> Sample:
    process = Path(f"/proc/{one.relay.process.pid}")
    status = dict(re.findall(r"(?m)^(\w+):\s+(\d+)", (process / "status").read_text()))
    with urlopen(f"http://127.0.0.1:{one.relay.addresses['http']['port']}/metrics") as answer:
        metrics = dict(re.findall(r"(?m)^(postroom_\w+) (\S+)$", answer.read().decode()))
    log = one.data / "postroom.db-wal"
    return Sample(
        at=at,
        memory=int(status["VmRSS"]) * 1024,
        descriptors=len(os.listdir(process / "fd")),
        threads=int(status["Threads"]),
        tasks=int(float(metrics["postroom_tasks"])),
        log=log.stat().st_size if log.exists() else 0,
        queue=int(float(metrics["postroom_queue_emails"])),
    )


def settled(one: Trial, clients: list[Client]) -> Verdict:
    """Send no more, wait until the queue has drained, and ask the ledgers."""
    for client in clients:
        client.pause()
    until(lambda: not state.read(one.url).queued, 120, what=f"the queue is empty\n{one.log}")
    journal = [fact for client in clients for fact in client.journal.read()]
    return check(journal, one.sink.journal.read(), state.read(one.url), [], concurrency=CONCURRENCY)


def soak(seconds: float, url: str = "", say: Callable[[str], None] = lambda _: None) -> Report:
    """`url` is an empty PostgreSQL database, or "" for SQLite."""
    report = Report()
    with (
        tempfile.TemporaryDirectory() as directory,
        small_internet() as net,
        trial(Path(directory), url, net, begin=False) as one,
        loaded(one, net) as clients,
    ):
        began = time.monotonic()
        while (at := time.monotonic() - began) < seconds:
            report.samples.append(sample(one, at))
            if len(report.samples) % LINE_EVERY == 1:
                say("  ".join(f"{name} {value:,.0f}" for name, value in asdict(report.samples[-1]).items()))
            time.sleep(EVERY)
        report.verdict = settled(one, clients)
        assert one.relay.stop() == 0
    return report


def verdict(report: Report, say: Callable[[str], None]) -> bool:
    """Print the table; whether all is well."""
    trends = report.trends()
    say(f"{'':12}{'level':>14}{'by slope':>14}{'by quarters':>14}{'allowed':>14}")
    for name, seen in trends.items():
        figures = (seen.level, seen.slope, seen.step, seen.allowed)
        row = "".join(f"{figure:>14,.1f}" for figure in figures)
        say(f"{name:12}{row}  {'flat' if seen.flat else 'GROWS'}")
    say(f"acknowledged {report.verdict.acknowledged}, delivered {report.verdict.delivered}, "
        f"extra copies {report.verdict.extra}, refused {report.verdict.refused}")  # fmt: skip
    for violation in report.verdict.violations[:20]:
        say(violation)
    well = all(seen.flat for seen in trends.values()) and not report.verdict.violations
    say("flat, and nothing lost" if well else "NOT WELL")
    return well


def main() -> int:
    def say(line: str) -> None:
        print(line, flush=True)

    seconds = 60 * float(os.environ.get("MINUTES", "10"))
    if os.environ.get("DATABASE") != "postgresql":
        return 0 if verdict(soak(seconds, say=say), say) else 1
    with postgres.running() as server, server.fresh() as url:
        return 0 if verdict(soak(seconds, url, say), say) else 1


if __name__ == "__main__":
    sys.exit(main())
