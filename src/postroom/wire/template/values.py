"""What values mean. They are JSON's (None, bool, int, float, str, list, dict), and they behave as in Twig, which is
to say as in PHP 8: null prints nothing and counts as 0, "5" equals 5, "0" is false, true prints 1.

Nothing here looks at an attribute of a Python object, so no template can (P01).
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence

from postroom.wire.template.frame import Frame
from postroom.wire.template.problem import Fault

Number = int | float

_NUMERIC = re.compile(
    r"\s*[-+]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][-+]?\d{1,4})?\s*\Z", re.ASCII
)
_MOST = 2**63
_LARGEST = sys.float_info.max


class Markup(str):
    """Safe as text of an HTML element; a tag's attribute is another matter."""

    __slots__ = ()


class Escaped(str):
    """Escaped for HTML already: safe in text and between quotes."""

    __slots__ = ()


class Raw(str):
    """To be printed as it is, wherever it stands: its author said so."""

    __slots__ = ()


def text(value: object) -> str:
    """As it is printed. Lists and objects cannot be."""
    if isinstance(value, str):
        return value
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, int | float):
        return _digits(fit(value))
    raise Fault(f"{kind(value)} cannot be printed; use a for loop or join")


def _digits(value: Number) -> str:
    if isinstance(value, int):
        return str(value)
    shown = format(value, ".14G")
    if "E" not in shown:
        return "0" if shown == "-0" else shown
    mantissa, _, exponent = shown.partition("E")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}E{int(exponent):+d}"


def fit(value: Number) -> Number:
    """Integers beyond 64 bits become floats, as in PHP; what no float can hold is refused."""
    try:
        number = value if -_MOST <= value < _MOST or isinstance(value, float) else float(value)
    except OverflowError:
        raise Fault("the number is too large") from None
    if isinstance(number, float) and not math.isfinite(number):
        raise Fault("the number is too large")
    return number


def number(value: object) -> Number:
    """For arithmetic: null is 0, and numeric text counts."""
    if isinstance(value, bool) or value is None:
        return int(value or 0)
    if isinstance(value, int | float):
        return fit(value)
    found = numeric(value)
    if found is None:
        raise Fault(f"{kind(value)} is no number")
    return found


def numeric(value: object) -> Number | None:
    """The number that a text stands for, if it does."""
    if not isinstance(value, str) or len(value) > 1000 or not _NUMERIC.match(value):
        return None
    found = float(value) if any(sign in value for sign in ".eE") else int(value)
    return fit(found) if abs(found) <= _LARGEST else None


def whole(value: object) -> int:
    """A number without what is behind its point; beyond 64 bits the nearest that has 64."""
    return max(-_MOST, min(_MOST - 1, int(number(value))))


def truth(value: object) -> bool:
    return bool(value) and value != "0"


def empty(value: object) -> bool:
    """As Twig's test: 0 is not empty."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def kind(value: object) -> str:
    """What people call it, in messages."""
    if isinstance(value, str):
        return f'"{value[:30]}"'
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return "null" if value is None else "a value of an unknown kind"


def equal(frame: Frame, left: object, right: object) -> bool:
    """`==`. Pays for every element it looks at."""
    if isinstance(left, dict) or isinstance(right, dict) or isinstance(left, list) or isinstance(right, list):
        return _equal_containers(frame, left, right)
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        if isinstance(left, str) or isinstance(right, str):
            one = left if isinstance(left, str) else right
            other = right if one is left else left
            return not one if other is None else truth(one) == truth(other)
        return truth(left) == truth(right)
    order = _by_number(left, right)
    return left == right if order is None else order == 0


def _equal_containers(frame: Frame, left: object, right: object) -> bool:
    frame.charge(left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(lambda a, b: equal(frame, a, b), left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        same_keys = left.keys() == right.keys()
        return same_keys and all(equal(frame, left[key], right[key]) for key in left)
    plain = right if isinstance(left, list | dict) else left
    return (plain is None or isinstance(plain, bool)) and truth(left) == truth(right)


def compare(left: object, right: object) -> int:
    """Below zero, zero, above zero. Lists and objects have no order."""
    for value in (left, right):
        if isinstance(value, list | dict):
            raise Fault(f"{kind(value)} cannot be compared by size")
    order = _by_number(left, right)
    if order is None:
        first, second = text(left), text(right)
        return (first > second) - (first < second)
    return order


def _by_number(left: object, right: object) -> int | None:
    """The order if both are numbers or look like one, or None and booleans beside a number."""
    pair = []
    for value, other in ((left, right), (right, left)):
        if isinstance(value, str):
            found = numeric(value)
        elif (value is None or isinstance(value, bool)) and isinstance(other, str):
            found = None
        else:
            found = number(value)
        if found is None:
            return None
        pair.append(found)
    return (pair[0] > pair[1]) - (pair[0] < pair[1])


def contains(frame: Frame, part: object, whole: object) -> bool:
    """`in`: a piece of text, an element of a list, a value of an object."""
    frame.charge(whole)
    if isinstance(whole, str):
        return not isinstance(part, list | dict) and text(part) in whole
    values = whole.values() if isinstance(whole, dict) else whole if isinstance(whole, list) else ()
    return any(equal(frame, part, value) for value in values)


def item(container: object, key: object) -> object:
    """`container.key` and `container[key]`; null when there is no such thing."""
    if isinstance(container, dict):
        return container.get(key if isinstance(key, str) else text(key))
    at = _index(container, key)
    return container[at] if isinstance(container, list) and at is not None else None


def has(container: object, key: object) -> bool:
    if isinstance(container, dict):
        return (key if isinstance(key, str) else text(key)) in container
    return _index(container, key) is not None


def _index(container: object, key: object) -> int | None:
    if not isinstance(container, list) or isinstance(key, list | dict):
        return None
    found = numeric(key) if isinstance(key, str) else number(key)
    at = -1 if found is None else int(found)
    return at if 0 <= at < len(container) else None


def entries(value: object) -> Sequence[tuple[object, object]]:
    """(key, value) of an object, (number, value) of a list; nothing else can be walked through."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def elements(value: object) -> list[object]:
    """The values of a list or an object."""
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []
