"""The filter `date`: formats as PHP writes them, names in English. Zones are UTC or offsets, which need no tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from postroom.wire.template import limits, values
from postroom.wire.template.problem import Fault

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_OFFSET = re.compile(r"([-+])([01]\d|2[0-3]):?([0-5]\d)\Z")
_LEAST, _MOST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, in seconds


def formatted(value: object, pattern: str, zone: object, now: int | None) -> str:
    """`value` is "now", seconds since 1970, or an ISO 8601 date and time (UTC unless it says otherwise); `zone` is the
    one to show it in, UTC if None."""
    if len(pattern) > limits.PATTERN:
        raise Fault(f"the format of a date has at most {limits.PATTERN} characters")
    shown_in = UTC if zone is None else _zone(values.text(zone))
    try:
        moment = _moment(value, now).astimezone(shown_in)
    except OverflowError:
        raise Fault("the date is out of range") from None
    out: list[str] = []
    escaped = False
    for char in pattern:
        if escaped or char not in _CODES:
            out.append("" if char == "\\" and not escaped else char)
        else:
            out.append(str(_CODES[char](moment)))
        escaped = char == "\\" and not escaped
    return "".join(out)


def _moment(value: object, now: int | None) -> datetime:
    if value == "now" or value is None:
        if now is None:
            raise Fault("the current time is not known here")
        return datetime.fromtimestamp(now // 1000, UTC)
    seconds = values.numeric(value) if isinstance(value, str) else None
    if seconds is None and not isinstance(value, str):
        seconds = values.number(value)
    if seconds is not None:
        if not _LEAST <= seconds <= _MOST:
            raise Fault("the date is out of range")
        return datetime.fromtimestamp(int(seconds), UTC)
    try:
        moment = datetime.fromisoformat(values.text(value).strip())
    except ValueError:
        raise Fault(f"{values.kind(value)} is no date like 2026-11-23") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _zone(name: str) -> timezone:
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    offset = _OFFSET.match(name)
    if offset is None:
        raise Fault(f'"{name[:30]}" is no time zone here; write UTC or an offset like +02:00')
    minutes = int(offset[2]) * 60 + int(offset[3])
    return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))


def _suffix(moment: datetime) -> str:
    if 11 <= moment.day <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(moment.day % 10, "th")


def _leap(moment: datetime) -> int:
    year = moment.year
    return int(year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def _month_days(moment: datetime) -> int:
    return 28 + _leap(moment) if moment.month == 2 else 30 + (moment.month + moment.month // 8) % 2


def _offset(moment: datetime, colon: str) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}{colon}{minutes:02d}"


_CODES: dict[str, Callable[[datetime], object]] = {
    "d": lambda at: f"{at.day:02d}",
    "D": lambda at: _DAYS[at.weekday()][:3],
    "j": lambda at: at.day,
    "l": lambda at: _DAYS[at.weekday()],
    "N": lambda at: at.isoweekday(),
    "S": _suffix,
    "w": lambda at: at.isoweekday() % 7,
    "z": lambda at: at.timetuple().tm_yday - 1,
    "W": lambda at: f"{at.isocalendar().week:02d}",
    "F": lambda at: _MONTHS[at.month - 1],
    "m": lambda at: f"{at.month:02d}",
    "M": lambda at: _MONTHS[at.month - 1][:3],
    "n": lambda at: at.month,
    "t": _month_days,
    "L": _leap,
    "o": lambda at: at.isocalendar().year,
    "Y": lambda at: f"{at.year:04d}",
    "y": lambda at: f"{at.year % 100:02d}",
    "a": lambda at: "am" if at.hour < 12 else "pm",
    "A": lambda at: "AM" if at.hour < 12 else "PM",
    "g": lambda at: at.hour % 12 or 12,
    "G": lambda at: at.hour,
    "h": lambda at: f"{at.hour % 12 or 12:02d}",
    "H": lambda at: f"{at.hour:02d}",
    "i": lambda at: f"{at.minute:02d}",
    "s": lambda at: f"{at.second:02d}",
    "e": lambda at: "UTC" if at.tzinfo is UTC else _offset(at, ":"),
    "T": lambda at: "UTC" if at.tzinfo is UTC else _offset(at, ":"),
    "P": lambda at: _offset(at, ":"),
    "O": lambda at: _offset(at, ""),
    "c": lambda at: at.replace(microsecond=0).isoformat(),
    "U": lambda at: int(at.timestamp()),
}
