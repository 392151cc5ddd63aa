"""Command lines: cutting them out of the stream and reading them (RFC 5321 section 2.3.8 and 4.1.1)."""

from __future__ import annotations

import re

MAX_AUTH_LINE = 12_288  # RFC 4954 section 4

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class LineTooLongError(ValueError):
    """A whole line was thrown away because it was too long."""


class CommandBuffer:
    """Bytes that came in and were not used yet. Only CRLF ends a line.

    Memory stays bounded: of a line that is too long nothing is kept.
    """

    __slots__ = ("_at", "_data", "_max_command", "_skipping")

    def __init__(self, max_command: int) -> None:
        self._data = b""
        self._at = 0
        self._max_command = max_command
        self._skipping = False

    def __len__(self) -> int:
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        self._data = self._data[self._at :] + data
        self._at = 0

    def take_all(self) -> bytes:
        data = self._data[self._at :]
        self.clear()
        return data

    def clear(self) -> None:
        self._data = b""
        self._at = 0
        self._skipping = False

    def next_line(self, *, auth: bool = False) -> bytes | None:
        """The next line without its CRLF, or None if it is not complete yet. `auth`: it answers a challenge.

        Raises LineTooLongError when the end of a line that is too long has come.
        """
        end = self._data.find(b"\r\n", self._at)
        if end < 0:
            if len(self) > self._max_command and (self._skipping or len(self) > self._limit(auth)):
                self._skip()
            return None
        line = self._data[self._at : end]
        too_long = self._skipping or (len(line) + 2 > self._max_command and len(line) + 2 > self._limit(auth))
        self._at = end + 2
        self._skipping = False
        if too_long:
            raise LineTooLongError
        return line

    def _limit(self, auth: bool) -> int:
        is_auth = auth or self._data[self._at : self._at + 5].upper() == b"AUTH "
        return max(MAX_AUTH_LINE, self._max_command) if is_auth else self._max_command

    def _skip(self) -> None:
        """Forget the line but for a last CR: its LF may be the next octet."""
        self._data = b"\r" if self._data.endswith(b"\r") else b""
        self._at = 0
        self._skipping = True


def decode_line(line: bytes) -> str | None:
    """A command line as text, or None if it holds a control character or is not UTF-8.

    A bare CR or LF is such a character: whatever stands behind it is never taken for a command (S26).
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    return None if has_control(text) else text


def has_control(text: str) -> bool:
    """Whether an ASCII control character is in `text`."""
    return not text.isprintable() and _CONTROL.search(text) is not None
