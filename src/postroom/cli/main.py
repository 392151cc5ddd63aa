"""All commands, in the order in which `postroom --help` lists them."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from postroom import __version__
from postroom.cli import (
    account,
    audit,
    config,
    database,
    doctor,
    domain,
    inbox,
    message,
    queue,
    refusals,
    send,
    serve,
    smtp_user,
    suppression,
    token,
    user,
)
from postroom.cli.command import ConfigOption, DataOption, JsonOption, VerboseOption
from postroom.cli.context import Options

RUN, CONFIGURE, LOOK = "Run and use it", "Who may send", "See what happened"

app = typer.Typer(
    name="postroom",
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


for _module in (serve, send, doctor, database):
    _module.register(app, panel=RUN)
for _name, _app, _panel in (
    ("account", account.app, CONFIGURE),
    ("user", user.app, CONFIGURE),
    ("domain", domain.app, CONFIGURE),
    ("smtp-user", smtp_user.app, CONFIGURE),
    ("token", token.app, CONFIGURE),
    ("suppression", suppression.app, CONFIGURE),
    ("message", message.app, LOOK),
    ("queue", queue.app, LOOK),
    ("inbox", inbox.app, LOOK),
    ("refusals", refusals.app, LOOK),
    ("audit", audit.app, LOOK),
    ("config", config.app, RUN),
):
    app.add_typer(_app, name=_name, rich_help_panel=_panel)


def run() -> None:
    """The program `postroom`."""
    os.umask(0o077)  # what it writes is mail and secrets
    app()
