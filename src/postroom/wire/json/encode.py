"""JSON in pieces: never more than one string is made in one go, so a thread may write 50 MB beside a busy loop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from postroom.wire.json.long_text import LongText


def pieces(value: Any) -> Iterator[str]:
    """What `decode_large` gave as JSON again; a `LongText` is read and written in pieces."""
    if isinstance(value, LongText):
        yield '"'
        for text in value.pieces():
            yield _dumps(text)[1:-1]
        yield '"'
    elif isinstance(value, dict):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield f"{',' if number else ''}{_dumps(name)}:"
            yield from pieces(inner)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            if number:
                yield ","
            yield from pieces(inner)
        yield "]"
    else:
        yield _dumps(value)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
