"""How fast an account may send: replies slow down first, then refuse (design section 4). Pure but for the caller's clock."""

from __future__ import annotations

from dataclasses import dataclass

SLOWEST = 10.0  # seconds a reply is held back at most
FORGET_AFTER = 10_000  # accounts remembered at once


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class Pace:
    """`delay`: seconds to hold the reply back. `refuse_for`: seconds after which to try again, or 0 to go on."""

    delay: float = 0.0
    refuse_for: int = 0


GO = Pace()


class Rate:
    """A token bucket per account: a minute's worth may come at once, then `per_minute` evenly. None means no limit.

    An account in debt waits until its debt is paid, at most ten seconds; beyond that it is refused.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def take(self, account_id: str, per_minute: int | None, now: float) -> Pace:
        """Count one message at `now` (monotonic seconds). A refused message is not counted."""
        if per_minute is None:
            return GO
        a_second = per_minute / 60
        bucket = self._bucket(account_id, per_minute, now)
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.at) * a_second)
        bucket.at = now
        wait = (1 - bucket.tokens) / a_second
        if wait > SLOWEST:
            return Pace(refuse_for=round(wait - SLOWEST) + 1)
        bucket.tokens -= 1
        return Pace(delay=max(wait, 0.0))

    def _bucket(self, account_id: str, per_minute: int, now: float) -> _Bucket:
        bucket = self._buckets.get(account_id)
        if bucket is None:
            if len(self._buckets) >= FORGET_AFTER:
                self._buckets.clear()
            bucket = self._buckets[account_id] = _Bucket(float(per_minute), now)
        return bucket
