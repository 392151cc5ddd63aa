"""`postroom message`: what was accepted, and what became of each recipient."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import cell, moment, printable, shown
from postroom.deliver import transcript
from postroom.errors import NotFoundError
from postroom.store import messages
from postroom.store.batches.rows import AttemptRow, EventRow
from postroom.store.messages import EmailStory, MessageStory
from postroom.tenancy import accounts
from postroom.types.status import EmailStatus

app = group("What was accepted, and what became of each recipient.")

LIST_COLUMNS = ("id", "received_at", "header_from", "subject", "size", "recipients")


@command(app)
async def show(
    context: Context,
    message_id: Annotated[str, typer.Argument(metavar="ID", help="Of a message, or of one of its emails.")],
) -> None:
    """Show a message: its recipients, where each stands, every attempt with its transcript, and every event.

    The id is in the relay's answer to the client: "250 2.0.0 Ok: queued as ID".
    """
    async with context.database() as database, database.read() as connection:
        story = await messages.show(connection, message_id)
    if story is None:
        raise NotFoundError(f"there is no message or email {message_id}")
    as_json = _message_json(story)
    context.out.value(as_json, lambda: _message_text(as_json))


@command(app, "list")
async def list_(
    context: Context,
    account: Annotated[str | None, typer.Option(metavar="ID", help="Only this account's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List messages, the newest first."""
    async with context.database() as database:
        if account is not None:
            await accounts.get(database, account)
        async with database.read() as connection:
            found = await messages.page(connection, account_id=account, limit=limit)
    rows = [_summary(message) | {"recipients": recipients} for message, recipients in found]
    context.out.records("Messages", rows, LIST_COLUMNS, empty="No message was accepted yet.")


def _summary(message: messages.Message) -> dict[str, Any]:
    return shown(message) | {"tags": message.tags.splitlines()}


def _message_json(story: MessageStory) -> dict[str, Any]:
    return _summary(story.message) | {"emails": [_email_json(email) for email in story.emails]}


def _email_json(story: EmailStory) -> dict[str, Any]:
    email = story.email
    word = EmailStatus(email.status).api_word(attempted=email.sent)
    row = shown(email) | {"status": word, "internal_status": email.status}
    return row | {
        "attempts": [_attempt_json(attempt) for attempt in story.attempts],
        "events": [_event_json(event) for event in story.events],
    }


def _attempt_json(attempt: AttemptRow) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "at": moment(attempt.at),
        "result": attempt.result,
        "duration_ms": attempt.duration,
        "host": attempt.host,
        "address": attempt.address,
        "tls": attempt.tls,
        "code": attempt.code,
        "enhanced": attempt.enhanced,
        "reply": attempt.reply,
        "transcript": [
            {"at_ms": line.at, "who": line.who, "text": line.text}
            for line in transcript.decode(attempt.transcript)
        ],
    }


def _event_json(event: EventRow) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": moment(event.at),
        "type": event.type,
        "detail": json.loads(event.detail or "{}"),
    }


HEAD = (
    "id",
    "message_id",
    "received_at",
    "account_id",
    "edge",
    "sender",
    "header_from",
    "subject",
    "size",
    "tags",
    "stream",
)


def _message_text(message: dict[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for name in HEAD:
        grid.add_row(Text(name.replace("_", " "), style="bold"), cell(message[name]))
    parts: list[RenderableType] = [Panel(grid, title="Message", title_align="left", expand=False)]
    for email in message["emails"]:
        parts.append(_email_text(email))
    return Group(*parts)


def _email_text(email: dict[str, Any]) -> RenderableType:
    status = Text.assemble(cell(email["status"]), " (", cell(email["internal_status"]), ")")
    lines: list[RenderableType] = [Text.assemble("email ", email["id"], "  ", status)]
    if email["reply"]:
        lines.append(Text(printable(email["reply"])))
    if email["possible_duplicate"]:
        lines.append(Text("possible duplicate: an attempt's outcome was lost", style="yellow"))
    events = Table("at", "event", "detail", box=None, header_style="bold")
    for event in email["events"]:
        events.add_row(cell(event["at"]), cell(event["type"]), cell(event["detail"]))
    lines.append(events)
    for attempt in email["attempts"]:
        lines += _attempt_text(attempt)
    return Panel(Group(*lines), title=Text(printable(email["recipient"])), title_align="left", expand=False)


def _attempt_text(attempt: dict[str, Any]) -> list[RenderableType]:
    where = " ".join(
        part for part in (attempt["host"], f"[{attempt['address']}]", attempt["tls"]) if part.strip("[]")
    )
    head = Text.assemble(
        "\n",
        (f"attempt {attempt['number']} ", "bold"),
        cell(attempt["at"]),
        "  ",
        cell(attempt["result"]),
        "  ",
        where,
    )
    return [head, *(_line(line) for line in attempt["transcript"])]


def _line(line: dict[str, Any]) -> Text:
    style = {"C": "cyan", "S": "", "*": "dim"}.get(line["who"], "")
    return Text(f"{line['at_ms']:>7} ms {line['who']}: {printable(line['text'])}", style=style)
