"""What the owner of a domain asks receivers to do with mail that is not signed by the domain itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from postroom.runtime.dns import NoSuchDomainError, Resolver
from postroom.tenancy import dmarc_notes

ENFORCING = ("quarantine", "reject")
MOST_LABELS = 7
"""Of a name above the domain itself that is asked (RFC 9989 section 4.10)."""


@dataclass(frozen=True, slots=True)
class Enforced:
    """`policy` as it stands in the record: `p=reject`; `name` is where it was found: `_dmarc.example.com`."""

    policy: str
    name: str


async def enforced(resolver: Resolver, domain: str, organisation: str) -> Enforced | None:
    """The policy for mail from `domain` if it is another one than none. `organisation` is the part of it that somebody
    registered.

    The first name that has a record decides: the domain, then those above it up to the organisation (RFC 7489 section
    6.6.3, RFC 9989 section 4.10). Raises DnsUnavailableError.
    """
    names = [f"_dmarc.{name}" for name in _names(domain, organisation)]
    resolver.forget(*names)  # somebody may have just changed it, and waits
    for name in names:
        try:
            texts = await resolver.txt(name)
        except NoSuchDomainError:
            continue
        records = [text for text in texts if dmarc_notes.is_policy(text)]
        if len(records) > 1:
            return None  # then none counts
        if records:
            return _enforced(records[0], name, below=name != names[0])
    return None


def _enforced(record: str, name: str, *, below: bool) -> Enforced | None:
    said = dmarc_notes.tags(record)
    tag = "sp" if below and said.get("sp") in (*ENFORCING, "none") else "p"
    policy = said.get(tag, "")
    return Enforced(f"{tag}={policy}", name) if policy in ENFORCING else None


def _names(domain: str, organisation: str) -> Iterator[str]:
    yield domain
    name = domain
    while name != organisation and "." in name:
        name = name.partition(".")[2]
        if name == organisation or name.count(".") < MOST_LABELS:
            yield name
