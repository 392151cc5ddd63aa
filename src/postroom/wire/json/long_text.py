"""A string too long to be made in one go: it stays in the body and is read in pieces."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from mmap import mmap

from postroom.wire.json.decode import JsonRefusedError, JsonSyntaxError, check_string

Octets = bytes | mmap
"""What holds a large body."""
STEP = 64 * 1024

_PAIR = rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|' + _PAIR + rb")"
_PLAIN = rb'[^"\\\x00-\x1f]*+'
_INSIDE = re.compile(_PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb")*+")
"""The inside of a string as far as it is right. It stops only between characters, and never within a pair."""


class LongText:
    """A JSON string of more than 8 MB. `len` is its size in the body in octets: escapes count as they are written."""

    def __init__(self, raw: Octets, start: int, end: int) -> None:
        """`start` is behind the opening quote, `end` at the closing one."""
        self._raw = raw
        self._start = start
        self._end = end

    def __len__(self) -> int:
        return self._end - self._start

    def pieces(self) -> Iterator[str]:
        """The text in order, in pieces of about 64 K characters. Raises JsonSyntaxError, JsonRefusedError."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        at = self._start
        while at < self._end:
            end = _INSIDE.match(self._raw, at, min(at + STEP, self._end)).end()  # type: ignore[union-attr]
            if end == at:
                raise JsonSyntaxError(
                    "a string holds a control character or a wrong escape", f"octet {at + 1}"
                )
            try:
                text = decoder.decode(self._raw[at:end], final=end == self._end)
            except UnicodeDecodeError:
                raise JsonRefusedError(f"one of the octets from {at + 1} to {end} is not UTF-8") from None
            if "\\" in text:
                text = json.loads(f'"{text}"')
                check_string(text)
            yield text
            at = end

    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces())

    def checked(self) -> LongText:
        """Itself, all of it found to be right: `pieces` will not raise."""
        for _ in self.pieces():
            pass
        return self
