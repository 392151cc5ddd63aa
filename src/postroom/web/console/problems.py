"""What needs a hand: each rule looks at the facts and says what is wrong, how to mend it, and where. Pure; the list at
the end is their order, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from postroom.runtime import ids
from postroom.store.domains import Domain
from postroom.store.queue import Backlog
from postroom.types.status import Hold
from postroom.web.console.hours import HOUR, Counts

QUOTA_NEAR = 0.8
FEWEST_BOUNCES, MOST_BOUNCED = 20, 0.05
"""So many bounces in a day, and more than this part of what was tried: mailbox providers begin to distrust."""
OLD = 2 * HOUR
"""Mail that waits for longer than that is stuck behind something."""
GIB = 1024**3
CERTIFICATE_SOON = 14 * 24 * HOUR


class Level(StrEnum):
    ERROR = "error"  # mail does not go out
    WARNING = "warning"  # it may soon not
    INFO = "info"  # something is still to be done


class Page(StrEnum):
    """Where in the dashboard it is mended."""

    APPROVAL = "approval"
    DOMAIN = "domain"
    DOMAINS = "domains"
    QUOTA = "quota"
    ACTIVITY = "activity"
    REFUSED = "refused"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Problem:
    """`id` is stable, `object_id` says which one where there are several."""

    id: str
    level: Level
    what: str
    fix: str
    page: Page
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What only an operator can mend. None: not known, or it does not matter."""

    data: str
    free: int | None
    certificate_ends: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Times in milliseconds; `grace` in milliseconds, too. `day` and `refused` are of the last 24 hours; None where the
    person may not see numbers. `quota` None: there is none. `machine` None for who is no operator."""

    now: int
    state: str
    domains: Sequence[Domain]
    grace: int
    can_send: bool
    used: int
    quota: int | None
    day: Counts | None = None
    refused: int | None = None
    backlog: Backlog = field(default_factory=lambda: Backlog(0, {}, None))
    machine: Machine | None = None


Rule = Callable[[Facts], Iterator[Problem]]


def account_not_approved(facts: Facts) -> Iterator[Problem]:
    if facts.state == "unapproved":
        what = "The account is not approved yet: nothing of it leaves for the world."
        fix = "Answer the questions about what you send; an operator then decides. Its page says where that stands."
        yield Problem("account-unapproved", Level.ERROR, what, fix, Page.APPROVAL)


def quota_used_up(facts: Facts) -> Iterator[Problem]:
    if facts.quota is None or facts.used < facts.quota * QUOTA_NEAR:
        return
    over = facts.used >= facts.quota
    what = f"{facts.used} of {facts.quota} emails of today are used."
    fix = "Ask for a higher quota, or wait: it begins anew at 00:00 UTC."
    level = Level.ERROR if over else Level.WARNING
    yield Problem("quota-used-up" if over else "quota-near", level, what, fix, Page.QUOTA)


def domain_records_gone(facts: Facts) -> Iterator[Problem]:
    for domain in facts.domains:
        if domain.verified_at is None or domain.failing_since is None or domain.send_paused:
            continue
        hours = max(0, (domain.failing_since + facts.grace - facts.now) // HOUR)
        what = f"The DNS records of {domain.name} are gone; sending stops in {hours} hours."
        fix = "Put the records back; the page of the domain shows them."
        yield Problem("domain-failing", Level.ERROR, what, fix, Page.DOMAIN, domain.id)


def sending_paused(facts: Facts) -> Iterator[Problem]:
    reasons = {
        "": ("Sending from {} is paused; its mail waits.", "Resume it on the page of the domain."),
        "dns": (
            "Sending from {} is paused: its DNS records are gone.",
            "Put the records back, then check again.",
        ),
        "lost": (
            "Sending from {} is paused: another account has verified the name.",
            "Verify it again, if it is yours, or delete it here.",
        ),
    }
    for domain in facts.domains:
        if domain.send_paused:
            what, fix = reasons.get(domain.pause_reason, reasons[""])
            yield Problem(
                "sending-paused", Level.ERROR, what.format(domain.name), fix, Page.DOMAIN, domain.id
            )


def mail_quarantined(facts: Facts) -> Iterator[Problem]:
    count = facts.backlog.held.get(Hold.QUARANTINED, 0)
    if count:
        what = f"{count} emails are set aside: attempts at them never ended."
        fix = "An operator looks at the log, and tries them again or cancels them."
        yield Problem("mail-quarantined", Level.ERROR, what, fix, Page.ACTIVITY)


def disk_nearly_full(facts: Facts) -> Iterator[Problem]:
    machine = facts.machine
    if machine is not None and machine.free is not None and machine.free < GIB:
        what = f"The disk of {machine.data} has {machine.free / GIB:.1f} GiB left. When it is full, no mail is accepted."
        fix = "Make room, or move the data directory to a larger disk."
        yield Problem("disk-nearly-full", Level.ERROR, what, fix, Page.INSTALLATION)


def certificate_ends(facts: Facts) -> Iterator[Problem]:
    machine = facts.machine
    if machine is None or machine.certificate_ends is None:
        return
    left = machine.certificate_ends - facts.now
    if left < CERTIFICATE_SOON:
        over = left <= 0
        what = "The TLS certificate has ended: clients cannot connect."
        if not over:
            what = f"The TLS certificate ends in {left // (24 * HOUR)} days."
        fix = "Renew the certificate; it is reloaded when its files change."
        yield Problem(
            "certificate-ends", Level.ERROR if over else Level.WARNING, what, fix, Page.INSTALLATION
        )


def many_bounces(facts: Facts) -> Iterator[Problem]:
    day = facts.day
    if day is None or day.bounced < FEWEST_BOUNCES:
        return
    part = day.bounced / (day.bounced + day.delivered)
    if part > MOST_BOUNCED:
        what = f"{part:.0%} of what was sent in the last 24 hours bounced ({day.bounced} emails)."
        fix = "Look at the reasons in Activity, and remove addresses that do not exist from your lists."
        yield Problem("many-bounces", Level.WARNING, what, fix, Page.ACTIVITY)


def queue_is_old(facts: Facts) -> Iterator[Problem]:
    if facts.backlog.oldest is None:
        return
    waited = facts.now - ids.made_at(facts.backlog.oldest)
    if waited > OLD:
        what = f"The oldest email in the queue has waited for {waited // HOUR} hours."
        fix = "Its timeline shows what the recipient's server answers."
        yield Problem("queue-old", Level.WARNING, what, fix, Page.ACTIVITY, facts.backlog.oldest)


def mail_refused(facts: Facts) -> Iterator[Problem]:
    if facts.refused:
        attempts = "1 attempt to send was" if facts.refused == 1 else f"{facts.refused} attempts to send were"
        what = f"{attempts} refused in the last 24 hours."
        fix = "Each says why, and how to mend it."
        yield Problem("mail-refused", Level.WARNING, what, fix, Page.REFUSED)


def no_domain(facts: Facts) -> Iterator[Problem]:
    if not facts.domains:
        what = "There is no domain to send from yet."
        fix = "Add the domain of your addresses, and publish its records."
        yield Problem("no-domain", Level.INFO, what, fix, Page.DOMAINS)


def domain_not_verified(facts: Facts) -> Iterator[Problem]:
    for domain in facts.domains:
        if domain.verified_at is None:
            what = f"{domain.name} is not verified yet, so nothing can be sent from it."
            fix = "Publish its DNS records, then check them on its page."
            yield Problem("domain-unverified", Level.INFO, what, fix, Page.DOMAIN, domain.id)


def nothing_to_send_with(facts: Facts) -> Iterator[Problem]:
    if facts.domains and not facts.can_send:
        what = "There is no SMTP user and no API token yet."
        fix = "Generate one on the page of a domain: programs sign in with it."
        yield Problem("no-credential", Level.INFO, what, fix, Page.DOMAIN, facts.domains[0].id)


RULES: tuple[Rule, ...] = (
    account_not_approved,
    disk_nearly_full,
    sending_paused,
    domain_records_gone,
    mail_quarantined,
    quota_used_up,
    certificate_ends,
    many_bounces,
    queue_is_old,
    mail_refused,
    no_domain,
    domain_not_verified,
    nothing_to_send_with,
)


def found(facts: Facts) -> list[Problem]:
    """All problems: errors, then warnings, then what is still to be done."""
    problems = [problem for rule in RULES for problem in rule(facts)]
    return sorted(problems, key=lambda problem: list(Level).index(problem.level))
