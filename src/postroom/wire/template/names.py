"""What the reader of a template keeps count of: its nodes, and the variables it uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from postroom.wire.template import limits
from postroom.wire.template.problem import ReservedName, TemplateProblem

RESERVED = frozenset({"loop", "unsubscribe"})
"""Names that we give a value: nobody else may. So are all that begin with an underscore."""


def reserved(name: str) -> bool:
    return name in RESERVED or name.startswith("_")


class Names:
    """`used` are the variables that have to come from outside; `loop_used` whether the loop around asked for itself."""

    def __init__(self) -> None:
        self.nodes = 0
        self.used: set[str] = set()
        self.loop_used = False
        self._bound: Counter[str] = Counter()

    def count(self, line: int) -> None:
        self.nodes += 1
        if self.nodes > limits.NODES:
            raise TemplateProblem(
                line, f"the template has more than {limits.NODES} values, operators and tags"
            )

    def read(self, name: str, line: int) -> None:
        if name.startswith("_"):
            raise ReservedName(line, f"{name}: the name of a variable must not begin with an underscore")
        self.loop_used = self.loop_used or name == "loop"
        if name != "loop" and not self._bound[name]:
            self.used.add(name)

    def bind(self, name: str, line: int) -> None:
        """From here on the template itself gives this name a value."""
        if reserved(name):
            raise ReservedName(line, f"{name} is reserved; choose another name")
        self._bound[name] += 1

    @contextmanager
    def within(self, names: Iterable[str], line: int) -> Iterator[None]:
        """The body of a loop that has these variables."""
        names = list(names)
        before, self.loop_used = self.loop_used, False
        for name in names:
            self.bind(name, line)
        yield
        for name in names:
            self._bound[name] -= 1
        self.loop_used = self.loop_used or before  # an inner loop may ask for loop.parent
