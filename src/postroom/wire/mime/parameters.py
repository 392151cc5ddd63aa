"""The value and the parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2231), for display.

As lenient as mail programs are: what cannot be read is left out, a file name may be an encoded-word although RFC 2047
forbids it there. One pass, no recursion (M12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from postroom.wire.mime.encoded_words import decode, decode_plainly, display

LONGEST = 255
MOST = 100
"""Parameters that are looked at."""

_PARAMETER = re.compile(
    rb';[ \t]*+([^\s=;"]++)[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^;"\s]*+))', re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_SECTION = re.compile(r"(.+)\*([0-9]{1,2})(\*?)")


@dataclass(frozen=True, slots=True)
class Parameters:
    """`value` is what stands before the parameters, in lower case; `raw` has their octets by name in lower case."""

    value: str
    raw: dict[str, bytes] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """A parameter as text on one line, "" if there is none."""
        return display(self.octets(name), LONGEST)

    def octets(self, name: str) -> bytes:
        """A parameter in UTF-8, or as it was written where that is no matter of charsets."""
        extended = self.raw.get(f"{name}*")
        if extended is not None:
            return _extended(extended)
        return self.raw.get(name, b"") or self._continued(name)

    def _continued(self, name: str) -> bytes:
        """RFC 2231 section 3: `name*0`, `name*1*` and so on. The first says the charset."""
        sections: dict[int, tuple[bytes, bool]] = {}
        for written, octets in self.raw.items():
            match = _SECTION.fullmatch(written)
            if match is not None and match[1] == name:
                sections[int(match[2])] = octets, bool(match[3])
        if 0 not in sections:
            return b""
        charset, joined = b"", b""
        for number in range(len(sections)):
            octets, encoded = sections.get(number, (b"", False))
            if encoded and number == 0 and octets.count(b"'") >= 2:
                charset, _, octets = octets.split(b"'", 2)
            joined += unquote_to_bytes(octets) if encoded else octets
        return _utf8(joined, charset)


def read_parameters(value: bytes) -> Parameters:
    """Of a raw field value, folds included."""
    line = value.replace(b"\r\n", b"")
    head, _, _ = line.partition(b";")
    found: dict[str, bytes] = {}
    for match in _PARAMETER.finditer(line):
        name, quoted, plain = match.groups()
        octets = plain if quoted is None else _ESCAPED.sub(rb"\1", quoted)
        found.setdefault(name.decode("latin-1").lower(), octets)
        if len(found) == MOST:
            break
    return Parameters(head.strip().decode("latin-1").lower(), found)


def _extended(octets: bytes) -> bytes:
    """RFC 2231 section 4: `charset'language'percent-encoded`."""
    if octets.count(b"'") < 2:
        return unquote_to_bytes(octets)
    charset, _, encoded = octets.split(b"'", 2)
    return _utf8(unquote_to_bytes(encoded), charset)


def _utf8(octets: bytes, charset: bytes) -> bytes:
    text = decode(octets, charset.decode("latin-1").lower()) if charset else decode_plainly(octets)
    return text.encode("utf-8", "replace")
