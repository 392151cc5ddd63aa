"""Postroom, set up through its own command line as a user would: one process, on SQLite or on PostgreSQL.

`ACCEPT` is the role `submission`: messages are kept, and left for nodes that deliver. `DELIVER` is everything, with a
route to the sink.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

from systems import ACCEPT, DOMAIN, HOSTNAME, START_SECONDS, Site, System, postgres, run

SOURCE = Path(__file__).parents[2] / "src"


class Postroom(System):
    name: ClassVar[str] = "postroom-sqlite"

    def __init__(self, site: Site, role: str) -> None:
        super().__init__(site, role)
        self.data = self.directory / "data"
        self.database_url = ""

    @classmethod
    def missing(cls) -> str:
        return ""

    @classmethod
    def version(cls) -> str:
        found = re.search(r'__version__ = "(.+)"', (SOURCE / "postroom/__init__.py").read_text())
        return f"Postroom {found[1] if found else '?'}"

    def start(self) -> None:
        self.prepare()
        self.serve()

    def prepare(self) -> None:
        """Everything up to the first `serve`: database, account, domain, SMTP user."""
        self.directory.mkdir(parents=True)
        self.database_url = self.make_database()
        self.command("migrate")
        self.login = self.add_tenant(DOMAIN)

    def make_database(self) -> str:
        """The URL of an empty database."""
        return f"sqlite:///{self.data / 'postroom.db'}"

    def add_tenant(self, domain: str) -> tuple[str, str]:
        """An account with a domain nobody has to verify; the username and password of its SMTP user."""
        account = self.command("account", "add", domain, "--approved")
        self.command("domain", "add", domain, "--account", account["id"], "--trusted")
        user = self.command("smtp-user", "add", domain, "--name", "bench")
        return user["username"], user["password"]

    def command(self, *words: str) -> Any:
        """The answer of a command."""
        return json.loads(run(sys.executable, "-m", "postroom", *words, "--json", env=self.environment()))

    def serve(self) -> None:
        """Start the process, and wait for the line that tells its ports."""
        command = [sys.executable, "-m", "postroom", "serve"]
        command += ["--role", "submission"] if self.role == ACCEPT else []
        with (self.directory / "serve.log").open("a") as log:
            process = self.group.spawn(
                command, environment=self.environment(), stdout=subprocess.PIPE, stderr=log
            )
        line = _first_line(process)
        if not line.startswith("ready "):
            raise RuntimeError(f"{self.name} is not ready: {self.log_end()}")
        listeners = json.loads(line.removeprefix("ready "))["submission"]
        self.port = next(listener["port"] for listener in listeners if listener["tls"] == "starttls")

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("POSTROOM_")}
        certificate, key = self.site.certificate
        route = {"domain": "*", "host": self.site.sink_host, "port": self.site.sink_port, "tls": "none"}
        return inherited | {
            "PYTHONPATH": str(SOURCE),
            "POSTROOM_DATA": str(self.data),
            "POSTROOM_DATABASE__URL": self.database_url,
            "POSTROOM_SERVER__HOSTNAME": HOSTNAME,
            "POSTROOM_SUBMISSION__LISTEN": "127.0.0.1:0",
            "POSTROOM_SUBMISSION__IMPLICIT_TLS_LISTEN": "127.0.0.1:0",
            "POSTROOM_HTTP__LISTEN": "127.0.0.1:0",
            "POSTROOM_TLS__CERTIFICATE": str(certificate),
            "POSTROOM_TLS__KEY": str(key),
            "POSTROOM_DELIVERY__ROUTES": json.dumps([route]),
        }


class PostroomPostgres(Postroom):
    name: ClassVar[str] = "postroom-postgres"

    @classmethod
    def missing(cls) -> str:
        return postgres.missing()

    @classmethod
    def version(cls) -> str:
        return f"{super().version()}, {postgres.version()}"

    def make_database(self) -> str:
        return postgres.start(self.group, self.directory / "postgres")


def _first_line(process: subprocess.Popen[str]) -> str:
    """What it says first; "" when it says nothing within a minute. Whatever comes later is read and dropped."""
    assert process.stdout is not None
    stream, said, lines = process.stdout, threading.Event(), []

    def read() -> None:
        for line in stream:
            lines.append(line)
            said.set()
        said.set()

    threading.Thread(target=read, daemon=True).start()
    said.wait(START_SECONDS)
    return lines[0] if lines else ""
