"""What can be wrong with a template, and where."""

from __future__ import annotations


class TemplateProblem(ValueError):  # noqa: N818 - a word that people are shown
    """The template cannot be compiled or rendered. `line` counts from 1; `message` is for who wrote it."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


class ReservedName(TemplateProblem):
    """A variable has a name that is kept for us (the contract's MS42214)."""


class Fault(Exception):  # noqa: N818 - becomes a TemplateProblem as soon as the line is known
    """Something cannot be done. Never leaves this package."""
