"""Limits by client address: open connections and failed logins. An IPv6 client is its /64 (S08, S17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import TypeVar

import structlog

from postroom.types.refusals import SERVER_BUSY, TOO_MANY_CONNECTIONS, TOO_MANY_FAILED_LOGINS, Refused

KNOWN_FOR = 24 * 3600.0  # how long an address that logged in is known
FIRST_WAIT = 5.0
LONGEST_WAIT = 15 * 60.0
FREE_GUESSES = (
    20  # at one user's password, from wherever, before each is held back; then as many for each doubling
)
LONGEST_DELAY = 10.0
FORGET_AFTER = 3600.0  # without a failure
MOST_REMEMBERED = 50_000  # addresses, and users; an attacker may have more than we have memory
LONGEST_NAME = 320
RESERVED = 0.1  # of all connections, for addresses that are known

K = TypeVar("K")
V = TypeVar("V")

log = structlog.get_logger()


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
    """Who has guessed wrong and has to wait, and whose password is guessed at, so that each guess takes longer.

    Nobody can shut out an owner: his address is known for his user, and from elsewhere he is served late, not refused.
    These are the counts of one process; another one has its own.
    """

    def __init__(self, allowed: int, clock: Callable[[], float]) -> None:
        self._allowed = allowed
        self._clock = clock
        self._failures: dict[str, _Failures] = {}
        self._guesses: dict[str, _Failures] = {}
        self._known: dict[tuple[str, str], float] = {}
        self._known_networks: dict[str, float] = {}

    def wait(self, client: str, username: str) -> Refused | None:
        """A refusal while the client has to wait; None if the login may be tried."""
        network = client_network(client)
        failures = self._failures.get(network)
        if failures is None or (network, _name(username)) in self._known:
            return None
        seconds = failures.until - self._clock()
        return too_many_failed_logins(seconds) if seconds > 0 else None

    def delay(self, client: str, username: str) -> float:
        """Seconds for which to hold the check of this login back."""
        name = _name(username)
        guesses = self._guesses.get(name)
        if guesses is None or guesses.count < FREE_GUESSES or self._clock() - guesses.last > FORGET_AFTER:
            return 0.0
        if (client_network(client), name) in self._known:
            return 0.0
        return min(2.0 ** min(guesses.count // FREE_GUESSES - 1, 20), LONGEST_DELAY)

    def failed(self, client: str, username: str) -> float:
        """Count one; returns the seconds to wait from now on."""
        name, network = _name(username), client_network(client)
        guesses = self._count(self._guesses, name)
        if guesses.count % FREE_GUESSES == 0:
            log.warning("a password is guessed at", username=name, failures=guesses.count)
        failures = self._count(self._failures, network)
        beyond = failures.count - self._allowed
        wait = min(FIRST_WAIT * 2.0 ** min(beyond - 1, 20), LONGEST_WAIT) if beyond > 0 else 0.0
        failures.until = failures.last + wait
        if wait:
            log.warning(
                "failed logins: this address has to wait",
                client=network,
                failures=failures.count,
                seconds=wait,
            )
        return wait

    def _count(self, counts: dict[str, _Failures], key: str) -> _Failures:
        now = self._clock()
        failures = counts.get(key)
        if failures is None or now - failures.last > FORGET_AFTER:
            failures = _Failures()
        failures.count += 1
        failures.last = now
        _remember(counts, key, failures)
        return failures

    def succeeded(self, client: str, username: str) -> None:
        """Failures stay counted: an attacker may have an account, too."""
        network, now = client_network(client), self._clock()
        _remember(self._known, (network, _name(username)), now)
        _remember(self._known_networks, network, now)

    def is_known(self, client: str) -> bool:
        return client_network(client) in self._known_networks

    def forget(self) -> None:
        """Drop what is too old to matter. Call it now and then."""
        now = self._clock()
        self._known = {key: at for key, at in self._known.items() if now - at <= KNOWN_FOR}
        self._known_networks = {key: at for key, at in self._known_networks.items() if now - at <= KNOWN_FOR}
        self._failures = {key: one for key, one in self._failures.items() if now - one.last <= FORGET_AFTER}
        self._guesses = {key: one for key, one in self._guesses.items() if now - one.last <= FORGET_AFTER}


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0


def _name(username: str) -> str:
    """As it is looked up, and no longer than one can be: it is a stranger who chose it."""
    return username.lower()[:LONGEST_NAME]


def _remember(table: dict[K, V], key: K, value: V) -> None:
    """The latest last, so that the first is the one to forget."""
    table.pop(key, None)
    table[key] = value
    if len(table) > MOST_REMEMBERED:
        del table[next(iter(table))]


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
