"""What a customer publishes for a domain, with the names of this installation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from postroom.config import Server
from postroom.store.dkim_keys import DkimKey
from postroom.store.domains import Domain
from postroom.tenancy import keys
from postroom.tenancy.domain_settings import DomainSettings

INBOUND_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names of this installation that records lead to; "" for what it does not have."""

    bounce: str = ""
    tracking: str = ""
    inbound: str = ""

    @classmethod
    def of(cls, server: Server) -> Hosts:
        return cls(server.bounce_host, server.tracking_host, server.inbound_host)


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """`key` says which one it is. `required`: without it the domain is not verified. `priority` only with an MX."""

    key: str
    name: str
    type: Literal["TXT", "CNAME", "MX"]
    value: str
    purpose: str
    required: bool = False
    priority: int | None = None


def records(domain: Domain, pair: Iterable[DkimKey], hosts: Hosts) -> list[DnsRecord]:
    """What to publish, the required first."""
    return [*_signing(domain, pair), *_optional(domain, hosts), _policy(domain)]


def alternative(domain: Domain, hosts: Hosts) -> list[DnsRecord]:
    """Instead of the return path's CNAME, for those whose DNS cannot have one there."""
    if not hosts.bounce:
        return []
    host = domain.return_path_host
    mail = DnsRecord("return_path", host, "MX", hosts.bounce, "bounces come back", priority=INBOUND_PRIORITY)
    spf = DnsRecord("return_path", host, "TXT", f"v=spf1 include:{hosts.bounce} -all", "SPF passes")
    return [mail, spf]


def spf(domain: Domain, hosts: Hosts, published: Iterable[str] = ()) -> DnsRecord | None:
    """The SPF record at the domain's own name, merged with what is `published` there.

    Never needed: receivers look for SPF at the return path (RFC 7208 section 2.4).
    """
    if not hosts.bounce:
        return None
    ours = f"include:{hosts.bounce}"
    words = next((text.split()[1:] for text in published if is_spf(text)), ["~all"])
    if ours not in words:
        at = next((at for at, word in enumerate(words) if _ends(word)), len(words))
        words = [*words[:at], ours, *words[at:]]
    purpose = "SPF at the domain itself: not needed, for receivers ask at the return path"
    return DnsRecord("spf", domain.name, "TXT", " ".join(("v=spf1", *words)), purpose)


def is_spf(text: str) -> bool:
    """RFC 7208 section 4.5."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def tracking_host(domain: Domain) -> str:
    return f"{DomainSettings.decode(domain.settings).custom_tracking_subdomain}.{domain.name}"


def inbound_host(domain: Domain) -> str:
    return f"{DomainSettings.decode(domain.settings).inbound_routing_subdomain}.{domain.name}"


def _signing(domain: Domain, pair: Iterable[DkimKey]) -> list[DnsRecord]:
    active, following = "DKIM: signs the mail and proves the domain", "DKIM: the next key, ready to change to"
    return [
        DnsRecord(
            "dkim" if key.active else "dkim_next",
            keys.record_name(key, domain.name),
            "TXT",
            keys.record_value(key),
            active if key.active else following,
            key.active,
        )
        for key in sorted(pair, key=lambda key: not key.active)
    ]


def _optional(domain: Domain, hosts: Hosts) -> list[DnsRecord]:
    found = []
    if hosts.bounce:
        purpose = "return path: bounces come back, and SPF aligns"
        found.append(DnsRecord("return_path", domain.return_path_host, "CNAME", hosts.bounce, purpose))
    if hosts.tracking:
        purpose = "tracking: links and opens are counted under your own name"
        found.append(DnsRecord("tracking", tracking_host(domain), "CNAME", hosts.tracking, purpose))
    if hosts.inbound:
        purpose = "inbound: mail to this name is taken in"
        found.append(
            DnsRecord(
                "inbound", inbound_host(domain), "MX", hosts.inbound, purpose, priority=INBOUND_PRIORITY
            )
        )
    return found


def _policy(domain: Domain) -> DnsRecord:
    purpose = "DMARC: large receivers ask for it"
    return DnsRecord("dmarc", f"_dmarc.{domain.name}", "TXT", "v=DMARC1; p=none", purpose)


def _ends(word: str) -> bool:
    """After these nothing counts."""
    return word.lstrip("+-~?").lower() == "all" or word.lower().startswith("redirect=")
