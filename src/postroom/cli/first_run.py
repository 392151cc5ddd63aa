"""The first run as people meet it: a card with all they need to send, and a welcome in the sandbox inbox."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

import structlog
from rich.text import Text

from postroom.cli import card, relay, running
from postroom.cli.context import Context
from postroom.errors import PostroomError
from postroom.runtime import files
from postroom.runtime.killpoints import reach
from postroom.store.database import Database
from postroom.tenancy import first_run, sign_in_links
from postroom.tenancy.first_run import FirstRun
from postroom.types.actor import SYSTEM

log = structlog.get_logger()

FILE = "first-run.txt"


async def prepare(context: Context, addresses: Mapping[str, Any]) -> FirstRun | None:
    """Make what the first run makes, write the card and print it; None, and a word where it is, if that is over.

    Interrupted before the welcome, the next start does it again, with the same passwords and a new link.
    """
    config = context.config
    path = (config.data / FILE).resolve()
    async with context.database() as database:
        made = await first_run.make(database, context.secrets)
        link = await _link(context, database, made, addresses) if made is not None else ""
    if made is None:
        log.info(
            "the first run is over", card=str(path) if path.exists() else "deleted, or on another machine"
        )
        return None
    text = card.render(card.of(config, made, link, addresses))
    files.write_file(path, text.encode())
    reach("first_run.card_written")
    context.out.stderr.print(Text(f"\n{text}\nThis card is in {path}.\n"))
    return made


async def _link(context: Context, database: Database, made: FirstRun, addresses: Mapping[str, Any]) -> str:
    secret = await sign_in_links.add(database, made.operator, now=context.clock.now_ms(), by=SYSTEM)
    return f"{running.base_url(context.config, addresses)}{sign_in_links.PAGE}{secret}"


async def welcome(context: Context, made: FirstRun) -> None:
    """Send the first message as any client would, over TLS with the card's credentials; then the first run is over.

    If it cannot be sent that is said, and the card stays valid all the same.
    """
    user, domain, message_id = made.smtp_user, made.domain.name, ""
    sender, recipient = f"postroom@{domain}", f"you@{domain}"
    try:
        target = relay.find(context.config)
        message = _message(sender, recipient)
        accepted = await asyncio.to_thread(
            relay.submit, target, user.username, user.password, message, sender, [recipient]
        )
        message_id = accepted.id
        log.info("the welcome is sent: see `postroom inbox list`", message_id=message_id)
    except PostroomError as error:
        log.warning("the welcome could not be sent", reason=str(error))
    reach("first_run.before_finish")
    async with context.database() as database:
        await first_run.finish(database, welcome=message_id)


def _message(sender: str, recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"Postroom <{sender}>"
    message["To"] = recipient
    message["Subject"] = "Welcome to Postroom"
    message["Date"] = formatdate(usegmt=True)
    message.set_content(
        "This message came in by SMTP over TLS, was checked, stored and delivered into the sandbox inbox.\n"
        "\n"
        "To send to real people: add a live domain (postroom domain add NAME --account ID), publish the DNS records\n"
        "it prints, check them (postroom domain check NAME), and see that all is well with postroom doctor.\n"
    )
    return message
