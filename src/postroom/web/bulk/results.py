"""What became of the objects of a batch: kept group by group, shown as one (mailersend-api, section 2.3)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import zstandard

Errors = Mapping[str, Sequence[str]]
"""Dot path of a field -> what is wrong with it."""


@dataclass(slots=True)
class Results:
    """By the positions of objects in their batch. `messages` are ids, `errors` what is wrong with those that became no
    message, `suppressed` the warnings about those with suppressed recipients, who are `suppressed_count` in all."""

    messages: dict[int, str] = field(default_factory=dict)
    errors: dict[int, Errors] = field(default_factory=dict)
    suppressed: dict[int, list[Any]] = field(default_factory=dict)
    suppressed_count: int = 0

    def encode(self) -> bytes:
        """As it is kept with a group."""
        parts = [dict(sorted(part.items())) for part in (self.messages, self.errors, self.suppressed)]
        text = json.dumps(parts, separators=(",", ":"))
        return zstandard.ZstdCompressor().compress(text.encode())

    def add(self, stored: bytes) -> None:
        """What `encode` made of another group."""
        messages, errors, suppressed = json.loads(zstandard.ZstdDecompressor().decompress(stored))
        for ours, theirs in (
            (self.messages, messages),
            (self.errors, errors),
            (self.suppressed, suppressed),
        ):
            ours.update({int(position): found for position, found in theirs.items()})


def merged(stored: Iterable[bytes]) -> Results:
    """Of all groups that are done. Without the count, which is kept with the batch."""
    results = Results()
    for one in stored:
        results.add(one)
    return results


def shown(results: Results) -> dict[str, Any]:
    """The parts of the answer that are lists and objects; null stands for nothing. Suppressed recipients are found by
    the id of their message, or by the object's place when it became none because all of them are suppressed."""
    suppressed = {
        results.messages.get(position) or place(position): warnings
        for position, warnings in results.suppressed.items()
    }
    return {
        "suppressed_recipients": suppressed or None,
        "validation_errors": {place(position): errors for position, errors in results.errors.items()} or None,
        "messages_id": list(results.messages.values()) or None,
    }


def place(position: int) -> str:
    return f"message.{position}"
