"""Couriers to scripted peers: what a test needs to deliver one message."""

import dataclasses
from collections.abc import Sequence
from functools import cache

from postroom.config import Delivery
from postroom.deliver.courier import Courier, OneRecipient
from postroom.deliver.destination import Destination, Host
from postroom.deliver.tls import TlsContexts, tls_contexts
from postroom.runtime.blobs import Blobs, MemoryBlobs
from postroom.runtime.clock import Clock
from postroom.types.composed import Composed
from postroom.types.envelope import Address
from support.peer import Peer
from support.tls import local_tls

ENVELOPE = OneRecipient("a@a.test", Address("bob", "b.test"))
HEAD = b"From: a@a.test\r\nSubject: x\r\n\r\n"
SHORT = Delivery(
    allow_private=True, connect_timeout=2, command_timeout=2, data_timeout=2, block_timeout=2, dot_timeout=2
)


def message(body: bytes = b"Hello\r\n.\r\nBye\r\n", **more: object) -> Composed:
    return Composed(HEAD, body, len(HEAD) + len(body), **more)  # type: ignore[arg-type]


def to(*peers: Peer | int, **more: object) -> Destination:
    """One host per peer, all on the port of the first; a port stands for a host where nobody listens."""
    hosts = tuple(
        Host("localhost", (peer.address if isinstance(peer, Peer) else "127.0.0.9",)) for peer in peers
    )
    port = next(peer.port for peer in peers if isinstance(peer, Peer))
    destination = Destination("site", hosts, port, "opportunistic", 3, 20)
    return dataclasses.replace(destination, **more)  # type: ignore[arg-type]


def courier(
    destination: Destination,
    config: Delivery = SHORT,
    *,
    blobs: Blobs | None = None,
    contexts: TlsContexts | None = None,
) -> Courier:
    return Courier(destination, config, contexts or trusting(), blobs or MemoryBlobs(), "me.test", Clock())


@cache
def trusting() -> TlsContexts:
    """Contexts that trust the authority of the tests; made once, since loading the system's takes its time."""
    return tls_contexts(local_tls().authority)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def transcript(lines: Sequence[object]) -> str:
    return "\n".join(f"{line.who} {line.text}" for line in lines)  # type: ignore[attr-defined]
