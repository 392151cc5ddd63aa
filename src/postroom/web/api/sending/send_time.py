"""`send_at`: seconds since 1970, as a number or in digits, or ISO 8601; up to 72 hours ahead.

In sentences it keeps its underscore, as in the contract's own; other fields are written with spaces (`words.shown`).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from postroom.web.api.sending.context import Findings

FARTHEST = 72 * 3600
"""Seconds."""


def read(value: Any, now: int, findings: Findings) -> int | None:
    """In milliseconds; None for at once, which 0 means too. `now` in milliseconds."""
    if value is None or value is False:
        return None
    seconds = _seconds(value)
    if seconds == 0:
        return None
    latest = now // 1000 + FARTHEST
    if seconds is None:
        findings.add("send_at", "The send_at must be a Unix timestamp or a date in ISO 8601. #MS42218")
    elif seconds < now // 1000:
        findings.add("send_at", "The send_at must be in the future. #MS42219")
    elif seconds > latest:
        until = datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%d %H:%M:%S")
        findings.add("send_at", f"The send_at must be a date before or equal to {until}.")
    else:
        return round(seconds * 1000)
    return None


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    text = value.strip(" ")
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= 15 else None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
