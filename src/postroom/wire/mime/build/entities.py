"""MIME entities: a text, an attachment (RFC 2045, RFC 2183). Everything here is ASCII, in lines of CRLF."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator

from postroom.types.parts import Attachment
from postroom.wire.mime.build.file_names import file_name_pieces
from postroom.wire.mime.build.fold import LONGEST_LINE, fold

SLICE = 57 * 4096
"""Octets encoded at once, whole lines of base64: the interpreter lock is held for less than a millisecond."""
LINE = 78  # of text that stays as it is, RFC 5322 section 2.1.1
TEXT_SLICE = 256 * 1024

_LINE_ENDS = re.compile(r"\r\n?")
# White space that a server may cut, a line that a mailbox file takes for the next message, a boundary, a lone dot.
_FRAGILE = (b" \r\n", b"\t\r\n", b"\nFrom ", b"\n--", b"\n.\r\n")
_CONTROLS = bytes(octet for octet in (*range(0x20), 0x7F) if octet not in b"\t\n\r")
_FROM = re.compile(rb"^From ", re.MULTILINE)


def text_entity(subtype: str, text: str) -> list[bytes]:
    """Header and body of a text/plain or text/html entity. Any line ends become CRLF; the last line has one."""
    if "\r" in text:
        text = _LINE_ENDS.sub("\n", text)
    if not text.endswith("\n"):
        text += "\n"
    ascii_ = text.isascii()
    data = text.replace("\n", "\r\n").encode("utf-8")
    plain = ascii_ and _is_plain(data)
    head = "Content-Type: text/{}; charset={}\r\nContent-Transfer-Encoding: {}\r\n\r\n".format(
        subtype, "us-ascii" if ascii_ else "utf-8", "7bit" if plain else "quoted-printable"
    )
    return [head.encode(), *([data] if plain else _quoted_printable(data))]


def _is_plain(data: bytes) -> bool:
    """Whether lines of ASCII get through every server unchanged as they are."""
    if max(map(len, data.split(b"\r\n"))) > LINE:
        return False
    if len(data.translate(None, _CONTROLS)) != len(data):
        return False
    framed = b"\n" + data
    for mark in _FRAGILE:  # noqa: SIM110 - any() takes twice as long
        if mark in framed:
            return False
    return True


def _quoted_printable(data: bytes) -> Iterator[bytes]:
    """RFC 2045 section 6.7, in lines of at most 76. `data` is lines ending in CRLF."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + TEXT_SLICE) + 1 or len(data)
        encoded = b2a_qp(data[at:end])
        yield _FROM.sub(b"F=\r\nrom ", encoded) if b"From " in encoded else encoded
        at = end


def attachment_entity(attachment: Attachment, seed: str) -> Iterator[bytes]:
    """Header and body of an attachment, in chunks of less than half a megabyte; the body ends in CRLF if it has any."""
    content_type, plain = attachment.content_type, False
    if content_type.lower() == "message/rfc822":
        plain = _may_stay(attachment.data, seed)
        if not plain:  # a message must not be encoded as base64 (RFC 2046 section 5.2.1)
            content_type = "application/octet-stream"
    elif content_type.startswith("text/") and _is_utf8(attachment.data):
        content_type += "; charset=utf-8"
    pieces = [f" {attachment.disposition.value};", *file_name_pieces(attachment.filename)]
    head = [
        f"Content-Type: {content_type}\r\n",
        f"Content-Transfer-Encoding: {'7bit' if plain else 'base64'}\r\n",
        fold("Content-Disposition", pieces),
        f"Content-ID: <{attachment.content_id}>\r\n" if attachment.content_id else "",
        "\r\n",
    ]
    yield "".join(head).encode()
    if plain:
        yield attachment.data if attachment.data.endswith(b"\r\n") else attachment.data + b"\r\n"
    else:
        yield from _base64(attachment.data)


def _base64(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), SLICE):
        encoded = b64encode(data[start : start + SLICE])
        lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
        yield b"\r\n".join((*lines, b""))


def _may_stay(data: bytes, seed: str) -> bool:
    """Whether an attached message can travel byte for byte: short lines of ASCII that hold no boundary of ours."""
    if not data.isascii() or b"\0" in data or seed.encode() in data:
        return False
    lines = data.split(b"\r\n")
    bare = data.count(b"\r") + data.count(b"\n") != 2 * (len(lines) - 1)
    return not bare and max(map(len, lines)) <= LONGEST_LINE


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
