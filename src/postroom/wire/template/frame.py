"""What one render has at hand: the variables, the output, and what it may still cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from postroom.wire.template import limits
from postroom.wire.template.problem import Fault


class Frame:
    """`names` are the variables, `simple` those of the legacy syntax, `now` is in milliseconds (None: unknown),
    `line` is that of the statement under way, `out` what is written so far."""

    __slots__ = ("line", "names", "now", "out", "room", "simple", "steps")

    def __init__(
        self, names: Mapping[str, object], simple: Mapping[str, object], room: int, now: int | None
    ) -> None:
        self.names = dict(names)
        self.simple = simple
        self.now = now
        self.line = 1
        self.out: list[str] = []
        self.room = room
        self.steps = limits.STEPS

    def write(self, text: str) -> None:
        self.out.append(text)
        self.room -= len(text)
        if self.room < 0:
            raise Fault("the result is too long")

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise Fault("too much work: too many repetitions or too much text")

    def charge(self, value: object) -> None:
        """Pay for touching this value once."""
        if isinstance(value, str):
            self.spend(len(value) // limits.CHARACTERS)
        elif isinstance(value, list | dict):
            self.spend(len(value))


Evaluate = Callable[[Frame], object]
"""A compiled expression."""
Run = Callable[[Frame], None]
"""A compiled statement."""
