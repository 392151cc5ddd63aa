"""What is JSON here, and what is not: the standard library with the rules it lacks."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

DEEPEST = 32
LONGEST_INTEGER = 20
"""Digits; 64 bits have no more."""
LONGEST_NUMBER = 64
MARK = "\ufeff"
"""Byte order mark: some programs write it in front of a text, and it means nothing in UTF-8."""

_SUSPECT = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
"""Escapes that may stand for half a surrogate pair or NUL; most texts have none, and then no string is looked at."""


class JsonSyntaxError(ValueError):
    """The text is not JSON. `problem` says what was expected, the message also where."""

    def __init__(self, problem: str, where: str) -> None:
        super().__init__(f"{problem} at {where}")
        self.problem = problem


class JsonRefusedError(ValueError):
    """It is JSON, or could be, but not what we take."""


def decode(raw: bytes) -> Any:
    """The value that `raw` holds. Raises JsonSyntaxError, JsonRefusedError."""
    text = to_text(raw).removeprefix(MARK)
    value = decode_text(text)
    if text.count("[") + text.count("{") > DEEPEST and _deeper_than(value, DEEPEST):
        raise too_deep()
    return value


def to_text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonRefusedError(f"octet {error.start + 1} is not UTF-8") from None


def decode_text(text: str) -> Any:
    """Everything but the depth is checked."""
    try:
        value: Any = _decoder.decode(text)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        raise JsonSyntaxError(problem, f"line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise too_deep() from None
    if "\\u" in text and _SUSPECT.search(text):
        for string in _strings(value):
            check_string(string)
    return value


def check_string(string: str) -> None:
    """Raises JsonRefusedError for what no database and no message can hold."""
    if "\x00" in string:
        raise JsonRefusedError("a string holds the character NUL")
    try:
        string.encode("utf-8")
    except UnicodeEncodeError:
        raise JsonRefusedError("a string holds half a surrogate pair") from None


def too_deep() -> JsonRefusedError:
    return JsonRefusedError(f"it is nested deeper than {DEEPEST} levels")


def repeated(key: str) -> JsonRefusedError:
    return JsonRefusedError(f"the key {key[:40]!r} is there twice in one object")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise JsonRefusedError(f"an integer has more than {LONGEST_INTEGER} digits")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits) if len(digits) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise JsonRefusedError("a number is too large or too long")
    return number


def _constant(name: str) -> Any:
    raise JsonRefusedError(f"{name} is no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise repeated(next(key for key in keys if keys.count(key) > 1))
    return made


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


def _deeper_than(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(one, levels - 1) for one in inner)


def _strings(value: Any) -> Iterator[str]:
    """All keys and strings within."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += one.keys()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
