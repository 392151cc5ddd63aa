"""Message content as it travels after DATA: dots stuffed, ended by CRLF.CRLF (RFC 5321 section 4.5.2).

Content comes in chunks of any size, cut anywhere, also between CR and LF or before a dot. Every step is one C-level
pass over the chunk. A CR without LF, a LF without CR or a NUL never reaches the wire: a lax server could take
what surrounds them for the end of the message (S02), and silently changed content would break its signature.
"""

from __future__ import annotations

import re

# Faster than find() and count() of the same octets: `re` looks for the first one with memchr.
_DOT_LINE = re.compile(rb"\n\.")
_BARE_CR = re.compile(rb"\r(?!\n)")  # also at the end of the chunk
_BARE_LF = re.compile(rb"\n(?<!\r\n)")  # written so that `re` can look for the LF first


class UnsafeContentError(ValueError):
    """The content holds a bare CR, a bare LF or a NUL."""


class DotStuffer:
    """Feed it the content, then `finish()`. Raises UnsafeContentError; what was returned before then was safe."""

    __slots__ = ("_at_line_start", "_held")

    def __init__(self) -> None:
        self._at_line_start = True
        self._held = False  # a CR came last; its LF must come first

    def feed(self, chunk: bytes) -> bytes:
        """The chunk as it goes over the wire; a CR at its end waits for the next one."""
        if self._held:
            chunk = b"\r" + chunk
        self._held = chunk.endswith(b"\r")
        if self._held:
            chunk = chunk[:-1]
        if not chunk:
            return b""
        if _BARE_CR.search(chunk) or _BARE_LF.search(chunk) or b"\0" in chunk:
            raise UnsafeContentError("content holds a bare CR, a bare LF or a NUL")
        # Base64 has no dots at all, which is found out quicker.
        dots = b"." in chunk and _DOT_LINE.search(chunk)
        safe = chunk.replace(b"\n.", b"\n..") if dots else chunk
        if self._at_line_start and chunk.startswith(b"."):
            safe = b"." + safe
        self._at_line_start = chunk.endswith(b"\n")
        return safe

    def finish(self) -> bytes:
        """The end of the data. Content without a last line end gets one."""
        if self._held:
            raise UnsafeContentError("content ends in a bare CR")
        return b".\r\n" if self._at_line_start else b"\r\n.\r\n"


def stuffed(*parts: bytes) -> bytes:
    """Small content in one piece, its end included. Raises UnsafeContentError."""
    stuffer = DotStuffer()
    return b"".join([*map(stuffer.feed, parts), stuffer.finish()])
