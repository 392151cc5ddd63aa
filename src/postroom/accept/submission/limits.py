"""Limits by client address: open connections and failed logins. An IPv6 client is its /64 (S08, S17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil

from postroom.types.refusals import SERVER_BUSY, TOO_MANY_CONNECTIONS, TOO_MANY_FAILED_LOGINS, Refused

KNOWN_FOR = 24 * 3600.0  # how long an address that logged in is known
FIRST_WAIT = 5.0
LONGEST_WAIT = 15 * 60.0
FORGET_AFTER = 3600.0  # without a failure
MOST_REMEMBERED = 50_000  # addresses; an attacker may have more than we have memory
RESERVED = 0.1  # of all connections, for addresses that are known


@lru_cache(maxsize=4096)
def client_address(host: str) -> str:
    """The address as people write it: no zone, and IPv4 when it is IPv4 in IPv6 clothes."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


@lru_cache(maxsize=4096)
def client_network(client: str) -> str:
    """What limits are counted by: the address, or the /64 it is in."""
    address = ip_address(client)
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return client


class FailedLogins:
    """Who has guessed wrong and has to wait. Nobody can shut out an owner: his address is known for his user."""

    def __init__(self, allowed: int, clock: Callable[[], float]) -> None:
        self._allowed = allowed
        self._clock = clock
        self._failures: dict[str, _Failures] = {}
        self._known: dict[tuple[str, str], float] = {}
        self._known_networks: dict[str, float] = {}

    def wait(self, client: str, username: str) -> Refused | None:
        """A refusal while the client has to wait; None if the login may be tried."""
        network = client_network(client)
        failures = self._failures.get(network)
        if failures is None or (network, username) in self._known:
            return None
        seconds = failures.until - self._clock()
        return too_many_failed_logins(seconds) if seconds > 0 else None

    def failed(self, client: str) -> float:
        """Count one; returns the seconds to wait from now on."""
        now = self._clock()
        network = client_network(client)
        failures = self._failures.pop(network, None)
        if failures is None or now - failures.last > FORGET_AFTER:
            failures = _Failures()
        failures.count += 1
        failures.last = now
        beyond = failures.count - self._allowed
        wait = min(FIRST_WAIT * 2.0 ** min(beyond - 1, 20), LONGEST_WAIT) if beyond > 0 else 0.0
        failures.until = now + wait
        self._failures[network] = failures  # the latest last, so the first is the one to forget
        if len(self._failures) > MOST_REMEMBERED:
            del self._failures[next(iter(self._failures))]
        return wait

    def succeeded(self, client: str, username: str) -> None:
        """Failures stay counted: an attacker may have an account, too."""
        network = client_network(client)
        self._known[network, username] = self._known_networks[network] = self._clock()

    def is_known(self, client: str) -> bool:
        return client_network(client) in self._known_networks

    def forget(self) -> None:
        """Drop what is too old to matter. Call it now and then."""
        now = self._clock()
        self._known = {key: at for key, at in self._known.items() if now - at <= KNOWN_FOR}
        self._known_networks = {key: at for key, at in self._known_networks.items() if now - at <= KNOWN_FOR}
        self._failures = {key: one for key, one in self._failures.items() if now - one.last <= FORGET_AFTER}


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0


def too_many_failed_logins(seconds: float) -> Refused:
    return Refused(TOO_MANY_FAILED_LOGINS, {"seconds": str(max(ceil(seconds), 1))})


class ConnectionLimits:
    """How many connections are open, in all and per network. The last tenth is for addresses that are known."""

    def __init__(self, most: int, per_client: int, is_known: Callable[[str], bool]) -> None:
        self._most = most
        self._unreserved = most - int(most * RESERVED)
        self._per_client = per_client
        self._is_known = is_known
        self._open: dict[str, int] = {}
        self.total = 0

    def enter(self, client: str) -> Refused | None:
        """Count a connection in, refused or not; each `enter` needs its `leave`."""
        network = client_network(client)
        self.total += 1
        count = self._open[network] = self._open.get(network, 0) + 1
        if count > self._per_client:
            return Refused(TOO_MANY_CONNECTIONS, {"address": client, "limit": str(self._per_client)})
        if self.total > self._most or (self.total > self._unreserved and not self._is_known(client)):
            return Refused(SERVER_BUSY)
        return None

    def leave(self, client: str) -> None:
        network = client_network(client)
        self.total -= 1
        count = self._open[network] - 1
        if count:
            self._open[network] = count
        else:
            del self._open[network]
