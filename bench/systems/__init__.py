"""The systems under test: one file each, and what they have in common.

A system takes mail on a loopback port and plays one of these roles. By SMTP, with STARTTLS, AUTH PLAIN and the
certificate of `Site` (ECDSA P-256): `ACCEPT`, where messages end in its durable queue and stay there, or `DELIVER`, where
it brings them to the sink. By `POST /v1/email` over plain HTTP: `API` and `API_DELIVER`, the same two. A system whose
programs are missing says so and is skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from groups import Group

ACCEPT, DELIVER, API, API_DELIVER = "accept", "deliver", "api", "api-deliver"
DOMAIN = "example.test"
HOSTNAME = "mx.bench.test"
START_SECONDS = 60.0


@dataclass
class Site:
    """What all systems are given: a directory, keys, and where the sink is."""

    scratch: Path
    sink_host: str
    sink_port: int

    @cached_property
    def certificate(self) -> tuple[Path, Path]:
        """(certificate, key) in PEM."""
        certificate, key = self.scratch / "server.crt", self.scratch / "server.key"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        name = ["-subj", f"/CN={HOSTNAME}", "-addext", f"subjectAltName=DNS:{HOSTNAME}"]
        files = ["-keyout", key, "-out", certificate]
        run("openssl", "req", "-x509", *curve, "-nodes", "-days", "30", *name, *files)
        key.chmod(0o644)  # Exim reads it as its own user; it is worth nothing
        return certificate, key

    @cached_property
    def dkim_key(self) -> Path:
        """RSA-2048 in PEM."""
        key = self.scratch / "dkim.key"
        run("openssl", "genrsa", "-out", key, "2048")
        return key


class System(ABC):
    """`start` it, use `port` and `login`, or `http_port` and `token`, and `group`; `stop` it. A new one for each time."""

    name: ClassVar[str]
    roles: ClassVar[frozenset[str]] = frozenset({ACCEPT, DELIVER})

    port: int
    login: tuple[str, str] = (f"bench@{DOMAIN}", "secret")
    http_port: int
    token: str = "none"

    def __init__(self, site: Site, role: str) -> None:
        self.site = site
        self.role = role
        self.directory = site.scratch / self.name
        self.group = Group(site.scratch)

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Why it cannot be run here; "" if it can."""

    @classmethod
    @abstractmethod
    def version(cls) -> str: ...

    @abstractmethod
    def start(self) -> None:
        """Set it up in an empty `directory`; it takes mail when this returns."""

    def stop(self) -> None:
        self.group.stop()

    def clear(self) -> None:
        """Remove what it has left on disk."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_until_it_greets(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.settimeout(5)
                    if connection.recv(100).startswith(b"220"):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen: {self.log_end()}")

    def log_end(self) -> str:
        """The end of everything it has written, for messages of error."""
        texts = [path.read_text("utf-8", "replace") for path in sorted(self.directory.glob("*log"))]
        return "".join(texts)[-2000:]


def run(*command: object, **options: object) -> str:
    """Standard output of a command that has to succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return str(done.stdout)


def first_line(process: subprocess.Popen[str]) -> str:
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


def free_port() -> int:
    """A port that nobody else uses, in a private network at least."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def needs_root() -> str:
    return "" if os.geteuid() == 0 else "can only be started by root"
