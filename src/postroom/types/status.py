"""Where an email (one recipient of one message) stands, and what the API calls it (design: Words)."""

from __future__ import annotations

from enum import StrEnum


class EmailStatus(StrEnum):
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    HELD = "held"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"

    @property
    def final(self) -> bool:
        return self in FINAL

    def api_word(self, *, attempted: bool) -> str:
        """`queued`, then `sent` once a first attempt reached a server, then `delivered` or `rejected`."""
        if self is EmailStatus.DELIVERED:
            return "delivered"
        if self in FINAL:
            return "rejected"
        return "sent" if attempted else "queued"


FINAL = frozenset(
    {
        EmailStatus.DELIVERED,
        EmailStatus.BOUNCED,
        EmailStatus.EXPIRED,
        EmailStatus.SUPPRESSED,
        EmailStatus.CANCELLED,
    }
)


class Hold(StrEnum):
    """Why a queue row waits for somebody instead of for its time."""

    SUSPENDED = "suspended"  # the account is; released when that ends
    QUOTA = "quota"  # accepted beyond the daily quota, and counted on the next day; goes on by itself after 00:00 UTC
    PAUSED = "paused"  # sending from its domain is; released when that is resumed
    SCHEDULED = "scheduled"  # until the time it was asked to be sent; then it is claimed as any other
    QUARANTINED = "quarantined"  # three attempts never ended; an operator retries or cancels
