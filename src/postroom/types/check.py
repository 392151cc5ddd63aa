"""What a look at the installation found, as the doctor and the dashboard tell it."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """`result` is ok, warn or fail; `fix` says how to mend it."""

    name: str
    result: str
    detail: str
    fix: str = ""
