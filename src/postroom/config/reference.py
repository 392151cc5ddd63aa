"""The reference of all settings as Markdown, and the settings of a node with secrets hidden."""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from postroom.config.environment import NAME, fields, variable_of
from postroom.config.listen import Listen
from postroom.config.settings import Config
from postroom.config.values import DURATION, SIZE, Kind

_HEAD = """# Configuration

Settings come from flags, then the environment, then a TOML file; the first that says something wins. There are few flags:
`--data` sets `data`, `--config` names the file, and `--verbose` of `postroom serve` sets `log.level` to `debug`. Everything
can be said in the environment and in the file, which is `--config`, else `POSTROOM_CONFIG`, else `postroom.toml` in the
data directory, if it is there:

```toml
[server]
hostname = "mail.example.com"

[submission]
listen = ["0.0.0.0:587", "0.0.0.0:2525"]
max_size = "25MB"

[[delivery.routes]]
domain = "*"
host = "smarthost.example.com"
port = 587
tls = "required"
```

In the environment lists are written with commas or as JSON (`POSTROOM_SUBMISSION__LISTEN=0.0.0.0:587,0.0.0.0:2525`),
tables as JSON. Unknown keys and wrong values stop the start; the error names the file or the variable, the key and
the reason. `postroom config show` prints what holds.

Durations are seconds or carry a unit: `500ms`, `90s`, `15m`, `72h`, `30d`. Sizes are octets or carry a unit: `256k`,
`25MB` (1 KB is 1024 octets).
"""

_NAMES = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path"}
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


def reference() -> str:
    """Every setting with its type, default, environment variable and description, as Markdown."""
    parts = [_HEAD]
    section: tuple[str, ...] | None = None
    for path, field in fields():
        if path[:-1] != section:
            section = path[:-1]
            parts.append(_heading(section))
        name = field.alias or path[-1]
        parts.append(
            f"| `{name}` | {_type(field)} | {_default(field)} | `{variable_of(path)}` | {field.description} |"
        )
    return "\n".join(parts) + "\n"


def show(config: Config) -> dict[str, Any]:
    """The settings as plain values by section; passwords are hidden."""
    values: dict[str, Any] = config.model_dump(mode="json", by_alias=True)
    values["database"]["url"] = _PASSWORD.sub(r"\1********@", values["database"]["url"])
    return values


def _heading(path: tuple[str, ...]) -> str:
    table = "| key | type | default | environment | what it is for |\n| --- | --- | --- | --- | --- |"
    section: Any = Config
    for name in path:
        section = get_args(section)[1] if name == NAME else section.model_fields[name].annotation
    return (
        f"\n## `[{'.'.join(path)}]`\n\n{cleandoc(section.__doc__)}\n\n{table}"
        if path
        else f"## General\n\n{table}"
    )


def _type(field: FieldInfo) -> str:
    least, most = _bound(field, "ge", "gt"), _bound(field, "le", "lt")
    name = _type_name(field.annotation, tuple(field.metadata))
    if least is not None and most is not None:
        return f"{name}, {least} to {most}"
    return name if least is None else f"{name}, from {least}"


def _kind(metadata: tuple[Any, ...]) -> Kind | None:
    return next((part for part in metadata if isinstance(part, Kind)), None)


def _type_name(annotation: Any, metadata: tuple[Any, ...]) -> str:
    if kind := _kind(metadata):
        return kind.one
    if get_origin(annotation) is list:
        (item,) = get_args(annotation)
        return f"list of {_plural(item)}"
    if Path in get_args(annotation):
        return "path"
    if NoneType in get_args(annotation):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    return "host:port" if annotation is Listen else _NAMES[annotation]


def _plural(item: Any) -> str:
    if item is Listen:
        return "host:port"
    if get_origin(item) is Annotated and (kind := _kind(item.__metadata__)):
        return kind.many
    return "tables"


def _bound(field: FieldInfo, *names: str) -> str | None:
    for part in field.metadata:
        for name in names:
            value = getattr(part, name, None)
            if value is not None and not (value == 0 and name == "gt"):
                return _text(field, value)
    return None


def _default(field: FieldInfo) -> str:
    if get_origin(field.annotation) is list:
        items = [_duration(item) if isinstance(item, float) else str(item) for item in field.default]
        return f"`{', '.join(items)}`" if items else "none"
    value = field.default
    return "empty" if value in ("", None) else f"`{_text(field, value)}`"


def _text(field: FieldInfo, value: Any) -> str:
    kind = _kind(tuple(field.metadata))
    if kind is DURATION and value:
        return _duration(value)
    if kind is SIZE and value:
        return _size(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def _size(octets: int) -> str:
    for unit, length in (("MB", 1024 * 1024), ("k", 1024)):
        if octets % length == 0:
            return f"{octets // length}{unit}"
    return str(octets)
