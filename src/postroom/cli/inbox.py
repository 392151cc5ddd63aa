"""`postroom inbox`: what sandbox domains sent. Nothing of it left the machine."""

from __future__ import annotations

import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.cli.output import printable, shown
from postroom.compose import Stored, Uncomposed, read_source
from postroom.errors import ConflictError, NotFoundError
from postroom.runtime.blobs import FileBlobs
from postroom.store import inbox, messages, personalizations
from postroom.tenancy import domains

app = typer.Typer(help="What sandbox domains sent; nothing of it left the machine.", no_args_is_help=True)

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
    source: Annotated[bool, typer.Option("--source", help="Print the message byte for byte.")] = False,
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
    content = _content(context, stored, personalization)
    if source:
        sys.stdout.buffer.write(content)
        return
    message = message_from_bytes(content, policy=policy)
    row = shown(item) | _readable(message)
    context.out.value(row, lambda: _as_text(row))


def _content(context: Context, row: messages.Stored, personalization: bytes) -> bytes:
    stored = Stored.from_row(row, hostname="")
    if stored is None:
        raise NotFoundError(f"the content of message {row.message.id} is kept no longer")
    content = read_source(stored, personalization, FileBlobs(context.config.data / "blobs").open)
    if isinstance(content, Uncomposed):
        raise ConflictError(content.reply.text)
    return content


def _readable(message: EmailMessage) -> dict[str, Any]:
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    return {
        "headers": [{"name": name, "value": str(value)} for name, value in message.items()],
        "text": text.get_content() if text else "",
        "html": html.get_content() if html else "",
        "attachments": [
            {
                "name": part.get_filename() or "",
                "type": part.get_content_type(),
                "size": len(part.get_payload(decode=True) or b""),
            }
            for part in message.iter_attachments()
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
