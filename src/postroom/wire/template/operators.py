"""Binary operators, functions and tests: what they are called, how tightly they bind, and what they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from postroom.wire.template import values
from postroom.wire.template.frame import Evaluate, Frame
from postroom.wire.template.problem import Fault

_BITS = 64


class Operator(NamedTuple):
    """`apply` makes one expression of two. The numbers are Twig's own."""

    precedence: int
    apply: Callable[[Evaluate, Evaluate], Evaluate]
    right: bool = False


def _eager(function: Callable[[Frame, object, object], object]) -> Callable[[Evaluate, Evaluate], Evaluate]:
    def apply(left: Evaluate, right: Evaluate) -> Evaluate:
        return lambda frame: function(frame, left(frame), right(frame))

    return apply


def _and(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: values.truth(left(frame)) and values.truth(right(frame))


def _or(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: values.truth(left(frame)) or values.truth(right(frame))


def _otherwise(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(frame: Frame) -> object:
        value = left(frame)
        return right(frame) if value is None else value

    return evaluate


def _join(frame: Frame, left: object, right: object) -> object:
    first, second = values.text(left), values.text(right)
    frame.charge(first)
    frame.charge(second)
    return first + second


def _divide(_: Frame, left: object, right: object) -> object:
    dividend, divisor = _division(left, right)
    exact = isinstance(dividend, int) and isinstance(divisor, int) and dividend % divisor == 0
    return values.fit(dividend // divisor if exact else dividend / divisor)


def _floor_divide(_: Frame, left: object, right: object) -> object:
    dividend, divisor = _division(left, right)
    return values.fit(dividend // divisor)


def _remainder(_: Frame, left: object, right: object) -> object:
    """Of whole numbers, with the sign of the first, as in PHP."""
    dividend, divisor = _division(values.whole(left), values.whole(right))
    return int(math.copysign(1, dividend)) * (abs(int(dividend)) % abs(int(divisor)))


def _division(left: object, right: object) -> tuple[values.Number, values.Number]:
    divisor = values.number(right)
    if divisor == 0:
        raise Fault("division by zero")
    return values.number(left), divisor


def _power(_: Frame, left: object, right: object) -> object:
    base, exponent = values.number(left), values.number(right)
    try:
        if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
            small = abs(base) <= 1 or base.bit_length() * exponent <= _BITS
            return values.fit(base**exponent if small else float(base) ** exponent)
        power = base**exponent
    except (OverflowError, ZeroDivisionError):
        raise Fault("the number is too large") from None
    if isinstance(power, complex):
        raise Fault("the power of a negative number needs a whole exponent")
    return values.fit(power)


def range_(frame: Frame, low: object, high: object, step: object = 1) -> object:
    """Both ends included; counts down when the second is the smaller one."""
    begin, end, width = values.whole(low), values.whole(high), abs(values.whole(step))
    if width == 0:
        raise Fault("the step of a range must not be 0")
    frame.spend(abs(end - begin) // width)
    return list(range(begin, end + 1, width) if begin <= end else range(begin, end - 1, -width))


def _starts(_: Frame, left: object, right: object) -> object:
    return values.text(left).startswith(values.text(right))


def _ends(_: Frame, left: object, right: object) -> object:
    return values.text(left).endswith(values.text(right))


OPERATORS: dict[str, Operator] = {
    "or": Operator(10, _or),
    "and": Operator(15, _and),
    "==": Operator(20, _eager(values.equal)),
    "!=": Operator(20, _eager(lambda frame, a, b: not values.equal(frame, a, b))),
    "<": Operator(20, _eager(lambda _, a, b: values.compare(a, b) < 0)),
    ">": Operator(20, _eager(lambda _, a, b: values.compare(a, b) > 0)),
    "<=": Operator(20, _eager(lambda _, a, b: values.compare(a, b) <= 0)),
    ">=": Operator(20, _eager(lambda _, a, b: values.compare(a, b) >= 0)),
    "in": Operator(20, _eager(values.contains)),
    "not in": Operator(20, _eager(lambda frame, a, b: not values.contains(frame, a, b))),
    "starts with": Operator(20, _eager(_starts)),
    "ends with": Operator(20, _eager(_ends)),
    "..": Operator(25, _eager(range_)),
    "+": Operator(30, _eager(lambda _, a, b: values.fit(values.number(a) + values.number(b)))),
    "-": Operator(30, _eager(lambda _, a, b: values.fit(values.number(a) - values.number(b)))),
    "~": Operator(40, _eager(_join)),
    "*": Operator(60, _eager(lambda _, a, b: values.fit(values.number(a) * values.number(b)))),
    "/": Operator(60, _eager(_divide)),
    "//": Operator(60, _eager(_floor_divide)),
    "%": Operator(60, _eager(_remainder)),
    "**": Operator(200, _eager(_power), right=True),
    "??": Operator(300, _otherwise, right=True),
}
TEST_PRECEDENCE = 100
"""That of `is` and `is not`."""
NOT_PRECEDENCE = 50
SIGN_PRECEDENCE = 200
"""That of a minus in front of a value: -2 ** 2 is -4."""


# -- functions -------------------------------------------------------------------------------------------


def _extreme(choose: Callable[[int], bool]) -> Callable[..., object]:
    def function(frame: Frame, *given: object) -> object:
        candidates = values.elements(given[0]) if len(given) == 1 else list(given)
        if not candidates:
            raise Fault("min and max need at least one value")
        frame.charge(candidates)
        best = candidates[0]
        for candidate in candidates[1:]:
            best = candidate if choose(values.compare(candidate, best)) else best
        return best

    return function


def cycle(_: Frame, values_: object, position: object) -> object:
    """The element at this position, from the start again behind the last: for the rows of a table."""
    found = values.elements(values_)
    return found[values.whole(position) % len(found)] if found else None


FUNCTIONS: dict[str, Callable[..., object]] = {
    "cycle": cycle,
    "max": _extreme(lambda order: order > 0),
    "min": _extreme(lambda order: order < 0),
    "range": range_,
}


# -- tests -----------------------------------------------------------------------------------------------


def _divisible(frame: Frame, value: object, by: object) -> bool:
    return _remainder(frame, value, by) == 0


def _same(frame: Frame, value: object, other: object) -> bool:
    return type(value) is type(other) and values.equal(frame, value, other)


TESTS: dict[str, Callable[..., bool]] = {
    "divisible by": _divisible,
    "empty": lambda _, value: values.empty(value),
    "even": lambda _, value: values.whole(value) % 2 == 0,
    "iterable": lambda _, value: isinstance(value, list | dict),
    "none": lambda _, value: value is None,
    "null": lambda _, value: value is None,
    "odd": lambda _, value: values.whole(value) % 2 == 1,
    "same as": _same,
}
"""`defined` is not here: it asks about a name, not about a value (`expressions`)."""
