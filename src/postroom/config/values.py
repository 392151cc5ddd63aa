"""What settings are made of: durations and sizes with units, addresses to listen on, sections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_serializer, model_validator

KIB, MIB = 1024, 1024 * 1024
HOUR, DAY = 3600, 86400

_UNITS = {"s": 1, "m": 60, "h": HOUR, "d": DAY, "ms": 0.001}
_SIZES = {"": 1, "k": KIB, "kb": KIB, "m": MIB, "mb": MIB, "g": 1024 * MIB, "gb": 1024 * MIB}


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


Duration = Annotated[float, BeforeValidator(parse_duration), Field(allow_inf_nan=False)]
Size = Annotated[int, BeforeValidator(parse_size)]
OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(Section):
    """An address to listen on. Port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        host, colon, port = value.rpartition(":")
        if not colon or not port.isdigit():
            raise ValueError('must be "host:port", for example "127.0.0.1:2525" or "[::]:587"')
        return {"host": host.strip("[]") or "0.0.0.0", "port": int(port)}  # noqa: S104 - an empty host means all

    @model_serializer
    def to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
