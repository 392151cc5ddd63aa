"""What an account may do: as its plan says, else as the settings say for everybody. The one place that decides.

Everything is open unless the configuration says otherwise. Counts are asked where something is added, in the
transaction that adds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import structlog

from postroom.config import Api, Config, Plan
from postroom.tenancy.entries import AccountState

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Area(StrEnum):
    """Endpoints that share one limit per minute."""

    EMAIL = "email"
    BULK = "bulk"
    ACTIVITY = "activity"
    VERIFICATION = "verification"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What is None has no limit, or the one that keeps anybody from abuse.

    `daily_quota` in emails, for who has no quota of their own; `over_quota` is refuse or hold. `messages_per_minute` by
    SMTP, `per_minute` over the API. `recipients` of one message. `domains`, `users` (with those who are invited),
    `tokens`, `templates`, `inbound_routes` and `sender_identities` of the account, `smtp_users` and `webhooks` of each
    domain. The others say whether something may be used at all.
    """

    daily_quota: int | None
    over_quota: str
    messages_per_minute: int | None
    requests_per_day: int | None
    per_minute: dict[Area, int | None]
    bulk_emails: int
    recipients: int | None
    domains: int | None
    users: int | None
    tokens: int | None
    templates: int | None
    inbound_routes: int | None
    sender_identities: int | None
    smtp_users: int | None
    webhooks: int | None
    custom_headers: bool
    track_content: bool
    suppressed_filter: bool


def entitlements(account: AccountState, config: Config) -> Entitlements:
    return of_plan(account.plan, config)


_known: dict[str, tuple[Config, Entitlements]] = {}
"""By plan: they are asked for with each request, and a node never changes its settings."""


def of_plan(name: str, config: Config) -> Entitlements:
    """What a plan brings. "" and a plan that the configuration does not have: what everybody has."""
    known = _known.get(name)
    if known is None or known[0] is not config:
        plan = config.plans.get(name)
        if plan is None and name:
            log.warning("an account is on a plan that the settings do not have", plan=name)
        known = _known[name] = (config, _made(plan or Plan(), config))
    return known[1]


def per_minute(settings: Api, plan: Plan | None = None) -> dict[Area, int | None]:
    """The limits of requests; without a plan those that the reference names."""
    plan = plan or Plan()
    return {
        Area.EMAIL: _first(plan.email_per_minute, settings.email_per_minute) or None,
        Area.BULK: _first(plan.bulk_per_minute, settings.bulk_per_minute) or None,
        Area.ACTIVITY: _first(plan.activity_per_minute, settings.activity_per_minute) or None,
        Area.VERIFICATION: settings.verification_per_minute or None,
        Area.OTHER: _first(plan.other_per_minute, settings.other_per_minute) or None,
    }


def _made(plan: Plan, config: Config) -> Entitlements:
    api, limits = config.api, config.limits
    return Entitlements(
        daily_quota=_first(plan.daily_quota, limits.daily_quota) or None,
        over_quota=_first(plan.over_quota, limits.over_quota),
        messages_per_minute=_first(plan.messages_per_minute, limits.messages_per_minute) or None,
        requests_per_day=_first(plan.requests_per_day, api.requests_per_day) or None,
        per_minute=per_minute(api, plan),
        bulk_emails=_first(plan.bulk_emails, api.bulk_emails),
        recipients=plan.recipients,
        domains=_first(plan.domains, config.domains.spaces) or None,
        users=plan.users or None,
        tokens=plan.tokens or None,
        templates=plan.templates or None,
        inbound_routes=plan.inbound_routes or None,
        sender_identities=plan.sender_identities or None,
        smtp_users=plan.smtp_users or None,
        webhooks=plan.webhooks or None,
        custom_headers=_first(plan.custom_headers, True),
        track_content=_first(plan.track_content, True),
        suppressed_filter=_first(plan.suppressed_filter, api.suppressed_filter),
    )


def _first(said: T | None, otherwise: T) -> T:
    return otherwise if said is None else said
