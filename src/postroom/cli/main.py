"""All commands, in the order in which `postroom --help` lists them.

A command's module is imported when somebody asks for it: each needs other parts of Postroom, and who looks up one
message should not wait until all of them are there.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from postroom import __version__
from postroom.cli.command import ConfigOption, DataOption, JsonOption, VerboseOption
from postroom.cli.context import Options

RUN, CONFIGURE, LOOK = "Run and use it", "Who may send", "See what happened"


class Place(NamedTuple):
    """Where a command is: the module in this folder that has it as `app`, and the panel of the help that lists it."""

    module: str
    panel: str


COMMANDS = {
    "serve": Place("serve", RUN),
    "send": Place("send", RUN),
    "doctor": Place("doctor", RUN),
    "migrate": Place("database", RUN),
    "account": Place("account", CONFIGURE),
    "user": Place("user", CONFIGURE),
    "domain": Place("domain", CONFIGURE),
    "smtp-user": Place("smtp_user", CONFIGURE),
    "token": Place("token", CONFIGURE),
    "suppression": Place("suppression", CONFIGURE),
    "message": Place("message", LOOK),
    "queue": Place("queue", LOOK),
    "inbox": Place("inbox", LOOK),
    "refusals": Place("refusals", LOOK),
    "audit": Place("audit", LOOK),
    "config": Place("config", RUN),
}


class Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: Any = get_command(import_module(f"postroom.cli.{place.module}").app)
        command.name = cmd_name
        command.rich_help_panel = place.panel
        return command


app = typer.Typer(
    name="postroom",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"postroom {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Postroom sends an application's email: it accepts by SMTP, signs, delivers, and shows what happened.

    Start with `postroom serve --first-run`.
    """
    del version  # done before anything else is looked at
    context.obj = Options(data, config, as_json, verbose)


def run() -> None:
    """The program `postroom`."""
    os.umask(0o077)  # what it writes is mail and secrets
    app()
