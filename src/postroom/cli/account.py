"""`postroom account`: who mail belongs to."""

from __future__ import annotations

from typing import Annotated

import typer

from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.cli.output import shown
from postroom.tenancy import accounts

app = typer.Typer(help="Who mail belongs to. An account sends once it is approved.", no_args_is_help=True)

LIST_COLUMNS = ("id", "name", "state", "daily_quota", "created_at")

AccountId = Annotated[str, typer.Argument(metavar="ID", help="As `account list` prints it.")]


@command(app)
async def add(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people; need not be unique.")],
    approved: Annotated[bool, typer.Option("--approved", help="It may send at once.")] = False,
    daily_quota: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Emails per day (UTC); 0 is no limit. Default: limits.daily_quota."
        ),
    ] = None,
) -> None:
    """Add an account and print it with its id."""
    async with context.database() as database:
        account = await accounts.add(database, name, approved=approved, daily_quota=daily_quota)
    context.out.record("Account", shown(account))


@command(app)
async def approve(context: Context, account_id: AccountId) -> None:
    """Let an account send. What a suspension held is queued again."""
    async with context.database() as database:
        context.out.record("Account", shown(await accounts.approve(database, account_id)))


@command(app)
async def suspend(
    context: Context,
    account_id: AccountId,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the account.")] = "",
) -> None:
    """Stop an account from sending, within 10 s. What it has queued is held until it is approved again."""
    async with context.database() as database:
        context.out.record("Account", shown(await accounts.suspend(database, account_id, reason)))


@command(app)
async def show(context: Context, account_id: AccountId) -> None:
    """Show an account, what it has used of today's quota, and its domains."""
    async with context.database() as database:
        details = await accounts.show(database, account_id)
    domains = [domain.name for domain in details.domains]
    context.out.record(
        "Account", shown(details.account) | {"used_today": details.used_today, "domains": domains}
    )


@command(app, "list")
async def list_(context: Context) -> None:
    """List all accounts."""
    async with context.database() as database:
        rows = [shown(account) for account in await accounts.list_all(database)]
    context.out.records(
        "Accounts", rows, LIST_COLUMNS, empty="There is no account yet: `postroom account add NAME`."
    )
