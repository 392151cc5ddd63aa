"""Where mail for a domain goes: a configured route, else its MX hosts with their vetted addresses (RFC 5321 section 5.1).

The addresses are looked up and judged here, once; the courier connects to these and never to a name, so that a DNS
answer that changes in between leads nowhere (D24). A route is the operator's own word: its address may be private.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address

from postroom.config import Delivery, Dns, Route
from postroom.runtime.addresses import OWN, forbidden
from postroom.runtime.dns import DnsUnavailableError, NoSuchDomainError, Resolver
from postroom.types.outcome import Outcome, Result, TranscriptLine
from postroom.types.reply import Reply
from postroom.wire.smtp.client import TlsPolicy
from postroom.wire.smtp.client_commands import Login

MAX_HOSTS = 5
SITE_CHARACTERS = 200
ROUTE_CONNECTIONS = 20
ROUTE_MESSAGES = 1000


@dataclass(frozen=True, slots=True)
class Host:
    """A mail server: its name, and the addresses we may connect to."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """`site` is the same for all domains that share their servers; `hosts` come in the order they are to be tried."""

    site: str
    hosts: tuple[Host, ...]
    port: int
    tls: TlsPolicy
    connections: int
    messages_per_connection: int
    is_route: bool = False
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the addresses of one MX host came to. `why` says what is wrong when `addresses` is empty."""

    preference: int
    name: str
    addresses: tuple[str, ...] = ()
    why: str = ""
    ours: bool = False
    unavailable: bool = False
    forbidden: bool = False


class Destinations:
    """`own_addresses` (canonical text) and `hostname` are how we recognise ourselves in somebody's MX records."""

    def __init__(
        self,
        resolver: Resolver,
        delivery: Delivery,
        dns: Dns,
        own_addresses: frozenset[str],
        hostname: str = "",
        chance: random.Random | None = None,
    ) -> None:
        self._resolver = resolver
        self._config = delivery
        self._port = dns.mx_port
        self._own = own_addresses
        self._hostname = hostname.lower()
        self._chance = chance or random.Random()  # noqa: S311 - spreads load, keeps no secret

    async def find(self, domain: str) -> Destination | Outcome:
        """Where to bring mail for `domain` (a lower-case A-label name), or the outcome if there is no such place."""
        for route in self._config.routes:
            if route.domain in ("*", domain):
                return await self._by_route(route)
        try:
            exchanges = await self._resolver.mx(domain)
        except NoSuchDomainError as error:
            return _failed(550, "5.1.2", f"the domain does not exist: {error}")
        except DnsUnavailableError as error:
            return _deferred(f"the MX records cannot be looked up now: {error}")
        if [name for _, name in exchanges] == ["."]:
            return _failed(556, "5.1.10", f"{domain} accepts no mail (null MX, RFC 7505)")
        usable = [
            (preference, name) for preference, name in exchanges if name != "." and not _is_literal(name)
        ]
        if exchanges and not usable:
            return _failed(550, "5.4.4", f"no MX record of {domain} names a host")
        return await self._by_hosts(domain, usable)

    async def _by_route(self, route: Route) -> Destination | Outcome:
        if _is_literal(route.host):
            addresses = [route.host]
        else:
            try:
                addresses = await self._resolver.addresses(route.host, ipv6=self._config.ipv6)
            except (NoSuchDomainError, DnsUnavailableError) as error:
                return _deferred(f"the address of the route cannot be looked up: {error}")
        if not addresses:
            return _deferred(f"the route's host {route.host} has no address")
        login = Login(route.username, route.password.get_secret_value()) if route.username else None
        whose = f"{route.username}@" if login is not None else ""
        return Destination(
            site=f"route:{whose}{route.host}:{route.port}",
            hosts=(Host(route.host, tuple(addresses)),),
            port=route.port,
            tls=route.tls,
            connections=ROUTE_CONNECTIONS,
            messages_per_connection=ROUTE_MESSAGES,
            is_route=True,
            login=login,
        )

    async def _by_hosts(self, domain: str, exchanges: Sequence[tuple[int, str]]) -> Destination | Outcome:
        """`exchanges` is empty when the domain has no MX: then it is its own mail server."""
        ordered = list(exchanges) or [(0, domain)]
        self._chance.shuffle(ordered)
        ordered.sort(key=lambda exchange: exchange[0])
        found = await asyncio.gather(*(self._look_up(*exchange) for exchange in ordered[:MAX_HOSTS]))
        ours = min((host.preference for host in found if host.ours), default=None)
        # Whoever is no nearer than we are would send it back to us (RFC 5321 section 5.1, D02).
        nearer = [host for host in found if ours is None or host.preference < ours]
        if not nearer:
            return _failed(550, "5.4.6", f"the mail servers of {domain} lead back to this one")
        reachable = tuple(Host(host.name, host.addresses) for host in nearer if host.addresses)
        if not reachable:
            return _unreachable(domain, nearer, without_mx=not exchanges)
        return Destination(
            site=_site([name for _, name in ordered]),
            hosts=reachable,
            port=self._port,
            tls="opportunistic",
            connections=self._config.connections_per_site,
            messages_per_connection=self._config.messages_per_connection,
        )

    async def _look_up(self, preference: int, name: str) -> _Found:
        try:
            addresses = await self._resolver.addresses(name, ipv6=self._config.ipv6)
        except NoSuchDomainError as error:
            return _Found(preference, name, why=str(error), ours=name == self._hostname)
        except DnsUnavailableError as error:
            return _Found(preference, name, why=str(error), unavailable=True)
        reasons = {address: self._forbidden(address) for address in addresses}
        return _Found(
            preference,
            name,
            tuple(address for address, reason in reasons.items() if reason is None),
            "; ".join(f"{address}: {reason}" for address, reason in reasons.items() if reason)
            or "no address",
            ours=name == self._hostname or OWN in reasons.values(),
            forbidden=any(reasons.values()),
        )

    def _forbidden(self, address: str) -> str | None:
        reason = forbidden(address, self._own)
        return reason if reason == OWN or not self._config.allow_private else None


def _unreachable(domain: str, hosts: Sequence[_Found], *, without_mx: bool) -> Outcome:
    details = ", ".join(f"{host.name} ({host.why})" for host in hosts)
    if any(host.unavailable for host in hosts):
        return _deferred(f"the mail servers' addresses cannot be looked up now: {details}")
    if any(host.forbidden for host in hosts):
        return _failed(550, "5.4.4", f"the mail servers of {domain} have no public address: {details}")
    if without_mx:
        return _failed(550, "5.1.2", f"{domain} has neither an MX record nor an address")
    return _failed(550, "5.4.4", f"the mail servers of {domain} have no address: {details}")


def _site(names: Sequence[str]) -> str:
    """The sorted names; a very long list is cut, and told from others by its hash."""
    joined = ",".join(sorted(names))
    if len(joined) <= SITE_CHARACTERS:
        return joined
    return f"{joined[: SITE_CHARACTERS - 17]}#{sha256(joined.encode()).hexdigest()[:16]}"


def _is_literal(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _failed(code: int, enhanced: str, text: str) -> Outcome:
    return _outcome(Result.FAILED, Reply.of(code, enhanced, text))


def _deferred(text: str) -> Outcome:
    return _outcome(Result.DEFERRED, Reply.of(451, "4.4.3", text))


def _outcome(result: Result, reply: Reply) -> Outcome:
    return Outcome(result, reply, transcript=(TranscriptLine(0, "*", f"DNS: {reply.text}"),))
