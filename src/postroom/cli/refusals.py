"""`postroom refusals`: everything the relay refuses, and what it has refused."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import moment
from postroom.store import refusals as store
from postroom.tenancy import accounts
from postroom.types.refusals import GROUPS, Rule

app = group("What the relay refuses, why, and how to mend it.")

LOG_COLUMNS = ("last_at", "count", "rule", "credential", "client", "header_from", "reply")


@command(app)
def catalogue(
    context: Context,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/refusals.md.")] = False,
) -> None:
    """List every rule: its id, the SMTP reply, what happened and how to mend it.

    Each refusal the relay sends ends with the id of its rule in brackets.
    """
    if markdown:
        context.out.markdown(as_markdown())
    else:
        context.out.value(
            [_as_row(title, rule) for title, rules in GROUPS.items() for rule in rules], _as_tables
        )


@command(app)
async def log(
    context: Context,
    account: Annotated[str | None, typer.Option(metavar="ID", help="Only this account's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the latest.")] = 50,
) -> None:
    """List refused attempts, the latest first; equal ones of an hour are one line with a count.

    Attempts before a login belong to no account: their credential is empty or what the client claimed.
    """
    async with context.database() as database:
        if account is not None:
            await accounts.get(database, account)
        async with database.read() as connection:
            found = await store.page(connection, account_id=account, limit=limit)
    rows = [
        {
            "id": refusal.id,
            "account_id": refusal.account_id,
            "last_at": moment(refusal.last_at),
            "first_at": moment(refusal.first_at),
            "count": refusal.count,
            "rule": refusal.rule,
            "credential": refusal.credential,
            "client": refusal.client,
            "sender": refusal.sender,
            "header_from": refusal.header_from,
            "recipients": refusal.recipients.splitlines(),
            "reply": refusal.reply,
        }
        for refusal in found
    ]
    context.out.records("Refused attempts", rows, LOG_COLUMNS, empty="Nothing was refused.")


def as_markdown() -> str:
    """The page docs/refusals.md. A rule's heading is its id, so that a link in a reply leads to it."""
    lines = [
        "# What the relay refuses",
        "",
        "Every refusal ends with the id of its rule in brackets. `{...}` stands for the facts of the case. A reply that",
        "begins with 4 means: try again later; one that begins with 5: not before something is mended.",
        "This page is printed by `postroom refusals catalogue --markdown`.",
    ]
    for title, rules in GROUPS.items():
        lines += ["", f"## {title}"]
        for rule in rules:
            lines += ["", f"### {rule.id}", ""]
            if rule.code:
                lines += [f"- SMTP: `{rule.answer}`" + (" (closes the connection)" if rule.closes else "")]
            lines += [
                f"- HTTP: `{rule.status}`" if rule.code else f"- HTTP: `{rule.status}` `{rule.answer}`",
                f"- What happened: {rule.what}",
                f"- How to mend it: {rule.fix}",
            ]
    return "\n".join(lines) + "\n"


def _as_row(group: str, rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "group": group,
        "smtp_code": rule.code or None,
        "enhanced_code": rule.enhanced or None,
        "http_status": rule.status,
        "text": rule.text,
        "what": rule.what,
        "fix": rule.fix,
        "closes": rule.closes,
    }


def _as_tables() -> RenderableType:
    tables = []
    for title, rules in GROUPS.items():
        table = Table("rule", "reply", "what happened", "how to mend it", title=title, show_lines=True)
        for rule in rules:
            table.add_row(*(Text(text) for text in (rule.id, rule.answer, rule.what, rule.fix)))
        tables.append(table)
    return Group(*tables)
