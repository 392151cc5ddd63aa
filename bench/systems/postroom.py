"""Postroom, set up through its own command line as a user would: one process, on SQLite or on PostgreSQL.

`ACCEPT` is the role `submission`, `API` the role `http`: messages are kept, and left for nodes that deliver. `DELIVER`
and `API_DELIVER` are everything, with a route to the sink.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from systems import (
    ACCEPT,
    API,
    API_DELIVER,
    DELIVER,
    DOMAIN,
    HOSTNAME,
    Site,
    System,
    first_line,
    postgres,
    run,
)

SOURCE = Path(__file__).parents[2] / "src"
PARTS = {ACCEPT: "submission", API: "http"}
"""Of the process, where it is not all of it."""


class Postroom(System):
    name: ClassVar[str] = "postroom-sqlite"
    roles: ClassVar[frozenset[str]] = frozenset({ACCEPT, DELIVER, API, API_DELIVER})

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
        """An account with a domain nobody has to verify; the username and password of its SMTP user.

        `token` is one of the account, for the API.
        """
        account = self.command("account", "add", domain, "--approved")
        self.command("domain", "add", domain, "--account", account["id"], "--trusted")
        user = self.command("smtp-user", "add", domain, "--name", "bench")
        made = self.command(
            "token", "add", "--account", account["id"], "--name", "bench", "--scope", "email_full"
        )
        self.token = made["token"]
        return user["username"], user["password"]

    def command(self, *words: str) -> Any:
        """The answer of a command."""
        return json.loads(run(sys.executable, "-m", "postroom", *words, "--json", env=self.environment()))

    def serve(self) -> None:
        """Start the process, and wait for the line that tells its ports."""
        command = [sys.executable, "-m", "postroom", "serve"]
        command += ["--role", PARTS[self.role]] if self.role in PARTS else []
        with (self.directory / "serve.log").open("a") as log:
            process = self.group.spawn(
                command, environment=self.environment(), stdout=subprocess.PIPE, stderr=log
            )
        line = first_line(process)
        if not line.startswith("ready "):
            raise RuntimeError(f"{self.name} is not ready: {self.log_end()}")
        addresses = json.loads(line.removeprefix("ready "))
        for listener in addresses.get("submission", ()):
            if listener["tls"] == "starttls":
                self.port = listener["port"]
        if "http" in addresses:
            self.http_port = addresses["http"]["port"]

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
            "POSTROOM_API__EMAIL_PER_MINUTE": "0",
            "POSTROOM_SESSIONS__REQUESTS_PER_MINUTE": "0",
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
