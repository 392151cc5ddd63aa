"""Header fields in lines (RFC 5322 section 2.2.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom.wire.mime.build.encoded_words import encode_words

WIDTH = 76
"""Columns: the limit of lines that hold encoded-words (RFC 2047 section 2), below the 78 of RFC 5322."""
LONGEST_LINE = 998
"""RFC 5322 section 2.1.1, without CRLF."""
LONGEST_TOKEN = 900
"""Of custom fields, where encoded-words would mean something else: what may stand in one line if it has no space."""

_PIECE = re.compile(r" *[^ ]+")


def fold(name: str, pieces: Sequence[str]) -> str:
    """A field, CRLF included. Each piece begins with its white space, before which a line may end.

    A piece that is longer than a line gets one of its own; the first one stays with the name where 998 octets allow it.
    """
    whole = f"{name}:{''.join(pieces)}\r\n"
    if _octets(whole) <= WIDTH + len("\r\n"):
        return whole
    line = f"{name}:"
    lines, used = [line], len(line)
    for number, piece in enumerate(pieces):
        octets = _octets(piece)
        stays = number == 0 and octets > WIDTH and used + octets <= LONGEST_LINE
        if used + octets > WIDTH and not stays:
            lines.append("")
            used = 0
        lines[-1] += piece
        used += octets
    return "\r\n".join((*lines, ""))


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8"))


def fold_text(name: str, text: str, longest: int = WIDTH) -> str:
    """A field of free text, CRLF included, as encoded-words where it has to be.

    ASCII stays as it is unless it looks like an encoded-word, or holds more than `longest` octets without a space.
    White space at either end is not kept.
    """
    text = text.strip(" ")
    if text.isascii() and "=?" not in text:
        if text and len(name) + len(": ") + len(text) <= WIDTH:
            return f"{name}: {text}\r\n"
        pieces = _PIECE.findall(" " + text)
        if len(text) < WIDTH or max(map(len, pieces)) <= longest:
            return fold(name, pieces)
    room = WIDTH - len(name) - len(": ")
    return fold(name, [" " + word for word in encode_words(text, room)])
