"""Reading a password: from standard input or the terminal, never from the arguments, which everybody can see."""

from __future__ import annotations

import sys

import typer

from postroom.errors import PostroomError


def read(*, from_stdin: bool) -> str:
    """The first line of standard input, or what is typed, twice."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise PostroomError("there is no terminal to ask for the password: give --password-stdin")
    if not password:
        raise PostroomError("the password is empty")
    return str(password)
