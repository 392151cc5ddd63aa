"""`postroom migrate`: the database at the version of this program, and the key that belongs to it."""

from __future__ import annotations

import typer
from sqlalchemy.engine import make_url

from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.config import Config
from postroom.runtime.files import make_directory
from postroom.runtime.secrets import SecretBox
from postroom.store import migrate as migrations
from postroom.store import revision
from postroom.store.database import Database

app = typer.Typer(add_completion=False)


@command(app)
async def migrate(context: Context) -> None:
    """Bring the database to the version of this program; make it if there is none.

    `postroom serve` does the same when it starts. Make a backup first.
    """
    applied = await prepare(context.config)
    context.out.record("Database", {"database": _place(context.config), "applied": applied})


async def prepare(config: Config) -> list[str]:
    """Run the steps that are missing and return them. A new database gets a key for its secrets.

    Raises SecretError when the database is not new and its key is missing.
    """
    make_directory(config.data)
    database = await Database.open(config.database_url, timeout=10.0, pool=2)
    try:
        # The key comes first: without tables there is nothing yet that another key could have sealed.
        SecretBox.load(config.secret_key_file, create=await revision.current(database) is None)
        return await migrations.upgrade(database)
    finally:
        await database.close()


def _place(config: Config) -> str:
    """Where the database is, without its password."""
    return make_url(config.database_url).render_as_string(hide_password=True)
