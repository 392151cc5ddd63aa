"""Addresses that we never connect to because somebody told us: everything that is not a public server's (D01, H09).

A stranger's MX record or webhook may name any address. Were we to follow it into the machine, the private network, or a
cloud's metadata service, we would be his way in. Mail and HTTP ask this one list. It is an explicit deny list, since `ipaddress.is_global` is no filter: it
lets NAT64, 6to4, IPv4-compatible and multicast addresses pass. An IPv4 address inside an IPv6 one is judged as itself.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

OWN = "our own address"

_V4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared with the provider (CGNAT)",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
_V6 = {
    "::/127": "unspecified or loopback",
    "64:ff9b:1::/48": "local NAT64",
    "100::/64": "discard only",
    "2001::/23": "protocol assignments",
    "2001:db8::/32": "documentation",
    "3fff::/20": "documentation",
    "5f00::/16": "segment routing",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
_FORBIDDEN_V4 = [(IPv4Network(network), reason) for network, reason in _V4.items()]
_FORBIDDEN_V6 = [(IPv6Network(network), reason) for network, reason in _V6.items()]
# Where an IPv4 address hides, and how far its last bit is from the right.
_EMBEDDING = [
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("2002::/16"), 80),
]


def forbidden(address: str, own: frozenset[str]) -> str | None:
    """Why nothing is ever sent to this address (OWN: it is ours), or None. `own` are canonical texts."""
    if address in own:
        return OWN
    reason, embedded = _judge(address)
    return OWN if reason is None and embedded in own else reason


@lru_cache(4096)
def _judge(text: str) -> tuple[str | None, str]:
    """The reason against the address, and the address that it comes to."""
    try:
        address = ip_address(text)
    except ValueError:
        return "not an address", text
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return "link-local", text
        for network, reason in _FORBIDDEN_V6:
            if address in network:
                return reason, text
        embedded = _unwrap(address)
        if embedded is None:
            return None, str(address)
        address = embedded
    for block, reason in _FORBIDDEN_V4:
        if address in block:
            return reason, str(address)
    return None, str(address)


def _unwrap(address: IPv6Address) -> IPv4Address | None:
    for network, shift in _EMBEDDING:
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None
