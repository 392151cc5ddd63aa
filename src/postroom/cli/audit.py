"""`postroom audit`: who changed what, in an account or on the whole installation."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import moment
from postroom.store.audit import Entry
from postroom.tenancy import accounts, audit_log
from postroom.tenancy.audit_log import AuditFilter, Format

app = group("Who changed what. Nothing of it is ever deleted.")

LIST_COLUMNS = ("created_at", "actor", "client", "action", "object")

Account = Annotated[
    str, typer.Option("--account", metavar="ID", help="Of this account. Default: of the installation itself.")
]
Action = Annotated[
    str | None,
    typer.Option(metavar="ACTION", help="Only this, like webhook.updated; webhook. for all that begins so."),
]
By = Annotated[
    str | None, typer.Option("--actor", metavar="ID", help="Of a user or token; or command, or system.")
]
ObjectId = Annotated[str | None, typer.Option("--object", metavar="ID", help="Of what was changed.")]
Day = typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="In UTC.")
From = Annotated[datetime | None, Day]
Until = Annotated[datetime | None, Day]


@command(app, "list")
async def list_(
    context: Context,
    account: Account = "",
    action: Action = None,
    actor: By = None,
    object_id: ObjectId = None,
    since: From = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List changes, the newest first."""
    wanted = _filter(account, action, actor, object_id, since, until)
    async with context.database() as database:
        if account:
            await accounts.get(database, account)
        async with database.read() as connection:
            found = await audit_log.page(connection, wanted, limit=limit)
    if context.out.as_json:
        context.out.records("", [_as_json(entry) for entry in found], (), empty="")
        return
    context.out.records(
        "Changes", [_row(entry) for entry in found], LIST_COLUMNS, empty="Nothing was changed."
    )


@command(app)
async def export(
    context: Context,
    account: Account = "",
    action: Action = None,
    actor: By = None,
    object_id: ObjectId = None,
    since: From = None,
    until: Until = None,
) -> None:
    """Print all changes as CSV, with --json as a JSON object on each line."""
    wanted = _filter(account, action, actor, object_id, since, until)
    form = Format.JSONL if context.out.as_json else Format.CSV
    async with context.database() as database:
        if account:
            await accounts.get(database, account)
        async for piece in audit_log.export(database, wanted, form):
            sys.stdout.write(piece)


def _filter(
    account: str,
    action: str | None,
    actor: str | None,
    object_id: str | None,
    since: datetime | None,
    until: datetime | None,
) -> AuditFilter:
    return AuditFilter(account, action, actor, object_id, _milliseconds(since), _milliseconds(until))


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else round(at.replace(tzinfo=UTC).timestamp() * 1000)


def _as_json(entry: Entry) -> dict[str, Any]:
    return audit_log.shown(entry) | {"created_at": moment(entry.at)}


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "created_at": moment(entry.at),
        "actor": f"{entry.actor_kind} {entry.actor_name}",
        "client": entry.client,
        "action": entry.action,
        "object": "\n".join(part for part in (entry.object_name, entry.object_id) if part),
    }
