"""The transcript of one attempt: what was said and what happened, with the milliseconds since it began.

Kept with the attempt as compressed JSON, `[[at, who, text], ...]`, of at most `OCTETS` octets before compression.
What does not fit is left out of the middle: how an attempt began and how it ended says the most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import zstandard

from postroom.runtime.clock import Clock
from postroom.types.outcome import TranscriptLine

OCTETS = 8000
_HEAD = OCTETS // 2
_TEXT = 600  # characters of a line's text, once the whole is too long
_NOTE = 60  # room for the line that says how many were left out
_PLAIN = OCTETS // 8  # no text this short can be too long as JSON
_COMPRESSOR = zstandard.ZstdCompressor(level=3)  # to make one costs three times what it then does
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Transcript:
    """Collects lines. `who` is "C" (us), "S" (them) or "*" (what happened between)."""

    __slots__ = ("_began", "_clock", "_lines")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._lines: list[TranscriptLine] = []

    @property
    def elapsed(self) -> int:
        """Milliseconds since the attempt began."""
        return round((self._clock.monotonic() - self._began) * 1000)

    def add(self, who: str, text: str) -> None:
        self._lines.append(TranscriptLine(self.elapsed, who, text))

    def note(self, text: str) -> None:
        self.add("*", text)

    def extend(self, said: Iterable[tuple[str, str]]) -> None:
        """Lines of this very moment."""
        at = self.elapsed
        self._lines.extend([TranscriptLine(at, who, text) for who, text in said])

    def lines(self) -> tuple[TranscriptLine, ...]:
        """All lines, cut so that they fit."""
        if sum(len(line.text) + 20 for line in self._lines) <= _PLAIN:
            return tuple(self._lines)
        return _fitting(self._lines)


def encode(lines: Sequence[TranscriptLine]) -> bytes:
    """For storage. From one thread at a time."""
    return _COMPRESSOR.compress(_json(lines))


def decode(stored: bytes) -> tuple[TranscriptLine, ...]:
    """What `encode` packed. Raises ValueError for anything else."""
    try:
        text = zstandard.ZstdDecompressor().decompress(stored, max_output_size=4 * OCTETS)
    except zstandard.ZstdError as error:
        raise ValueError(f"not a transcript: {error}") from None
    return tuple(TranscriptLine(at, who, said) for at, who, said in json.loads(text))


def _json(lines: Iterable[TranscriptLine]) -> bytes:
    rows = [(line.at, line.who, line.text) for line in lines]
    return _ENCODER.encode(rows).encode()


def _fitting(lines: Sequence[TranscriptLine]) -> tuple[TranscriptLine, ...]:
    """Long lines shortened; then the first ones up to half of the room, and the last ones that fit."""
    if len(_json(lines)) <= OCTETS:
        return tuple(lines)
    lines = [
        replace(line, text=f"{line.text[:_TEXT]} ...") if len(line.text) > _TEXT else line for line in lines
    ]
    sizes = [len(_json([line])) for line in lines]
    if sum(sizes) <= OCTETS:
        return tuple(lines)
    first, room = 0, _HEAD
    while first < len(lines) and sizes[first] <= room:
        room -= sizes[first]
        first += 1
    last, room = len(lines), OCTETS - _NOTE - (_HEAD - room)
    while last > first and sizes[last - 1] <= room:
        last -= 1
        room -= sizes[last]
    left_out = TranscriptLine(lines[first].at, "*", f"({last - first} lines left out)")
    return (*lines[:first], left_out, *lines[last:])
