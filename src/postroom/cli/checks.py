"""What `postroom doctor` looks at beside the network (`tenancy.network_checks`). Each check says what it found and, unless
all is well, how to mend it."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from postroom.config import Config
from postroom.runtime import files
from postroom.runtime.clock import Clock
from postroom.store import durability as durable
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import system_account, verification
from postroom.tenancy.verification import Verifier
from postroom.types.actor import Actor
from postroom.types.check import FAIL, OK, WARN, Check

MEND_RELAY = "Start it with `postroom serve`; if it runs, see its log."

GIB, MIB = 1024**3, 1024**2
SLOW_FSYNC = 0.1
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def clock() -> Check:
    """Is the wall clock kept right by somebody (NTP), as far as the kernel knows?"""
    name, fix = (
        "clock",
        "Run an NTP client (systemd-timesyncd, chrony); signatures and retries need the right time.",
    )
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return Check(name, OK, "runs (this system does not tell whether it is synchronised)")
    # A zeroed `struct timex` changes nothing; the answer is the state of the clock.
    if adjtimex(ctypes.create_string_buffer(1024)) == TIME_ERROR:
        return Check(name, WARN, "is not synchronised", fix)
    return Check(name, OK, "is synchronised")


def disk(data: Path) -> Check:
    """Room, and a write that is on stable storage within a sensible time."""
    name, fix = "disk", f"Make room for {data}, or move it to a larger disk."
    probe = data / ".doctor"
    try:
        usage = shutil.disk_usage(data)
        inodes = os.statvfs(data)
        began = Clock().monotonic()
        files.write_file(probe, b"x" * 4096)
        took = Clock().monotonic() - began
        probe.unlink()
    except OSError as error:
        return Check(
            name, FAIL, f"{data} cannot be written: {error.strerror}", "Mend owner and mode of the directory."
        )
    free = f"{usage.free / GIB:.1f} GiB free, a durable write takes {took * 1000:.0f} ms"
    if usage.free < 100 * MIB or (inodes.f_files and inodes.f_favail < 1000):
        return Check(name, FAIL, f"full: {free}", fix)
    if usage.free < GIB:
        return Check(name, WARN, free, fix)
    if took > SLOW_FSYNC:
        return Check(name, WARN, free, "Every acceptance waits for the disk: use a local SSD.")
    return Check(name, OK, free)


async def durability(database: Database) -> Check:
    """What is committed has to survive a power cut."""
    name = "database durability"
    if wrong := await durable.weakness(database):
        settings = ", ".join(f"{setting} = {value}" for setting, value in durable.wanted(database).items())
        return Check(name, FAIL, wrong, f"Set {settings}.")
    found = await durable.found(database)
    return Check(name, OK, ", ".join(f"{setting} = {value}" for setting, value in found.items()))


async def system_mail(database: Database, config: Config) -> Check:
    """Does the mail of Postroom itself leave the machine?"""
    name = "system mail"
    sender = config.system.mailbox
    if sender is None:
        return Check(name, OK, "stays in the sandbox inbox: system.from is not set")
    domain = await system_account.covering(database, sender.address.domain)
    if domain is None:
        detail = f"stays in the sandbox inbox: {sender.address.domain} is no verified live domain"
        return Check(name, WARN, detail, "Add and verify the domain, or change system.from.")
    return Check(name, OK, f"comes from {sender.address}")


async def listeners(addresses: Sequence[tuple[str, int]]) -> Check:
    """Does the running relay accept connections?"""
    name, fix = "relay", MEND_RELAY
    if not addresses:
        return Check(name, WARN, "does not run", fix)
    for host, port in addresses:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            return Check(name, FAIL, f"{host}:{port} does not accept: {error.strerror or error}", fix)
        writer.close()
    return Check(name, OK, "accepts on " + ", ".join(f"{host}:{port}" for host, port in addresses))


async def domain(tools: Verifier, which: Domain, by: Actor) -> Check:
    """The DNS records of one live domain. A required one that is missing means that signatures do not verify."""
    name, checked = which.name, await verification.check(tools, which.id, by=by)
    missing = [finding for finding in checked.looked.sending if not finding.ok]
    if not missing:
        return Check(f"domain {name}", OK, "all records are right")
    detail = "not as they should be: " + ", ".join(finding.record for finding in missing)
    result = FAIL if any(finding.required for finding in missing) else WARN
    return Check(f"domain {name}", result, detail, f"See `postroom domain show {name}`.")
