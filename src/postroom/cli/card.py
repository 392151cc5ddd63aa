"""The ready card: all that is needed to send, in the words of plug-ins, with commands to paste."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postroom.cli import running
from postroom.config import Config
from postroom.runtime import tls
from postroom.tenancy.first_run import FirstRun


@dataclass(frozen=True, slots=True)
class Card:
    """`link` signs the operator in. `starttls` and `implicit` are ports, None where nothing listens. `authority` is the
    file clients need to verify the relay, None when its certificate is publicly trusted."""

    made: FirstRun
    link: str = field(repr=False)
    host: str
    starttls: int | None
    implicit: int | None
    authority: Path | None
    program: str


def of(config: Config, made: FirstRun, link: str, addresses: Mapping[str, Any]) -> Card:
    ports: dict[str, int] = {}
    for listener in addresses.get("submission", []):
        ports.setdefault(listener["tls"], listener["port"])
    return Card(
        made,
        link,
        _host(config, addresses),
        ports.get("starttls"),
        ports.get("implicit"),
        None if config.tls.certificate else tls.authority_file(config.data).resolve(),
        _program(config),
    )


def render(card: Card) -> str:
    made = card.made
    user = made.smtp_user
    lines = [
        "Postroom is ready. Mail from this domain stays in its sandbox inbox: nothing leaves the machine.",
        "",
        f"  Dashboard       {card.link}",
        f"                  signs in {made.operator} once, within 15 minutes. For another link:",
        f"                  {card.program} user sign-in-link {made.operator}",
        "",
        f"  Relay host      {card.host}",
    ]
    if card.starttls:
        lines.append(f'  Encryption      "TLS" = STARTTLS: port {card.starttls}')
    if card.implicit:
        lines.append(
            f'{"                  " if card.starttls else "  Encryption      "}"SSL" = implicit TLS: port {card.implicit}'
        )
    lines += [f"  Username        {user.username}", f"  Password        {user.password}"]
    if card.authority:
        lines.append(f"  CA file         {card.authority}")
    lines += [
        f"  From            anything@{made.domain.name}",
        "",
        "Send with swaks:",
        "",
        _swaks(card),
        "",
        "Send with Python:",
        "",
        _python(card),
        "",
        "See what happened:",
        "",
        f"  {card.program} inbox list",
        f"  {card.program} message show ID",
        "",
        "The ID is in the relay's answer: 250 2.0.0 Ok: queued as ID.",
        "This card holds passwords and is readable by its owner only; delete it when it is not needed any more.",
    ]
    return "\n".join(lines) + "\n"


def _swaks(card: Card) -> str:
    user, domain = card.made.smtp_user, card.made.domain.name
    options = ["--server", card.host, "--port", str(card.starttls or card.implicit)]
    options += ["--tls" if card.starttls else "--tls-on-connect", "--tls-verify"]
    if card.authority:
        options += ["--tls-ca-path", str(card.authority)]
    options += ["--auth-user", user.username, "--auth-password", user.password]
    options += ["--from", f"hello@{domain}", "--to", f"you@{domain}", "--h-Subject", "Hello"]
    return f"  swaks {shlex.join(options)}"


def _python(card: Card) -> str:
    user, domain = card.made.smtp_user, card.made.domain.name
    trust = f"cafile={str(card.authority)!r}" if card.authority else ""
    connect = (
        f"smtplib.SMTP({card.host!r}, {card.starttls})"
        if card.starttls
        else f"smtplib.SMTP_SSL({card.host!r}, {card.implicit}, context=ssl.create_default_context({trust}))"
    )
    start = [f"    relay.starttls(context=ssl.create_default_context({trust}))"] if card.starttls else []
    return "\n".join(
        [
            "python3 - <<'END'",
            "import smtplib, ssl",
            "from email.message import EmailMessage",
            "message = EmailMessage()",
            f'message["From"], message["To"] = "hello@{domain}", "you@{domain}"',
            'message["Subject"] = "Hello"',
            'message.set_content("It works.")',
            f"with {connect} as relay:",
            *start,
            f"    relay.login({user.username!r}, {user.password!r})",
            "    relay.send_message(message)",
            "END",
        ]
    )


def _host(config: Config, addresses: Mapping[str, Any]) -> str:
    """The commands on the card have to work on this machine, so its own names come before those for customers."""
    if config.tls.certificate is not None or config.server.smtp_host:
        return running.server_name(config)
    hosts = [running.reachable(listener["host"]) for listener in addresses.get("submission", [])]
    return "localhost" if not hosts or hosts[0] in running.LOOPBACK else hosts[0]


def _program(config: Config) -> str:
    """How to start this program again, on the same data."""
    command = [sys.executable, "-m", "postroom"] if sys.argv[0].endswith("__main__.py") else [sys.argv[0]]
    data = [] if config.data == Path("data") else ["--data", str(config.data)]
    return shlex.join([*command, *data])
