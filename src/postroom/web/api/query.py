"""Query strings as clients write them: arrays in three spellings, and empty values for absent ones.

A list parameter is declared with the alias `name[]`. It may come as `name[]=a&name[]=b`, `name[0]=a&name[1]=b` or
`name=a,b`. One plain value (`name=a`) is no array: 422, as the contract's server answers.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from starlette.datastructures import QueryParams

from postroom.web.api.errors import ApiError, invalid
from postroom.web.api.words import shown

MOST = 1000  # parameters of one request

_NONE = QueryParams()
_INDEXED = re.compile(r"(.+)\[\d{0,4}\]")


def array_names(dependant: Dependant) -> frozenset[str]:
    """The list parameters of an endpoint and of what it depends on, without their brackets."""
    own = {field.alias.removesuffix("[]") for field in dependant.query_params if field.alias.endswith("[]")}
    return frozenset(own).union(*map(array_names, dependant.dependencies))


def read(query_string: bytes, arrays: frozenset[str]) -> QueryParams:
    """Raises ApiError (422) for what cannot be read."""
    if not query_string:
        return _NONE
    try:
        pairs = parse_qsl(query_string.decode("ascii"), max_num_fields=MOST, errors="strict")
    except ValueError:
        raise _unreadable() from None
    if any("\x00" in text for pair in pairs for text in pair):
        raise _unreadable()
    return QueryParams([pair for name, value in pairs for pair in _spelled(name, value, arrays)])


def _unreadable() -> ApiError:
    return invalid({"query": ["The query string cannot be read."]})


def _spelled(name: str, value: str, arrays: frozenset[str]) -> list[tuple[str, str]]:
    indexed = _INDEXED.fullmatch(name)
    if indexed is not None:
        return [(f"{indexed[1]}[]", value)]
    if name not in arrays:
        return [(name, value)]
    if "," not in value:
        raise invalid({name: [f"The {shown(name)} must be an array."]})
    return [(f"{name}[]", part) for part in value.split(",") if part]
