"""Flags, the environment and the file become one tree; what is wrong with them is told in words."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource
from pydantic_settings import PydanticBaseSettingsSource as Source

from postroom.config.environment import Environment, unknown
from postroom.config.settings import Config
from postroom.errors import ConfigError

FILE = "postroom.toml"
_WORDS = {"missing": "is missing", "model_type": "must be a table", "list_type": "must be a list"}


def load(file: Path | None = None, *, data: Path | None = None) -> Config:
    """The settings that hold. `file` and `data` are flags; the environment comes next, then the file.

    Raises ConfigError with one line for each fault: "file or variable: key: reason".
    """
    environment = Environment(os.environ)
    named = file or _path("POSTROOM_CONFIG")
    source = named or (data or _path("POSTROOM_DATA") or Path("data")) / FILE
    values = _read(source, must_exist=named is not None)

    class Loaded(Config):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: Source, *_: Source, **__: Source
        ) -> tuple[Source, ...]:
            later = (InitSettingsSource(settings_cls, given) for given in (environment.values, values))
            return init_settings, *later

    try:
        return Loaded() if data is None else Loaded(data=data)
    except ValidationError as error:
        raise ConfigError(_explain(error, environment, source)) from None


def _path(variable: str) -> Path | None:
    return Path(os.environ[variable]) if os.environ.get(variable) else None


def _read(source: Path, *, must_exist: bool) -> dict[str, Any]:
    if not must_exist and not source.exists():
        return {}
    try:
        return tomllib.loads(source.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: is not valid TOML: {error}") from None


def _explain(error: ValidationError, environment: Environment, source: Path) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = tuple(part for part in fault["loc"] if part != "[key]")
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        reason = _WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        if fault["type"] == "extra_forbidden":
            reason = unknown(tuple(str(part) for part in path))
        lines.append(f"{_origin(path, environment, source)}: {key}: {reason}")
    return "\n".join(lines)


def _origin(path: tuple[int | str, ...], environment: Environment, source: Path) -> str:
    """The variables that set this path or a part of it; else the file."""
    variables = [
        variable
        for variable, other in environment.variables.items()
        if all(ours == theirs for ours, theirs in zip(path, other, strict=False))
    ]
    return ", ".join(variables) or str(source)
