"""The loads. Each is run on a system that is already up and warm, and answers with what it has measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpload
import machine
import smtp
from machine import Used
from smtp import Sink, Traffic
from systems import ACCEPT, API, API_DELIVER, DELIVER, System

WARM_UP = 200
PATIENCE = 120.0
"""Seconds a delivery may go on after the last message was accepted."""
PACE = 0.1
"""Seconds between two messages that are to meet an idle system."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """`share` is how many of the run's messages it takes; `run` measures it; `changes` are to the run's traffic."""

    name: str
    role: str
    share: float
    title: str
    run: Callable[[System, Traffic, Sink], Row]
    changes: Mapping[str, int] = field(default_factory=dict)

    def traffic(self, whole: Traffic) -> Traffic:
        return replace(whole, messages=max(10, round(whole.messages * self.share)), **self.changes)


def generate(system: System, traffic: Traffic, log: Path | None = None) -> Row:
    """Send it all, the way the system's role says; what the generator reports."""
    if system.role in (API, API_DELIVER):
        return httpload.generate(system, traffic)
    return smtp.generate(system, traffic, log)


def warm_up(system: System, traffic: Traffic, sink: Sink) -> None:
    """Connections, caches and processes as they are on a working system. Raises RuntimeError if it does not work."""
    sink.expect(WARM_UP)
    sent = generate(system, replace(traffic, messages=WARM_UP))
    if sent["errors"]:
        raise RuntimeError(
            f"{sent['errors']} errors in {WARM_UP} messages: {sent['first_errors']}\n{system.log_end()}"
        )
    if system.role in (DELIVER, API_DELIVER) and sink.wait(PATIENCE)["messages"] < WARM_UP:
        raise RuntimeError(f"{WARM_UP} messages were not delivered within {PATIENCE:g} s\n{system.log_end()}")


def accept_kept(system: System, traffic: Traffic, sink: Sink) -> Row:
    """To the durable 250, or 202, on connections that stay."""
    del sink
    with machine.measuring(system.group) as used:
        sent = generate(system, traffic)
    return _accepted(sent) | used_row(used, sent["acknowledged"])


def accept_single(system: System, traffic: Traffic, sink: Sink) -> Row:
    """The same with a connection, a full TLS handshake and a login for every message."""
    return accept_kept(system, replace(traffic, per_connection=1), sink)


def delivered(system: System, traffic: Traffic, sink: Sink) -> Row:
    """From the first connect to the last message at the sink; both directions at once."""
    sink.expect(traffic.messages)
    with machine.measuring(system.group) as used:
        sent = generate(system, traffic)
        arrived = sink.wait(PATIENCE)
    seconds = arrived["last"] - sent["started"]
    row = _accepted(sent) | used_row(used, arrived["messages"])
    row["accept_rate"] = row["rate"]
    row["rate"] = round(arrived["messages"] / seconds, 1) if arrived["messages"] else 0.0
    row["missing"] = traffic.messages - arrived["messages"]
    row["signed"] = arrived["signed"]
    return row


def latency(system: System, traffic: Traffic, sink: Sink) -> Row:
    """From reading the 250 to the first byte of the message at the sink, one message at a time on an idle system."""
    paced = replace(traffic, connections=1, interval=PACE)
    sink.expect(paced.messages)
    accepted, arrived = system.site.scratch / "accepted", system.site.scratch / "arrived"
    sent = generate(system, paced, log=accepted)
    sink.wait(PATIENCE)
    sink.dump(arrived)
    return {"errors": sent["errors"], **percentiles(waits(accepted, arrived))}


def waits(accepted: Path, arrived: Path) -> list[float]:
    """Milliseconds of each message that is in both logs. Below 0: delivery was quicker than the client's reading."""
    at = {}
    for line in accepted.read_text().splitlines():
        number, _, acknowledged = line.split()
        at[f"user{number}"] = float(acknowledged)
    return [
        (float(began) - at[name]) * 1000
        for name, began, _ in (line.split() for line in arrived.read_text().splitlines())
        if name in at
    ]


def percentiles(milliseconds: list[float]) -> Row:
    if not milliseconds:
        return {"arrived": 0}
    ordered = sorted(milliseconds)
    return {
        "arrived": len(ordered),
        "first_byte_p50_ms": round(statistics.median(ordered), 2),
        "first_byte_p99_ms": round(ordered[int((len(ordered) - 1) * 0.99)], 2),
        "first_byte_max_ms": round(ordered[-1], 2),
    }


def _accepted(sent: Row) -> Row:
    names = ("rate", "ack_p50_ms", "ack_p99_ms", "ack_max_ms", "acknowledged", "errors", "first_errors")
    row = {name: sent[name] for name in names if name in sent}
    row["generator_cpu_per_1000"] = round(sent["generator_cpu"] / max(1, sent["acknowledged"]) * 1000, 3)
    return row


def used_row(used: Used, messages: int) -> Row:
    """`messages` is what the CPU seconds are divided by."""
    thousands = max(1, messages) / 1000
    return {
        "cpu_per_1000": round(used.cpu.total / thousands, 4),
        "cpu_user_per_1000": round(used.cpu.user / thousands, 4),
        "cpu_system_per_1000": round(used.cpu.system / thousands, 4),
        "rss_mib": round(used.resident),
        "pss_mib": round(used.proportional),
    }


@contextmanager
def running(system: System) -> Iterator[System]:
    try:
        system.start()
        yield system
    finally:
        system.stop()


LOADS = (
    Load("accept-kept", ACCEPT, 1.0, "Accepted, connections kept", accept_kept),
    Load("accept-single", ACCEPT, 0.2, "Accepted, one message per TLS connection", accept_single),
    Load("delivered", DELIVER, 0.5, "Accepted, signed (where the system signs), delivered", delivered),
    Load("latency", DELIVER, 0.01, "Idle: 250 to the first byte at the receiver", latency),
    Load(
        "api",
        API,
        1.0,
        "Accepted by the API, connections kept",
        accept_kept,
        {"connections": 32, "size": 2048},
    ),
    Load("api-delivered", API_DELIVER, 0.5, "Accepted by the API, signed, delivered", delivered),
)
