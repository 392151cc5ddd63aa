"""`postroom suppression`: addresses an account must not send to."""

from __future__ import annotations

from typing import Annotated

import typer

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import shown
from postroom.tenancy import accounts, suppressions

app = group("Addresses an account must not send to.")

LIST_COLUMNS = ("address", "list", "reason", "created_at", "id")

Account = Annotated[str, typer.Option("--account", metavar="ID", help="The account.")]
Address = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The local part counts exactly, case and all.")
]


@command(app)
async def add(
    context: Context,
    address: Address,
    account: Account,
    on: Annotated[
        str, typer.Option("--list", metavar="LIST", help=f"One of {', '.join(suppressions.LISTS)}.")
    ] = "blocklist",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with it.")] = "",
    domain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only for this domain of the account.")
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(metavar="STREAM", help="transactional or broadcast; unsubscribes are broadcast."),
    ] = None,
    pattern: Annotated[
        bool, typer.Option("--pattern", help="On the blocklist: * stands for anything.")
    ] = False,
) -> None:
    """Put an address on a suppression list. Mail to it is accepted and ends as rejected."""
    async with context.database() as database:
        entry = await suppressions.add(
            database,
            account,
            address,
            on=on,
            reason=reason,
            domain=domain,
            stream=stream,
            pattern=pattern,
            by=context.actor,
        )
    context.out.record("Suppression", shown(entry))


@command(app, "list")
async def list_(
    context: Context,
    account: Account,
    after: Annotated[str, typer.Option(metavar="ID", help="Continue behind this id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
) -> None:
    """List an account's suppressed addresses, the oldest first."""
    async with context.database() as database:
        await accounts.get(database, account)
        found = await suppressions.list_all(database, account, after=after, limit=limit)
    rows = [shown(entry) for entry in found]
    context.out.records("Suppressions", rows, LIST_COLUMNS, empty="No address is suppressed.")


@command(app)
async def delete(context: Context, address: Address, account: Account) -> None:
    """Take an address off every suppression list of an account."""
    async with context.database() as database:
        count = await suppressions.remove(database, account, address, by=context.actor)
    context.out.record("Deleted", {"address": address, "lists": count})
