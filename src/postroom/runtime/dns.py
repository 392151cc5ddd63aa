"""Look-ups in the DNS: dnspython behind a cache, and one question at a time for each name.

`Resolver` asks the network; `FakeResolver` answers from a dict and ships for tests. Names may come in any case, with
or without the final dot, as U-labels or A-labels; names in answers are lower-case A-labels without the final dot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.reversename
import idna

from postroom.config import Dns
from postroom.runtime.clock import Clock

MIN_TTL, MAX_TTL = 30.0, 3600.0
MAX_NEGATIVE_TTL = 300.0
FAILURE_TTL = 5.0
"""A failed look-up is not repeated at once (RFC 9520 section 3.2)."""
MAX_ENTRIES = 20_000

Zones = Mapping[str, Mapping[str, Sequence[str]] | str]
"""Name -> record type -> records as in a zone file; or name -> "SERVFAIL" (the real test server knows more)."""


class DnsError(Exception):
    """A look-up came to no answer."""


class NoSuchDomainError(DnsError):
    """The name does not exist (NXDOMAIN), or cannot exist. Asking again will not help soon."""


class DnsUnavailableError(DnsError):
    """SERVFAIL, a timeout, or no server could be reached. Asking again later may help."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look-up came to: records, or the error to raise. `ttl` is in seconds."""

    records: tuple[Any, ...]
    ttl: float
    error: type[DnsError] | None = None
    reason: str = ""


class Resolver:
    """Asynchronous look-ups. Every method raises NoSuchDomainError or DnsUnavailableError."""

    def __init__(self, config: Dns, clock: Clock) -> None:
        self._clock = clock
        self._timeout = config.timeout
        self._servers = [dns.nameserver.Do53Nameserver(*address) for address in config.addresses]
        self._network: dns.asyncresolver.Resolver | None = None
        self._cache: dict[tuple[str, str], tuple[float, _Found]] = {}
        self._in_flight: dict[tuple[str, str], asyncio.Task[_Found]] = {}

    async def mx(self, name: str) -> list[tuple[int, str]]:
        """(preference, host) in order of preference; [] if the name has none; host "." is a null MX (RFC 7505)."""
        records = await self._records(name, "MX")
        return sorted((record.preference, _text(record.exchange)) for record in records)

    async def addresses(self, name: str, *, ipv6: bool) -> list[str]:
        """The IPv4 addresses, then with `ipv6` the IPv6 ones. One family is enough when the other one fails."""
        kinds = ("A", "AAAA") if ipv6 else ("A",)
        found = await asyncio.gather(*(self._records(name, kind) for kind in kinds), return_exceptions=True)
        errors = [result for result in found if isinstance(result, BaseException)]
        addresses = [
            record.address for result in found if not isinstance(result, BaseException) for record in result
        ]
        if errors and not addresses:
            raise errors[0]
        return addresses

    async def txt(self, name: str) -> list[str]:
        """One text per record; the strings of a record are joined (RFC 7208 section 3.3)."""
        return [
            b"".join(record.strings).decode("utf-8", "replace") for record in await self._records(name, "TXT")
        ]

    async def cname(self, name: str) -> list[str]:
        """The name that `name` is an alias of, if it is one."""
        return [_text(record.target) for record in await self._records(name, "CNAME")]

    async def ptr(self, address: str) -> list[str]:
        """The names of an IP address. Raises ValueError if it is none."""
        try:
            reverse = dns.reversename.from_address(address)
        except dns.exception.SyntaxError:
            raise ValueError(f"{address} is no IP address") from None
        return [_text(record.target) for record in await self._records(_text(reverse), "PTR")]

    def forget(self, *names: str) -> None:
        """Ask the network for these names the next time: somebody has just changed them, and waits."""
        wanted = {_ascii(name) for name in names}
        for key in [key for key in self._cache if key[0] in wanted]:
            del self._cache[key]

    async def close(self) -> None:
        """Give up what is in flight."""
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _records(self, name: str, kind: str) -> tuple[Any, ...]:
        name = _ascii(name)
        found = await self._look_up(name, kind)
        if found.error is not None:
            raise found.error(f"{name} ({kind}): {found.reason}")
        return found.records

    async def _look_up(self, name: str, kind: str) -> _Found:
        key = (name, kind)
        cached = self._cache.get(key)
        if cached is not None and self._clock.monotonic() < cached[0]:
            return cached[1]
        task = self._in_flight.get(key)
        if task is None:
            task = self._in_flight[key] = asyncio.create_task(self._fill(key))
        # Shielded: one caller who gives up takes the answer from nobody else.
        return await asyncio.shield(task)

    async def _fill(self, key: tuple[str, str]) -> _Found:
        try:
            found = await self._ask(*key)
            self._cache.pop(key, None)
            while len(self._cache) >= MAX_ENTRIES:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = (self._clock.monotonic() + found.ttl, found)
            return found
        finally:
            del self._in_flight[key]

    async def _ask(self, name: str, kind: str) -> _Found:
        try:
            absolute = dns.name.from_text(name)
        except dns.exception.DNSException as error:
            return _Found((), MAX_NEGATIVE_TTL, NoSuchDomainError, f"no domain name: {error}")
        try:
            answer = await self._asker().resolve(
                absolute, kind, raise_on_no_answer=False, search=False, lifetime=self._timeout
            )
        except dns.resolver.NXDOMAIN as error:
            ttl = _clamp(_negative_ttl(error), MAX_NEGATIVE_TTL)
            return _Found((), ttl, NoSuchDomainError, "the name does not exist")
        except (dns.exception.DNSException, OSError) as error:
            return _Found((), FAILURE_TTL, DnsUnavailableError, str(error) or type(error).__name__)
        records = tuple(answer.rrset or ())
        ttl = answer.chaining_result.minimum_ttl
        return _Found(records, _clamp(ttl, MAX_TTL if records else MAX_NEGATIVE_TTL))

    def _asker(self) -> dns.asyncresolver.Resolver:
        """Made at the first look-up: a machine without resolv.conf fails look-ups, not the start."""
        if self._network is None:
            network = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                network.nameservers = list(self._servers)
            network.use_edns(0, payload=1232)
            network.cache = None
            network.rotate = False
            self._network = network
        return self._network


class FakeResolver(Resolver):
    """Answers from a dict that a test may change at any time; nothing is cached. `asked` lists the questions."""

    def __init__(self, zones: Zones | None = None) -> None:
        super().__init__(Dns(), Clock())
        self.zones: dict[str, Mapping[str, Sequence[str]] | str] = dict(zones or {})
        self.asked: list[tuple[str, str]] = []

    async def _look_up(self, name: str, kind: str) -> _Found:
        self.asked.append((name, kind))
        records = self.zones.get(name)
        if isinstance(records, str):
            return _Found((), 0, DnsUnavailableError, records)
        if records is None:
            return _Found((), 0, NoSuchDomainError, "the name does not exist")
        if kind not in records and "CNAME" in records:
            return await self._look_up(records["CNAME"][0].rstrip(".").lower(), kind)
        return _Found(tuple(parse_record(kind, text) for text in records.get(kind, ())), 0)


def parse_record(kind: str, text: str) -> dns.rdata.Rdata:
    """One record as in a zone file; a TXT record may be written without quotes, and of any length."""
    if kind == "TXT" and not text.startswith('"'):
        octets = text.replace("\\", "\\\\").replace('"', '\\"')
        text = " ".join(f'"{octets[at : at + 200]}"' for at in range(0, max(len(octets), 1), 200))
    return dns.rdata.from_text(
        dns.rdataclass.IN, dns.rdatatype.from_text(kind), text, origin=dns.name.root, relativize=False
    )


def _ascii(name: str) -> str:
    name = name.rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise NoSuchDomainError(f"{name}: no domain name: {error}") from None


def _text(name: dns.name.Name) -> str:
    text = name.to_text().lower()
    return text if text == "." else text.rstrip(".")


def _negative_ttl(error: Any) -> float:
    """What the SOA in the answer says (RFC 2308 section 5); `error` is an NXDOMAIN, untyped in dnspython."""
    return float(error.response(error.qnames()[-1]).resolve_chaining().minimum_ttl)


def _clamp(ttl: float, most: float) -> float:
    return min(max(float(ttl), MIN_TTL), most)
