"""Fields that become headers, or are kept to be searched."""

from __future__ import annotations

from typing import Any

from postroom.web.api.sending.context import Findings

MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 20, 64, 255


def message_id(text: str) -> str:
    """With the angle brackets that many leave out; "" stays."""
    text = text.strip(" ")
    return text if not text or text.startswith("<") else f"<{text}>"


def uris(text: str) -> tuple[str, ...]:
    """`<https://...>, <mailto:...>` or the same without brackets."""
    return tuple(
        uri for part in text.split(",") if (uri := part.strip(" ").removeprefix("<").removesuffix(">"))
    )


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
