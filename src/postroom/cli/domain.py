"""`postroom domain`: what an account may put into From."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import STYLES, panel, printable, shown
from postroom.runtime.dns import Resolver
from postroom.store.domains import Domain
from postroom.tenancy import accounts, domain_removal, domains, verification
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.domains import DomainDetails
from postroom.tenancy.verification import Verifier

app = group("What an account may put into From.")

LIST_COLUMNS = ("id", "name", "mode", "verified_at", "trusted", "send_paused", "account_id")

TAKEN = (
    "Another account has verified this name; it can be yours when their records have been gone for the grace."
)

Which = Annotated[str, typer.Argument(metavar="DOMAIN", help="Its name or id.")]


@command(app)
async def add(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Like example.com; subdomains may send, too.")],
    account: Annotated[str, typer.Option(metavar="ID", help="The account it belongs to.")],
    trusted: Annotated[
        bool, typer.Option("--trusted", help="You vouch for it: verified at once, without its DNS records.")
    ] = False,
    mode: Annotated[
        Literal["live", "sandbox"],
        typer.Option(help="live: mail is delivered; sandbox: it is kept in the inbox, nothing leaves."),
    ] = "live",
) -> None:
    """Add a domain with its DKIM keys, and print the DNS records to publish."""
    config = context.config
    async with context.database() as database:
        domain = await domains.add(
            database,
            context.secrets,
            name,
            account_id=account,
            trusted=trusted,
            mode=mode,
            rules=config.domains,
            by=context.actor,
        )
        details = await domains.show(database, domain.id, Hosts.of(config.server))
    _print(context, details)


@command(app)
async def show(context: Context, which: Which) -> None:
    """Show a domain, the DNS records to publish, and what the last check found."""
    async with context.database() as database:
        details = await domains.show(database, which, Hosts.of(context.config.server))
    _print(context, details)


@command(app)
async def check(context: Context, which: Which) -> int:
    """Look the DNS records up and verify the domain. Exit status 1 while it is not verified."""
    config = context.config
    resolver = Resolver(config.dns, context.clock)
    async with context.database() as database:
        try:
            tools = Verifier.of(database, resolver, config)
            checked = await verification.check(tools, which, by=context.actor)
        finally:
            await resolver.close()
        details = await domains.show(database, checked.domain.id, tools.hosts)
    _print(context, details)
    for note in [*checked.looked.notes, *([TAKEN] if checked.taken else [])]:
        context.out.note(note)
    return 0 if details.domain.verified_at else 1


@command(app)
async def pause(context: Context, which: Which) -> None:
    """Send nothing from a domain until it is resumed. Messages are accepted and kept; what is queued waits."""
    async with context.database() as database:
        domain = await domains.pause(database, which, by=context.actor)
    context.out.record("Domain", _row(domain))


@command(app)
async def resume(context: Context, which: Which) -> None:
    """End the pause of a domain: what waits is sent."""
    async with context.database() as database:
        domain = await domains.resume(database, which, by=context.actor)
    context.out.record("Domain", _row(domain))


@command(app)
async def delete(context: Context, which: Which) -> None:
    """Delete a domain with all that belongs to it: keys, SMTP users, tokens, webhooks ... What is queued is cancelled."""
    async with context.database() as database:
        domain = await domains.find(database, which)
        await domain_removal.delete(
            database, domain.id, by=context.actor, retention=context.config.retention.content
        )
    context.out.record("Deleted domain", _row(domain))


@command(app, "list")
async def list_(
    context: Context,
    account: Annotated[str | None, typer.Option(metavar="ID", help="Only this account's.")] = None,
) -> None:
    """List domains."""
    async with context.database() as database:
        if account is not None:
            await accounts.get(database, account)
        rows = [_row(domain) for domain in await domains.list_all(database, account_id=account)]
    empty = "There is no domain yet: `postroom domain add NAME --account ID`."
    context.out.records("Domains", rows, LIST_COLUMNS, empty=empty)


def _row(domain: Domain) -> dict[str, Any]:
    return shown(domain) | {
        "verified": domain.verified_at is not None,
        "settings": json.loads(domain.settings),
        "check_result": json.loads(domain.check_result) if domain.check_result else None,
    }


def _print(context: Context, details: DomainDetails) -> None:
    row = _row(details.domain) | {"records": [shown(record) for record in details.records]}
    context.out.value(row, lambda: _as_text(row))


def _as_text(row: dict[str, Any]) -> RenderableType:
    """Records are not in a table: people copy them."""
    own = {name: value for name, value in row.items() if name not in ("records", "check_result", "settings")}
    lines: list[RenderableType] = [panel("Domain", own)]
    if row["mode"] == domains.LIVE:
        lines.append(Text("DNS records to publish", style="bold"))
        for record in row["records"]:
            need = "required" if record["required"] else "recommended"
            lines.append(Text(f"\n{record['purpose']} ({need})", style="dim"))
            lines.append(Text(f"{record['name']}  {record['type']}  {record['value']}"))
    if row["check_result"]:
        lines.append(Text("\nWhat the last check found", style="bold"))
        lines += [_finding(finding) for finding in row["check_result"]]
    return Group(*lines)


def _finding(finding: dict[str, Any]) -> Text:
    result = "ok" if finding["ok"] else "fail" if finding["required"] else "warn"
    text = Text.assemble((f"{result:<5} ", STYLES[result]), finding["record"])
    if finding["mend"]:
        text.append(
            f"\n      found: {printable(finding['found']) or 'nothing'}\n      {finding['mend']}", style="dim"
        )
    return text
