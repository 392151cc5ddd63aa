"""The key of a request, and a digest of what it asks: the same JSON, in whatever order and spacing, has the same."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, Protocol

from fastapi import Header
from starlette.types import Scope

from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.errors import refused
from postroom.wire.json import LongText

LONGEST_KEY = 255

IdempotencyKey = Annotated[
    str | None,
    Header(
        description="The same key with the same body within 24 hours never makes a second message; "
        "the first answer is given again.",
        json_schema_extra={"maxLength": LONGEST_KEY},
        examples=["5f2d8c1e-9a1b-4c3d-8e7f-001122334455"],
    ),
]
"""The type of an endpoint's parameter. It is for the reference: `key_of` reads it where one can see whether it was
repeated."""

_KEY = re.compile(rb"[!-~](?:[ -~]{0,253}[!-~])?")
_STEP = 256 * 1024


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def key_of(scope: Scope) -> str | None:
    """None without one. Raises ApiError (422) for what cannot be one."""
    keys = [value for name, value in scope["headers"] if name == b"idempotency-key"]
    if not keys:
        return None
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        raise refused(Refused(refusals.IDEMPOTENCY_KEY_INVALID), "idempotency-key")
    return str(keys[0], "ascii")


def fingerprint(endpoint: str, value: Any) -> bytes:
    """Of a decoded body sent to an endpoint. Takes small steps, for large bodies run it in a thread."""
    digest = hashlib.sha256(endpoint.encode() + b"\0")
    _add(digest, value)
    return digest.digest()


def _add(digest: _Hash, value: Any) -> None:
    """Each value begins with its kind and ends or says how long it is, so different values never look the same."""
    if isinstance(value, dict):
        digest.update(b"{%d " % len(value))
        for name in sorted(value):
            _add(digest, name)
            _add(digest, value[name])
    elif isinstance(value, list):
        digest.update(b"[%d " % len(value))
        for inner in value:
            _add(digest, inner)
    elif isinstance(value, str):
        digest.update(b'"')
        for at in range(0, len(value), _STEP):
            _add_text(digest, value[at : at + _STEP])
        digest.update(b'\xff"')  # no UTF-8 holds this octet
    elif isinstance(value, LongText):
        digest.update(b'"')
        for piece in value.pieces():
            _add_text(digest, piece)
        digest.update(b'\xff"')
    else:
        digest.update(f"{type(value).__name__} {value!r};".encode())


def _add_text(digest: _Hash, text: str) -> None:
    digest.update(text.encode("utf-8"))
