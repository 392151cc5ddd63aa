"""`postroom user`: the people who look after accounts."""

from __future__ import annotations

from typing import Annotated

import typer

from postroom.cli import password as passwords
from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.cli.output import shown
from postroom.tenancy import users

app = typer.Typer(help="The people who look after accounts.", no_args_is_help=True)

LIST_COLUMNS = ("id", "email", "operator", "roles", "created_at")


@command(app)
async def add(
    context: Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="What the person signs in with.")],
    account: Annotated[str, typer.Option(metavar="ID", help="The account the person belongs to.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help=f"One of {', '.join(users.ROLES)}.")],
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from standard input instead of asking."),
    ] = False,
    operator: Annotated[
        bool, typer.Option("--operator", help="The person may do everything on this installation.")
    ] = False,
) -> None:
    """Add a person with a role in an account.

    The password has at least 10 characters and is never an argument: other users of the machine could see it.
    """
    password = passwords.read(from_stdin=password_stdin)
    async with context.database() as database:
        user = await users.add(
            database, email, account_id=account, role=role, operator=operator, password=password
        )
    context.out.record("User", shown(user))


@command(app, "list")
async def list_(context: Context) -> None:
    """List all people, with their role in each account."""
    async with context.database() as database:
        rows = [shown(user) for user in await users.list_all(database)]
    context.out.records("Users", rows, LIST_COLUMNS, empty="There is no user yet: `postroom user add EMAIL`.")
