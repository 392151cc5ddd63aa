"""A raw header block as fields (RFC 5322 section 2.2), read strictly and without changing a byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

SINGLE = (b"From", b"Sender", b"Reply-To", b"To", b"Cc", b"Subject", b"Date", b"Message-ID")
"""Fields that may be there only once (RFC 5322 section 3.6) and that mail providers check."""

# A name of printable ASCII without space and colon, the colon, a line, and its continuation lines. A continuation
# holds more than white space: behind a program that trims lines it would end the header. Possessive, so linear.
_LINE = rb"[^\r\n\0]*+\r\n"
_FIELD = re.compile(
    rb"([!-9;-~]++):" + _LINE + rb"(?:[ \t]++(?=[^\r\n])" + _LINE + rb")*+",
)


class Field(NamedTuple):
    """`key` is the name in lower case; `raw` the whole field with its folds and its CRLF."""

    key: bytes
    raw: bytes

    @property
    def name(self) -> bytes:
        return self.raw[: len(self.key)]

    @property
    def value(self) -> bytes:
        """What stands behind the colon, folds included, without the last CRLF."""
        return self.raw[len(self.key) + 1 : -2]

    @property
    def unfolded(self) -> bytes:
        """The value on one line, without the white space around it (RFC 5322 section 2.2.3)."""
        return self.value.replace(b"\r\n", b"").strip(b" \t")


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """Why a header cannot be read: `line` counts from 1, `problem` is part of a sentence."""

    line: int
    problem: str


class Header:
    """The fields of a message in their order. Names are looked up in any letter case."""

    __slots__ = ("fields",)

    def __init__(self, fields: list[Field]) -> None:
        self.fields = fields

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __bytes__(self) -> bytes:
        """The header block: every field's bytes, without the empty line that ends it."""
        return b"".join([field.raw for field in self.fields])

    def all(self, name: bytes) -> list[Field]:
        """The fields of this name, in their order."""
        key = name.lower()
        return [field for field in self.fields if field.key == key]

    def first(self, name: bytes) -> Field | None:
        key = name.lower()
        for field in self.fields:  # a loop: asked for often, and a generator would double its time
            if field.key == key:
                return field
        return None

    def repeated(self) -> bytes | None:
        """The first name of SINGLE that is there more than once, or None."""
        keys = [field.key for field in self.fields]
        if len(set(keys)) == len(keys):
            return None
        return next((name for name in SINGLE if keys.count(name.lower()) > 1), None)

    def without(self, *names: bytes, prefixes: tuple[bytes, ...] = ()) -> Header:
        """A header that lacks the fields of these names and those whose name starts with one of `prefixes`."""
        keys = {name.lower() for name in names}
        starts = tuple(prefix.lower() for prefix in prefixes)
        return Header(
            [field for field in self.fields if field.key not in keys and not field.key.startswith(starts)]
        )

    def prepended(self, raws: Iterable[bytes]) -> Header:
        """A header with these raw fields (CRLF included) in front, in their order."""
        return Header([make_field(raw) for raw in raws] + self.fields)


def make_field(raw: bytes) -> Field:
    """A field from bytes that are known to be one, such as those we write ourselves."""
    return Field(raw[: raw.index(b":")].lower(), raw)


def read_header(block: bytes) -> Header | HeaderProblem:
    """Read a header block: lines ending in CRLF, without the empty line behind it. An empty block has no fields.

    A problem is: a line without colon, a name that is empty or holds a space, control or 8-bit character (S11), a
    continuation without a field or without content, a CR, LF or NUL by itself, a last line without CRLF.
    """
    fields: list[Field] = []
    at = 0
    while field := _FIELD.match(block, at):
        raw, name = field.group(0, 1)
        fields.append(Field(name.lower(), raw))
        at = field.end()
    if at != len(block):
        return _problem(block, at)
    return Header(fields)


def _problem(block: bytes, at: int) -> HeaderProblem:
    """Say what is wrong with the field that starts at `at`, which _FIELD did not match."""
    number = block.count(b"\r\n", 0, at) + 1
    line, line_end, _ = block[at:].partition(b"\r\n")
    if not line_end:
        return HeaderProblem(number, "it does not end in CRLF")
    if b"\0" in line or b"\r" in line or b"\n" in line:
        return HeaderProblem(number, "it holds a NUL, or a CR or LF by itself")
    if not line:
        return HeaderProblem(number, "it is empty")
    if line[0] in b" \t":
        if not line.strip(b" \t"):
            return HeaderProblem(number, "it continues a field with nothing but white space")
        return HeaderProblem(number, "it continues a field, but there is none before it")
    name, colon, _ = line.partition(b":")
    if not colon:
        return HeaderProblem(number, "there is no colon")
    if not name:
        return HeaderProblem(number, "the field has no name")
    if name != name.rstrip(b" \t"):
        return HeaderProblem(number, "there is white space before the colon")
    return HeaderProblem(number, "the field name holds a character other than printable ASCII")
