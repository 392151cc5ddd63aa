"""A process that has everything imported, and from which relays are forked: a start costs a fraction of the time.

Half of what a start takes is imports. Tests that start a relay a hundred times start this once. What a relay makes of
its environment and of chance while it is imported, it makes anew after the fork.

A relay is a child of the test, as with Popen: the fork in between ends, and the test adopts what is left.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO

_PR_SET_CHILD_SUBREAPER = 36
_POLL = 0.005
_SERVER = "from support.warm import serve; serve()"


class Forked:
    """What tests need of a Popen."""

    def __init__(self, pid: int, stdout: TextIO) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(_POLL)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """While it is entered, `launch` takes the place of the usual start of a relay."""

    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVER, str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.wait()

    def launch(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Forked:
        read, write = os.pipe()
        with log.open("ab") as errors:
            asked = json.dumps({"arguments": list(arguments), "environment": dict(environment)})
            socket.send_fds(self._ours, [asked.encode()], [write, errors.fileno()])
        os.close(write)
        pid = int(self._ours.recv(100))
        return Forked(pid, os.fdopen(read, "r", encoding="utf-8"))


def serve() -> None:
    """In the process of its own: fork for each request, until nobody asks any more."""
    import postroom.cli.main
    import postroom.node  # noqa: F401

    with socket.socket(fileno=int(sys.argv[1])) as asked:
        while True:
            message, files, _, _ = socket.recv_fds(asked, 1 << 20, 2)
            if not message:
                return
            middle = os.fork()
            if middle == 0:
                pid = os.fork()
                if pid == 0:
                    _become_relay(asked, files, **json.loads(message))
                asked.send(str(pid).encode())
                os._exit(0)
            os.waitpid(middle, 0)
            for file in files:
                os.close(file)


def _become_relay(
    asked: socket.socket, files: Sequence[int], arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    """As `python -m postroom` with these arguments; the end of it is the end of this process."""
    from postroom.cli.main import run
    from postroom.runtime import clock, ids, killpoints

    asked.close()
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    for module in (
        clock,
        ids,
        killpoints,
    ):  # they look at the environment, or at chance, when they are imported
        importlib.reload(module)
    sys.argv = ["postroom", *arguments]
    run()
    sys.exit()
