"""`postroom send`: one message through the relay, followed to where each recipient ends."""

from __future__ import annotations

import asyncio
import mimetypes
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from postroom.cli import password as passwords
from postroom.cli import relay as relays
from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.cli.output import cell, moment
from postroom.cli.relay import Accepted
from postroom.errors import NotFoundError, PostroomError
from postroom.store import messages, queue
from postroom.store.database import Database
from postroom.tenancy import domains, smtp_users
from postroom.types.status import EmailStatus

app = typer.Typer(add_completion=False)

DELIVERED, FAILED, NOT_FINAL = 0, 1, 3
POLL = 0.1
MADE_FOR_A_RUN = "postroom send"
"""The name of the SMTP users of this command."""
LOGIN_MARGIN, LONGEST_LOGIN = 600.0, 86400.0
"""A run that is killed cannot delete its SMTP user, so that ends by itself: so long after the run would have, and a day
later at the latest, for the login is over when the message is handed over."""
REFUSED = "refused"
"""Of a recipient that the relay did not take while it took others."""
COLUMNS = ("recipient", "status", "reply", "next_attempt_at")
_GOES_ON = (EmailStatus.QUEUED, EmailStatus.SCHEDULED)


@dataclass(slots=True)
class Progress:
    """Where each recipient stands. `settled`: nothing more will happen soon."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    settled: bool = False


@command(app)
async def send(
    context: Context,
    sender: Annotated[str, typer.Option("--from", metavar="A@DOMAIN", help="Under a verified domain.")],
    to: Annotated[list[str], typer.Option("--to", metavar="B@C", help="A recipient; repeat it for more.")],
    subject: Annotated[str, typer.Option(metavar="S", help="The subject.")] = "",
    text: Annotated[str, typer.Option(metavar="T", help="The text.")] = "",
    html: Annotated[str, typer.Option(metavar="H", help="The same as HTML.")] = "",
    attach: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="A file to attach; repeat it for more."
        ),
    ] = None,
    username: Annotated[
        str, typer.Option(metavar="U", help="An SMTP user. Default: one made for this run.")
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read its password from standard input.")
    ] = False,
    server: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT", help="The relay. Default: the one that runs on the data directory."
        ),
    ] = "",
    patience: Annotated[
        float, typer.Option("--timeout", min=0, metavar="SECONDS", help="How long to follow the message.")
    ] = 60.0,
) -> int:
    """Send one message through the relay over TLS, and follow it until every recipient is final or deferred.

    Exit status: 0 delivered, 1 failed, 3 not final yet.
    """
    message = _compose(sender, to, subject, text, html, attach or [])
    relay = relays.at(context.config, server) if server else relays.find(context.config)
    given = passwords.read(from_stdin=password_stdin) if username else ""
    async with (
        context.database() as database,
        _login(context, database, sender, username, given, patience) as login,
    ):
        accepted = await asyncio.to_thread(relays.submit, relay, *login, message, sender, to)
        context.out.note(f"accepted as {accepted.id}")
        progress = await _follow(context, database, accepted, patience)
    result = {"message_id": accepted.id, "recipients": progress.rows}
    context.out.value(result, lambda: _table(progress.rows))
    return exit_status([row["status"] for row in progress.rows])


def exit_status(statuses: list[str]) -> int:
    """Failed if any recipient failed for good, else not final if any is not, else delivered."""
    ends = [EmailStatus.BOUNCED if status == REFUSED else EmailStatus(status) for status in statuses]
    if any(status.final and status is not EmailStatus.DELIVERED for status in ends):
        return FAILED
    return DELIVERED if ends and all(status is EmailStatus.DELIVERED for status in ends) else NOT_FINAL


def _compose(
    sender: str, to: list[str], subject: str, text: str, html: str, attach: list[Path]
) -> EmailMessage:
    message = EmailMessage()
    try:
        message["From"] = sender
        message["To"] = ", ".join(to)
        message["Subject"] = subject
    except ValueError as error:
        raise PostroomError(f"the message cannot be made: {error}") from None
    if text or not html:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    for path in attach:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        maintype, _, subtype = kind.partition("/")
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name)
    return message


@asynccontextmanager
async def _login(
    context: Context, database: Database, sender: str, username: str, password: str, patience: float
) -> AsyncIterator[tuple[str, str]]:
    """The credentials given, or an SMTP user that exists for this run only, whichever way it ends."""
    if username:
        yield username, password
        return
    task = asyncio.current_task()
    assert task is not None
    # Ctrl-C cancels by itself; being told to end must clean up in the same way.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    domain = await _domain_of(database, sender)
    await smtp_users.sweep(database, MADE_FOR_A_RUN, by=context.actor)
    seconds = min(LONGEST_LOGIN, patience) + LOGIN_MARGIN
    expires_at = context.clock.now_ms() + round(seconds * 1000)
    made = await smtp_users.add(
        database, domain, name=MADE_FOR_A_RUN, expires_at=expires_at, by=context.actor
    )
    try:
        yield made.username, made.password
    finally:
        with suppress(NotFoundError):  # it had expired, and another run has swept it
            await smtp_users.delete(database, made.user, by=context.actor)
        context.out.note("the SMTP user made for this run is deleted")


async def _domain_of(database: Database, sender: str) -> str:
    """The domain that `sender` is under: its own or one above it."""
    labels = sender.rpartition("@")[2].rstrip(">").split(".")
    known = {domain.name: domain.id for domain in await domains.list_all(database)}
    for start in range(len(labels)):
        name = ".".join(labels[start:]).lower()
        if name in known:
            return known[name]
    raise PostroomError(f"no domain here covers {sender}: `postroom domain list` shows those there are")


async def _follow(context: Context, database: Database, accepted: Accepted, seconds: float) -> Progress:
    """Look until every recipient is settled or the time is up."""
    progress = Progress()
    clock = context.clock
    until = clock.monotonic() + seconds
    spinner = Spinner("dots", "waiting for the relay")
    quiet = context.out.as_json or not context.out.stderr.is_terminal
    with Live(
        spinner, console=context.out.stderr, transient=True, refresh_per_second=8, auto_refresh=not quiet
    ) as live:
        while True:
            progress = await _look(database, accepted)
            if not quiet:
                live.update(_table(progress.rows))
            if progress.settled or clock.monotonic() >= until:
                return progress
            await clock.sleep(POLL)


async def _look(database: Database, accepted: Accepted) -> Progress:
    async with database.read() as connection:
        story = await messages.show(connection, accepted.id)
        emails = [entry.email for entry in story.emails] if story else []
        waiting = {
            email.id: item for email in emails if (item := await queue.show(connection, email.id)) is not None
        }
    rows = [
        {
            "recipient": email.recipient,
            "email_id": email.id,
            "status": email.status,
            "reply": email.reply,
            "next_attempt_at": moment(waiting[email.id].due_at) if email.id in waiting else None,
        }
        for email in emails
    ]
    refused = [
        {
            "recipient": recipient,
            "email_id": None,
            "status": REFUSED,
            "reply": reply,
            "next_attempt_at": None,
        }
        for recipient, reply in accepted.refused.items()
    ]
    settled = bool(emails) and all(EmailStatus(email.status) not in _GOES_ON for email in emails)
    return Progress(rows + refused, settled)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*(name.replace("_", " ") for name in COLUMNS), header_style="bold")
    for row in rows:
        table.add_row(*(cell(row[name]) for name in COLUMNS))
    return table
