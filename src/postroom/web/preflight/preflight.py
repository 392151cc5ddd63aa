"""`Preflight`: joins the checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from postroom.accept import admit
from postroom.accept.api import ApiEdge, Sender, SendRequest
from postroom.compose import KeyMaterial
from postroom.config import Config
from postroom.errors import StorageUnavailableError
from postroom.runtime.blobs import Blobs
from postroom.runtime.clock import Clock
from postroom.runtime.dns import DnsUnavailableError, NoSuchDomainError, Resolver
from postroom.runtime.ids import mail_id
from postroom.store.database import Database
from postroom.tenancy import dns_check, domains
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.entries import AccountState, Credential
from postroom.types import refusals
from postroom.types.draft import Content, Draft
from postroom.types.envelope import Envelope
from postroom.types.refusals import Refused
from postroom.web.api.body import off_loop
from postroom.web.preflight import records, rules
from postroom.web.preflight.composing import Workshop, composed
from postroom.web.preflight.report import Finding, Report, Verdict
from postroom.wire.dkim import SigningKey
from postroom.wire.dkim_keys import dns_record, load_private_key, public_base64
from postroom.wire.mime.build import UnsafePartsError
from postroom.wire.template import TemplateCache

NAMED = 3
"""Checks named in the reply to SMTP."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What preflight needs of the node. `signing_key` gives the active key of a domain, `find` is
    `deliver.destination.Destinations.find`."""

    config: Config
    clock: Clock
    database: Database
    blobs: Blobs
    resolver: Resolver
    signing_key: Callable[[str], Awaitable[KeyMaterial | None]]
    find: records.Find
    hostname: str


class Preflight:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._templates = TemplateCache()

    async def request(self, edge: ApiEdge, sender: Sender, request: SendRequest) -> Report:
        """Of a request to the API whose fields are right. Raises StorageUnavailableError."""
        candidate = edge.candidate(sender, request)
        report = Report(list(rules.asked(admit.PARTS, candidate)))
        if candidate.domain is None:
            await self._recipients(report, candidate)
            return report
        try:
            draft = await edge.draft(candidate, request)
        except UnsafePartsError as error:
            facts = {"field": error.problem.path, "problem": error.problem.problem}
            report.findings.append(Finding.refused("build", Refused(refusals.PARTS_UNSAFE, facts)))
            return report
        try:
            await self._message(report, candidate, draft)
        finally:
            await self._forget(draft.content)
        return report

    async def message(
        self, login: Credential, account: AccountState, envelope: Envelope, content: Content
    ) -> Report:
        """Of a message that came by SMTP; its content is given up. Raises StorageUnavailableError."""
        candidate = admit.Candidate(login, account, envelope, content, self._parts.config)
        try:
            report = Report(list(rules.asked(admit.MESSAGE, candidate)))
            if candidate.domain is None or not candidate.authors:
                await self._recipients(report, candidate)
            else:
                now = self._parts.clock.now_ms()
                await self._message(report, candidate, admit.draft(candidate, mail_id(now), now))
        finally:
            await self._forget(content)
        return report

    async def reply(
        self, login: Credential, account: AccountState, envelope: Envelope, content: Content
    ) -> Refused:
        """`message` as the answer to the end of data."""
        try:
            report = await self.message(login, account, envelope, content)
        except StorageUnavailableError:
            return Refused(refusals.STORAGE_UNAVAILABLE)
        facts = {
            "outcome": "accepted" if report.accepted else "refused",
            "failures": _told(report, Verdict.FAIL),
            "warnings": _told(report, Verdict.WARN),
        }
        return Refused(refusals.PREFLIGHT, facts)

    async def _message(self, report: Report, candidate: admit.Candidate, draft: Draft) -> None:
        parts, now = self._parts, self._parts.clock.now_ms()
        assert candidate.domain is not None, "a candidate without a verified domain"
        report.findings += [
            await rules.quota(parts.database, parts.config, candidate, now),
            *await rules.caps(parts.database, candidate, now),
            await rules.suppressed(parts.database, candidate, candidate.domain.id, now),
        ]
        if candidate.domain.send_paused:
            report.findings.append(rules.paused(candidate.domain.name))
        sandbox = candidate.domain.mode == domains.SANDBOX
        report.findings += await self._composed(draft, now, sandbox=sandbox)
        if sandbox:
            evidence = (
                f"{candidate.domain.name} is a sandbox: its mail stays in the inbox, so no DNS is asked."
            )
            fix = "Switch the domain to live when its DNS records are there."
            report.findings.append(Finding("delivery-mode", Verdict.WARN, evidence, fix))
            return
        report.findings.append(Finding.passed("delivery-mode", "live"))
        domain = await domains.find(parts.database, candidate.domain.id)
        hosts = Hosts.of(parts.config.server)
        looked = await dns_check.look(parts.database, parts.resolver, domain, hosts)
        report.findings += records.of_sender(looked.sending)
        report.findings.append(records.alignment(candidate.authors[0], candidate.domain))
        await self._recipients(report, candidate)

    async def _recipients(self, report: Report, candidate: admit.Candidate) -> None:
        wanted = (recipient.address.domain for recipient in candidate.envelope.recipients)
        report.findings += await records.of_recipients(wanted, self._parts.find)

    async def _composed(self, draft: Draft, now: int, *, sandbox: bool) -> list[Finding]:
        parts = self._parts
        material = await parts.signing_key(draft.signing_domain)
        if material is None:
            evidence = f"{draft.signing_domain} has no key to sign with."
            return [Finding("signature", Verdict.FAIL, evidence, "Add the domain anew.")]
        key = SigningKey(
            draft.signing_domain, material.selector, load_private_key(material.private, trusted=True)
        )
        record, source = _own_record(key), "our own key, for a sandbox has no DNS"
        if not sandbox:
            record, source = await self._published(key)
        workshop = Workshop(key, record, source, parts.blobs.open, self._templates)
        return await off_loop(composed, draft, workshop, parts.hostname, now)

    async def _published(self, key: SigningKey) -> tuple[str, str]:
        """The key record in the DNS ("" if there is none), and where it is from."""
        name = f"{key.selector}._domainkey.{key.domain}"
        source = f"the TXT record {name}"
        try:
            texts = await self._parts.resolver.txt(name)
        except DnsUnavailableError:
            return _own_record(key), "our own key, for the DNS does not answer now"
        except NoSuchDomainError:
            return "", source
        return texts[0] if texts else "", source

    async def _forget(self, content: Content) -> None:
        if content.blob is not None:
            await self._parts.blobs.delete(content.blob)


def _told(report: Report, verdict: Verdict) -> str:
    """`2 failures (signature, render)`."""
    word = "failure" if verdict is Verdict.FAIL else "warning"
    names = list(dict.fromkeys(finding.id for finding in report.findings if finding.verdict is verdict))
    count = report.count(verdict)
    more = "" if len(names) <= NAMED else ", ..."
    listed = f" ({', '.join(names[:NAMED])}{more})" if names else ""
    return f"{count} {word}{'' if count == 1 else 's'}{listed}"


def _own_record(key: SigningKey) -> str:
    return dns_record(public_base64(key.private), key.algorithm.decode().partition("-")[0])
