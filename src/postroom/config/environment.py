"""`POSTROOM_SECTION__NAME` variables as a tree of values, ready for validation."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from postroom.config.listen import Listen
from postroom.config.settings import Config
from postroom.config.values import Section
from postroom.errors import ConfigError

PREFIX = "POSTROOM_"
_FILE, _TEST_SWITCHES = "POSTROOM_CONFIG", ("POSTROOM_TEST_", "POSTROOM_KILLPOINT")
_OF_CLIENTS = ("POSTROOM_API", "POSTROOM_TOKEN")
"""Where the API is and the token for it: the examples in the docs call them so, in the shell in which one also types `postroom`."""


class Environment:
    """`values` is the tree; `variables` has the path of each variable, like ("submission", "max_size")."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Raises ConfigError with a line for each variable that is no setting or cannot be read."""
        self.values: dict[str, Any] = {}
        self.variables: dict[str, tuple[str, ...]] = {}
        faults = []
        for variable in sorted(name for name in environ if _is_setting(name)):
            path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
            try:
                self._put(path, _read(_field(path), environ[variable]))
            except ValueError as error:
                faults.append(f"{variable}: {'.'.join(path)}: {error}")
            self.variables[variable] = path
        if faults:
            raise ConfigError("\n".join(faults))

    def _put(self, path: tuple[str, ...], value: Any) -> None:
        values = self.values
        for part in path[:-1]:
            values = values.setdefault(part, {})
        values[path[-1]] = value


def variable_of(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


NAME = "NAME"
"""Stands in a path for what the operator calls a table: `plans.NAME.domains`."""


def fields(
    tree: type[BaseModel] = Config, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Every setting by its path, in the order of the tree."""
    for name, field in tree.model_fields.items():
        section, at = field.annotation, (*path, field.alias or name)
        if get_origin(section) is dict:
            section, at = get_args(section)[1], (*at, NAME)
        if isinstance(section, type) and issubclass(section, Section) and section is not Listen:
            yield from fields(section, at)
        else:
            yield at, field


def unknown(path: tuple[str, ...]) -> str:
    """The reason for a key that does not exist, with the one that was probably meant."""
    known = [".".join(_named(other, path)) for other, _ in fields()]
    close = difflib.get_close_matches(".".join(path), known, 1, cutoff=0.75)
    return f"unknown key, did you mean {close[0]}?" if close else "unknown key"


def _is_setting(variable: str) -> bool:
    other = variable == _FILE or variable in _OF_CLIENTS or variable.startswith(_TEST_SWITCHES)
    return variable.startswith(PREFIX) and not other


def _field(path: tuple[str, ...]) -> FieldInfo:
    for other, field in fields():
        if _named(other, path) == path:
            return field
    raise ValueError(unknown(path))


def _named(setting: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of a setting, with the name that `path` has in the place of NAME."""
    if NAME not in setting or len(path) != len(setting):
        return setting
    return tuple(theirs if ours == NAME else ours for ours, theirs in zip(setting, path, strict=True))


def _read(field: FieldInfo, text: str) -> Any:
    """The value in `text`: lists with commas or as JSON, tables as JSON, everything else as it is."""
    if get_origin(field.annotation) is not list:
        return _json(text) if field.annotation is Listen and text.startswith("{") else text
    (item,) = get_args(field.annotation)
    tables = isinstance(item, type) and issubclass(item, Section) and item is not Listen
    bracket = text.lstrip().startswith("[")
    # "[::1]:25" begins like JSON, too.
    if (
        tables
        or (bracket and any(char in text for char in '"{'))
        or (bracket and text.rstrip().endswith("]"))
    ):
        return _json(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"is not valid JSON: {error}") from None
