"""What a `for` does when it runs. As in Twig its own variables are gone behind it, and so are those that were first
set inside; variables that were there before keep what the loop gave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postroom.wire.template import values
from postroom.wire.template.frame import Evaluate, Frame, Run

_GONE = object()


@dataclass(frozen=True, slots=True)
class Loop:
    """`targets` is one name, or those of key and value; `assigned` are the names that the body sets."""

    targets: Sequence[str]
    sequence: Evaluate
    body: Run
    otherwise: Run
    assigned: frozenset[str]
    loop_used: bool

    def run(self, frame: Frame) -> None:
        walked = self.sequence(frame)
        frame.charge(walked)
        entries = values.entries(walked)
        if not entries:
            self.otherwise(frame)
            return
        own = {*self.targets, "loop"}
        before = {name: frame.names.get(name, _GONE) for name in own}
        fresh = [name for name in self.assigned - own if name not in frame.names]
        for number, entry in enumerate(entries):
            if self.loop_used:
                frame.names["loop"] = _loop(number, len(entries), before["loop"])
            frame.names.update(zip(self.targets, entry[-len(self.targets) :], strict=True))
            self.body(frame)
        for name in fresh:
            frame.names.pop(name, None)
        for name, value in before.items():
            if value is _GONE:
                frame.names.pop(name, None)
            else:
                frame.names[name] = value


def _loop(number: int, length: int, outer: object) -> dict[str, object]:
    return {
        "index": number + 1,
        "index0": number,
        "revindex": length - number,
        "revindex0": length - number - 1,
        "first": number == 0,
        "last": number == length - 1,
        "length": length,
        "parent": {"loop": None if outer is _GONE else outer},
    }
