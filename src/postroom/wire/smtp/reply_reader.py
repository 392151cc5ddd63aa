"""Reads what an SMTP server answers, however it comes (RFC 5321 section 4.2, D08).

Tolerant where a reading is safe: bare LF ends a line, a code may stand alone, text may be any bytes. The code of the
last line counts when the lines of a reply disagree. What is no reply at all (`99 `, HTTP, a TLS record) is `BadReply`,
and nothing is read after it: who is out of step with a server must not guess.

Memory is bounded: of each reply `TEXT_OCTETS` octets of text are kept, the rest is thrown away as it comes in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from postroom.types.reply import Reply

TEXT_OCTETS = 2048
REPLY_OCTETS = 16 * 1024 * 1024
"""A reply that goes on beyond this never ends."""
_SHOWN = 80

# Code, separator, enhanced code (RFC 2034 section 4), text.
_LINE = re.compile(
    rb"([2-5][0-9][0-9])(?:([ \t-])(?:([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|\Z))?(.*))?", re.DOTALL
)
_CODE = re.compile(rb"[2-5][0-9][0-9][ \t\r-]")


@dataclass(frozen=True, slots=True)
class BadReply:
    """The server said what is no reply. `text` is its beginning, printable."""

    text: str


class ReplyReader:
    """Feed it what came in; it gives the replies that are complete, the last one perhaps a BadReply. Never raises."""

    __slots__ = ("_bad", "_enhanced", "_kept", "_lines", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""  # a line whose end has not come yet
        self._bad = False
        self._begin()

    def _begin(self) -> None:
        self._lines: list[str] = []
        self._enhanced = ""
        self._kept = 0
        self._size = 0

    @property
    def pending(self) -> bool:
        """Whether part of a reply was read and its end has not come."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[Reply | BadReply]:
        replies: list[Reply | BadReply] = []
        if self._bad:
            return replies
        lines = (self._rest + data).split(b"\n")
        rest = lines.pop()
        self._rest = rest if len(rest) <= TEXT_OCTETS else rest[:TEXT_OCTETS]
        for line in lines:
            reply = self._take(line.removesuffix(b"\r"))
            if reply is not None:
                replies.append(reply)
                if self._bad:
                    return replies
        self._size += len(data) if self._lines or rest else 0
        if self._size > REPLY_OCTETS or (len(rest) > 3 and _CODE.match(rest) is None):
            replies.append(self._give_up(self._rest))
        return replies

    def _take(self, line: bytes) -> Reply | BadReply | None:
        """One whole line: a reply if it ends one, None if more lines follow."""
        parsed = _parse(line[:TEXT_OCTETS])
        if parsed is None:
            return self._give_up(line)
        reply, more = parsed
        if not more and not self._lines:
            self._size = 0
            return reply
        self._enhanced = reply.enhanced or self._enhanced
        if self._kept < TEXT_OCTETS:
            text = reply.lines[0][: TEXT_OCTETS - self._kept]
            self._kept += len(text) + 1
            self._lines.append(text)
        if more:
            return None
        reply = Reply(reply.code, self._enhanced, tuple(self._lines))
        self._begin()
        return reply

    def _give_up(self, line: bytes) -> BadReply:
        self._bad = True
        return BadReply(printable(line[:_SHOWN]))


@lru_cache(512)  # a server says the same few lines again and again
def _parse(line: bytes) -> tuple[Reply, bool] | None:
    """One line as a reply of its own, and whether more lines follow; None for garbage."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    code, separator, enhanced, text = match.groups(b"")
    return Reply(int(code), enhanced.decode("ascii"), (printable(text)[:TEXT_OCTETS],)), separator == b"-"


def printable(text: bytes) -> str:
    """UTF-8, else Latin-1; what cannot be shown or stored is escaped."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        decoded = text.decode("latin-1")
    if decoded.isprintable():
        return decoded
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in decoded
    )
