"""Does the DNS say what a domain needs? Each record is looked up and compared; what is missing says how to mend it.

Nothing follows from it here: that is `verification`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from postroom.runtime.dns import DnsError, DnsUnavailableError, NoSuchDomainError, Resolver
from postroom.store import dkim_keys
from postroom.store.database import Database
from postroom.store.dkim_keys import DkimKey
from postroom.store.domains import Domain
from postroom.tenancy import dkim_evidence, dmarc_notes, dns_records, keys
from postroom.tenancy.dns_records import Hosts, is_spf

T = TypeVar("T")

SIGNING = ("dkim", "dkim_next")
UNANSWERED = "The DNS did not answer; check again later."


@dataclass(frozen=True, slots=True)
class Finding:
    """One record: what it should be and what was found. `key` says which one, as in `dns_records`.

    `required`: it proves the domain. `unknown`: the DNS did not answer, so nothing changes. `proves`: what proves the
    domain is there, even if receivers cannot rely on it.
    """

    record: str
    wanted: str
    found: str
    ok: bool
    required: bool
    mend: str
    unknown: bool = False
    key: str = ""
    proves: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """All records of a domain, and `notes` about what they mean for its mail."""

    findings: Sequence[Finding]
    notes: Sequence[str] = ()

    def of(self, key: str) -> Finding | None:
        """The record with this key; None if the installation has no such."""
        return next((finding for finding in self.findings if finding.key == key), None)

    def ok(self, key: str) -> bool:
        found = self.of(key)
        return found is not None and found.ok

    @property
    def sending(self) -> list[Finding]:
        """What matters when a message is sent."""
        return [one for one in self.findings if one.key in (*SIGNING, "return_path", "dmarc")]

    @property
    def proved(self) -> bool | None:
        """Whether the domain is its owner's; None: the DNS did not say."""
        required = [finding for finding in self.findings if finding.required]
        if any(finding.proves for finding in required):
            return True
        return None if any(finding.unknown for finding in required) else False


async def look(
    db: Database, resolver: Resolver, domain: Domain, hosts: Hosts, *, fresh: bool = False
) -> Looked:
    """Look at a domain's records, all at the same time. `fresh`: whatever the resolver remembers."""
    async with db.read() as connection:
        pair = await dkim_keys.of_domain(connection, domain.id)
    if fresh:
        published = (one.name for one in dns_records.records(domain, pair, hosts))
        elsewhere = (name for key in pair for name in _misplaced(domain, key))
        resolver.forget(domain.name, f"_dmarc.{domain.organisation}", *published, *elsewhere)
    signing = [_dkim(resolver, domain, key, pair) for key in pair]
    others = [_return_path(resolver, domain.return_path_host, hosts.bounce)]
    if hosts.tracking:
        others.append(_alias(resolver, dns_records.tracking_host(domain), hosts.tracking))
    if hosts.inbound:
        others.append(_inbound(resolver, dns_records.inbound_host(domain), hosts.inbound))
    findings = list(await asyncio.gather(*signing, *others, _spf(resolver, domain)))
    policy, unanswerable = await asyncio.gather(
        _dmarc(resolver, domain), _unanswerable(resolver, domain.name)
    )
    host = domain.return_path_host if Looked(findings).ok("return_path") else ""
    said = dmarc_notes.notes(policy.found, name=domain.name, return_path_host=host) if policy.ok else []
    return Looked([*findings, policy], [*said, *unanswerable])


async def _unanswerable(resolver: Resolver, name: str) -> list[str]:
    """A note for who sends from a domain that takes no mail (RFC 7505 section 4.2). It is theirs to decide, so nothing
    is refused for it here."""
    if [host for _, host in await _answer(resolver.mx(name))] != ["."]:
        return []
    return [
        f"{name} says that it takes no mail (null MX): nobody can answer what is sent from it, and some receivers "
        "refuse such mail (550 5.7.27). Publish an MX record, or send from a name that has one."
    ]


async def _dkim(resolver: Resolver, domain: Domain, key: DkimKey, pair: Sequence[DkimKey]) -> Finding:
    name, wanted = keys.record_name(key, domain.name), keys.record_value(key)
    kind, record = SIGNING[0 if key.active else 1], f"{name} TXT"
    try:
        texts = await resolver.txt(name)
    except NoSuchDomainError:
        texts = []
    except DnsError as error:
        return _not_found(kind, record, wanted, key.active, "", error)
    said = dkim_evidence.judge(key, domain.name, texts, [other for other in pair if other is not key])
    found, mend = " | ".join(texts), said.mend
    if key.active and not said.proves:
        found, mend = await _instead(resolver, domain, key) or (found, mend)
    return Finding(record, wanted, found, said.ok, key.active, mend, key=kind, proves=said.proves)


async def _instead(resolver: Resolver, domain: Domain, key: DkimKey) -> tuple[str, str] | None:
    """What is there in place of the key, and how to mend that: an alias, or the key at a name where nobody looks."""
    name = keys.record_name(key, domain.name)
    aliases, *misplaced = await asyncio.gather(
        _answer(resolver.cname(name)), *(_answer(resolver.txt(other)) for other in _misplaced(domain, key))
    )
    if aliases:
        mend = f"{name} is an alias of {aliases[0]}: delete that CNAME record, then publish the TXT record."
        return f"CNAME {aliases[0]}", mend
    for other, texts in zip(_misplaced(domain, key), misplaced, strict=True):
        if any(dkim_evidence.published(text) == key.public_key for text in texts):
            return f"at {other}: {' | '.join(texts)}", _move(domain, other, name)
    return None


def _misplaced(domain: Domain, key: DkimKey) -> list[str]:
    """Names under which the value of a key is published by mistake."""
    name, zone = keys.record_name(key, domain.name), domain.organisation or domain.name
    return [f"{name}.{zone}", f"{key.selector}.{domain.name}", f"_domainkey.{domain.name}", domain.name]


def _move(domain: Domain, found: str, name: str) -> str:
    mend = f"The value stands at {found}, where no receiver looks: move it to {name}."
    if found.startswith(f"{name}."):
        mend += f" The DNS provider adds {domain.organisation or domain.name} to names by itself."
    return mend


async def _answer(asked: Awaitable[list[T]]) -> list[T]:
    """What only adds to the evidence is empty when the DNS does not say."""
    try:
        return await asked
    except DnsError:
        return []


async def _return_path(resolver: Resolver, host: str, ours: str) -> Finding:
    """A CNAME to ours, or an MX to ours beside an SPF record of the domain's own."""
    kind, record = "return_path", f"{host} CNAME"
    if not ours:
        mend = "Operator: set server.bounce_host; until then bounces go to the envelope sender."
        return Finding(record, ours, "", False, False, mend, key=kind)
    mend = f"Publish the CNAME record {host} pointing to {ours}."
    try:
        aliases = await _there(resolver.cname(host))
        if ours in aliases:
            return Finding(record, ours, ", ".join(aliases), True, False, "", key=kind)
        exchanges = [exchange for _, exchange in await _there(resolver.mx(host))]
        texts = await _there(resolver.txt(host))
    except DnsError as error:
        return _not_found(kind, record, ours, False, mend, error)
    found = ", ".join([*aliases, *(f"MX {exchange}" for exchange in exchanges), *texts])
    policies = sum(map(is_spf, texts))
    if ours in exchanges and policies == 1:
        return Finding(record, ours, found, True, False, "", key=kind)
    if aliases:
        mend = _turn(host, ours)
    elif ours in exchanges:
        mend = _spf_beside(host, ours, policies)
    elif found:
        mend = f"Delete the other records at {host}, then publish the CNAME record pointing to {ours}."
    return Finding(record, ours, found, False, False, mend, key=kind)


async def _there(asked: Awaitable[list[T]]) -> list[T]:
    """A name that does not exist has no records. Raises DnsUnavailableError."""
    try:
        return await asked
    except NoSuchDomainError:
        return []


def _turn(host: str, ours: str) -> str:
    return f"The CNAME record {host} leads elsewhere: let it point to {ours}."


def _spf_beside(host: str, ours: str, policies: int) -> str:
    """Where an MX stands for the return path."""
    if policies > 1:
        return (
            f"There is more than one SPF record at {host}, so none counts (RFC 7208 section 4.5): keep one."
        )
    return f"Beside the MX record {host} needs a TXT record: v=spf1 include:{ours} -all."


async def _alias(resolver: Resolver, host: str, ours: str) -> Finding:
    record, mend = f"{host} CNAME", f"Publish the CNAME record {host} pointing to {ours}."
    try:
        aliases = await resolver.cname(host)
    except DnsError as error:
        return _not_found("tracking", record, ours, False, mend, error)
    ok = ours in aliases
    mend = "" if ok else _turn(host, ours) if aliases else mend
    return Finding(record, ours, ", ".join(aliases), ok, False, mend, key="tracking")


async def _inbound(resolver: Resolver, host: str, ours: str) -> Finding:
    record, mend = f"{host} MX", f"Publish the MX record {host} with the priority 10 and the host {ours}."
    try:
        exchanges = [exchange for _, exchange in await resolver.mx(host)]
    except DnsError as error:
        return _not_found("inbound", record, ours, False, mend, error)
    ok = ours in exchanges
    return Finding(record, ours, ", ".join(exchanges), ok, False, "" if ok else mend, key="inbound")


async def _spf(resolver: Resolver, domain: Domain) -> Finding:
    """What stands at the domain's own name. Nothing has to; only two are wrong (RFC 7208 section 3.2)."""
    record, wanted = f"{domain.name} TXT", "nothing: SPF is looked for at the return path"
    try:
        texts = [text for text in await resolver.txt(domain.name) if is_spf(text)]
    except NoSuchDomainError:
        texts = []
    except DnsError as error:
        return Finding(record, wanted, str(error), False, False, UNANSWERED, True, "spf")
    ok = len(texts) < 2
    mend = "" if ok else "There is more than one SPF record, so none counts: merge them."
    return Finding(record, wanted, " | ".join(texts), ok, False, mend, key="spf")


async def _dmarc(resolver: Resolver, domain: Domain) -> Finding:
    """That of the domain, else that of its organisation (RFC 7489 section 6.6.3)."""
    names = dict.fromkeys((domain.name, domain.organisation or domain.name))
    mend = "Publish a DMARC record; large receivers want one from everybody who sends much."
    wanted, record, found, passed_over = "v=DMARC1; p=none", f"_dmarc.{domain.name} TXT", [], []
    for name in names:
        try:
            texts = await resolver.txt(f"_dmarc.{name}")
        except NoSuchDomainError:
            continue
        except DnsError as error:
            return _not_found("dmarc", record, wanted, False, mend, error)
        found = [text for text in texts if dmarc_notes.is_policy(text)]
        if found:
            record = f"_dmarc.{name} TXT"
            break
        passed_over += texts
    if len(found) > 1:
        mend = "There is more than one DMARC record, so none counts (RFC 7489 section 6.6.3): keep one."
    elif passed_over:
        mend = "A DMARC record begins with v=DMARC1, in capital letters; receivers pass over anything else."
    ok = len(found) == 1
    return Finding(
        record, wanted, " | ".join(found or passed_over), ok, False, "" if ok else mend, key="dmarc"
    )


def _not_found(key: str, record: str, wanted: str, required: bool, mend: str, error: DnsError) -> Finding:
    if isinstance(error, DnsUnavailableError):
        return Finding(record, wanted, str(error), False, required, UNANSWERED, True, key)
    return Finding(record, wanted, "", False, required, mend, key=key)
