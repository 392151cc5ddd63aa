"""A whole message taken apart for people's eyes: its texts, its attachments, and where each lies in the bytes.

Nothing is decoded before it is asked for, and then in pieces, so that a large attachment holds nobody up. What is
broken is shown as far as it goes: a multipart without its boundary is text, what nests too deep is an attachment.
Nothing found here decides where mail goes (M06). Lines end in CRLF, as accept keeps them.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass

from postroom.wire.mime.encoded_words import decode, decode_plainly
from postroom.wire.mime.header import Header, read_header
from postroom.wire.mime.parameters import Parameters, read_parameters

DEEPEST = 20
MOST_PARTS = 500
SLICE = 256 * 1024
"""Octets decoded at once."""

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOISE = bytes(set(range(256)) - set(_ALPHABET) - set(b"="))


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no others. `type` is "type/subtype"; `charset`, `filename`, `content_id` (without brackets) and
    `disposition` ("inline", "attachment" or another word) are "" where the part does not say. Its content is
    `message[start:end]`, in this transfer `encoding`. `number` counts from 1."""

    number: int
    type: str
    charset: str
    filename: str
    content_id: str
    disposition: str
    encoding: str
    start: int
    end: int

    @property
    def is_file(self) -> bool:
        return self.disposition == "attachment" or bool(self.filename)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message taken apart. `text` and `html` are the first parts of their type that are no files; every other part is
    an attachment, pictures in the HTML included (M09)."""

    header: Header
    text: Part | None
    html: Part | None
    attachments: tuple[Part, ...]


def take_apart(message: bytes) -> Taken:
    """Takes time in proportion to the size, for each level of nesting; more than a loop may be held for 64 KB."""
    parts = list(_parts(message))
    text = next((part for part in parts if part.type == "text/plain" and not part.is_file), None)
    html = next((part for part in parts if part.type == "text/html" and not part.is_file), None)
    rest = tuple(part for part in parts if part is not text and part is not html)
    return Taken(_header(message[: _body_at(message, 0, len(message))]), text, html, rest)


def content(message: bytes, part: Part) -> Iterator[bytes]:
    """The decoded octets of a part, in pieces of about `SLICE`."""
    decoders = {"base64": _base64, "quoted-printable": _quoted_printable}
    return decoders.get(part.encoding, _identity)(message, part.start, part.end)


def text_of(message: bytes, part: Part, most: int) -> tuple[str, bool]:
    """The text of a part with line feeds as line ends, at most about `most` characters, and whether that is all."""
    octets, whole = b"", True
    for piece in content(message, part):
        octets += piece
        if len(octets) > 4 * most:
            octets, whole = octets[: octets.rfind(b"\n") + 1] or octets, False  # no character is cut in two
            break
    text = decode(octets, part.charset) if part.charset else decode_plainly(octets)
    text = text.replace("\r\n", "\n")
    return text[:most], whole and len(text) <= most


def _parts(message: bytes) -> Iterator[Part]:
    """In the order of the bytes. A stack in the place of recursion."""
    waiting, number = [(0, len(message), 0)], 0
    while waiting and number < MOST_PARTS:
        start, end, depth = waiting.pop()
        body = _body_at(message, start, end)
        header = _header(message[start:body])
        kind = _parameters(header, b"Content-Type")
        boundary = kind.raw.get("boundary", b"")
        if kind.value.startswith("multipart/") and boundary and depth < DEEPEST:
            inner = _divide(message, body, end, boundary)
            if inner:
                waiting += [(*span, depth + 1) for span in reversed(inner)]
                continue
        number += 1
        yield _leaf(number, header, kind, body, end)


def _leaf(number: int, header: Header, kind: Parameters, start: int, end: int) -> Part:
    disposition = _parameters(header, b"Content-Disposition")
    identity = header.first(b"Content-ID")
    encoding = header.first(b"Content-Transfer-Encoding")
    named = _TYPE.fullmatch(kind.value) is not None and not kind.value.startswith("multipart/")
    return Part(
        number=number,
        type=kind.value if named else "text/plain" if not kind.value else "application/octet-stream",
        charset=kind.get("charset").lower(),
        filename=disposition.get("filename") or kind.get("name"),
        content_id="" if identity is None else identity.unfolded.decode("latin-1").strip("<> \t")[:255],
        disposition=disposition.value[:20],
        encoding="" if encoding is None else encoding.unfolded.decode("latin-1").lower(),
        start=start,
        end=max(start, end),
    )


def _header(block: bytes) -> Header:
    """What cannot be read has no fields, so the part is plain text."""
    read = read_header(block.removesuffix(b"\r\n"))
    return read if isinstance(read, Header) else Header([])


def _parameters(header: Header, name: bytes) -> Parameters:
    written = header.first(name)
    return read_parameters(b"" if written is None else written.value)


def _body_at(message: bytes, start: int, end: int) -> int:
    """Where the body of the part that begins at `start` begins; without an empty line there is none."""
    if message.startswith(b"\r\n", start, end):
        return start + 2
    at = message.find(b"\r\n\r\n", start, end)
    return end if at < 0 else at + 4


def _divide(message: bytes, start: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
    """The parts between the delimiters (RFC 2046 section 5.1.1); the CRLF before a delimiter belongs to that."""
    delimiter, begun = b"\r\n--" + boundary, -1
    spans: list[tuple[int, int]] = []
    at = start - 2  # the CRLF that ends the header may begin the first delimiter
    while (at := message.find(delimiter, at, end)) >= 0 and len(spans) < MOST_PARTS:
        line_end = message.find(b"\r\n", at + len(delimiter), end)
        rest = message[at + len(delimiter) : min(end if line_end < 0 else line_end, at + 200)]
        last = rest.startswith(b"--")
        if rest.strip(b" \t") and not last:
            at += 2  # a longer boundary that begins alike
            continue
        if begun >= 0:
            spans.append((begun, at))
        if last or line_end < 0:
            return spans
        begun, at = line_end + 2, line_end
    return [*spans, (begun, end)] if 0 <= begun <= end else spans


def _identity(message: bytes, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, SLICE):
        yield message[at : min(at + SLICE, end)]


def _base64(message: bytes, start: int, end: int) -> Iterator[bytes]:
    """Whatever else stands between the characters is left out; padding ends it (RFC 2045 section 6.8)."""
    left = b""
    for at in range(start, end, SLICE):
        clean, padding, _ = message[at : min(at + SLICE, end)].translate(None, _NOISE).partition(b"=")
        left += clean
        whole = len(left) // 4 * 4
        yield a2b_base64(left[:whole])
        left = left[whole:]
        if padding:
            break
    if len(left) > 1:
        yield a2b_base64(left + b"=" * (4 - len(left)))


def _quoted_printable(message: bytes, start: int, end: int) -> Iterator[bytes]:
    """Cut where lines end: a soft line break is never cut in two."""
    at = start
    while at < end:
        stop = min(at + SLICE, end)
        if stop < end:
            line_end = message.rfind(b"\r\n", at, stop)
            stop = stop if line_end < 0 else line_end + 2
        yield a2b_qp(message[at:stop])
        at = stop
