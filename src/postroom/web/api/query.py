"""Query strings as clients write them: arrays in three spellings, and empty values for absent ones.

A list parameter is declared with the alias `name[]`. It may come as `name[]=a&name[]=b`, `name[0]=a&name[1]=b` or
`name=a,b`. One plain value (`name=a`) is no array: 422, as the contract's server answers, but only when FastAPI looks
at it together with everything else: an object that is not there is 404 before.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from starlette.datastructures import QueryParams

from postroom.web.api.errors import ApiError, invalid

MOST = 1000  # parameters of one request

_INDEXED = re.compile(r"(.+)\[\d{0,4}\]")


def array_names(dependant: Dependant) -> frozenset[str]:
    """The list parameters of an endpoint and of what it depends on, without their brackets."""
    own = {field.alias.removesuffix("[]") for field in dependant.query_params if field.alias.endswith("[]")}
    return frozenset(own).union(*map(array_names, dependant.dependencies))


class Query(QueryParams):
    """Arrays in one spelling. Where an array is wanted and a plain value came, a reader finds the value."""

    def __init__(self, pairs: list[tuple[str, str]], plain: dict[str, str]) -> None:
        super().__init__(pairs)
        self._plain = plain

    def getlist(self, key: Any) -> Any:
        return self._plain.get(key) or super().getlist(key)


EMPTY = Query([], {})


def read(query_string: bytes, arrays: frozenset[str]) -> Query:
    """Raises ApiError (422) for what cannot be read."""
    if not query_string:
        return EMPTY
    try:
        pairs = parse_qsl(query_string.decode("ascii"), max_num_fields=MOST, errors="strict")
    except ValueError:
        raise _unreadable() from None
    if any("\x00" in text for pair in pairs for text in pair):
        raise _unreadable()
    plain = {f"{name}[]": value for name, value in pairs if name in arrays and "," not in value}
    return Query([pair for name, value in pairs for pair in _spelled(name, value, arrays)], plain)


def _unreadable() -> ApiError:
    return invalid({"query": ["The query string cannot be read."]})


def _spelled(name: str, value: str, arrays: frozenset[str]) -> list[tuple[str, str]]:
    indexed = _INDEXED.fullmatch(name)
    if indexed is not None:
        return [(f"{indexed[1]}[]", value)]
    if name not in arrays:
        return [(name, value)]
    return [(f"{name}[]", part) for part in value.split(",") if part]
