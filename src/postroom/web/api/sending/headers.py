"""Fields that become headers, or are kept to be searched."""

from __future__ import annotations

import re
from typing import Any

from postroom.web.api.sending.context import Findings

MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 20, 64, 255

_BETWEEN_URIS = re.compile(r",(?= *(?:<|https?://|mailto:|,|$))(?![^<>]*>)", re.IGNORECASE)
"""Outside of angle brackets, and before another URI or nothing."""


def message_id(text: str) -> str:
    """With the angle brackets that many leave out; "" stays."""
    text = text.strip(" ")
    return text if not text or text.startswith("<") else f"<{text}>"


def uris(text: str) -> tuple[str, ...]:
    """`<https://...>, <mailto:...>` (RFC 2369 section 2) or the same without brackets.

    A comma is part of a URI (RFC 3986) when it stands in its brackets; without them, when no other URI begins behind it.
    """
    parts = (part.strip(" ") for part in _BETWEEN_URIS.split(text))
    return tuple(uri for part in parts if (uri := part.removeprefix("<").removesuffix(">")))


def metadata(given: dict[str, Any], findings: Findings) -> dict[str, str]:
    """At most 20 short strings."""
    if len(given) > MOST_METADATA:
        findings.add("metadata", f"The metadata must not have more than {MOST_METADATA} items.")
        return {}
    for name, value in given.items():
        path = f"metadata.{name[:LONGEST_KEY]}"
        if not name or len(name) > LONGEST_KEY:
            findings.add(path, f"The metadata keys must have 1 to {LONGEST_KEY} characters.")
        elif not isinstance(value, str):
            findings.add(path, f"The {path} must be a string. #MS42221")
        elif len(value) > LONGEST_VALUE:
            findings.add(path, f"The {path} must not be greater than {LONGEST_VALUE} characters.")
    return given
