"""A process that has everything imported, and from which relays and commands are forked: a start costs a fraction of
the time.

Most of what a start takes is imports. Tests that start a hundred processes start this once. What Postroom makes of its
environment and of chance while it is imported, it makes anew after the fork.

A relay is a child of the test, as with Popen: the fork in between ends, and the test adopts what is left.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TextIO

_PR_SET_CHILD_SUBREAPER = 36
_POLL = 0.005
_SERVER = "from support.warm import serve; serve()"


class Forked:
    """What tests need of a Popen."""

    def __init__(self, pid: int, stdout: TextIO | None = None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._looking = threading.Lock()  # only one thread is told how it ended

    def poll(self) -> int | None:
        with self._looking:
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
    """Starts `python -m postroom` with these arguments and this environment, time and again."""

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

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], *files: int) -> int:
        """Its process id. `files` are its standard input, output and error."""
        asked = json.dumps({"arguments": list(arguments), "environment": dict(environment)})
        socket.send_fds(self._ours, [asked.encode()], list(files))
        return int(self._ours.recv(100))

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


@cache
def warm() -> Warm:
    """That of this test process."""
    started = Warm()
    atexit.register(started.close)
    return started


def serve() -> None:
    """In the process of its own: fork for each request, until nobody asks any more."""
    import postroom.node  # noqa: F401
    from postroom.cli.main import COMMANDS

    for place in COMMANDS.values():
        importlib.import_module(f"postroom.cli.{place.module}")
    gc.freeze()  # the collector of a relay leaves alone what all of them share
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        while True:
            message, files, _, _ = socket.recv_fds(asked, 1 << 20, 3)
            if not message:
                return
            asked.send(str(_fork(asked, files, **json.loads(message))).encode())
            for file in files:
                os.close(file)


def _fork(asked: socket.socket, files: Sequence[int], **request: Any) -> int:
    """The process id, once it is no child of a child of ours: from then on the test may wait for it."""
    read, write = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.close(read)
        pid = os.fork()
        if pid == 0:
            os.close(write)
            _become_postroom(asked, files, **request)
        os.write(write, str(pid).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(middle, 0)
    with os.fdopen(read) as told:
        return int(told.read())


def _become_postroom(
    asked: socket.socket, files: Sequence[int], arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    """As `python -m postroom` with these arguments; the end of it is the end of this process."""
    from postroom.cli.main import run
    from postroom.runtime import clock, ids, killpoints

    asked.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    # They look at the environment, or at chance, when they are imported.
    for module in (clock, ids, killpoints):
        importlib.reload(module)
    sys.argv = ["postroom", *arguments]
    run()
    sys.exit()
