"""Whether a target may be called, and at which addresses."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from postroom.config import Outgoing
from postroom.runtime.addresses import forbidden
from postroom.runtime.dns import NoSuchDomainError, Resolver
from postroom.runtime.http_client.url import Target, UrlError

LOOPBACK = "127.0.0.1"


class Guard:
    """`own` are this machine's addresses in canonical text: what listens there may trust itself."""

    def __init__(self, config: Outgoing, resolver: Resolver, own: frozenset[str]) -> None:
        self._config = config
        self._resolver = resolver
        self._own = own
        self._allowed = [ip_network(network, strict=False) for network in config.allow]

    def check(self, target: Target) -> None:
        """What can be said without a look-up. Raises UrlError."""
        if target.scheme != "https" and not self._config.allow_http:
            raise UrlError("must begin with https://")
        if self._config.ports and target.port not in self._config.ports:
            raise UrlError(f"has the port {target.port}; allowed are {_listed(self._config.ports)}")

    async def addresses(self, target: Target) -> list[str]:
        """The addresses of the host, all of them checked; there is at least one.

        Raises UrlError for a forbidden one, NoSuchDomainError, DnsUnavailableError.
        """
        found = await self._look_up(target)
        if not found:
            raise NoSuchDomainError(f"{target.host} has no address")
        for address in found:
            reason = self._refused(address)
            if reason is not None:
                # Which address is nobody's business: it may come from a DNS that only we can ask.
                raise UrlError(f"leads to an address that is not allowed ({reason})")
        return found

    async def _look_up(self, target: Target) -> list[str]:
        if target.literal:
            return [target.host]
        if target.host == "localhost" or target.host.endswith(".localhost"):
            return [LOOPBACK]  # never asked for in the DNS (RFC 6761 section 6.3)
        return await self._resolver.addresses(target.host, ipv6=True)

    def _refused(self, address: str) -> str | None:
        """Why nobody may connect there, or None."""
        parsed = ip_address(address)
        if any(parsed in network for network in self._allowed):
            return None
        return forbidden(str(parsed), self._own)


def _listed(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports))
