"""S17: clients that take their time, on purpose. They are sent away in time, and the others are served meanwhile.

The trickle within DATA and the exact times are in `stages/submission`; here is the whole process, with all of them at once.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.background import in_background
from support.process import Relay, starting
from support.raw import RawClient
from support.waiting import until
from support.world import Tenant, World

CONNECTIONS, PER_ADDRESS = 70, 9
SETTINGS = {
    "POSTROOM_SUBMISSION__CONNECTIONS": str(CONNECTIONS),
    "POSTROOM_SUBMISSION__CONNECTIONS_PER_ADDRESS": str(PER_ADDRESS),
    **{f"POSTROOM_SUBMISSION__{name}_TIMEOUT": "4s" for name in ("COMMAND", "LOGIN", "HANDSHAKE", "DATA")},
}
MEMORY = 64 * 1024 * 1024
"""Octets the relay may need for all of them together."""
HELLO = bytes.fromhex("16030100c8010000c40303")  # the beginning of a TLS ClientHello

OPEN = 'postroom_connections{side="submission"}'

Attack = Callable[[Relay, Tenant, str], Awaitable[RawClient]]


async def silent(relay: Relay, tenant: Tenant, source: str) -> RawClient:
    """Connects, and that was it."""
    return await RawClient.connect("127.0.0.1", relay.port(), source=source)


async def silent_on_the_tls_port(relay: Relay, tenant: Tenant, source: str) -> RawClient:
    return await RawClient.connect("127.0.0.1", relay.port("implicit"), source=source)


async def half_a_handshake(relay: Relay, tenant: Tenant, source: str) -> RawClient:
    client = await silent_on_the_tls_port(relay, tenant, source)
    client.send(HELLO)
    return client


async def half_a_starttls(relay: Relay, tenant: Tenant, source: str) -> RawClient:
    client = await silent(relay, tenant, source)
    if (await client.reply()).startswith("220 "):
        await client.say("EHLO slow.example")
        await client.say("STARTTLS")
        client.send(HELLO)
    return client


async def dripping(relay: Relay, tenant: Tenant, source: str) -> RawClient:
    """An octet now and then: each comes in time, the command never."""
    client = await silent(relay, tenant, source)

    def drip() -> None:
        if not client.writer.transport.is_closing():
            client.send(b"A")
            asyncio.get_running_loop().call_later(0.1, drip)

    drip()
    return client


async def deaf(relay: Relay, tenant: Tenant, source: str) -> RawClient:
    """Asks for far more replies than fit on the way, and reads none of them."""
    client = await RawClient.connect("127.0.0.1", relay.port("implicit"), relay.tls(), source=source)
    await client.reply()
    await client.log_in(*tenant.login)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.send(f"MAIL FROM:<app@{tenant.domain}>\r\n".encode() + b"RCPT TO:<you@x.test>\r\n" * 100_000)
    return client


ATTACKS: tuple[Attack, ...] = (
    deaf,
    half_a_starttls,
    half_a_handshake,
    dripping,
    silent_on_the_tls_port,
    silent,
    silent,
)
"""Together they have all connections but the reserve."""


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with starting(tmp_path / "data", "--first-run", settings=SETTINGS) as started:
        yield started


@asynccontextmanager
async def all_at_once(relay: Relay, tenant: Tenant) -> AsyncIterator[None]:
    """As many of each kind as an address may have, from an address each."""
    clients: list[RawClient] = []
    try:
        for number, attack in enumerate(ATTACKS):
            source = f"127.0.5.{number + 1}"
            clients += await asyncio.gather(*(attack(relay, tenant, source) for _ in range(PER_ADDRESS)))
        yield
    finally:
        for client in clients:
            client.writer.transport.abort()


def welcome(relay: Relay, source: str) -> str:
    """The first line that a client from this address sees."""
    with socket.create_connection(("127.0.0.1", relay.port()), 10, (source, 0)) as client:
        return client.makefile().readline()


def send(relay: Relay, tenant: Tenant) -> int:
    sender = f"app@{tenant.domain}"
    with relay.smtp(*tenant.login) as client:
        client.sendmail(sender, "you@x.test", f"From: {sender}\r\n\r\nhello\r\n")
        return client.noop()[0]


def metric(relay: Relay, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{relay.addresses['http']['port']}/metrics") as answer:
        found = re.search(rf"(?m)^{re.escape(name)} (\S+)$", answer.read().decode())
    return float(found[1]) if found else 0.0


def descriptors(relay: Relay) -> int:
    """Without the database's own: how many of them are open is a matter of how many have read it at once."""
    opened = [str(file.resolve()) for file in Path(f"/proc/{relay.process.pid}/fd").iterdir()]
    return sum(not name.startswith(str(relay.data / "postroom.db")) for name in opened)


def memory(relay: Relay) -> int:
    """Octets."""
    pages = int(Path(f"/proc/{relay.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_s17_slow_clients_are_sent_away_and_others_served(relay: Relay) -> None:
    tenant = World.of(relay.data).tenant("app.test")
    assert send(relay, tenant) == 250  # from now on this address is known, and the reserve is for it
    before, used = descriptors(relay), memory(relay)
    with in_background(all_at_once(relay, tenant)):
        until(lambda: metric(relay, OPEN) == len(ATTACKS) * PER_ADDRESS)
        assert welcome(relay, "127.0.9.1").startswith("421 4.3.2 ")
        for _ in range(3):
            assert send(relay, tenant) == 250
        assert memory(relay) - used < MEMORY
        assert descriptors(relay) - before <= CONNECTIONS + 20
        until(lambda: metric(relay, OPEN) == 0, 40, what="all of them are sent away")
        assert welcome(relay, "127.0.9.1").startswith("220 ")
    assert metric(relay, 'postroom_refused_total{rule="plain-on-tls-port"}') == PER_ADDRESS
    assert metric(relay, 'postroom_refused_total{rule="idle-timeout"}') >= 4 * PER_ADDRESS
    until(lambda: descriptors(relay) <= before + 5)
    assert send(relay, tenant) == 250
    assert "Traceback" not in relay.log
    assert relay.stop() == 0
