"""Header text for people's eyes: encoded-words decoded, controls stripped, cut (RFC 2047).

For display only. What is decoded here must never decide where mail goes or who somebody is (M06).
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp

# Characters of raw header looked at per character shown: a word that holds one character has about thirty.
_RAW_PER_CHARACTER = 64

_WORD = re.compile(
    r"=\?([^?\s*]{1,40}+)(?:\*[A-Za-z0-9-]{1,20}+)?\?([BbQq])\?([^?\r\n]*+)\?=",  # *language is RFC 2231
)

_FALLBACK = "cp1252"

# Never a look-up in Python's registry: that would reach codecs which decompress, unescape or take quadratic time
# (M05). Where browsers read a label as its superset (WHATWG Encoding), so do we.
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 12), 13, 14, 15, 16)},
    **{f"{vendor}125{page}": f"cp125{page}" for vendor in ("windows-", "cp") for page in range(9)},
    "windows-874": "cp874",
    "tis-620": "cp874",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "windows-31j": "cp932",
    "euc-jp": "euc-jp",
    "iso-2022-jp": "iso2022-jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-2022-kr": "iso2022-kr",
}

_SPACES = "\t\n\x0b\x0c\r\x85\u2028\u2029"
_INVISIBLE = [
    *range(0x00, 0x20),
    *range(0x7F, 0xA0),
    0x061C,  # what turns the direction of text, and so shows `gpj.exe` as `exe.jpg`
    *range(0x200E, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
]
_CLEAN: dict[int, str] = dict.fromkeys(_INVISIBLE, "") | {ord(space): " " for space in _SPACES}


def display(value: bytes, limit: int) -> str:
    """Decode a raw header value and return at most `limit` characters on one line, without control characters.

    Never fails: octets that fit no charset become replacement characters, words that cannot be decoded stay as is.
    """
    text = decode_plainly(value)[: limit * _RAW_PER_CHARACTER]
    if "=?" in text:
        text = _decode_words(text)
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_CLEAN)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def decode_plainly(value: bytes) -> str:
    """Text that does not say its charset. Never fails."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode(_FALLBACK, "replace")


def decode(octets: bytes, charset: str) -> str:
    """As browsers would read this charset (lower case). Never fails; an unknown one is taken for Windows-1252."""
    return octets.decode(_CODECS.get(charset, _FALLBACK), "replace")


def _decode_words(text: str) -> str:
    """Replace encoded-words. White space between two of them goes (RFC 2047 section 6.2).

    Octets of neighbours with one charset are joined first: clients cut multi-octet characters in two.
    """
    out: list[str] = []
    charset, octets, end = "", b"", 0
    for word in _WORD.finditer(text):
        decoded = _octets(word[2], word[3])
        if decoded is None:
            continue
        between, named = text[end : word.start()], word[1].lower()
        neighbours = charset and not between.strip()
        if not neighbours or named != charset:
            out.append(decode(octets, charset))
            octets = b""
        if not neighbours:
            out.append(between)
        charset, octets, end = named, octets + decoded, word.end()
    return "".join((*out, decode(octets, charset), text[end:]))


def _octets(encoding: str, payload: str) -> bytes | None:
    raw = payload.encode("utf-8", "replace")
    if encoding in "Qq":
        return a2b_qp(raw, header=True)
    try:
        return a2b_base64(raw + b"=" * (-len(raw) % 4))
    except Error:
        return None
