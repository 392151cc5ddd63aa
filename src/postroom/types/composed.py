"""What goes over the wire for one recipient: a signed header block and the body it was signed with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Composed:
    """`head` is the finished header block including its empty line; `body` the rest, lines ending in CRLF.

    Large bodies are not held in memory: then `body` is empty and lies in the blob store under `blob` from octet
    `offset` on, but for what a personalised message has of its own: that is at the end of `head`. Nothing is dot-stuffed yet. `size` is head and body together in octets.
    """

    head: bytes
    body: bytes
    size: int
    blob: str | None = None
    offset: int = 0
    eight_bit: bool = False
    utf8: bool = False
