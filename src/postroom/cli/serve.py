"""`postroom serve`: the relay itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import structlog
import typer
import uvloop

from postroom.cli import database, first_run, running
from postroom.cli.command import command
from postroom.cli.context import Context
from postroom.config import Config, Log
from postroom.runtime import descriptors, interpreter, local_ca, logs
from postroom.runtime.clock import Clock
from postroom.runtime.files import DirectoryLock
from postroom.tenancy.name_watch import NameWatch

app = typer.Typer(add_completion=False)

log = structlog.get_logger()


@command(app)
def serve(
    context: Context,
    role: Annotated[
        str,
        typer.Option(metavar="A,B", help="What this process does: submission, delivery, http. Default: all."),
    ] = "",
    first: Annotated[
        bool,
        typer.Option(
            "--first-run",
            help="Once: make an account, an operator, a sandbox domain and an SMTP user, and print how to send.",
        ),
    ] = False,
) -> int:
    """Run the relay until it is told to end.

    Prints one line "ready {json}" with the addresses of all listeners when they accept. Logs go to standard error.
    SIGTERM or Ctrl-C finishes what is under way and ends within 30 s; a second one ends at once, and nothing that
    was accepted is lost either way.
    """
    config = context.config
    level = "debug" if context.options.verbose else config.log.level
    logs.configure(Log(level=level, format=config.log.format))
    roles = frozenset(part.strip() for part in role.split(",") if part.strip())
    _raise_limit_of_descriptors(config)
    with _exclusive(config):
        uvloop.run(_serve(context, config, roles, first=first))
    return 0


async def _serve(context: Context, config: Config, roles: frozenset[str], *, first: bool) -> None:
    # The node brings in the web server and every stage; the other commands start quicker without them.
    from postroom.node import ROLES, Node

    stop = _stop_on_signals()
    await database.prepare(config)
    _ensure_certificate(config, context.clock)
    node = Node(config, roles=roles or frozenset(ROLES))
    addresses = await node.start()
    interpreter.collect_rarely()
    try:
        made = await first_run.prepare(context, addresses) if first else None
        running.announce(config, addresses)
        sys.stdout.write(f"ready {json.dumps(addresses)}\n")
        sys.stdout.flush()
        watch = NameWatch(node.database, node.resolver, node.hostname)
        node.directory.on_change(watch.changed)
        jobs = [watch.run()]
        if made is not None:
            jobs.append(first_run.welcome(context, made))
        beside = [asyncio.create_task(_logged(job)) for job in jobs]
        await stop.wait()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    finally:
        running.withdraw(config)
        log.info("stopping")
        await node.stop()
    log.info("stopped")


def _raise_limit_of_descriptors(config: Config) -> None:
    """Without descriptors nobody is told that we are busy."""
    allowed = descriptors.raise_limit()
    wanted = config.submission.connections + 2 * config.delivery.concurrency + config.database.pool + 100
    if allowed < wanted:
        log.warning(
            "the limit of open files is below what the settings may need", allowed=allowed, wanted=wanted
        )


@contextmanager
def _exclusive(config: Config) -> Iterator[None]:
    """On SQLite one relay per data directory. Raises ConflictError that names the process which has it."""
    if not config.database_url.startswith("sqlite"):
        yield
        return
    with DirectoryLock(config.data):
        yield


def _ensure_certificate(config: Config, clock: Clock) -> None:
    """Without a certificate by setting there is our own authority's, made once and renewed in time."""
    if config.tls.certificate is not None:
        return
    directory = config.data / "tls"
    names = (config.server.hostname, config.server.smtp_host, *config.tls.names)
    # Nodes on one PostgreSQL may share a data directory.
    with DirectoryLock(directory):
        local_ca.ensure_certificate(directory, [name for name in names if name], clock)


def _stop_on_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT. The second one ends the process on the spot."""
    stop = asyncio.Event()

    def told_to_end() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end)
    return stop


async def _logged(job: Coroutine[Any, Any, None]) -> None:
    """What goes on beside the relay must not end it, nor fail unseen."""
    try:
        await job
    except Exception:
        log.exception("something beside the relay failed")
