"""File names in Content-Disposition (RFC 2183, RFC 2231), with an ASCII name for programs that know no better.

The true name comes first: of two spellings of one parameter many readers believe the first.
"""

from __future__ import annotations

import re
from unicodedata import normalize

LONGEST_PLAIN = 60
_ROOM = 60  # octets of a continuation; with ` filename*10*=` and `;` less than a line

_QUOTABLE = re.compile(r"[ !#-\[\]-~]*+")
_OTHER = re.compile(r"[^ !#-\[\]-~]+")
_ATTRIBUTE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")


def file_name_pieces(name: str) -> list[str]:
    """The parameters as pieces for `fold`, the last without a semicolon."""
    if len(name) <= LONGEST_PLAIN and _QUOTABLE.fullmatch(name):
        return [f' filename="{name}"']
    parts = _percent_encoded(name)
    if len(parts) == 1:
        pieces = [f" filename*={parts[0]};"]
    else:
        pieces = [f" filename*{number}*={part};" for number, part in enumerate(parts)]
    return [*pieces, f' filename="{_fallback(name)}"']


def _percent_encoded(name: str) -> list[str]:
    """In parts of at most _ROOM octets, cut between two characters; the first names the charset."""
    parts = ["utf-8''"]
    for char in name:
        encoded = char if char in _ATTRIBUTE else "".join(f"%{octet:02X}" for octet in char.encode("utf-8"))
        if len(parts[-1]) + len(encoded) > _ROOM:
            parts.append("")
        parts[-1] += encoded
    return parts


def _fallback(name: str) -> str:
    """`Übersicht.pdf` -> `Ubersicht.pdf`, `報告.pdf` -> `_.pdf`; short, and with its extension."""
    plain = "".join(char for char in normalize("NFKD", name) if not "\u0300" <= char <= "\u036f")
    stem, dot, extension = _OTHER.sub("_", plain).rpartition(".")
    if not dot or len(extension) > 10:
        return f"{stem}{dot}{extension}"[:LONGEST_PLAIN]
    return f"{stem[: LONGEST_PLAIN - len(extension) - 1]}.{extension}"
