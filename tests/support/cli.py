"""The command line inside the test's process: quick, and as users call it.

`cli` works on a fresh SQLite database in `cli.data`; nothing serves it. Whole processes are in `support.process`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer import Context
from typer.main import get_command
from typer.testing import CliRunner

from postroom.cli.main import app
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database

T = TypeVar("T")


class Cli:
    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, *arguments: str, input: str | None = None) -> Any:
        """The result of one command: `exit_code`, `stdout`, `stderr`."""
        result = CliRunner().invoke(app, ["--data", str(self.data), *arguments], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def text(self, *arguments: str, input: str | None = None) -> str:
        """What people see of a command that succeeds."""
        result = self.run(*arguments, input=input)
        assert result.exit_code == 0, result.stderr
        return str(result.stdout)

    def json(self, *arguments: str, input: str | None = None) -> Any:
        """What programs see of a command that succeeds."""
        return json.loads(self.text(*arguments, "--json", input=input))

    def error(self, *arguments: str, status: int = 1, input: str | None = None) -> str:
        """What a command that fails says."""
        result = self.run(*arguments, input=input)
        assert result.exit_code == status, (result.exit_code, result.stdout, result.stderr)
        assert result.stdout == ""
        return str(result.stderr)

    def store(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do something with the database itself."""

        async def do() -> T:
            database = await Database.open(f"sqlite:///{self.data / 'postroom.db'}", pool=2)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(do())


def every_command() -> list[str]:
    """The names of all commands, such as "account add"."""
    return list(_names(get_command(app), ""))


def _names(command: Any, name: str) -> Iterator[str]:
    if not hasattr(command, "list_commands"):
        yield name
        return
    context = Context(command)
    for inside in command.list_commands(context):
        yield from _names(command.get_command(context, inside), f"{name} {inside}".strip())


@pytest.fixture
def cli(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    for variable in ("POSTROOM_DATA", "POSTROOM_CONFIG", "POSTROOM_DATABASE__URL"):
        monkeypatch.delenv(variable, raising=False)
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "postroom.db")
    SecretBox.load(data / "secret.key", create=True)
    return Cli(data)
