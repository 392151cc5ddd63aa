"""Attached files: base64 in slices, so that no step takes long; size, and whether they are what their names say."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Any

from postroom.types import parts
from postroom.web.api.sending import request
from postroom.web.api.sending.context import Findings
from postroom.web.api.words import STRING
from postroom.wire.json import JsonRefusedError, JsonSyntaxError, LongText
from postroom.wire.mime.media_types import contradiction, media_type

LARGEST = 25 * 1024 * 1024
"""Octets of all files of a message together."""
SLICE = 256 * 1024
"""Characters decoded at once; whole groups of four."""

UNKNOWN = "application/octet-stream"

_SPACE = re.compile(r"[ \t\r\n]+")
_NOT_BASE64 = "The {field} must be Base64 encoded. #MS42215"
_TOO_LARGE = "The {field} must not be greater than 25 MB. #MS42206"


def read(given: list[request.Attachment], findings: Findings) -> tuple[parts.Attachment, ...]:
    """All files, in their order; those that are wrong are in `findings`."""
    found: list[parts.Attachment] = []
    shown_as: dict[str, str] = {}
    room = LARGEST
    for number, one in enumerate(given):
        path = f"attachments.{number}"
        kind, data = media_type(one.filename), decoded(one.content, room)
        if isinstance(data, str):
            findings.add(f"{path}.content", data.format(field=f"{path}.content"))
            data = b""
        room -= len(data)
        if kind is None:
            findings.add(f"{path}.filename", f"The {path}.filename file type is not supported. #MS42210")
        elif wrong := contradiction(one.filename, data):
            text = f"The {path}.filename and its content do not match: the content is {wrong}. #MS42202"
            findings.add(f"{path}.filename", text)
        content_id = _content_id(one.id)
        if content_id and one.disposition is parts.Disposition.INLINE:
            before = shown_as.setdefault(content_id, path)
            if before is not path:
                findings.add(f"{path}.id", f"The {path}.id is already that of {before}.")
        found.append(parts.Attachment(one.filename, kind or UNKNOWN, one.disposition, content_id, data))
    return tuple(found)


def _content_id(text: str) -> str:
    """Some write the brackets that stand in the field."""
    text = text.strip(" ")
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def decoded(content: Any, room: int) -> bytes | str:
    """The octets, or what is wrong."""
    if not isinstance(content, str | LongText):
        return STRING
    if len(content) // 4 * 3 > 2 * room + SLICE:
        return _TOO_LARGE  # not even if half of it is white space
    decoded: list[bytes] = []
    size = 0
    try:
        for piece in _slices(content):
            decoded.append(binascii.a2b_base64(piece, strict_mode=True))
            size += len(decoded[-1])
            if size > room:
                return _TOO_LARGE
    except (ValueError, JsonSyntaxError, JsonRefusedError):
        return _NOT_BASE64
    return b"".join(decoded)


def _slices(content: str | LongText) -> Iterator[str]:
    """Without white space, cut between groups; the last one with its padding. Raises ValueError."""
    rest = ""
    for piece in _pieces(content):
        rest += _SPACE.sub("", piece)
        whole = (len(rest) - 1) // 4 * 4  # the last group may be the padded one
        if whole >= SLICE:
            if "=" in rest[:whole]:
                raise ValueError("padding in the middle")
            yield rest[:whole]
            rest = rest[whole:]
    yield rest + "=" * (-len(rest) % 4)


def _pieces(content: str | LongText) -> Iterator[str]:
    if isinstance(content, LongText):
        yield from content.pieces()
    else:
        yield from (content[at : at + SLICE] for at in range(0, len(content), SLICE))
