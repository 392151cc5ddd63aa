"""Hours and days as they are counted: by the clock, in UTC."""

from __future__ import annotations

from enum import StrEnum

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Span(StrEnum):
    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> int:
        """In milliseconds."""
        return HOUR_MS if self is Span.HOUR else DAY_MS

    def began_at(self, now_ms: int) -> int:
        """When the one of now began, in milliseconds since 1970."""
        return now_ms - now_ms % self.length

    def ends_at(self, now_ms: int) -> int:
        """When the next one begins."""
        return self.began_at(now_ms) + self.length


def waiting(milliseconds: int) -> str:
    """How long, for people, rounded up: `5 h 12 min`."""
    hours, minutes = divmod(-(-milliseconds // 60_000), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
