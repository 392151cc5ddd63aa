"""Header text beyond ASCII as encoded-words (RFC 2047), the opposite of `mime.encoded_words`."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

LONGEST_WORD = 75  # octets, RFC 2047 section 2
_FRAME = len("=?utf-8?q??=")
_LEAST = 40  # a word shorter than this could not hold a few characters
_READABLE = 8  # octets that "q" may be longer than "b": people read headers

# Section 5 (3): what may stand for itself everywhere an encoded-word may stand, in names too.
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def encode_words(text: str, first: int = LONGEST_WORD) -> list[str]:
    """The words of `text`, each cut between two characters; white space between them is not part of the text.

    `first` is how many octets the first may have, for it shares its line; less than 40 are taken for 75.
    """
    octets = text.encode("utf-8")
    first = min(first, LONGEST_WORD) if first >= _LEAST else LONGEST_WORD
    safe = sum(char in _SAFE or char == " " for char in text)
    if safe + 3 * (len(octets) - safe) <= -(-len(octets) // 3) * 4 + _READABLE:
        return [f"=?utf-8?q?{part}?=" for part in _quoted(text, first - _FRAME)]
    return [f"=?utf-8?b?{b64encode(part).decode()}?=" for part in _cut(text, first - _FRAME)]


def _quoted(text: str, room: int) -> Iterator[str]:
    part = ""
    for char in text:
        quoted = char if char in _SAFE else "_" if char == " " else _quote(char)
        if len(part) + len(quoted) > room:
            yield part
            part, room = "", LONGEST_WORD - _FRAME
        part += quoted
    yield part


def _quote(char: str) -> str:
    return "".join(f"={octet:02X}" for octet in char.encode("utf-8"))


def _cut(text: str, room: int) -> Iterator[bytes]:
    """Octets that fill at most `room` characters of base64."""
    part = b""
    for char in text:
        octets = char.encode("utf-8")
        if len(part) + len(octets) > room // 4 * 3:
            yield part
            part, room = b"", LONGEST_WORD - _FRAME
        part += octets
    yield part
