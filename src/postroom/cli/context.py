"""What a command is given: its settings, the database, the clock, the key of secrets, and where to print."""

from __future__ import annotations

import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import make_url

from postroom import config as settings
from postroom.cli.output import Output
from postroom.config import Config, Log
from postroom.errors import PostroomError
from postroom.runtime import logs
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import revision
from postroom.store.database import Database
from postroom.types.actor import Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Options:
    """The options of every command."""

    data: Path | None = None
    config: Path | None = None
    as_json: bool = False
    verbose: bool = False

    def over(self, before: Options) -> Options:
        """These, and where they are silent those given before the command's name."""
        return Options(
            self.data or before.data,
            self.config or before.config,
            self.as_json or before.as_json,
            self.verbose or before.verbose,
        )


class Context:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.out = Output(as_json=options.as_json)
        self.clock = Clock()
        logs.configure(Log(level="debug" if options.verbose else "warning"))

    @cached_property
    def config(self) -> Config:
        """Raises ConfigError that names file, key and reason."""
        return settings.load(self.options.config, data=self.options.data)

    @cached_property
    def secrets(self) -> SecretBox:
        return SecretBox.load(self.config.secret_key_file)

    @cached_property
    def actor(self) -> Actor:
        """Who runs the command, for the audit log: the name of the login on this machine."""
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = str(os.getuid())
        return Actor(ActorKind.COMMAND, name=name)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The database, at the version of this program. Raises PostroomError when there is none or it is older."""
        url = self.config.database_url
        file = make_url(url).database if url.startswith("sqlite") else None
        if file and not Path(file).exists():  # noqa: ASYNC240 - nothing else runs yet
            raise PostroomError(
                f"there is no database at {file} yet: start `postroom serve`, or run `postroom migrate`"
            )
        database = await Database.open(url, timeout=10.0, pool=2)
        try:
            await revision.check(database)
            yield database
        finally:
            await database.close()
