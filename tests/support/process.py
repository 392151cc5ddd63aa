"""The whole program: `postroom serve` as a process of its own, on loopback ports the system chooses.

`relay` (a fixture; a conftest imports it) is a first run: it has an account, a sandbox domain and an SMTP user.
`starting(...)` is the general way. A process that does not come up, or ends by itself, fails the test with its log.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryFile
from typing import Any, Protocol

import pytest

from support.warm import Forked, warm

SOURCE = Path(__file__).parents[2] / "src"
READY_WITHIN = 180.0
STOPS_WITHIN = 60.0

LOOPBACK = {
    "POSTROOM_SUBMISSION__LISTEN": "127.0.0.1:0",
    "POSTROOM_SUBMISSION__IMPLICIT_TLS_LISTEN": "127.0.0.1:0",
    "POSTROOM_HTTP__LISTEN": "127.0.0.1:0",
    "POSTROOM_DELIVERY__ALLOW_PRIVATE": "true",
    "POSTROOM_SERVER__HOSTNAME": "relay.postroom.test",
}


def environment(data: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of a process on `data`, with `settings` (POSTROOM_SECTION__NAME) over those for loopback."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POSTROOM_")}
    own = {"POSTROOM_DATA": str(data), "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    return inherited | LOOPBACK | own | dict(settings or {})


def run(data: Path, *arguments: str, settings: Mapping[str, str] | None = None, input: str = "") -> Any:
    """One command as a process: `returncode`, `stdout`, `stderr`."""
    with TemporaryFile("w+") as given, TemporaryFile("w+") as said, TemporaryFile("w+") as errors:
        given.write(input)
        given.seek(0)
        files = (given.fileno(), said.fileno(), errors.fileno())
        process = Forked(warm().start(arguments, environment(data, settings), *files))
        try:
            status = process.wait(timeout=180)
        finally:
            process.kill()
        for file in (said, errors):
            file.seek(0)
        return subprocess.CompletedProcess(arguments, status, said.read(), errors.read())


class Launch(Protocol):
    """Starts the program: its errors go to the end of `log`."""

    def __call__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Any: ...


def launch(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Any:
    """The usual way, from a process that has everything imported."""
    read, write = os.pipe()
    with log.open("ab") as errors, Path(os.devnull).open("rb") as nothing:
        pid = warm().start(arguments, environment, nothing.fileno(), write, errors.fileno())
    os.close(write)
    return Forked(pid, os.fdopen(read, "r", encoding="utf-8"))


def launch_cold(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Any:
    """As a user's shell does."""
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "postroom", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


class Relay:
    """A `postroom serve` that is ready. `addresses` is what its ready line says."""

    def __init__(
        self, data: Path, settings: Mapping[str, str], arguments: Sequence[str], launch: Launch = launch
    ) -> None:
        self.data = data
        self.settings = dict(settings)
        self.log_file = data.with_name(f"{data.name}.log")
        self.stdout: list[str] = []
        self.process = launch(["serve", *arguments], environment(data, settings), self.log_file)
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.addresses = self._wait_until_ready()

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    @property
    def authority(self) -> Path:
        return self.data / "tls" / "ca.crt"

    def port(self, tls: str = "starttls") -> int:
        """Of the first listener of this kind, "starttls" or "implicit"."""
        return int(next(entry["port"] for entry in self.addresses["submission"] if entry["tls"] == tls))

    def tls(self) -> ssl.SSLContext:
        """A client's, that believes the relay's authority and checks the name."""
        return ssl.create_default_context(cafile=str(self.authority))

    def smtp(self, username: str = "", password: str = "") -> smtplib.SMTP:
        """A connection inside TLS, logged in if a user is given."""
        client = smtplib.SMTP("localhost", self.port(), timeout=30)
        client.starttls(context=self.tls())
        if username:
            client.login(username, password)
        return client

    def command(self, *arguments: str, input: str = "") -> Any:
        """A command beside the running relay."""
        return run(self.data, *arguments, settings=self.settings, input=input)

    def json(self, *arguments: str, input: str = "") -> Any:
        """The answer of a command that has to succeed."""
        result = self.command(*arguments, "--json", input=input)
        assert result.returncode == 0, f"{arguments}: {result.stderr}\n{self.log}"
        return json.loads(result.stdout)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        try:
            return self.process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the relay did not stop within {STOPS_WITHIN:g} s\n{self.log}")

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.stdout.append(line)
            self._lines.put(line)
        self._lines.put("")

    def _wait_until_ready(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=READY_WITHIN)
        except Empty:
            line = ""
        if not line.startswith("ready "):
            status = self.process.poll()
            self.close()
            pytest.fail(f"the relay is not ready (exit status {status}): {line}\n{self.log}", pytrace=False)
        addresses: dict[str, Any] = json.loads(line.removeprefix("ready "))
        return addresses


@contextmanager
def starting(
    data: Path, *arguments: str, settings: Mapping[str, str] | None = None, launch: Launch = launch
) -> Iterator[Relay]:
    """`postroom serve` with these arguments, killed at the end unless it was stopped."""
    relay = Relay(data, settings or {}, arguments, launch)
    try:
        yield relay
    finally:
        relay.close()


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    """A first run that is ready."""
    with starting(tmp_path / "data", "--first-run") as started:
        yield started
