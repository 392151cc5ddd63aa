"""Fields of requests: what every body has in common, and types that several of them use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Strict,
    WithJsonSchema,
    model_validator,
)


class Input(BaseModel):
    """The body of a request, or an object in it.

    Null and "" are the same as absent, for clients send them for what they do not use; so is an empty list where an
    object is wanted (PHP has only arrays). What is unknown or only for reading is ignored.
    """

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return without_blanks(value)
        return {} if value is None or value == [] else value


def without_blanks(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _flag(value: Any) -> Any:
    return _FLAGS.get(value, value) if isinstance(value, str | int) else value


_FLAGS: dict[Any, bool] = {"true": True, "1": True, 1: True, "false": False, "0": False, 0: False}

Flag = Annotated[bool, BeforeValidator(_flag), Strict()]
"""true, false, 1 or 0, also as text: some clients write them so in queries."""


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]
"""ISO 8601, in UTC unless it says otherwise, or seconds since 1970."""

Object = Annotated[
    dict[str, Any],
    BeforeValidator(lambda value: {} if value == [] else value),
    WithJsonSchema({"type": "object", "additionalProperties": True}),
]
"""Any object; `[]` is an empty one."""
