"""A whole message from its parts, in two pieces that fit together.

The *top* is the header and the texts; the *tail* is everything behind the last text: closing boundaries and encoded
attachments. Tops of different recipients go with one tail.

    multipart/mixed               if there are attachments that the HTML does not show
      multipart/alternative       if there are both texts
        text/plain
        multipart/related         if the HTML shows attachments
          text/html
          ...                                                                     <- here the tail begins
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from postroom.types.parts import Attachment, Disposition, Parts
from postroom.wire.mime.build.check import ensure_safe
from postroom.wire.mime.build.entities import attachment_entity, text_entity
from postroom.wire.mime.build.fields import message_fields


class Shape(NamedTuple):
    """Which multiparts the attachments bring with them."""

    mixed: bool
    related: bool


def shape_of(parts: Parts) -> Shape:
    shown, others = _attached(parts)
    return Shape(mixed=bool(others), related=bool(shown))


def build(parts: Parts) -> bytes:
    """The message. Raises UnsafePartsError."""
    return b"".join(chunks(parts))


def chunks(parts: Parts) -> Iterator[bytes]:
    """The message in chunks as those of `tail`; the first is the top, with the whole header. Raises UnsafePartsError."""
    yield top(parts, shape_of(parts))
    yield from tail(parts)


def top(parts: Parts, shape: Shape) -> bytes:
    """Header and texts; the attachments of `parts` are not looked at. Raises UnsafePartsError."""
    ensure_safe(parts)
    header = "".join((*message_fields(parts), "MIME-Version: 1.0\r\n")).encode("utf-8")
    return b"".join((header, *_texts(parts, shape)))


def tail(parts: Parts) -> Iterator[bytes]:
    """What follows the top, in chunks of less than half a megabyte (attached messages excepted).

    The parts must be safe.
    """
    shown, others = _attached(parts)
    if shown:
        yield from _members(parts.seed, "r", shown)
    if _alternative(parts):
        yield _closing(parts.seed, "a")
    if others:
        yield from _members(parts.seed, "m", others)


def _alternative(parts: Parts) -> bool:
    return parts.text is not None and parts.html is not None


def _attached(parts: Parts) -> tuple[list[Attachment], list[Attachment]]:
    """The attachments that the HTML shows, and the others."""
    shown: list[Attachment] = []
    others: list[Attachment] = []
    for each in parts.attachments:
        inline = each.disposition is Disposition.INLINE and each.content_id and parts.html is not None
        (shown if inline else others).append(each)
    return shown, others


def _texts(parts: Parts, shape: Shape) -> Iterator[bytes]:
    seed = parts.seed
    if shape.mixed:
        yield _opening(seed, "m", "mixed")
    if _alternative(parts):
        yield _opening(seed, "a", "alternative")
    if parts.text is not None or parts.html is None:
        yield from text_entity("plain", parts.text or "")
    if _alternative(parts):
        yield _delimiter(seed, "a")
    if shape.related:
        yield _opening(seed, "r", 'related; type="text/html"')
    if parts.html is not None:
        yield from text_entity("html", parts.html)


def _members(seed: str, level: str, attachments: list[Attachment]) -> Iterator[bytes]:
    for attachment in attachments:
        yield _delimiter(seed, level)
        yield from attachment_entity(attachment, seed)
    yield _closing(seed, level)


# A boundary with "=_" in it cannot stand in quoted-printable or base64 (RFC 2045 section 6.7).


def _opening(seed: str, level: str, kind: str) -> bytes:
    """The header of a multipart and the delimiter of its first member."""
    boundary = f"=_{seed}.{level}"
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n--{boundary}\r\n'.encode()


def _delimiter(seed: str, level: str) -> bytes:
    return f"\r\n--=_{seed}.{level}\r\n".encode()


def _closing(seed: str, level: str) -> bytes:
    return f"\r\n--=_{seed}.{level}--\r\n".encode()
