"""Which addresses are this machine's own."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from postroom.errors import ConfigError

# Documentation addresses: connecting a UDP socket sends nothing, it only makes the kernel choose a source address.
_SOMEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))

# Linux tells the addresses of all interfaces; elsewhere these files are not there.
_IPV4, _IPV6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
_OF_THIS_MACHINE = ["/32", "host", "LOCAL"]


def own_addresses(*configured: str) -> frozenset[str]:
    """Canonical texts: those of all interfaces as far as the system tells them, what the machine's name resolves to, the
    source of its default routes, and those configured.

    Loopback is not among them: it is everybody's.
    """
    found = {address for address in configured if address}
    with contextlib.suppress(OSError):
        found.update(read_ipv4(_IPV4.read_text("ascii")))
    with contextlib.suppress(OSError):
        found.update(read_ipv6(_IPV6.read_text("ascii")))
    with contextlib.suppress(OSError):
        found.update(str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None))
    for family, somewhere in _SOMEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((somewhere, 9))
            found.add(str(sock.getsockname()[0]))
    addresses = [ip_address(address.partition("%")[0]) for address in found]
    return frozenset(str(address) for address in addresses if not address.is_loopback)


def read_ipv4(fib_trie: str) -> Iterator[str]:
    """The machine's addresses in `/proc/net/fib_trie`: a tree of routes, whose leaves say what they are for."""
    leaf = ""
    for line in fib_trie.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words[:3] == _OF_THIS_MACHINE:
            yield leaf


def read_ipv6(if_inet6: str) -> Iterator[str]:
    """The machine's addresses in `/proc/net/if_inet6`: one a line, in 32 hexadecimal digits, then other things."""
    for line in if_inet6.splitlines():
        yield str(IPv6Address(int(line.split()[0], 16)))


def check_source(address: str) -> None:
    """Raises ConfigError when mail cannot leave from `address`, the setting; "" leaves it to the system.

    Found at the first message, this would defer all of them until somebody looks.
    """
    if not address:
        return
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.bind((address, 0))
    except OSError as error:
        missing = error.errno == errno.EADDRNOTAVAIL
        reason = "is no address of this machine" if missing else f"cannot be used: {error.strerror}"
        raise ConfigError(f"delivery.ipv4_source: {address} {reason}") from None
