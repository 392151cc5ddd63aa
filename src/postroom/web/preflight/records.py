"""What the DNS says of the sender's domain and of the recipients'."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from postroom.deliver.destination import Destination
from postroom.tenancy import dns_check
from postroom.tenancy.entries import DomainInfo
from postroom.types.envelope import Address
from postroom.types.outcome import Outcome, Result
from postroom.web.preflight.report import Finding, Verdict

Find = Callable[[str], Awaitable[Destination | Outcome]]
"""Where mail for a domain is brought (`deliver.destination`)."""

_RECIPIENT = "recipient-domain"


def of_sender(found: Iterable[dns_check.Finding]) -> list[Finding]:
    """The records that `dns_check` wants. What is required is a failure, the rest a warning."""
    return [_record(one) for one in found]


def _record(one: dns_check.Finding) -> Finding:
    name = "dns-" + one.record.rpartition(" ")[0]
    if one.ok:
        return Finding.passed(name, f"{one.record}: {one.found}")
    verdict = Verdict.FAIL if one.required and not one.unknown else Verdict.WARN
    return Finding(name, verdict, f"{one.record}: {one.found or 'not found'}", one.mend)


def alignment(author: Address, domain: DomainInfo) -> Finding:
    """DMARC asks that the domain of From be that of the signature, or of the return path, or under the same one
    (RFC 7489 section 3.1). A sender identity has neither."""
    if author.domain != domain.name and not author.domain.endswith(f".{domain.name}"):
        evidence = f"{domain.name} signs for the sender identity {author}, which is not aligned with {author.domain}."
        fix = f"Nothing, while {author.domain} has no DMARC policy. Better: verify that domain itself."
        return Finding("alignment", Verdict.WARN, evidence, fix)
    signed = f"DKIM: {domain.name} signs, which covers the From domain {author.domain}."
    if domain.return_path_host:
        return Finding.passed(
            "alignment", f"{signed} SPF: the return path {domain.return_path_host} is aligned."
        )
    evidence = (
        f"{signed} SPF: the return path is not under {domain.name}, so DMARC rests on the signature alone."
    )
    return Finding("alignment", Verdict.WARN, evidence, "Publish the return path's record of the domain.")


async def of_recipients(domains: Iterable[str], find: Find) -> list[Finding]:
    """One finding for each domain: its mail servers, or why there are none (null MX, no such domain)."""
    names = sorted(set(domains))
    found = await asyncio.gather(*(find(name) for name in names))
    return [_destination(name, one) for name, one in zip(names, found, strict=True)]


def _destination(name: str, found: Destination | Outcome) -> Finding:
    if isinstance(found, Destination):
        hosts = ", ".join(host.name for host in found.hosts)
        return Finding.passed(_RECIPIENT, f"{name}: {hosts}")
    text = f"{name}: {found.reply.text if found.reply is not None else found.result}"
    if found.result is Result.FAILED:
        return Finding(_RECIPIENT, Verdict.FAIL, text, "Correct the address, or take it off the list.")
    return Finding(_RECIPIENT, Verdict.WARN, text, "Nothing: it would be tried again for days.")
