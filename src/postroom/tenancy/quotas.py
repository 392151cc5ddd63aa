"""Daily quotas of emails: a day runs from 00:00 to 00:00 UTC. The accept batch does the counting."""

from __future__ import annotations

from postroom.config import Config
from postroom.tenancy.entitlements import entitlements, of_plan
from postroom.tenancy.entries import AccountState
from postroom.tenancy.spans import DAY_MS, waiting
from postroom.types import refusals
from postroom.types.refusals import Refused


def daily_quota(account: AccountState, config: Config) -> int | None:
    """Emails a day: the account's own number, else its plan's; None means no limit."""
    return quota_of(account.daily_quota, account.plan, config)


def quota_of(own: int | None, plan: str, config: Config) -> int | None:
    """The same of an account that is not cached."""
    return of_plan(plan, config).daily_quota if own is None else own or None


def holds(account: AccountState, config: Config) -> bool:
    """Whether what comes beyond the quota is held for the next day; else it is refused."""
    return entitlements(account, config).over_quota == "hold"


def day_number(now_ms: int) -> int:
    """Days since 1970 in UTC."""
    return now_ms // DAY_MS


def next_day_ms(now_ms: int) -> int:
    """When the next day begins, in milliseconds since 1970."""
    return (day_number(now_ms) + 1) * DAY_MS


def release_ms(now_ms: int) -> int:
    """When what is over the quota now is sent: in the first minute and a half of the next day, in the order in which it
    came."""
    return next_day_ms(now_ms) + now_ms % DAY_MS // 1000


def seconds_left(now_ms: int) -> int:
    """Seconds until the next day begins, at least 1."""
    return -((now_ms - next_day_ms(now_ms)) // 1000)


def quota_refusal(quota: int, used: int, now_ms: int) -> Refused:
    """The quota with its number and how long to wait."""
    facts = {"quota": str(quota), "used": str(used), "wait": waiting(next_day_ms(now_ms) - now_ms)}
    return Refused(refusals.DAILY_QUOTA, facts)
