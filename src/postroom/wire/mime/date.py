"""The date-time of header fields (RFC 5322 section 3.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache


def format_date(at: int) -> str:
    """In UTC, from milliseconds since 1970: `Tue, 01 Jul 2025 10:52:37 +0000`."""
    return _formatted(at // 1000)


@lru_cache(maxsize=16)
def _formatted(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))
