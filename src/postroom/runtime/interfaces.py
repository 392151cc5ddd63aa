"""Which addresses are this machine's own."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address

# Documentation addresses: connecting a UDP socket sends nothing, it only makes the kernel choose a source address.
_SOMEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_addresses(*configured: str) -> frozenset[str]:
    """Canonical texts: what the machine's name resolves to, the source of its default routes, and those configured.

    Loopback is not among them: it is everybody's.
    """
    found = {address for address in configured if address}
    with contextlib.suppress(OSError):
        found.update(str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None))
    for family, somewhere in _SOMEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((somewhere, 9))
            found.add(str(sock.getsockname()[0]))
    addresses = [ip_address(address.partition("%")[0]) for address in found]
    return frozenset(str(address) for address in addresses if not address.is_loopback)
