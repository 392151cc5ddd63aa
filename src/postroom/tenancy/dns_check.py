"""Does the DNS say what a domain needs? Each record is looked up and compared; what is missing says how to mend it.

Nothing follows from it here: that is `verification`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from postroom.runtime.dns import DnsError, DnsUnavailableError, NoSuchDomainError, Resolver
from postroom.store import dkim_keys
from postroom.store.database import Database
from postroom.store.dkim_keys import DkimKey
from postroom.store.domains import Domain
from postroom.tenancy import dmarc_notes, dns_records, keys
from postroom.tenancy.dns_records import Hosts, is_spf

SIGNING = ("dkim", "dkim_next")
UNANSWERED = "The DNS did not answer; check again later."


@dataclass(frozen=True, slots=True)
class Finding:
    """One record: what it should be and what was found. `key` says which one, as in `dns_records`.

    `required`: it proves the domain. `unknown`: the DNS did not answer, so nothing changes.
    """

    record: str
    wanted: str
    found: str
    ok: bool
    required: bool
    mend: str
    unknown: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """All records of a domain, and `notes` about what its policy means."""

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
        if any(finding.ok for finding in required):
            return True
        return None if any(finding.unknown for finding in required) else False


async def look(
    db: Database, resolver: Resolver, domain: Domain, hosts: Hosts, *, fresh: bool = False
) -> Looked:
    """Look at a domain's records, all at the same time. `fresh`: whatever the resolver remembers."""
    async with db.read() as connection:
        pair = await dkim_keys.of_domain(connection, domain.id)
    if fresh:
        resolver.forget(domain.name, *(one.name for one in dns_records.records(domain, pair, hosts)))
    signing = [_dkim(resolver, domain, key) for key in pair]
    others = [_return_path(resolver, domain.return_path_host, hosts.bounce)]
    if hosts.tracking:
        others.append(_alias(resolver, dns_records.tracking_host(domain), hosts.tracking))
    if hosts.inbound:
        others.append(_inbound(resolver, dns_records.inbound_host(domain), hosts.inbound))
    findings = list(await asyncio.gather(*signing, *others, _spf(resolver, domain)))
    policy = await _dmarc(resolver, domain)
    host = domain.return_path_host if Looked(findings).ok("return_path") else ""
    said = dmarc_notes.notes(policy.found, name=domain.name, return_path_host=host) if policy.ok else []
    return Looked([*findings, policy], said)


async def _dkim(resolver: Resolver, domain: Domain, key: DkimKey) -> Finding:
    name, wanted = keys.record_name(key, domain.name), keys.record_value(key)
    mend = f"Publish the TXT record {name} with exactly this value."
    kind, record = SIGNING[0 if key.active else 1], f"{name} TXT"
    try:
        texts = await resolver.txt(name)
    except DnsError as error:
        return _not_found(kind, record, wanted, key.active, mend, error)
    ok = any(_public_key(text) == key.public_key for text in texts)
    if texts and not ok:
        mend = f"The TXT record {name} holds another key: replace its value (no second record)."
    return Finding(record, wanted, " | ".join(texts), ok, key.active, "" if ok else mend, key=kind)


def _public_key(record: str) -> str:
    """The p= of a key record, without the white space that control panels put into long values (RFC 6376 3.6.1)."""
    tags = (tag.partition("=") for tag in record.split(";"))
    return next(("".join(value.split()) for name, _, value in tags if name.strip() == "p"), "")


async def _return_path(resolver: Resolver, host: str, ours: str) -> Finding:
    """A CNAME to ours, or an MX to ours beside an SPF record of the domain's own."""
    kind, record = "return_path", f"{host} CNAME"
    if not ours:
        mend = "Operator: set server.bounce_host; until then bounces go to the envelope sender."
        return Finding(record, ours, "", False, False, mend, key=kind)
    mend = f"Publish the CNAME record {host} pointing to {ours}."
    try:
        aliases = await resolver.cname(host)
        if ours in aliases:
            return Finding(record, ours, ", ".join(aliases), True, False, "", key=kind)
        exchanges = [exchange for _, exchange in await resolver.mx(host)]
        texts = [text for text in await resolver.txt(host) if is_spf(text)]
    except DnsError as error:
        return _not_found(kind, record, ours, False, mend, error)
    found = ", ".join([*aliases, *(f"MX {exchange}" for exchange in exchanges), *texts])
    ok = ours in exchanges and bool(texts)
    return Finding(record, ours, found, ok, False, "" if ok else mend, key=kind)


async def _alias(resolver: Resolver, host: str, ours: str) -> Finding:
    record, mend = f"{host} CNAME", f"Publish the CNAME record {host} pointing to {ours}."
    try:
        aliases = await resolver.cname(host)
    except DnsError as error:
        return _not_found("tracking", record, ours, False, mend, error)
    ok = ours in aliases
    return Finding(record, ours, ", ".join(aliases), ok, False, "" if ok else mend, key="tracking")


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
    wanted, record, found = "v=DMARC1; p=none", f"_dmarc.{domain.name} TXT", []
    for name in names:
        try:
            texts = await resolver.txt(f"_dmarc.{name}")
        except NoSuchDomainError:
            continue
        except DnsError as error:
            return _not_found("dmarc", record, wanted, False, mend, error)
        found = [text for text in texts if text.startswith("v=DMARC1")]
        if found:
            record = f"_dmarc.{name} TXT"
            break
    if len(found) > 1:
        mend = "There is more than one DMARC record, so none counts (RFC 7489 section 6.6.3): keep one."
    ok = len(found) == 1
    return Finding(record, wanted, " | ".join(found), ok, False, "" if ok else mend, key="dmarc")


def _not_found(key: str, record: str, wanted: str, required: bool, mend: str, error: DnsError) -> Finding:
    if isinstance(error, DnsUnavailableError):
        return Finding(record, wanted, str(error), False, required, UNANSWERED, True, key)
    return Finding(record, wanted, "", False, required, mend, key=key)
