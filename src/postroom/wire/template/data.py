"""What personalization data may look like, before anything is rendered with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postroom.wire.template import limits
from postroom.wire.template.names import reserved

_SHOWN = 10
_INTEGERS = range(-(2**63), 2**64)


@dataclass(slots=True)
class DataProblems:
    """What is wrong with one recipient's data. `dotted` and `reserved` are keys, with the path to them."""

    dotted: list[str] = field(default_factory=list)
    reserved: list[str] = field(default_factory=list)
    other: str = ""

    def __bool__(self) -> bool:
        return bool(self.dotted or self.reserved or self.other)

    def messages(self, field_path: str) -> Iterator[str]:
        """In the words of the contract; `field_path` is like `personalization.0.data`. MS codes are the edge's."""
        if self.dotted:
            yield f"The {field_path} contains array keys with dot notation: {_listed(self.dotted)}"
        if self.reserved:
            yield f"The {field_path} contains reserved variables: {_listed(self.reserved)}"
        if self.other:
            yield f"The {field_path} {self.other}"


def check(data: Mapping[str, object]) -> DataProblems:
    """Look at every value once. What is over a limit ends the look, so this is bounded whatever comes in."""
    problems = DataProblems(reserved=[key for key in data if reserved(key)][: _SHOWN + 1])
    room = limits.DATA_OCTETS
    waiting: list[tuple[object, int]] = [(data, 1)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        room -= _octets(value)
        problems.other = _fault(value, depth, count, room)
        if problems.other:
            return problems
        if isinstance(value, Mapping):
            problems.dotted += [key for key in value if "." in key][: _SHOWN + 1 - len(problems.dotted)]
            room -= sum(len(key) + 3 for key in value)
            waiting.extend((part, depth + 1) for part in value.values())
        elif isinstance(value, list):
            waiting.extend((part, depth + 1) for part in value)
    return problems


def _fault(value: object, depth: int, count: int, room: int) -> str:
    if depth > limits.DATA_DEPTH:
        return f"is nested deeper than {limits.DATA_DEPTH} levels"
    if count > limits.DATA_VALUES:
        return f"holds more than {limits.DATA_VALUES} values"
    if room < 0:
        return f"is larger than {limits.DATA_OCTETS} bytes"
    if isinstance(value, int) and value not in _INTEGERS:
        return "holds a number beyond 64 bits"
    if isinstance(value, float) and not math.isfinite(value):
        return "holds a value that is no number"
    return ""


def _octets(value: object) -> int:
    """At least as many as its JSON has, but for escaped characters."""
    return len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 8


def _listed(keys: list[str]) -> str:
    more = ", ..." if len(keys) > _SHOWN else ""
    return ", ".join(key[:50] for key in keys[:_SHOWN]) + more
