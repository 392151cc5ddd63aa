"""One SMTP reply: a basic code, an enhanced code and text (RFC 5321 section 4.2, RFC 3463)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` is 200-599, `enhanced` is like "5.7.1" or empty, `lines` are the text lines without codes."""

    code: int
    enhanced: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, code: int, enhanced: str, text: str) -> Reply:
        return cls(code, enhanced, (text,))

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 400

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500

    def encode(self) -> bytes:
        """The bytes on the wire, CRLF included. Text is UTF-8 and must hold no CR or LF."""
        prefix = f"{self.enhanced} " if self.enhanced else ""
        last = len(self.lines) - 1
        return "".join(
            f"{self.code}{' ' if at == last else '-'}{prefix}{line}\r\n" for at, line in enumerate(self.lines)
        ).encode("utf-8", "replace")

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)
