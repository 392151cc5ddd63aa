"""`postroom token`: the credentials of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.moments import moment_of
from postroom.cli.output import shown
from postroom.store.tokens import Token
from postroom.tenancy import tokens
from postroom.types.scopes import Scope

app = group("The credentials of the HTTP API. Each belongs to an account.")

LIST_COLUMNS = ("id", "account_id", "name", "preview", "paused", "expires_at", "last_used_at")

Which = Annotated[str, typer.Argument(metavar="ID", help="The id, as `token list` prints it.")]


@command(app)
async def add(
    context: Context,
    account: Annotated[str, typer.Option(metavar="ID", help="Whose token it is.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="What uses it, for people.")],
    scope: Annotated[
        list[str],
        typer.Option(metavar="SCOPE", help=f"What it may do, once for each: {', '.join(Scope)}; or `all`."),
    ],
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", help="Name or id: only for this domain of the account.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="When it ends: after `90d`, or at `2027-01-31` or `2027-01-31T12:00` (UTC)."
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="Only from this address or network; may be given several times."),
    ] = None,
) -> None:
    """Make a token and print it, this once. Send it as `Authorization: Bearer TOKEN`."""
    scopes = list(Scope) if "all" in scope else scope
    ends = None if expires is None else moment_of("--expires", expires, context.clock.now_ms())
    async with context.database() as database:
        made = await tokens.add(
            database,
            account,
            by=context.actor,
            name=name,
            scopes=scopes,
            domain=domain,
            expires_at=ends,
            allowed_addresses=allow or (),
        )
    context.out.record("Token", {"token": made.secret} | _row(made.token))
    context.out.note("The token is not shown again.")


@command(app, "list")
async def list_(
    context: Context,
    account: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this account.")] = None,
) -> None:
    """List tokens, not their secrets: those are not known any more."""
    async with context.database() as database:
        rows = [_row(token) for token in await tokens.list_all(database, account)]
    empty = "There is no token yet: `postroom token add --account ID --name NAME --scope SCOPE`."
    context.out.records("Tokens", rows, LIST_COLUMNS, empty=empty)


@command(app)
async def pause(context: Context, which: Which) -> None:
    """Refuse a token from now on (within a second), until it is unpaused."""
    async with context.database() as database:
        context.out.record("Token", _row(await tokens.change(database, which, paused=True, by=context.actor)))


@command(app)
async def unpause(context: Context, which: Which) -> None:
    """Take a paused token again."""
    async with context.database() as database:
        context.out.record(
            "Token", _row(await tokens.change(database, which, paused=False, by=context.actor))
        )


@command(app)
async def delete(context: Context, which: Which) -> None:
    """Delete a token. What was sent with it is delivered all the same."""
    async with context.database() as database:
        token = await tokens.delete(database, which, by=context.actor)
    context.out.record("Deleted", {"id": token.id, "name": token.name})


def _row(token: Token) -> dict[str, Any]:
    return shown(token) | {
        "scopes": token.scopes.split(),
        "allowed_addresses": token.allowed_addresses.splitlines(),
    }
