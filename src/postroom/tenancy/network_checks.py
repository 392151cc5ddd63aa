"""Can this machine send mail at all: the resolver, the way out on port 25, and the name it sends under.

The doctor prints the checks; the dashboard runs them when an operator asks, and keeps what they found.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, replace

from postroom.config import Config
from postroom.runtime.dns import DnsError, Resolver
from postroom.store import installation
from postroom.store.database import Database
from postroom.tenancy import audit, installation_dns
from postroom.types.actor import Actor
from postroom.types.check import FAIL, OK, WARN, Check

TIMEOUT = 5.0
WELL_KNOWN = "gmail.com"
"""A domain whose mail servers are always there."""

MEND_RESOLVER = "Set dns.servers to a resolver that works, or mend /etc/resolv.conf."
MEND_PORT_25 = "Ask the hosting provider to open port 25, or set delivery.routes to a smarthost on port 587."

RESOLVER, PORT_25, HOST_NAME = "resolver", "port 25 outbound", "host name and PTR"

KEPT = "network_checks"
LONGEST_RUN = 60 * 1000
"""Milliseconds: a run that has said nothing for so long died with its process."""


async def look(config: Config, dns: Resolver, hostname: str) -> list[Check]:
    """All of them, at the same time."""
    return list(
        await asyncio.gather(
            within(RESOLVER, resolver(dns), MEND_RESOLVER),
            within(PORT_25, port_25(config, dns), MEND_PORT_25),
            within(HOST_NAME, host_name(hostname, dns), MEND_RESOLVER),
        )
    )


async def within(name: str, check: Awaitable[Check], fix: str, *, seconds: float = TIMEOUT) -> Check:
    """The check, or that it took too long."""
    try:
        async with asyncio.timeout(seconds):
            return await check
    except TimeoutError:
        return Check(name, FAIL, f"no answer within {seconds:g} s", fix)


async def resolver(dns: Resolver) -> Check:
    name, fix = RESOLVER, MEND_RESOLVER
    try:
        await dns.mx(WELL_KNOWN)
    except DnsError as error:
        return Check(name, FAIL, f"a look-up failed: {error}", fix)
    return Check(name, OK, f"answers (asked for the mail servers of {WELL_KNOWN})")


async def port_25(config: Config, dns: Resolver) -> Check:
    """Can we reach mail servers? By the route for all mail if there is one, else at a large mailbox provider."""
    name = PORT_25
    route = next((route for route in config.delivery.routes if route.domain == "*"), None)
    if route is not None:
        host, port = route.host, route.port
        fix = "Check delivery.routes, and that the smarthost admits this machine."
    elif config.delivery.allow_private:
        return Check(name, OK, "not tried: delivery.allow_private is for tests on private networks")
    else:
        fix = MEND_PORT_25
        try:
            host, port = (await dns.mx(WELL_KNOWN))[0][1], 25
        except (DnsError, IndexError) as error:
            return Check(name, WARN, f"not tried: no address to try ({error})", "Mend the resolver first.")
    source = config.delivery.ipv4_source
    try:
        reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0) if source else None)
        greeting = await reader.readline()
        writer.close()
    except OSError as error:
        return Check(name, FAIL, f"{host}:{port} cannot be reached: {error.strerror or error}", fix)
    if not greeting.startswith(b"220"):
        return Check(name, FAIL, f"{host}:{port} answers {greeting[:80]!r}, not 220", fix)
    return Check(name, OK, f"{host}:{port} answers")


async def host_name(hostname: str, dns: Resolver) -> Check:
    """The name in EHLO resolves, and its addresses point back to it (what large receivers demand; D17)."""
    if "." not in hostname:
        fix = "Set server.hostname to a full name like mail.example.com whose address points back to it."
        return Check(HOST_NAME, WARN, f"{hostname!r} is no full name; receivers distrust it", fix)
    found = await installation_dns.pointing_back(dns, hostname)
    if found.ok:
        return Check(HOST_NAME, OK, f"{hostname} is {found.found}, and the PTR points back")
    return Check(HOST_NAME, WARN, f"{found.record}: {found.found or 'there is none'}", found.mend)


# -- what the last run found ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """`ended_at` None: it is under way, and `checks` are those of the run before. Times in milliseconds."""

    began_at: int
    ended_at: int | None
    checks: tuple[Check, ...]

    def under_way(self, now: int) -> bool:
        return self.ended_at is None and now < self.began_at + LONGEST_RUN


async def last(db: Database) -> Run | None:
    """None: nobody has asked for one yet."""
    async with db.read() as connection:
        return _decode(await installation.get(connection, KEPT))


async def begin(db: Database, *, now: int, by: Actor) -> bool:
    """Say that a run begins; False when one is under way, on whatever node."""
    async with db.write() as connection:
        await installation.lock(connection, KEPT)
        before = _decode(await installation.get(connection, KEPT))
        if before is not None and before.under_way(now):
            return False
        run = Run(now, None, before.checks if before is not None else ())
        await installation.put(connection, KEPT, _encode(run))
        await audit.record(connection, by, "network_checks.begun", account_id="")
    return True


async def end(db: Database, checks: list[Check], *, now: int) -> None:
    """Keep what the run has found."""
    async with db.write() as connection:
        await installation.lock(connection, KEPT)
        before = _decode(await installation.get(connection, KEPT))
        run = replace(before or Run(now, None, ()), ended_at=now, checks=tuple(checks))
        await installation.put(connection, KEPT, _encode(run))


def _encode(run: Run) -> str:
    return json.dumps(asdict(run))


def _decode(kept: str | None) -> Run | None:
    if kept is None:
        return None
    values = json.loads(kept)
    checks = tuple(Check(**check) for check in values["checks"])
    return Run(values["began_at"], values["ended_at"], checks)
