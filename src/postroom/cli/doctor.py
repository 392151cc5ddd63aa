"""`postroom doctor`: is everything as mail needs it?"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from postroom.cli import certificate, checks, running
from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.cli.output import STYLES
from postroom.errors import PostroomError
from postroom.runtime.dns import Resolver
from postroom.runtime.hostname import own_hostname
from postroom.tenancy import domains, network_checks
from postroom.tenancy.verification import Verifier
from postroom.types.check import FAIL, Check

app = typer.Typer(add_completion=False)


@command(app)
async def doctor(
    context: Context,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out the DNS records of every live domain, which may be many."),
    ] = False,
) -> int:
    """Check resolver, outbound port 25, host name and PTR, clock, disk, certificate, database and domains.

    Each check says ok, warn or fail, and how to mend it. Exit status 1 if any fails.
    """
    resolver = Resolver(context.config.dns, context.clock)
    try:
        found = [*await _machine(context, resolver), *await _database(context, resolver, quick=quick)]
    finally:
        await resolver.close()
    context.out.value([asdict(check) for check in found], lambda: _as_text(found))
    return 1 if any(check.result == FAIL for check in found) else 0


async def _machine(context: Context, resolver: Resolver) -> list[Check]:
    config = context.config
    relay = running.find(config) or {}
    addresses = [(running.reachable(entry["host"]), entry["port"]) for entry in relay.get("submission", [])]
    hostname = own_hostname(config.server.hostname)
    ours, outside = await asyncio.gather(
        network_checks.within("relay", checks.listeners(addresses), checks.MEND_RELAY),
        network_checks.look(config, resolver, hostname),
    )
    return [
        ours,
        *outside,
        checks.clock(),
        checks.disk(config.data),
        certificate.check(config, context.clock),
    ]


async def _database(context: Context, resolver: Resolver, *, quick: bool) -> list[Check]:
    try:
        async with context.database() as database:
            found = [await checks.durability(database), await checks.system_mail(database, context.config)]
            if not quick:
                tools = Verifier.of(database, resolver, context.config)
                found += [
                    await checks.domain(tools, domain, context.actor)
                    for domain in await domains.list_all(database)
                    if domain.mode == domains.LIVE
                ]
            return found
    except PostroomError as error:
        return [Check("database", FAIL, str(error), "See the message.")]


def _as_text(found: list[Check]) -> RenderableType:
    lines = []
    for check in found:
        line = Text.assemble(
            (f"{check.result:<5}", STYLES[check.result]), (f"{check.name}: ", "bold"), check.detail
        )
        if check.fix:
            line.append(f"\n     {check.fix}", style="dim")
        lines.append(line)
    return Group(*lines)
