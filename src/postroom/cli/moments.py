"""Times in options: after so long, or at a date."""

from __future__ import annotations

from datetime import UTC, datetime

from postroom.config.values import parse_duration
from postroom.errors import PostroomError


def moment_of(option: str, written: str, now: int) -> int:
    """`90d` from `now` on, or a date (UTC unless it says otherwise), in milliseconds since 1970. Raises PostroomError
    that names the option."""
    try:
        seconds = parse_duration(written)
    except ValueError:
        seconds = None
    if isinstance(seconds, float):
        return now + int(seconds * 1000)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise PostroomError(
            f"{option} {written}: write a time like 90d, 2027-01-31 or 2027-01-31T12:00"
        ) from None
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)
