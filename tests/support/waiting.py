"""Waiting for what other processes do, and ports for them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.02


def until(look: Callable[[], T], seconds: float = 20.0, *, what: str = "") -> T:
    """What `look` returns as soon as that is true. AssertionError with the last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what or look}; last seen: {seen!r}")
        time.sleep(PAUSE)
    return seen


def free_port(*hosts: str) -> int:
    """A TCP port that is free on all these addresses, for programs that cannot be given port 0."""
    for _ in range(50):
        with ExitStack() as held:
            first = held.enter_context(socket.create_server((hosts[0] if hosts else "127.0.0.1", 0)))
            port: int = first.getsockname()[1]
            try:
                for host in hosts[1:]:
                    held.enter_context(socket.create_server((host, port)))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port is free on {', '.join(hosts)}")


def accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
