"""A file of facts, each of them on stable storage before anybody acts on it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any


class Journal:
    """One JSON object a line. Several threads may write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._lock = threading.Lock()

    def write(self, **fact: Any) -> None:
        with self._lock:
            os.write(self._file, json.dumps(fact).encode() + b"\n")
            os.fsync(self._file)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]

    def close(self) -> None:
        os.close(self._file)
