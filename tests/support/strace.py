"""System calls of running processes, recorded in order (strace), and faults put into them.

    with recording(log, pids, "pwrite64,fdatasync,sendto") as ...:
        ...
    for call in calls(log): ...

One strace for all processes, so that their calls are in one order. A call has the line on which it began and the one
on which it ended: what matters for "before" and "after" when threads overlap.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.process import Launch
from support.tools import need, unavailable
from support.waiting import until

SETTLE = 0.1
"""Seconds for calls that have done their work to be written down, too."""
STRING = 4_000_000
"""Octets of a string that are recorded: all."""

_WAITING = """
import os, signal, sys
os.kill(os.getpid(), signal.SIGSTOP)
os.execv(sys.executable, [sys.executable, "-m", "postroom", *sys.argv[1:]])
"""
_LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\((?P<args>.*)\) += (?P<result>-?\d+|\?)(?P<note>.*)", re.DOTALL)
_DATA = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FILE = re.compile(r"\d+<(?P<name>.*?)>(?=[,)]|$)")


@dataclass(slots=True)
class Call:
    """`args` as strace prints them; `began` and `ended` are line numbers, `result` what the kernel answered.

    `opened` is the path behind the descriptor that it answered with, if it did.
    """

    pid: int
    name: str
    args: str
    result: int
    began: int
    ended: int
    opened: str = ""

    @property
    def file(self) -> str:
        """The path or the socket that the first argument is a descriptor of; "" if it is none."""
        found = _FILE.match(self.args)
        return _plain(found["name"]) if found else ""

    @property
    def strings(self) -> list[bytes]:
        """All strings among the arguments."""
        return [bytes.fromhex(text.replace("\\x", "")) for text in _DATA.findall(self.args)]

    @property
    def data(self) -> bytes:
        return b"".join(self.strings)

    @property
    def numbers(self) -> list[int]:
        """The plain numbers among the arguments."""
        return [int(part) for part in self.args.split(", ") if part.lstrip("-").isdigit()]


def _plain(text: str) -> str:
    """With -xx strace writes the path of a descriptor in hexadecimal, too."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text)


def calls(log: Path) -> list[Call]:
    """Every call that has ended, in the order of their ends."""
    open_calls: dict[int, tuple[str, int]] = {}
    found: list[Call] = []
    for number, line in enumerate(log.read_text("utf-8", "replace").splitlines()):
        match = _LINE.match(line)
        if match is None:
            continue
        pid, rest, began = int(match["pid"]), match["rest"], number
        if rest.endswith("<unfinished ...>"):
            open_calls[pid] = rest.removesuffix("<unfinished ...>").rstrip(" "), number
            continue
        resumed = _RESUMED.match(rest)
        if resumed is not None:
            start, began = open_calls.pop(pid, ("", number))
            rest = start + resumed["rest"]
        call = _CALL.match(rest)
        if call is not None and call["result"] != "?":
            opened = _plain(call["note"].strip().removeprefix("<").removesuffix(">"))
            found.append(Call(pid, call["name"], call["args"], int(call["result"]), began, number, opened))
    return found


@contextmanager
def recording(log: Path, pids: Sequence[int], trace: str) -> Iterator[None]:
    """Write these calls of these processes, and of those they start, to `log` until the block ends."""
    with _attached(pids, ["-yy", "-xx", "-s", str(STRING), "-e", f"trace={trace}", "-o", str(log)]):
        yield
        time.sleep(SETTLE)


@contextmanager
def from_the_start(log: Path, trace: str) -> Iterator[Launch]:
    """The same for a relay that is launched within the block, and all it does."""
    with ExitStack() as stack:

        def launch(arguments: Sequence[str], environment: Mapping[str, str], errors: Path) -> Any:
            with errors.open("ab") as file:
                process = subprocess.Popen(
                    [sys.executable, "-c", _WAITING, *arguments],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                )
            until(lambda: "State:\tT " in Path(f"/proc/{process.pid}/status").read_text())
            stack.enter_context(recording(log, [process.pid], trace))
            process.send_signal(signal.SIGCONT)
            return process

        yield launch


@contextmanager
def injecting(pid: int, *faults: str) -> Iterator[None]:
    """Put faults into the calls of a process, like "fdatasync:error=EIO:when=1", until the block ends."""
    names = {fault.partition(":")[0] for fault in faults}
    options = ["-e", f"trace={','.join(sorted(names))}", "-o", "/dev/null"]
    for fault in faults:
        options += ["-e", f"inject={fault}"]
    with _attached([pid], options):
        yield


@contextmanager
def _attached(pids: Sequence[int], options: list[str]) -> Iterator[None]:
    command = [need("strace"), "-f", *options]
    for pid in pids:
        command += ["-p", str(pid)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    said = ""

    def attached() -> bool:
        nonlocal said
        with suppress(TypeError, OSError):
            said += process.stderr.read() or ""  # type: ignore[union-attr]
        if process.poll() is not None and "not permitted" in said:
            unavailable("strace may not attach to processes here (ptrace)")
        assert process.poll() is None, said
        return all(all_traced(pid, process.pid) for pid in pids)

    try:
        until(attached, what=f"strace is attached: {said}")
        yield
    finally:
        process.send_signal(signal.SIGINT)  # it lets go of everybody, and they run on
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()


def all_traced(pid: int, tracer: int) -> bool:
    """Whether every thread of a process has this tracer."""
    with suppress(OSError):
        return all(
            f"TracerPid:\t{tracer}\n" in (task / "status").read_text()
            for task in Path(f"/proc/{pid}/task").iterdir()
        )
    return False


def children(pid: int) -> list[int]:
    """Processes that this one has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found
