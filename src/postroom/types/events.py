"""THE list of what is recorded about an email. Activity, webhooks, analytics and metrics all read from it."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """Each comes at most once per email, but for `deferred`, `held`, `released` and `possible_duplicate`."""

    QUEUED = "queued"  # accepted and on stable storage
    SENT = "sent"  # the first attempt reached a server
    DELIVERED = "delivered"  # the recipient's server answered 250 to the data
    DEFERRED = "deferred"  # a 4xx, or no server reachable; it will be tried again
    SOFT_BOUNCED = "soft_bounced"  # given up, and the address may still be good (expiry is one)
    HARD_BOUNCED = "hard_bounced"  # the address does not exist
    SUPPRESSED = "suppressed"  # never tried: the address is on a suppression list
    CANCELLED = "cancelled"  # taken back by its owner before an attempt
    HELD = "held"  # waits for somebody: account suspended, sending paused, quota, quarantine
    RELEASED = "released"  # is queued again after having been held
    POSSIBLE_DUPLICATE = (
        "possible_duplicate"  # an attempt's outcome was lost; the recipient may get a second copy
    )
