"""The processes of one system under test, counted together: CPU, memory, and their end.

CPU comes from a control group (cpuacct of version 1, or version 2), which also counts children that live for one
connection only. Where no control group can be made, /proc is added up for the processes started and their descendants,
which misses children that nobody waited for.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

VERSION_1 = Path("/sys/fs/cgroup/cpuacct")
VERSION_2 = Path("/sys/fs/cgroup")
TICKS = os.sysconf("SC_CLK_TCK")
MIB_IN_KIB = 1024

_number = count(1)


@dataclass(frozen=True)
class Cpu:
    """Seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        return self.user + self.system

    def __sub__(self, earlier: Cpu) -> Cpu:
        return Cpu(self.user - earlier.user, self.system - earlier.system)


class Group:
    """`scratch` is the run's temporary directory; its name keeps control groups of several runs apart."""

    def __init__(self, scratch: Path) -> None:
        self._started: list[subprocess.Popen[str]] = []
        self._cgroup = _make_cgroup(scratch.name)

    def spawn(
        self,
        command: Sequence[object],
        *,
        environment: Mapping[str, str] | None = None,
        user: str = "",
        stdout: int | IO[str] = subprocess.DEVNULL,
        stderr: int | IO[str] = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """Start a process that belongs to the group, from its first instruction on."""
        words = [str(word) for word in command]
        if user:
            words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *words]
        if self._cgroup is not None:
            words = ["sh", "-c", f'echo $$ > {self._cgroup}/cgroup.procs; exec "$@"', "sh", *words]
        process = subprocess.Popen(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            cwd="/",
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def processes(self) -> list[int]:
        if self._cgroup is not None:
            return [int(word) for word in (self._cgroup / "cgroup.procs").read_text().split()]
        return _descendants({process.pid for process in self._started if process.poll() is None})

    def cpu(self) -> Cpu:
        if self._cgroup is None:
            return _cpu_of_processes(self.processes())
        version_1 = self._cgroup / "cpuacct.stat"
        if version_1.exists():
            used = _table(version_1)
            # `usage` is exact; `stat` counts ticks of 10 ms and tells user from system.
            exact = int((self._cgroup / "cpuacct.usage").read_text()) / 1e9
            ticks = (used["user"] + used["system"]) or 1
            return Cpu(exact * used["user"] / ticks, exact * used["system"] / ticks)
        used = _table(self._cgroup / "cpu.stat")
        return Cpu(used["user_usec"] / 1e6, used["system_usec"] / 1e6)

    def memory(self) -> tuple[float, float]:
        """(RSS, PSS) in MiB: RSS counts a shared page once for each process, PSS divides it among them."""
        resident = proportional = 0
        for process in self.processes():
            with suppress(OSError):  # it has ended meanwhile
                for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Rss:"):
                        resident += int(line.split()[1])
                    elif line.startswith("Pss:"):
                        proportional += int(line.split()[1])
        return resident / MIB_IN_KIB, proportional / MIB_IN_KIB

    def stop(self) -> None:
        """End all of them, by force after ten seconds."""
        for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            for process in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(process, number)
            deadline = time.monotonic() + patience
            while self._alive() and time.monotonic() < deadline:
                time.sleep(0.05)
        for started in self._started:
            if started.stdout is not None:
                started.stdout.close()
        if self._cgroup is not None:
            with suppress(OSError):  # `remove_all` tries again
                self._cgroup.rmdir()

    def _alive(self) -> bool:
        for process in self._started:
            process.poll()
        return bool(self.processes())


def kind() -> str:
    """Where CPU times come from, in words."""
    root = _root()
    if root is None:
        return "/proc, without children nobody waited for"
    return "control groups, version 1 (cpuacct)" if root == VERSION_1 else "control groups, version 2"


def remove_all(scratch: Path) -> None:
    """Remove what a run that was killed has left."""
    left = [path for root in (VERSION_1, VERSION_2) for path in root.glob(f"{scratch.name}-*")]
    deadline = time.monotonic() + 5
    while left and time.monotonic() < deadline:
        for directory in left:
            with suppress(OSError):  # its processes are still ending
                directory.rmdir()
        left = [directory for directory in left if directory.exists()]
        time.sleep(0.05)


def _root() -> Path | None:
    if os.access(VERSION_1, os.W_OK):
        return VERSION_1
    if (VERSION_2 / "cgroup.controllers").exists() and os.access(VERSION_2, os.W_OK):
        return VERSION_2
    return None


def _make_cgroup(name: str) -> Path | None:
    root = _root()
    if root is None:
        return None
    directory = root / f"{name}-{next(_number)}"
    try:
        directory.mkdir()
    except OSError:
        return None
    return directory


def _table(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}


def _descendants(ancestors: set[int]) -> list[int]:
    parents = {}
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(directory.name)] = int(_stat(int(directory.name))[1])
    found = set(ancestors)
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _cpu_of_processes(processes: Sequence[int]) -> Cpu:
    """Of each its own and that of the children it has waited for."""
    user = system = 0
    for process in processes:
        with suppress(OSError):
            fields = _stat(process)
            user += int(fields[11]) + int(fields[13])
            system += int(fields[12]) + int(fields[14])
    return Cpu(user / TICKS, system / TICKS)


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the program's name, which may hold anything: state, parent, ..."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
