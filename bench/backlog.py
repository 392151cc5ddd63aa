"""Delivery with very many messages queued, beside delivery with few; Postroom only, for it fills the queue itself.

Few: the same 1,000 messages' work, ten times over on a warm system. Many: all are queued before the process starts;
then the time to the first delivery, CPU for each delivered message, memory, and how long single messages of another
account wait behind them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import machine
from loads import PACE, PATIENCE, Row, percentiles, used_row, waits
from machine import Used
from smtp import Sink, Traffic, generate
from systems import System
from systems.postroom import Postroom

FEW = 1000
REPEATS = 10
BULK_DOMAIN = "bulk.test"
BULK_SIZE = 2048
COUNTED = 20_000
"""Deliveries whose CPU is counted while many are queued."""
SINGLES = 100
FILL = Path(__file__).with_name("fill.py")


class Filler:
    """`fill.py` beside the system; its CPU is not the system's."""

    def __init__(self, system: Postroom) -> None:
        self._process = subprocess.Popen(
            [sys.executable, FILL, BULK_DOMAIN, str(BULK_SIZE)],
            env=system.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def fill(self, messages: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{messages}\n")
        self._process.stdin.flush()
        if not self._process.stdout.readline().startswith("filled"):
            raise RuntimeError("the queue could not be filled")

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@contextmanager
def _filler(system: Postroom) -> Iterator[Filler]:
    filler = Filler(system)
    try:
        yield filler
    finally:
        filler.stop()


def few(system: Postroom, sink: Sink) -> Row:
    """CPU for each message with 1,000 queued."""
    system.prepare()
    system.add_tenant(BULK_DOMAIN)
    system.serve()
    with _filler(system) as filler:
        _drain(filler, sink)
        with machine.measuring(system.group) as used:
            arrived = sum(_drain(filler, sink) for _ in range(REPEATS))
    return {**used_row(used, arrived), "queued": FEW, "missing": FEW * REPEATS - arrived}


def _drain(filler: Filler, sink: Sink) -> int:
    sink.expect(FEW)
    filler.fill(FEW)
    return int(sink.wait(PATIENCE)["messages"])


def many(system: Postroom, sink: Sink, queued: int) -> Row:
    """The same with `queued`, of which most are still there in the end."""
    system.prepare()
    system.add_tenant(BULK_DOMAIN)
    with _filler(system) as filler:
        filler.fill(queued)
    counted = min(COUNTED, queued // 4)
    peak = Used()
    with machine.sampling(system.group, peak):
        sink.expect(1)
        begun = time.monotonic()
        system.serve()
        ready = time.monotonic() - begun
        first = sink.wait(PATIENCE)["first_data"] - begun
        _deliver(sink, counted // 10)
        with machine.measuring(system.group, settle=0) as used:
            arrived = _deliver(sink, counted)
        behind = _behind(system, sink)
    used.resident, used.proportional = peak.resident, peak.proportional
    return {
        **used_row(used, arrived["messages"]),
        "queued": queued,
        "rate": round(arrived["messages"] / (arrived["last"] - arrived["first"]), 1),
        "ready_seconds": round(ready, 2),
        "first_delivery_seconds": round(first, 2),
        "missing": counted - arrived["messages"],
        **behind,
    }


def _deliver(sink: Sink, messages: int) -> Row:
    sink.expect(messages)
    return sink.wait(PATIENCE)


def _behind(system: System, sink: Sink) -> Row:
    """250 to the first byte, for single messages of the other account while all that bulk is under way."""
    accepted, arrived = system.site.scratch / "accepted", system.site.scratch / "arrived"
    sink.expect(0)
    generate(system, Traffic(SINGLES, connections=1, interval=PACE), log=accepted)
    deadline = time.monotonic() + PATIENCE
    while True:
        time.sleep(1)
        sink.dump(arrived)
        milliseconds = waits(accepted, arrived)
        if len(milliseconds) == SINGLES or time.monotonic() > deadline:
            return percentiles(milliseconds)
