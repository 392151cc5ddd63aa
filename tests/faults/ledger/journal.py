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

    @property
    def size(self) -> int:
        """In octets; `read` takes it, to begin behind what is there now."""
        return os.fstat(self._file).st_size

    def write(self, **fact: Any) -> None:
        with self._lock:
            os.write(self._file, json.dumps(fact).encode() + b"\n")
            os.fsync(self._file)

    def read(self, behind: int = 0) -> list[dict[str, Any]]:
        with self._path.open("rb") as file:
            file.seek(behind)
            return [json.loads(line) for line in file]

    def close(self) -> None:
        os.close(self._file)
