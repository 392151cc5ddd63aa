"""Would it be accepted? The rules of `accept.admit` one by one, then what the accept transaction would decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from postroom.accept import admit
from postroom.config import Config
from postroom.store import quota_days, smtp_user_counts, suppressions
from postroom.store.database import Database
from postroom.tenancy.quotas import daily_quota, day_number, holds, quota_refusal
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.types.suppression import Lists, Suppressed
from postroom.web.preflight.report import Finding, Verdict


def asked(rules: Iterable[admit.Rule], candidate: admit.Candidate) -> Iterator[Finding]:
    """Each rule's verdict. Behind a header that cannot be read nothing can be said of its fields."""
    for rule in rules:
        name = rule.__name__.replace("_", "-")
        refused = rule(candidate)
        if refused is None:
            yield Finding.passed(name, "")
            continue
        yield Finding.refused(name, refused)
        if rule is admit.header_can_be_read:
            return


async def quota(database: Database, config: Config, candidate: admit.Candidate, now: int) -> Finding:
    """`now` in milliseconds. Raises StorageUnavailableError."""
    most, wanted = daily_quota(candidate.account, config), len(candidate.envelope.recipients)
    if most is None:
        return Finding.passed("daily-quota", "The account has no daily quota.")
    async with database.read() as connection:
        used = await quota_days.used(connection, candidate.account.id, day_number(now))
        ahead = await quota_days.used(connection, candidate.account.id, day_number(now) + 1)
    evidence = f"{used} of {most} emails used today; this one needs {wanted}."
    if used + wanted <= most:
        return Finding.passed("daily-quota", evidence)
    if holds(candidate.account, config) and ahead + wanted <= most:
        fix = "Nothing: it is sent when the quota begins anew at 00:00 UTC."
        return Finding("daily-quota", Verdict.WARN, f"{evidence} It would be held.", fix)
    return Finding.refused("daily-quota", quota_refusal(most, used, now))


async def caps(database: Database, candidate: admit.Candidate, now: int) -> list[Finding]:
    """Those of the SMTP user. `now` in milliseconds. Raises StorageUnavailableError."""
    wanted, found = len(candidate.envelope.recipients), []
    for cap in candidate.credential.caps:
        name = f"{cap.span.value}-cap"
        async with database.read() as connection:
            used = await smtp_user_counts.used(connection, cap.counter(now))
        if used + wanted > cap.most:
            found.append(Finding.refused(name, cap.refusal(used, now)))
        else:
            evidence = f"{used} of {cap.most} emails of this {cap.span.value} used; this one needs {wanted}."
            found.append(Finding.passed(name, evidence))
    return found


def paused(domain: str) -> Finding:
    fix = f"Resume it: `postroom domain resume {domain}`."
    return Finding("sending", Verdict.WARN, f"Sending from {domain} is paused; it would be kept.", fix)


async def suppressed(database: Database, candidate: admit.Candidate, domain_id: str, now: int) -> Finding:
    """Raises StorageUnavailableError."""
    account_id = candidate.account.id
    addresses = sorted({str(recipient.address) for recipient in candidate.envelope.recipients})
    async with database.read() as connection:
        rows = await suppressions.suppressing(connection, [(account_id, address) for address in addresses])
    lists = Suppressed(rows, now)
    hit = {
        address: found
        for address in addresses
        if (found := lists.lists(account_id, address, domain_id, candidate.stream.value))
    }
    return _suppressed(candidate, hit, everybody=len(hit) == len(addresses))


def _suppressed(candidate: admit.Candidate, hit: dict[str, Lists], *, everybody: bool) -> Finding:
    if not hit:
        return Finding.passed("suppressions", "No recipient is suppressed.")
    told = ", ".join(f"{address} ({lists[0].reason})" for address, lists in hit.items())
    if candidate.credential.refuse_suppressed:
        address, lists = next(iter(hit.items()))
        facts = {"address": address, "reason": lists[0].reason}
        return Finding.refused("suppressions", Refused(refusals.RECIPIENT_SUPPRESSED, facts))
    rule = refusals.ALL_SUPPRESSED
    if everybody:
        return Finding("suppressions", Verdict.FAIL, f"Nobody would be sent anything: {told}.", rule.fix)
    return Finding("suppressions", Verdict.WARN, f"These would be sent nothing: {told}.", rule.fix)
