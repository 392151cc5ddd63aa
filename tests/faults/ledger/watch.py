"""Notices when this process stood still itself: the machine was suspended, or had no time for it.

Then so did the relay beside it, and nobody has looked at both sides at that moment.
"""

from __future__ import annotations

import threading
import time
from typing import Self

EVERY = 0.1


class Watch:
    """While it is entered; `longest` is the longest standstill so far, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(EVERY):
            now = time.monotonic()
            self.longest = max(self.longest, now - last - EVERY)
            last = now
