"""JSON as the contract's server writes it: slashes and everything beyond ASCII escaped, and no charset in the type.

Clients compare the content type with exactly `application/json`, and parse every body that has it, so an empty body
never does.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, PlainSerializer, WithJsonSchema

T = TypeVar("T")

EMPTY_TYPE = "text/html; charset=UTF-8"


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """Compact, or with four spaces a level. A slash in JSON is always inside a string, so it can be escaped blindly."""
    separators = (",", ": ") if pretty else (",", ":")
    text = json.dumps(value, indent=4 if pretty else None, separators=separators, allow_nan=False)
    return text.replace("/", "\\/").encode("ascii")


class Json(JSONResponse):
    def render(self, content: Any) -> bytes:
        return dumps(content)


def empty(status: int = 202, headers: dict[str, str] | None = None) -> Response:
    """No body: 202 for what is accepted, 204 or 200 for what is gone, as the contract says."""
    return Response(status_code=status, headers=headers, media_type=EMPTY_TYPE)


class Data(BaseModel, Generic[T]):
    """One object."""

    data: T = Field(description="What was asked for.")


def timestamp(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2025-07-29T12:16:30.000000Z`."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Timestamp = Annotated[
    int,
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:05:00.000000Z"]},
        mode="serialization",
    ),
]
"""A field of an answer: milliseconds since 1970 inside, text outside."""
