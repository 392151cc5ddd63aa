"""Who the client is, and whether its request came encrypted. Headers about it are believed of trusted proxies only."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from starlette.types import Scope

Address = IPv4Address | IPv6Address


class _Peer(NamedTuple):
    """What there is to know of an address that connects; `address` is None where it is none."""

    address: Address | None
    written: str
    local: bool
    trusted: bool


class Proxies:
    """`trusted` are networks like "10.0.0.0/8"."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in trusted)
        self._trusts = lru_cache(maxsize=1024)(self._is_trusted)
        self._peer = lru_cache(maxsize=1024)(self._look_at)

    def trusts(self, peer: str) -> bool:
        """Whether this peer is a trusted proxy."""
        address = _parse(peer)
        return address is not None and self._trusts(address)

    def client(self, scope: Scope) -> tuple[str, bool, bool]:
        """(address, secure, encrypted). Secure: over TLS, from this machine, or through a trusted proxy that took it
        over TLS. Encrypted: it is known to have come over TLS all the way.

        A trusted peer that says nothing about how the request came is believed to be a client on a trusted network.
        """
        peer = scope["client"][0] if scope.get("client") else ""
        known = self._peer(peer)
        if known.address is None:
            return peer, False, False
        encrypted = scope["scheme"] == "https"
        if not known.trusted:
            return known.written, encrypted or known.local, encrypted
        headers = _joined(scope["headers"], (b"x-forwarded-for", b"x-forwarded-proto"))
        told = headers[b"x-forwarded-proto"].rpartition(",")[2].strip().lower()
        client = str(self._forwarded(known.address, headers[b"x-forwarded-for"]))
        return client, told in ("", "https"), told == "https" or (encrypted and not told)

    def _look_at(self, peer: str) -> _Peer:
        address = _parse(peer)
        if address is None:
            return _Peer(None, peer, local=False, trusted=False)
        return _Peer(address, str(address), local=address.is_loopback, trusted=self._trusts(address))

    def _forwarded(self, peer: Address, chain: str) -> Address:
        """From the nearest hop outwards: the first one that is no trusted proxy."""
        client = peer
        for written in reversed([hop.strip() for hop in chain.split(",") if hop.strip()]):
            hop = _parse(written)
            if hop is None:
                break
            client = hop
            if not self._trusts(hop):
                break
        return client

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
def _parse(written: str) -> Address | None:
    """An address as peers and proxies write it: with a zone, in brackets, with a port, IPv4 in IPv6 clothes."""
    text = written.partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _joined(headers: Iterable[tuple[bytes, bytes]], names: tuple[bytes, ...]) -> dict[bytes, str]:
    """Each header with all its fields as one list."""
    found: dict[bytes, list[str]] = {name: [] for name in names}
    for name, value in headers:
        if name in found:
            found[name].append(value.decode("latin-1"))
    return {name: ",".join(values) for name, values in found.items()}
