"""A PostgreSQL server for Postroom, durable as by default, in the group of what uses it: its CPU and memory count."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from groups import Group

from systems import START_SECONDS, free_port, run

SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB"}


def binaries() -> Path | None:
    """The directory of initdb and postgres: Debian's newest, or in PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    in_path = shutil.which("postgres")
    candidates = [*reversed(debian), *([Path(in_path).parent] if in_path else [])]
    return next((path for path in candidates if (path / "initdb").exists()), None)


def missing() -> str:
    return "" if binaries() is not None else "PostgreSQL is not installed (Debian: postgresql)"


def version() -> str:
    return run(_binary("postgres"), "--version").replace("postgres (PostgreSQL)", "PostgreSQL").strip()


def start(group: Group, directory: Path) -> str:
    """Make a cluster in `directory` and run it; the URL of an empty database."""
    user = "postgres" if os.geteuid() == 0 else ""  # it refuses to be root
    directory.mkdir(parents=True)
    if user:
        shutil.chown(directory, user, user)
    initdb = [_binary("initdb"), "-D", directory / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    identity = {"user": user, "group": user, "extra_groups": []} if user else {}
    run(*initdb, "--locale=C", "--no-sync", cwd="/", **identity)
    port = free_port()
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    command = [_binary("postgres"), "-D", directory / "data", "-k", directory, "-h", "127.0.0.1", "-p", port]
    with (directory / "postgres.log").open("w") as log:
        group.spawn([*command, *settings], user=user, stdout=log, stderr=log)
    _wait(port, directory / "postgres.log")
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _wait(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(RuntimeError, subprocess.SubprocessError):
            run(_binary("pg_isready"), "-h", "127.0.0.1", "-p", port)
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL does not listen: {log.read_text()[-2000:]}")


def _binary(name: str) -> Path:
    directory = binaries()
    assert directory is not None
    return directory / name
