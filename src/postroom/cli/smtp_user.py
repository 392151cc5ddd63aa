"""`postroom smtp-user`: the relay's credentials."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from postroom.cli import running
from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.cli.output import shown
from postroom.tenancy import smtp_users
from postroom.tenancy.smtp_users import NewSmtpUser

app = typer.Typer(help="The relay's credentials. Each belongs to a domain.", no_args_is_help=True)

LIST_COLUMNS = ("id", "username", "name", "enabled", "last_used_at", "created_at")

Which = Annotated[
    str, typer.Argument(metavar="ID", help="The id or the username, as `smtp-user list` prints them.")
]


@command(app)
async def add(
    context: Context,
    domain: Annotated[
        str, typer.Argument(metavar="DOMAIN", help="Name or id; From must be under a verified domain.")
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What uses it, for people.")],
) -> None:
    """Add an SMTP user and print its password, this once, with the relay to connect to."""
    async with context.database() as database:
        user = await smtp_users.add(database, domain, name=name)
    _show_once(context, user)


@command(app, "list")
async def list_(
    context: Context,
    domain: Annotated[
        str | None, typer.Argument(metavar="[DOMAIN]", help="Only those of this domain.")
    ] = None,
) -> None:
    """List SMTP users. Passwords are not known any more."""
    async with context.database() as database:
        rows = [_row(user) for user in await smtp_users.list_all(database, domain)]
    empty = "There is no SMTP user yet: `postroom smtp-user add DOMAIN --name NAME`."
    context.out.records("SMTP users", rows, LIST_COLUMNS, empty=empty)


@command(app)
async def disable(context: Context, which: Which) -> None:
    """Switch an SMTP user off: logins are refused, and its open connections end within a second."""
    async with context.database() as database:
        context.out.record("SMTP user", _row(await smtp_users.disable(database, which)))


@command(app)
async def enable(context: Context, which: Which) -> None:
    """Switch an SMTP user on again."""
    async with context.database() as database:
        context.out.record("SMTP user", _row(await smtp_users.enable(database, which)))


@command(app, "reset-password")
async def reset_password(context: Context, which: Which) -> None:
    """Make a new password and print it, this once. The old one is refused at once."""
    async with context.database() as database:
        user = await smtp_users.reset_password(database, which)
    _show_once(context, user)


@command(app)
async def delete(context: Context, which: Which) -> None:
    """Delete an SMTP user. What it has handed over is delivered all the same."""
    async with context.database() as database:
        user = await smtp_users.delete(database, which)
    context.out.record("Deleted", {"id": user.id, "username": user.username})


def _row(user: Any) -> dict[str, Any]:
    return shown(user) | {"allowed_addresses": user.allowed_addresses.splitlines()}


def _show_once(context: Context, user: NewSmtpUser) -> None:
    listeners = running.listeners(context.config)
    row = {
        "id": user.id,
        "name": user.name,
        "username": user.username,
        "password": user.password,
        "server": running.server_name(context.config),
        "port": listeners[0]["port"] if listeners else None,
        "account_id": user.account_id,
        "domain_id": user.domain_id,
    }
    context.out.record("SMTP user", row)
    context.out.note("The password is not shown again.")
