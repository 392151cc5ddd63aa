"""The DNS of the installation itself: the names that all its domains rely on."""

from __future__ import annotations

import asyncio

from postroom.runtime.dns import DnsError, DnsUnavailableError, Resolver
from postroom.tenancy.dns_check import UNANSWERED, Finding
from postroom.tenancy.dns_records import Hosts, is_spf


async def look(resolver: Resolver, hostname: str, hosts: Hosts) -> list[Finding]:
    """The name in EHLO with its PTR, and the hosts that customers' records lead to. What is not set is not looked at."""
    checks = [pointing_back(resolver, hostname)]
    if hosts.bounce:
        checks += [_mail(resolver, hosts.bounce, hostname), _spf(resolver, hosts.bounce, hostname)]
    if hosts.inbound:
        checks.append(_address(resolver, "inbound", hosts.inbound))
    if hosts.tracking:
        checks.append(_address(resolver, "tracking", hosts.tracking))
    return list(await asyncio.gather(*checks))


async def pointing_back(resolver: Resolver, hostname: str) -> Finding:
    """Its addresses, whose PTR is the name: what large receivers demand (D17)."""
    record, wanted = f"{hostname} A", f"addresses whose PTR is {hostname}"
    mend = f"Publish an A record for {hostname}, and let the hosting provider set the PTR of the address to that name."
    try:
        addresses = await resolver.addresses(hostname, ipv6=False)
        names = await asyncio.gather(*(resolver.ptr(address) for address in addresses))
    except DnsError as error:
        return _not_found("hostname", record, wanted, mend, error, required=True)
    found = ", ".join(
        f"{address} ({', '.join(back) or 'no PTR'})" for address, back in zip(addresses, names, strict=True)
    )
    ok = bool(addresses) and all(hostname.lower() in back for back in names)
    return Finding(record, wanted, found, ok, True, "" if ok else mend, key="hostname")


async def _mail(resolver: Resolver, host: str, hostname: str) -> Finding:
    """Bounces have to come to us."""
    record, mend = f"{host} MX", f"Publish the MX record {host} with the priority 10 and the host {hostname}."
    try:
        exchanges = [exchange for _, exchange in await resolver.mx(host)]
    except DnsError as error:
        return _not_found("bounce_mx", record, hostname, mend, error)
    ok = hostname.lower() in exchanges
    return Finding(record, hostname, ", ".join(exchanges), ok, False, "" if ok else mend, key="bounce_mx")


async def _spf(resolver: Resolver, host: str, hostname: str) -> Finding:
    """What every return path is an alias of, so it speaks for all of them."""
    record, wanted = f"{host} TXT", f"v=spf1 a:{hostname} -all"
    mend = f"Publish the TXT record {host} with this value."
    try:
        texts = [text for text in await resolver.txt(host) if is_spf(text)]
    except DnsError as error:
        return _not_found("bounce_spf", record, wanted, mend, error)
    if len(texts) > 1:
        mend = "There is more than one SPF record, so none counts: merge them."
    ok = len(texts) == 1
    return Finding(record, wanted, " | ".join(texts), ok, False, "" if ok else mend, key="bounce_spf")


async def _address(resolver: Resolver, key: str, host: str) -> Finding:
    record, wanted, mend = f"{host} A", "an address", f"Publish an A record for {host}."
    try:
        addresses = await resolver.addresses(host, ipv6=True)
    except DnsError as error:
        return _not_found(key, record, wanted, mend, error)
    ok = bool(addresses)
    return Finding(record, wanted, ", ".join(addresses), ok, False, "" if ok else mend, key=key)


def _not_found(
    key: str, record: str, wanted: str, mend: str, error: DnsError, *, required: bool = False
) -> Finding:
    if isinstance(error, DnsUnavailableError):
        return Finding(record, wanted, str(error), False, required, UNANSWERED, True, key)
    return Finding(record, wanted, "", False, required, mend, key=key)
