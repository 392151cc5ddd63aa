"""X11: more comes in than the relay can commit, or more than its recipients take. It says 4xx or takes its time, keeps
what it has acknowledged, needs no more memory than it is allowed, and recovers by itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from faults.ledger import sink, state
from faults.ledger.check import Verdict, check
from faults.ledger.client import Client
from faults.ledger.trial import CONCURRENCY, DOMAIN, Trial, trial
from support.net import Net, small_internet
from support.postgres import PostgresServer
from support.process import Relay
from support.proxy import Proxy
from support.strace import injecting
from support.waiting import until
from support.world import World

CONNECTIONS = 20
MEMORY = 96 * 1024 * 1024
"""Octets by which the relay may grow. Its caches of recent messages may hold 64 MB."""
IN_MEMORY = 100
UNAVAILABLE = ("storage-unavailable", "login-unavailable")
SETTINGS = {
    "POSTROOM_DATABASE__TIMEOUT": "1s",
    "POSTROOM_DELIVERY__IN_MEMORY": str(IN_MEMORY),
    "POSTROOM_DELIVERY__LEASE": "10s",
}


@contextmanager
def overloaded(tmp_path: Path, net: Net, settings: dict[str, str], url: str = "") -> Iterator[Trial]:
    """A trial whose clients do not pause, and are many."""
    with trial(tmp_path, url, net, begin=False) as one, ExitStack() as stack:
        one.settings |= SETTINGS | settings
        one.relay = one.start("", "--first-run")
        one.world = World(one.url, one.data)
        tenant = one.world.tenant(DOMAIN, mode="live")
        journal = one.directory / "client.jsonl"
        one.client = stack.enter_context(
            Client(
                one.relay.port,
                one.relay.tls(),
                tenant.login,
                DOMAIN,
                journal,
                connections=CONNECTIONS,
                pause=0.001,
            )
        )
        yield one


def answered(one: Trial) -> int:
    return len(one.client.journal.read())


def refused(one: Trial) -> list[int]:
    """The codes of those answers to the end of data that were no."""
    return [fact["code"] for fact in one.client.journal.read() if "code" in fact]


def judged(one: Trial) -> Verdict:
    """When everything is settled. What was refused may have arrived: a commit may end after its clients were told to
    come back, and a second copy is the lesser evil."""
    one.client.pause()
    until(lambda: not state.read(one.url).queued, 60, what=f"the queue is empty\n{one.log}")
    verdict = check(
        one.client.journal.read(),
        one.sink.journal.read(),
        state.read(one.url),
        one.disturbances,
        concurrency=CONCURRENCY,
        refused_may_arrive=True,
    )
    one.client.go()
    return verdict


def memory(relay: Relay) -> int:
    """Octets."""
    pages = int(Path(f"/proc/{relay.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def metric(relay: Relay, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{relay.addresses['http']['port']}/metrics") as answer:
        found = re.search(rf"(?m)^{re.escape(name)} (\S+)$", answer.read().decode())
    return float(found[1]) if found else 0.0


@pytest.mark.slow
def test_x11_a_disk_that_is_too_slow(tmp_path: Path) -> None:
    with small_internet() as net, overloaded(tmp_path, net, {}) as one:
        until(lambda: one.acknowledged > 50)
        used = memory(one.relay)
        with injecting(one.relay.process.pid, "fdatasync:delay_enter=200000"):
            before = one.acknowledged
            until(lambda: one.acknowledged > before + 50, what=f"slower, but it goes on\n{one.log}")
        with injecting(
            one.relay.process.pid, "fdatasync:delay_enter=1500000"
        ):  # longer than anybody is let wait
            until(lambda: len(refused(one)) > CONNECTIONS, what=f"451\n{one.log}")
        before = one.acknowledged
        until(lambda: one.acknowledged > before + 50, what=f"as before\n{one.log}")
        assert memory(one.relay) - used < MEMORY
        verdict = judged(one)
        assert set(refused(one)) <= {421, 451}
    assert verdict.violations == []
    assert verdict.extra == verdict.flagged == 0


def stand_still(one: Trial, proxy: Proxy) -> None:
    """Until enough have been refused; then on as before."""

    def refusals() -> float:
        return sum(metric(one.relay, f'postroom_refused_total{{rule="{rule}"}}') for rule in UNAVAILABLE)

    before = refusals()
    proxy.stall()
    until(lambda: refusals() > before + 2 * CONNECTIONS, 90, what=f"{UNAVAILABLE}\n{one.log}")
    proxy.flow()
    acknowledged = one.acknowledged
    until(lambda: one.acknowledged > acknowledged + 50, 90, what=f"as before\n{one.log}")


@pytest.mark.slow
def test_x11_a_database_that_stands_still(tmp_path: Path, postgres_server: PostgresServer) -> None:
    with ExitStack() as stack:
        net, url = stack.enter_context(small_internet()), stack.enter_context(postgres_server.fresh())
        proxy = stack.enter_context(Proxy(postgres_server.port))
        with overloaded(tmp_path, net, {"POSTROOM_DATABASE__URL": proxy.url(url)}, url) as one:
            until(lambda: one.acknowledged > 50)
            used = memory(one.relay)
            # 451 at the end of data. After a change what the relay knows of its accounts is read anew, or cannot be,
            # and then it is 454 at AUTH.
            stand_still(one, proxy)
            one.world.tenant("new.test")
            stand_still(one, proxy)
            assert memory(one.relay) - used < MEMORY
            verdict = judged(one)
            assert 451 in refused(one)  # at the end of data
            assert set(refused(one)) <= {421, 451}
    assert verdict.violations == []


@pytest.mark.slow
def test_x11_recipients_who_take_less_than_comes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue grows in the table and not in memory, others are served, and in the end everything arrives."""
    monkeypatch.setattr(sink, "REPLY_SECONDS", 0.5)
    settings = {"POSTROOM_DELIVERY__CONNECTIONS_PER_SITE": "2"}
    with small_internet() as net, overloaded(tmp_path, net, settings) as one, net.peer("quick.test") as quick:
        used, in_memory = memory(one.relay), [0.0]
        neighbour = one.world.tenant("neighbour.test", mode="live")

        def grown() -> bool:
            in_memory.append(metric(one.relay, "postroom_queue_in_memory"))
            return len(state.read(one.url).queued) > 6 * IN_MEMORY

        until(grown, 60, what="the queue grows")
        with one.relay.smtp(*neighbour.login) as client:
            client.sendmail("a@neighbour.test", "you@quick.test", "From: a@neighbour.test\r\n\r\nhello\r\n")
        until(lambda: quick.messages, what="it does not wait behind the others")
        assert 0 < max(in_memory) <= IN_MEMORY
        assert refused(one) == []
        assert memory(one.relay) - used < MEMORY
        monkeypatch.setattr(sink, "REPLY_SECONDS", 0.0)
        verdict = judged(one)
    assert verdict.violations == []
    assert verdict.extra == verdict.flagged == 0
