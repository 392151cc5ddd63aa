"""`date_from` and `date_to`: the days a list is about, and what may be wrong with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

DAY = 86_400
FORMAT = "%Y-%m-%d %H:%M:%S"

_UNIX = re.compile(r"[0-9]{1,12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def _seconds(value: Any) -> int:
    if _UNIX.fullmatch(value):
        return int(value)
    if _DATE.fullmatch(value):
        try:
            return int(datetime.strptime(value, FORMAT).replace(tzinfo=UTC).timestamp())
        except ValueError:
            pass  # as the 31st of February
    raise ValueError("The {field} must be a Unix timestamp or a date like 2026-01-31 09:05:00.")


Seconds = Annotated[
    int,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "maxLength": 19, "examples": ["1769850300", "2026-01-31 09:05:00"]}),
]
"""Seconds since 1970, given as such or as `YYYY-MM-DD HH:MM:SS` in UTC."""

DateFrom = Annotated[
    Seconds, Query(description="From when on: Unix timestamp or `YYYY-MM-DD HH:MM:SS`, UTC.")
]
DateTo = Annotated[
    Seconds, Query(description="Up to and with that second; later than `date_from`, not in future.")
]


class Period(NamedTuple):
    """Both in seconds; the last one belongs to it."""

    date_from: int
    date_to: int

    @property
    def start(self) -> int:
        """In milliseconds."""
        return self.date_from * 1000

    @property
    def end(self) -> int:
        """The first millisecond after it."""
        return (self.date_to + 1) * 1000

    def problems(self, now_ms: int, kept: float) -> dict[str, list[str]]:
        """By field. `kept`: seconds after which what is listed is deleted; it is, day by day."""
        now = now_ms // 1000
        fields: dict[str, list[str]] = {}
        if self.date_from >= self.date_to:
            fields["date_from"] = ["The date from must be less than date to."]
        elif self.date_from < (now - kept) // DAY * DAY:
            limit = f"Your account has a {round(kept / DAY)}-day data retention limit."
            fields["date_from"] = [f"Date selection out of range. {limit}"]
        if self.date_to > now:
            latest = datetime.fromtimestamp(now, UTC).strftime(FORMAT)
            fields["date_to"] = [f"The date_to must be before or equal to {latest}."]
        return fields
