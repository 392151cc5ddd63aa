"""How a command is registered: the options every command has, the event loop, errors and exit statuses."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from postroom.cli.context import Context, Options
from postroom.errors import ConfigError, PostroomError

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, int | None] | int | None])

TERMINATED = 143
"""128 and the number of SIGTERM: what a shell says of a process that ended by it."""

PANEL = "Options of every command"

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The data directory (POSTROOM_DATA; default: data).",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The settings, TOML (POSTROOM_CONFIG; default: postroom.toml in the data directory).",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=PANEL)]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Log more, on standard error.", rich_help_panel=PANEL)
]

_SHARED = {"data": DataOption, "config": ConfigOption, "as_json": JsonOption, "verbose": VerboseOption}


def group(about: str) -> typer.Typer:
    """Commands that belong together, such as those of `postroom account`."""
    return typer.Typer(help=about, no_args_is_help=True, add_completion=False)


def command(app: typer.Typer, name: str | None = None) -> Callable[[F], F]:
    """Register `function(context, ...)` as a command of `app`. What it returns is the exit status; None is 0."""

    def register(function: F) -> F:
        app.command(name)(_with_shared_options(function))
        return function

    return register


def _with_shared_options(function: Callable[..., Any]) -> Callable[..., None]:
    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    shared = [
        inspect.Parameter(
            option,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=None if option in ("data", "config") else False,
        )
        for option, annotation in _SHARED.items()
    ]
    parent = inspect.Parameter("parent", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

    def run(*, parent: typer.Context, **arguments: Any) -> None:
        options = Options(**{option: arguments.pop(option) for option in _SHARED})
        before = parent.find_object(Options)
        raise typer.Exit(_run(Context(options.over(before) if before else options), function, arguments))

    # typer reads the signature; it needs no more of the function than that, its name and its text.
    run.__signature__ = inspect.Signature([parent, *own, *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (parent, *own, *shared)}
    run.__name__ = function.__name__
    run.__doc__ = function.__doc__
    return run


def _run(context: Context, function: Callable[..., Any], arguments: dict[str, Any]) -> int:
    try:
        result = function(context, **arguments)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    except ConfigError as error:
        context.out.error(str(error))
        return 2
    except PostroomError as error:
        context.out.error(str(error))
        return 1
    except asyncio.CancelledError:
        return TERMINATED
    return result or 0
