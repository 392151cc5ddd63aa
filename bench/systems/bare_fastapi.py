"""The ceiling for an API of FastAPI and uvicorn: the smallest program that checks a message and keeps it.

One process (`bare_fastapi_app`), uvloop and httptools as in Postroom, no log. It checks the body with pydantic, and inserts
one row per request into SQLite with synchronous=FULL, all that wait in one transaction; the answer comes after the
commit. No token, no rules, no MIME, no queue: what Postroom does more is what the ratio shows.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from systems import API, System, first_line, run

APP = Path(__file__).with_name("bare_fastapi_app.py")


class BareFastApi(System):
    name: ClassVar[str] = "bare-fastapi"
    roles: ClassVar[frozenset[str]] = frozenset({API})

    @classmethod
    def missing(cls) -> str:
        return ""

    @classmethod
    def version(cls) -> str:
        return run(sys.executable, "-c", "import fastapi; print('FastAPI', fastapi.__version__)").strip()

    def start(self) -> None:
        self.directory.mkdir(parents=True)
        with (self.directory / "app.log").open("w") as log:
            process = self.group.spawn(
                [sys.executable, APP, self.directory / "app.db"], stdout=subprocess.PIPE, stderr=log
            )
        port = first_line(process)
        if not port.strip().isdigit():
            raise RuntimeError(f"{self.name} does not listen: {self.log_end()}")
        self.http_port = int(port)
