"""docs/clients.md: how each client is set up, and what it shows for each refusal, as the tests recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.clients import OUTCOMES
from support.clients.cases import CASES

PAGE = Path(__file__).parents[3] / "docs/clients.md"

NAMES = {
    "smtplib": "smtplib",
    "aiosmtplib": "aiosmtplib",
    "swaks": "swaks",
    "msmtp": "msmtp",
    "phpmailer": "PHPMailer",
    "symfony": "Symfony Mailer",
    "postfix": "Postfix",
}

HEAD = """\
# Clients

What common SMTP clients do with this relay: how they are set up, and what each of them shows when a message is not
accepted. The tests send with every one of these clients and record their words, and this page is printed from that
record: to find out why a message was not sent, search it for the words you see.

## The words for encryption

The relay takes mail over TLS only. There are two ways, on different ports, and clients have many words for them:

| Way | Ports | Called |
|---|---|---|
| STARTTLS: the connection begins in the clear and changes to TLS | 587, 2525 | "TLS", "STARTTLS", "explicit TLS", `tls`, `starttls` |
| Implicit TLS: TLS from the first byte | 465 (`make run`: 2465) | "SSL", "SSL/TLS", "SMTPS", `ssl`, `smtps`, "wrapper mode" |

A fresh installation has a certificate of its own authority: give the client a copy of `DATA/tls/ca.crt`
(only the relay's own account may look into `DATA`).

## Setting up
"""


def render(record: Mapping[str, Any]) -> str:
    """The whole page, from what `record.load()` returns."""
    lines = [HEAD]
    for client, name in NAMES.items():
        setup = (Path(__file__).parent / f"setup/{client}.md").read_text("utf-8")
        lines += [f"### {name}", "", f"Tested: {record[client]['version']}.", "", setup]
    lines += _overview(record)
    for case in CASES:
        lines += _case(case, record)
    return "\n".join(lines)


def _overview(record: Mapping[str, Any]) -> list[str]:
    head = "| | " + " | ".join(NAMES.values()) + " |"
    lines = ["## What becomes of the message", "", head, "|---" * (len(NAMES) + 1) + "|"]
    for case, details in CASES.items():
        outcomes = (record[client]["cases"][case]["outcome"] for client in NAMES)
        lines.append(f"| [{details.title}](#{_anchor(details.title)}) | {' | '.join(outcomes)} |")
    lines += ["", *(f"- *{outcome}*: {meaning}" for outcome, meaning in OUTCOMES.items()), ""]
    return [*lines, "## What the client shows", ""]


def _case(name: str, record: Mapping[str, Any]) -> list[str]:
    case = CASES[name]
    lines = [f"### {case.title}", ""]
    if case.rule:
        lines += [f"Rule: [{case.rule}](refusals.md#{case.rule}).", ""]
    lines += ["| Client | Message | What it shows |", "|---|---|---|"]
    for client, written in NAMES.items():
        seen = record[client]["cases"][name]
        lines.append(f"| {written} | {seen['outcome']} | {_code(seen['shown'])} |")
    return [*lines, ""]


def _code(text: str) -> str:
    return f"`{' '.join(text.split())}`".replace("|", "\\|")


def _anchor(title: str) -> str:
    """As GitHub makes it of a heading."""
    kept = "".join(char for char in title.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")
