"""`postroom queue`: what waits to be delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import typer

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import moment, shown
from postroom.errors import NotFoundError
from postroom.store import queue
from postroom.store.queue import By, QueueItem
from postroom.tenancy import interventions

app = group("What waits to be delivered.")

ITEM_COLUMNS = ("email_id", "recipient", "attempts", "due_at", "expires_at", "hold", "reply")

EmailId = Annotated[
    str, typer.Argument(metavar="EMAIL_ID", help="As `queue list` or `message show` print it.")
]


@command(app, "list")
async def list_(
    context: Context,
    by: Annotated[
        By | None, typer.Option(help="Count per recipient's site, sending domain or account.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many emails.")] = 50,
) -> None:
    """List what waits, the soonest first, or count it."""
    async with context.database() as database, database.read() as connection:
        if by is None:
            items = [_item(item, context) for item in await queue.soonest(connection, limit=limit)]
            context.out.records("Queue", items, ITEM_COLUMNS, empty="The queue is empty.")
            return
        counts = await queue.counts(connection, by)
    rows = [
        {
            by: count.name,
            "emails": count.emails,
            "held": count.held,
            "under_way": count.under_way,
            "next_due_at": _due(count.next_due_at, context),
        }
        for count in counts
    ]
    columns = (by, "emails", "held", "under_way", "next_due_at")
    context.out.records(f"Queue by {by}", rows, columns, empty="The queue is empty.")


@command(app)
async def show(context: Context, email_id: EmailId) -> None:
    """Show one waiting email: when it is due, how often it was tried, what holds it."""
    await _show(context, email_id)


@command(app)
async def retry(context: Context, email_id: EmailId) -> None:
    """Try an email now, also one that is held."""
    async with context.database() as database:
        await interventions.retry(database, email_id, now=context.clock.now_ms(), by=context.actor)
    await _show(context, email_id, wanted=False)


@command(app)
async def cancel(context: Context, email_id: EmailId) -> None:
    """Take an email back. It is not delivered any more; one whose attempt is under way cannot be cancelled."""
    now, retention = context.clock.now_ms(), context.config.retention.content
    async with context.database() as database:
        await interventions.cancel(database, email_id, now=now, retention=retention, by=context.actor)
    context.out.record("Cancelled", {"email_id": email_id, "status": "cancelled"})


async def _show(context: Context, email_id: str, *, wanted: bool = True) -> None:
    async with context.database() as database, database.read() as connection:
        item = await queue.show(connection, email_id)
    if item is not None:
        context.out.record("Waiting email", _item(item, context))
    elif wanted:
        raise NotFoundError(
            f"no email {email_id} is waiting; `postroom message show {email_id}` tells where it stands"
        )
    else:
        # The relay was quicker than we were.
        context.out.record("Tried", {"email_id": email_id})


def _item(item: QueueItem, context: Context) -> dict[str, Any]:
    """`lane` and `owner` are the engine's own; people see whether a node holds the row. What is paused is never due."""
    row = shown(replace(item, due_at=0)) | {
        "due_at": _due(item.due_at, context),
        "under_way": item.mark > 0,
        "claimed": item.owner > 0,
    }
    return {name: value for name, value in row.items() if name not in ("lane", "owner", "mark")}


def _due(at: int, context: Context) -> datetime | None:
    return None if at == queue.NEVER else moment(at or context.clock.now_ms())
