"""The data scanner: message content out of the stream that follows DATA (RFC 5321 section 4.5.2).

Only CRLF.CRLF ends data. A dot behind CRLF is stuffing. A bare LF becomes CRLF *after* unstuffing, so a line "." that
arises stays content. Behind a bare LF only the first of two dots is stuffing: Python's smtplib, given bytes, sends LFs
as they are and stuffs behind them; other clients do not. A bare CR, a NUL, a line too long, a header or content too big are remembered as `refused`;
from then on everything is swallowed, but still only up to the true end. So no two readers can disagree on where a
message ends, whatever was in it (SMTP smuggling, S01).

Every step is one C-level pass over the chunk; what may be the beginning of the end is held back for the next chunk.
"""

from __future__ import annotations

import re

from postroom.types.refusals import (
    BARE_CR,
    HEADER_TOO_BIG,
    LINE_TOO_LONG,
    MESSAGE_TOO_BIG,
    NUL_IN_CONTENT,
    TOO_MANY_HOPS,
    Refused,
)
from postroom.wire.smtp.settings import ServerSettings

_END = b"\r\n.\r\n"
# Faster than find() and count() of the same octets: `re` looks for the first one with memchr.
_DOT_LINE = re.compile(rb"\r\n\.")
_STUFFED_BEHIND_LF = re.compile(rb"(?<!\r)\n\.\.")
_BARE_CR = re.compile(rb"\r(?!\n)")
_MARKED = bytes.maketrans(b"\r\0", b"??")


class DataScanner:
    """Feed it chunks until `finished`; then `rest` is what came behind the end.

    `refused_chunk` is what was fed when `refused` was set, made legible; nothing of it was returned.
    """

    __slots__ = (
        "_column",
        "_header",
        "_held",
        "_lines",
        "_settings",
        "eight_bit",
        "finished",
        "header_size",
        "refused",
        "refused_chunk",
        "rest",
        "size",
    )

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._held = (
            b"\r\n"  # the line end of the DATA command: a dot on the first line is stuffed or ends, too
        )
        self._header: bytearray | None = bytearray()  # until its end is seen; starts with that same CRLF
        self._column = 0  # octets of the line that is not finished yet
        self._lines = -1  # finished lines; the line end of the DATA command does not count
        self.size = 0
        self.header_size = 0
        self.eight_bit = False
        self.refused: Refused | None = None
        self.refused_chunk = b""
        self.finished = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Take what came in; return clean content, perhaps none. After the end `data` must not be fed any more."""
        data = self._held + data
        dot = _DOT_LINE.search(data)
        end = -1 if dot is None else data.find(_END, dot.start())
        stuffed = dot is not None and end != dot.start()
        if end >= 0:
            self.finished = True
            self.rest = data[end + 5 :]
            content = data[: end + 2]
        else:
            hold = _beginning_of_end(data)
            content = data[: len(data) - hold]
            self._held = data[len(data) - hold :]
        if not content or self.refused is not None:
            return b""
        if stuffed:
            content = content.replace(b"\r\n.", b"\r\n")
        first = self._lines < 0
        clean = self._clean(content)
        if self.finished and self._header is not None and self.refused is None:
            self._finish_header(len(self._header) - 2)  # there is no body
        if self.refused is None:
            return clean
        self.refused_chunk = _legible(content[2:] if first else content)
        return b""

    def _clean(self, content: bytes) -> bytes:
        """Normalise and check. `content` never ends between CR and LF: the scanner would have held the CR back."""
        first = self._lines < 0
        if _BARE_CR.search(content) is not None:
            self.refused = Refused(BARE_CR)
            return b""
        if b"\0" in content:
            self.refused = Refused(NUL_IN_CONTENT)
            return b""
        line_feeds = content.count(b"\n")
        if line_feeds != content.count(b"\r"):
            content = _STUFFED_BEHIND_LF.sub(b"\n.", content)
            content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if not self._check_lines(content):
            return b""
        self._lines += line_feeds
        if self._header is not None:
            self._read_header(content)
        if first:
            content = content[2:]
        self.size += len(content)
        if self.size > self._settings.max_size:
            self.refused = Refused(MESSAGE_TOO_BIG, {"limit": str(self._settings.max_size)})
        if not content.isascii():
            self.eight_bit = True
        return content

    def _check_lines(self, content: bytes) -> bool:
        """Look for a line over the limit in strides of a longest line: at least one LF must be in each."""
        stride = self._settings.max_line + 2
        start = -self._column  # where the current line starts; before this chunk, perhaps
        while len(content) - start >= stride:
            line_feed = content.rfind(b"\n", max(start, 0), start + stride)
            if line_feed < 0:
                line = self._lines + content.count(b"\n", 0, max(start, 0)) + 1
                limit = str(self._settings.max_line)
                self.refused = Refused(LINE_TOO_LONG, {"line": str(line), "limit": limit})
                return False
            start = line_feed + 1
        last = content.rfind(b"\n", max(start, 0))
        self._column = len(content) - (last + 1 if last >= 0 else start)
        return True

    def _read_header(self, content: bytes) -> None:
        header = self._header
        assert header is not None
        searched = max(len(header) - 3, 0)
        header += content
        end = header.find(b"\r\n\r\n", searched)
        if end >= 0:
            self._finish_header(end)
        elif len(header) - 2 > self._settings.max_header_size:
            self._refuse_header()

    def _finish_header(self, size: int) -> None:
        """Check the header block, which starts with a CRLF that is not counted in its `size`."""
        assert self._header is not None
        header = bytes(self._header[: size + 2])
        self._header = None
        self.header_size = size
        fields = header.count(b"\r\n") - 1 - header.count(b"\r\n ") - header.count(b"\r\n\t")
        if size > self._settings.max_header_size or fields > self._settings.max_header_fields:
            self._refuse_header()
            return
        hops = header.lower().count(b"\r\nreceived:")
        if hops > self._settings.max_hops:
            self.refused = Refused(TOO_MANY_HOPS, {"count": str(hops)})

    def _refuse_header(self) -> None:
        limits = {
            "limit": str(self._settings.max_header_size),
            "count": str(self._settings.max_header_fields),
        }
        self.refused = Refused(HEADER_TOO_BIG, limits)
        self._header = None


def _legible(content: bytes) -> bytes:
    """With line ends like any other content; a bare CR or a NUL is a question mark."""
    return content.replace(b"\r\n", b"\n").translate(_MARKED).replace(b"\n", b"\r\n")


def _beginning_of_end(data: bytes) -> int:
    """How many of the last octets may be the beginning of CRLF.CRLF, or of LF and two dots."""
    if data.endswith(b"\n"):
        return 2 if data.endswith(b"\r\n") else 1
    if data.endswith(b"\r"):
        return 4 if data.endswith(b"\r\n.\r") else 1
    if data.endswith(b"\n."):
        return 3 if data.endswith(b"\r\n.") else 2
    return 0
