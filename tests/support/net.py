"""A small internet on loopback: a DNS of the test's own, and mail servers on addresses of their own.

All MX hosts share one port (`dns.mx_port`), as in the real one; each has an address of 127.0.7.0/24.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from support.background import in_background
from support.dns import DnsServer
from support.peer import Peer, Script
from support.waiting import free_port


class Net:
    def __init__(self, dns: DnsServer) -> None:
        self.dns = dns
        self.mx_port = free_port("0.0.0.0")
        self._numbers = count(1)

    @property
    def settings(self) -> dict[str, str]:
        """For a relay that lives in this net."""
        return {
            "POSTROOM_DNS__SERVERS": json.dumps([self.dns.address]),
            "POSTROOM_DNS__MX_PORT": str(self.mx_port),
            "POSTROOM_DELIVERY__ALLOW_PRIVATE": "true",
        }

    def address(self) -> str:
        """One that nobody listens on yet."""
        return f"127.0.7.{next(self._numbers)}"

    def publish(self, name: str, **records: Sequence[str]) -> None:
        """Records of a name, by type; added to those it has."""
        zone = self.dns.zones.setdefault(name.lower(), {})
        assert not isinstance(zone, str)
        self.dns.zones[name.lower()] = {**zone, **records}

    def domain(self, name: str, *addresses: str) -> None:
        """A mail domain with a server at each address, the first preferred."""
        hosts = [f"mx{number}.{name}" for number in range(1, len(addresses) + 1)]
        self.publish(name, MX=[f"{number}0 {host}." for number, host in enumerate(hosts, 1)])
        for host, address in zip(hosts, addresses, strict=True):
            self.publish(host, A=[address])

    @contextmanager
    def peer(self, name: str, script: Script | Sequence[Script] | None = None) -> Iterator[Peer]:
        """A scripted server as the only one of a new mail domain."""
        address = self.address()
        self.domain(name, address)
        with Peer(script, host=address, port=self.mx_port) as peer:
            yield peer


@contextmanager
def small_internet(zones: Mapping[str, Mapping[str, Sequence[str]] | str] | None = None) -> Iterator[Net]:
    with in_background(DnsServer(zones or {})) as dns:
        yield Net(dns)
