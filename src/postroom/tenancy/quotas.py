"""Daily quotas of emails: a day runs from 00:00 to 00:00 UTC. The accept batch does the counting."""

from __future__ import annotations

from postroom.config import Limits
from postroom.tenancy.entries import AccountState
from postroom.types import refusals
from postroom.types.refusals import Refused

DAY_MS = 86_400_000


def daily_quota(account: AccountState, limits: Limits) -> int | None:
    """Emails a day: the account's own number, else the installation's; None means no limit."""
    return account.daily_quota if account.daily_quota is not None else limits.daily_quota or None


def day_number(now_ms: int) -> int:
    """Days since 1970 in UTC."""
    return now_ms // DAY_MS


def next_day_ms(now_ms: int) -> int:
    """When the next day begins, in milliseconds since 1970."""
    return (day_number(now_ms) + 1) * DAY_MS


def seconds_left(now_ms: int) -> int:
    """Seconds until the next day begins, at least 1."""
    return -((now_ms - next_day_ms(now_ms)) // 1000)


def quota_refusal(quota: int, used: int, now_ms: int) -> Refused:
    """The quota with its number and how long to wait."""
    hours, minutes = divmod(-(-seconds_left(now_ms) // 60), 60)
    wait = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return Refused(refusals.DAILY_QUOTA, {"quota": str(quota), "used": str(used), "wait": wait})
