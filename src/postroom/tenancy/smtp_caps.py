"""How many emails an SMTP user may have accepted in an hour and in a day. The accept batch does the counting.

What was accepted before a user had its first cap is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import smtp_user_counts
from postroom.store.batches.rows import CapCounter
from postroom.store.smtp_users import SmtpUser
from postroom.tenancy.spans import Span, waiting
from postroom.types import refusals
from postroom.types.refusals import Refused

_RULES = {Span.HOUR: refusals.SMTP_USER_HOURLY_CAP, Span.DAY: refusals.SMTP_USER_DAILY_CAP}


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many emails of one SMTP user in each span."""

    account_id: str
    smtp_user_id: str
    span: Span
    most: int

    def counter(self, now_ms: int) -> CapCounter:
        """What counts now."""
        return CapCounter(self.account_id, self.smtp_user_id, self.span.value, self.span.began_at(now_ms))

    def refusal(self, used: int, now_ms: int) -> Refused:
        """The cap with its number, when it begins anew, and how long that takes."""
        reset = self.span.ends_at(now_ms)
        facts = {
            "cap": str(self.most),
            "used": str(used),
            "reset": datetime.fromtimestamp(reset / 1000, UTC).strftime("%H:%M"),
            "wait": waiting(reset - now_ms),
        }
        return Refused(_RULES[self.span], facts)


@dataclass(frozen=True, slots=True)
class Used:
    """Emails in the hour and in the day of now; None where there is no cap."""

    hour: int | None = None
    day: int | None = None


async def used(
    connection: AsyncConnection, account_id: str, users: Sequence[SmtpUser], now_ms: int
) -> dict[str, Used]:
    """What SMTP users of one account have used of their caps, by id."""
    capped = [user.id for user in users if caps_of(user)]
    began = {span: span.began_at(now_ms) for span in Span}
    counted = {}
    if capped:
        counted = await smtp_user_counts.of_users(connection, account_id, capped, began.values())

    def of(user: SmtpUser, span: Span, cap: int | None) -> int | None:
        counter = CapCounter(account_id, user.id, span.value, began[span])
        return None if cap is None else counted.get(counter, 0)

    return {
        user.id: Used(of(user, Span.HOUR, user.hourly_cap), of(user, Span.DAY, user.daily_cap))
        for user in users
    }


def caps_of(user: SmtpUser) -> tuple[Cap, ...]:
    given = ((Span.HOUR, user.hourly_cap), (Span.DAY, user.daily_cap))
    return tuple(Cap(user.account_id, user.id, span, most) for span, most in given if most is not None)
