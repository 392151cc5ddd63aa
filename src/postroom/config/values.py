"""What settings are made of: durations and sizes with units, sections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

KIB, MIB = 1024, 1024 * 1024
HOUR, DAY = 3600, 86400

_UNITS = {"s": 1, "m": 60, "h": HOUR, "d": DAY, "ms": 0.001}
_SIZES = {"": 1, "k": KIB, "kb": KIB, "m": MIB, "mb": MIB, "g": 1024 * MIB, "gb": 1024 * MIB}


@dataclass(frozen=True, slots=True)
class Kind:
    """What the reference calls a type that is more than text or a number: one of it, and many."""

    one: str
    many: str


def parse_duration(value: object) -> object:
    """Seconds from 90, "90", "90s", "15m", "72h", "30d" or "500ms"."""
    return (
        _with_unit(value, _UNITS, "a duration like 90s, 15m, 72h or 30d") if isinstance(value, str) else value
    )


def parse_size(value: object) -> object:
    """Octets from 26214400, "25MB" or "256k" (a kilobyte is 1024)."""
    return _with_unit(value, _SIZES, "a size like 256k or 25MB") if isinstance(value, str) else value


def _with_unit(text: str, units: dict[str, Any], wanted: str) -> float:
    text = text.strip().lower()
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :] or next(iter(units))
    try:
        return float(number) * float(units[unit])
    except (ValueError, KeyError):
        raise ValueError(f"must be {wanted}") from None


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


DURATION, SIZE = Kind("duration", "durations"), Kind("size", "sizes")

Duration = Annotated[float, BeforeValidator(parse_duration), Field(allow_inf_nan=False), DURATION]
Size = Annotated[int, BeforeValidator(parse_size), SIZE]
Port = Annotated[int, Field(ge=1, le=65535), Kind("integer", "integers")]
OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
