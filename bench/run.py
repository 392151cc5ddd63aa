#!/usr/bin/env python3
"""Runs Postroom beside its peers under the same load, and prints what came of it, with ratios.

    bench/run.py                                 everything that is installed, three rounds (about 15 minutes)
    bench/run.py --quick                         a smoke test of a minute; its figures mean nothing
    bench/run.py --loads accept-kept --systems postroom-sqlite,postfix
    bench/run.py --loads backlog --rounds 1      a million messages queued (another quarter of an hour and 10 GB)

As root on Linux everything runs in private namespaces (no packet leaves), and what it needs of Debian is installed by
`bench/packages.sh`. Method and results are in docs/performance.md.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

import backlog
import isolation
import machine
import report
import smtp
from loads import LOADS, Load, Row, running, warm_up
from report import Run
from smtp import Sink, Traffic
from systems import DELIVER, Site, System
from systems.bare_fastapi import BareFastApi
from systems.exim import Exim
from systems.postfix import Postfix
from systems.postfix_opendkim import PostfixOpenDkim
from systems.postroom import Postroom, PostroomPostgres

SYSTEMS: dict[str, type[System]] = {
    system.name: system
    for system in (Postroom, Postfix, PostroomPostgres, PostfixOpenDkim, Exim, BareFastApi)
}
NAMES = [load.name for load in LOADS]
BACKLOG = "backlog"
QUICK = {"messages": 300, "rounds": 1}
OUT = Path(__file__).parent / "out"


def main() -> int:
    options = _options()
    scratch = isolation.scratch()
    if scratch is None:
        smtp.build()
        return isolation.run_inside(sys.argv, options.scratch)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run = _benchmark(options, scratch)
    except KeyboardInterrupt:
        return 130
    files = report.write(run, options.out, time.strftime("%Y-%m-%d-%H%M%S"))
    print("\n" + report.as_markdown(run))
    print("\n".join(f"written: {file}" for file in files))
    return 1 if run.failures else 0


def _benchmark(options: argparse.Namespace, scratch: Path) -> Run:
    traffic = Traffic(options.messages, options.connections, size=options.size, text=options.text)
    sink = Sink()
    site = Site(scratch, sink.host, sink.port)
    reasons = {name: SYSTEMS[name].missing() for name in options.systems}
    systems = [SYSTEMS[name] for name in options.systems if not reasons[name]]
    shown = ("messages", "connections", "size", "text", "rounds", "quick")
    run = Run(
        machine=machine.describe(scratch),
        settings={name: getattr(options, name) for name in shown},
        versions={system.name: system.version() for system in systems},
        skipped={name: reason for name, reason in reasons.items() if reason},
        titles={load.name: load.title for load in LOADS},
    )
    loads = [load for load in LOADS if load.name in options.loads]
    try:
        for number in range(1, options.rounds + 1):
            for role in dict.fromkeys(load.role for load in loads):
                for system in systems:
                    if role in system.roles:
                        mine = [load for load in loads if load.role == role]
                        _measure(run, number, system(site, role), mine, traffic, sink)
            if BACKLOG in options.loads:
                _measure_backlog(run, number, systems, site, sink, options.backlog)
    finally:
        sink.stop()
    return run


def _measure(
    run: Run, number: int, system: System, loads: Iterable[Load], traffic: Traffic, sink: Sink
) -> None:
    """All loads of one role, one after the other on the same instance."""

    def work() -> None:
        with running(system):
            warm_up(system, traffic, sink)
            for load in loads:
                _keep(run, number, load.name, system.name, load.run(system, load.traffic(traffic), sink))

    _try(run, system, number, work)


def _measure_backlog(
    run: Run, number: int, systems: Iterable[type[System]], site: Site, sink: Sink, queued: int
) -> None:
    for kind in systems:
        if not issubclass(kind, Postroom):
            continue
        for name, measure in (
            ("backlog-few", backlog.few),
            ("backlog-many", lambda system, sink: backlog.many(system, sink, queued)),
        ):
            system = kind(site, DELIVER)

            def work(
                system: Postroom = system, name: str = name, measure: Callable[..., Row] = measure
            ) -> None:
                try:
                    _keep(run, number, name, system.name, measure(system, sink))
                finally:
                    system.stop()

            _try(run, system, number, work)


def _try(run: Run, system: System, number: int, work: Callable[[], None]) -> None:
    """One system's trouble does not end the run, but is told at its end."""
    try:
        work()
    except Exception as error:
        run.failures.append(f"{system.name}, round {number}: {error}")
        traceback.print_exc()
    finally:
        system.clear()


def _keep(run: Run, number: int, load: str, system: str, row: Row) -> None:
    run.rows.append({"load": load, "system": system, "round": number} | row)
    shown = ("rate", "ack_p99_ms", "cpu_per_1000", "first_byte_p99_ms", "errors", "missing")
    print(
        f"{number} {load:<14} {system:<18}",
        *(f"{name}={row[name]}" for name in shown if name in row),
        flush=True,
    )
    if "first_errors" in row:
        print(row["first_errors"], file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--loads",
        type=_names([*NAMES, BACKLOG]),
        default=NAMES,
        metavar="A,B",
        help=f"of {', '.join(NAMES)}, {BACKLOG} (default: all but the last)",
    )
    parser.add_argument(
        "--systems",
        type=_names(SYSTEMS),
        default=list(SYSTEMS),
        metavar="A,B",
        help=f"of {', '.join(SYSTEMS)} (default: all)",
    )
    parser.add_argument("--rounds", type=int, default=3, help="the systems alternate within a round (3)")
    parser.add_argument(
        "--messages", type=int, default=20000, help="of accept-kept; other loads take a share (20000)"
    )
    parser.add_argument("--size", type=int, default=10240, help="octets of a message (10240)")
    parser.add_argument(
        "--text", action="store_true", help="messages of words instead of mostly random base64"
    )
    parser.add_argument("--connections", type=int, default=20, help="of the generator (20)")
    parser.add_argument(
        "--backlog",
        type=int,
        default=1_000_000,
        metavar="N",
        help="messages queued before the start, with the load backlog (1000000)",
    )
    parser.add_argument(
        "--scratch", type=Path, metavar="DIR", help="where the temporary directory goes: a real disk"
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="DIR", help="where the results are written (bench/out)"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK['messages']} messages, {QUICK['rounds']} round"
    )
    options = parser.parse_args()
    if options.quick:
        options.messages, options.rounds = QUICK["messages"], QUICK["rounds"]
    return options


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    sys.exit(main())
