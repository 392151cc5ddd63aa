"""`postroom config`: the settings that hold, and all there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from postroom import config as settings
from postroom.cli.command import command, group
from postroom.cli.context import Context

app = group("The settings that hold, and all there are.")


@command(app)
def show(context: Context) -> None:
    """Show every setting with its value now, as file and environment make it. Passwords are hidden."""
    values = settings.show(context.config)
    context.out.value(values, lambda: Text("\n".join(_lines(values))))


@command(app)
def docs(context: Context) -> None:
    """Print the reference of all settings (docs/configuration.md)."""
    context.out.markdown(settings.reference())


def _lines(values: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{above}{name}.")
        else:
            yield f"{above}{name} = {'' if value is None else value}"
