"""The machine: what it is, the trap in its memory, and how much of it a load uses."""

from __future__ import annotations

import mmap
import os
import platform
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import groups
import isolation
from groups import Cpu, Group

PREFAULT = 768 * 1024 * 1024
SAMPLE_SECONDS = 0.25
SETTLE_SECONDS = 0.5


@dataclass
class Used:
    """What a group has used: CPU seconds, and its largest memory in MiB."""

    cpu: Cpu = field(default_factory=lambda: Cpu(0, 0))
    resident: float = 0.0
    proportional: float = 0.0


@contextmanager
def measuring(group: Group, *, settle: float = SETTLE_SECONDS) -> Iterator[Used]:
    """What the group uses within the block and in the `settle` seconds after it, to which work may have been put off."""
    prefault()
    used = Used()
    before = group.cpu()
    with sampling(group, used):
        yield used
        time.sleep(settle)
    used.cpu = group.cpu() - before


def prefault() -> None:
    """Touch much memory and free it.

    A virtual machine may give free memory back to its host, and the first touch afterwards costs five times as much:
    system time that would be put down to whoever runs next.
    """
    mmap.mmap(-1, PREFAULT, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


@contextmanager
def sampling(group: Group, used: Used) -> Iterator[None]:
    """Keep the largest memory of the group within the block in `used`."""
    ended = threading.Event()

    def watch() -> None:
        while True:
            resident, proportional = group.memory()
            if proportional > used.proportional:
                used.resident, used.proportional = resident, proportional
            if ended.wait(SAMPLE_SECONDS):
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def describe(scratch: Path) -> dict[str, str]:
    """The facts that go with the figures."""
    return {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**30} GiB",
        "disk": _file_system(scratch),
        "system": f"{_distribution()}, Linux {platform.release()}",
        "python": f"{platform.python_version()}, {ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}",
        "network": "private, only lo" if isolation.is_private() else "the machine's loopback",
        "cpu from": groups.kind(),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _file_system(directory: Path) -> str:
    command = ["findmnt", "--noheadings", "--output", "FSTYPE,SOURCE,OPTIONS", "--target", str(directory)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join(found.stdout.split()) or "unknown"
