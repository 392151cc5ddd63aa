"""`postroom inbox`: what sandbox domains sent. Nothing of it left the machine."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import printable, shown
from postroom.compose import Stored, Uncomposed, read_source
from postroom.errors import ConflictError, NotFoundError
from postroom.runtime.blobs import FileBlobs
from postroom.store import inbox, messages, personalizations
from postroom.tenancy import domains
from postroom.wire.mime.encoded_words import display
from postroom.wire.mime.reading import content, take_apart, text_of

app = group("What sandbox domains sent; nothing of it left the machine.")

LIST_COLUMNS = ("email_id", "received_at", "header_from", "recipient", "subject")


@command(app, "list")
async def list_(
    context: Context,
    domain: Annotated[str, typer.Option(metavar="DOMAIN", help="Only what this domain sent.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List the sandbox inbox, the newest first."""
    async with context.database() as database:
        domain_id = (await domains.find(database, domain)).id if domain else None
        async with database.read() as connection:
            found = await inbox.page(connection, domain_id=domain_id, limit=limit)
    context.out.records(
        "Sandbox inbox", [shown(item) for item in found], LIST_COLUMNS, empty="The inbox is empty."
    )


@command(app)
async def show(
    context: Context,
    email_id: Annotated[str, typer.Argument(metavar="EMAIL_ID", help="As `inbox list` prints it.")],
    source: Annotated[
        bool, typer.Option("--source", help="Print the message byte for byte; with --json in base64.")
    ] = False,
) -> None:
    """Show one message of the sandbox inbox: its headers, its text, what is attached."""
    async with context.database() as database, database.read() as connection:
        item = await inbox.show(connection, email_id)
        if item is None:
            raise NotFoundError(f"there is no {email_id} in the sandbox inbox")
        key = (item.account_id, item.message_id)
        stored = (await messages.load(connection, [key]))[key]
        email = (item.account_id, email_id)
        personalization = (await personalizations.load(connection, [email])).get(email, b"")
    message = _content(context, stored, personalization)
    if source:
        context.out.source(message)
        return
    row = shown(item) | _readable(message)
    context.out.value(row, lambda: _as_text(row))


def _content(context: Context, row: messages.Stored, personalization: bytes) -> bytes:
    stored = Stored.from_row(row, hostname="")
    if stored is None:
        raise NotFoundError(f"the content of message {row.message.id} is kept no longer")
    source = read_source(stored, personalization, FileBlobs(context.config.data / "blobs").open)
    if isinstance(source, Uncomposed):
        raise ConflictError(source.reply.text)
    return source


def _readable(source: bytes) -> dict[str, Any]:
    taken = take_apart(source)
    text, html = (
        "" if part is None else text_of(source, part, len(source))[0] for part in (taken.text, taken.html)
    )
    return {
        "headers": [
            {"name": field.name.decode("ascii"), "value": display(field.value, len(field.raw))}
            for field in taken.header
        ],
        "text": text,
        "html": html,
        "attachments": [
            {"name": part.filename, "type": part.type, "size": sum(map(len, content(source, part)))}
            for part in taken.attachments
        ],
    }


def _as_text(row: dict[str, Any]) -> RenderableType:
    lines = [
        Text.assemble((f"{header['name']}: ", "bold"), printable(header["value"]))
        for header in row["headers"]
    ]
    body = row["text"] or row["html"]
    lines += [Text(), Text(printable(body.replace("\r\n", "\n")))]
    for attached in row["attachments"]:
        lines.append(
            Text(
                f"attached: {attached['name'] or '(no name)'}, {attached['type']}, {attached['size']} octets",
                style="dim",
            )
        )
    return Group(*lines)
