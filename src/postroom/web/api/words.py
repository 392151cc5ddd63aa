"""What pydantic finds wrong, in the contract's words: one table, all fields at once, dot paths.

A validator of ours raises `ValueError("The {field} ...")`; `{field}` becomes the field's name as people see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REQUIRED = "The {field} field is required. #MS42209"
STRING = "The {field} must be a string. #MS42221"
ARRAY = "The {field} must be an array."
EMAIL = "The {field} must be a valid email address. #MS42208"
BOOLEAN = "The {field} field must be true or false."
SELECTED = "The selected {field} is invalid."

_WORDS: dict[str, str] = {
    "missing": REQUIRED,
    "string_type": STRING,
    "string_unicode": STRING,
    "string_too_long": "The {field} must not be greater than {max_length} characters.",
    "string_too_short": "The {field} must be at least {min_length} characters.",
    "string_pattern_mismatch": "The {field} format is invalid.",
    "list_type": ARRAY,
    "tuple_type": ARRAY,
    "set_type": ARRAY,
    "dict_type": ARRAY,
    "model_type": ARRAY,
    "model_attributes_type": ARRAY,
    "mapping_type": ARRAY,
    "too_long": "The {field} must not have more than {max_length} items.",
    "too_short": "The {field} must have at least {min_length} items.",
    "bool_type": BOOLEAN,
    "bool_parsing": BOOLEAN,
    "int_type": "The {field} must be an integer.",
    "int_parsing": "The {field} must be an integer.",
    "int_parsing_size": "The {field} must be an integer.",
    "int_from_float": "The {field} must be an integer.",
    "float_type": "The {field} must be a number.",
    "float_parsing": "The {field} must be a number.",
    "finite_number": "The {field} must be a number.",
    "greater_than": "The {field} must be greater than {gt}.",
    "greater_than_equal": "The {field} must be at least {ge}.",
    "less_than": "The {field} must be less than {lt}.",
    "less_than_equal": "The {field} must not be greater than {le}.",
    "literal_error": SELECTED,
    "enum": SELECTED,
}
_OF_TEXT = {"too_long": "string_too_long", "too_short": "string_too_short"}
"""So pydantic calls a length that is looked at behind a validator."""
_OURS = ("value_error", "assertion_error")
_OTHER = "The {field} is invalid."


def fields_of(errors: Sequence[Any]) -> dict[str, list[str]]:
    """pydantic's errors as dot path -> texts, in their order."""
    fields: dict[str, list[str]] = {}
    for error in errors:
        path = path_of(error["loc"])
        texts = fields.setdefault(path, [])
        text = _text(error, path)
        if text not in texts:
            texts.append(text)
    return fields


def path_of(location: Sequence[int | str]) -> str:
    """`("body", "to", 0, "email")` as `to.0.email`; the body as a whole is `body`."""
    parts = [str(part).removesuffix("[]") for part in location[1:]]
    return ".".join(parts) or str(location[0])


def shown(path: str) -> str:
    """A field's name in a sentence: `domain_id` is "domain id", `to.0.email` stays."""
    return path.replace("_", " ")


def _text(error: Any, path: str) -> str:
    """Our own validators bring their text along; a template that lacks a fact keeps its braces."""
    context: dict[str, Any] = error.get("ctx") or {}
    if error["type"] in _OURS:
        return str(context["error"]).replace("{field}", shown(path))
    kind = error["type"]
    if isinstance(error["input"], str):
        kind = _OF_TEXT.get(kind, kind)
    return _WORDS.get(kind, _OTHER).format_map(_Facts(context, field=shown(path)))


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"
