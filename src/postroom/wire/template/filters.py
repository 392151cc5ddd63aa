"""The filters. A filter takes the frame, the value and its arguments; arguments may be given by name, as in Twig.

What a filter reads and what it makes is charged by whoever calls it (`expressions`). One whose result can be much
larger than what it was given charges for that itself, before it makes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import cmp_to_key
from urllib.parse import quote

from postroom.wire.template import dates, escaping, limits, values
from postroom.wire.template.frame import Frame
from postroom.wire.template.problem import Fault
from postroom.wire.template.values import Escaped, Markup, Raw

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ROUNDING = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
_TAG = re.compile(r"<[A-Za-z/!?][^>]*>?")
_EXACT = Context(prec=400)  # a float has at most 309 digits in front of its point
_MORE_TO_SORT = 8  # comparisons per element; a list has at most DATA_VALUES


# -- text ------------------------------------------------------------------------------------------------


def lower(_: Frame, value: object) -> object:
    return values.text(value).lower()


def upper(_: Frame, value: object) -> object:
    return values.text(value).upper()


def capitalize(_: Frame, value: object) -> object:
    text = values.text(value)
    return text[:1].upper() + text[1:].lower()


def title(_: Frame, value: object) -> object:
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), values.text(value))


def trim(_: Frame, value: object, character_mask: object = " \t\n\r\0\v", side: object = "both") -> object:
    strip = {"both": str.strip, "left": str.lstrip, "right": str.rstrip}.get(values.text(side))
    if strip is None:
        raise Fault("trim: the side is left, right or both")
    return strip(values.text(value), values.text(character_mask))


def replace(frame: Frame, value: object, from_: object) -> object:
    """As PHP's strtr: the longest match first, and what was put in is not looked at again."""
    if not isinstance(from_, dict):
        raise Fault('replace takes an object, like replace({"%name%": name})')
    pairs = {key: values.text(new) for key, new in from_.items() if key}
    if len(pairs) > limits.PAIRS:
        raise Fault(f"replace takes at most {limits.PAIRS} pairs")
    if not pairs:
        return value

    def put(found: re.Match[str]) -> str:
        frame.spend(1 + len(pairs[found[0]]) // limits.CHARACTERS)
        return pairs[found[0]]

    text = values.text(value)
    # Every place of the text may be compared with every pair.
    frame.spend(len(text) * len(pairs) // limits.CHARACTERS)
    return re.sub("|".join(map(re.escape, sorted(pairs, key=len, reverse=True))), put, text)


def split(frame: Frame, value: object, delimiter: object, limit: object = None) -> object:
    """As PHP's explode: a limit of 2 makes two parts, one of -1 leaves the last part out. Without a delimiter there
    are parts of `limit` characters."""
    text, sign = values.text(value), values.text(delimiter)
    most = values.whole(limit)
    if not sign:
        frame.spend(len(text))
        return [text[at : at + max(1, most)] for at in range(0, len(text), max(1, most))]
    frame.spend(text.count(sign))
    if most < 0:
        return text.split(sign)[:most]
    return text.split(sign, most - 1) if most else text.split(sign)


def nl2br(frame: Frame, value: object) -> object:
    text = escaping.limited_html(frame, value)
    frame.spend(text.count("\n"))
    return Markup(text.replace("\n", "<br />\n"))


def striptags(_: Frame, value: object) -> object:
    return _TAG.sub("", values.text(value))


def url_encode(_: Frame, value: object) -> object:
    if isinstance(value, dict):
        pairs = [f"{quote(key, safe='')}={quote(values.text(part), safe='')}" for key, part in value.items()]
        return "&".join(pairs)
    return quote(values.text(value), safe="-_.~", errors="replace")


def escape(frame: Frame, value: object, strategy: object = "html") -> object:
    if isinstance(value, Escaped | Raw):
        return value
    text = values.text(value)
    match values.text(strategy):
        case "html":
            return Escaped(_html(text))
        case "html_attr":
            return Escaped(escaping.unquoted(frame, _html(text)))
        case "url":
            return Escaped(quote(text, safe="-_.~", errors="replace"))
        case "js":
            return Escaped(escaping.script(frame, text))
    raise Fault("escape: the strategy is html, html_attr, url or js")


def _html(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#039;")


def raw(_: Frame, value: object) -> object:
    return Raw(values.text(value))


def json_encode(frame: Frame, value: object) -> object:
    _pay_deeply(frame, value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _pay_deeply(frame: Frame, value: object) -> None:
    """A list that holds another one twice is written twice: small things may become very large."""
    frame.charge(value)
    for part in values.elements(value):
        _pay_deeply(frame, part)


# -- lists, objects and text -----------------------------------------------------------------------------


def default(_: Frame, value: object, default: object = "") -> object:
    return default if values.empty(value) else value


def length(_: Frame, value: object) -> object:
    return len(value) if isinstance(value, list | dict) else len(values.text(value))


def keys(_: Frame, value: object) -> object:
    if isinstance(value, list):
        return list(range(len(value)))
    return list(value) if isinstance(value, dict) else []


def first(_: Frame, value: object) -> object:
    found = values.elements(value) or values.text(value or "")
    return found[0] if found else None


def last(_: Frame, value: object) -> object:
    found = values.elements(value) or values.text(value or "")
    return found[-1] if found else None


def join(frame: Frame, value: object, glue: object = "", and_: object = None) -> object:
    parts = [values.text(part) for part in values.elements(value)]
    between = values.text(glue)
    frame.spend((sum(map(len, parts)) + len(parts) * len(between)) // limits.CHARACTERS)
    if and_ is None or len(parts) < 2:
        return between.join(parts)
    return between.join(parts[:-1]) + values.text(and_) + parts[-1]


def reverse(_: Frame, value: object) -> object:
    if isinstance(value, dict):
        return dict(reversed(value.items()))
    return value[::-1] if isinstance(value, list) else values.text(value)[::-1]


def sort(frame: Frame, value: object) -> object:
    """By value; an object keeps its keys."""
    order = cmp_to_key(values.compare)
    frame.spend(len(values.elements(value)) * _MORE_TO_SORT)
    if isinstance(value, dict):
        return dict(sorted(value.items(), key=lambda pair: order(pair[1])))
    return sorted(values.elements(value), key=order)


def slice_(_: Frame, value: object, start: object, length: object = None) -> object:
    found = values.elements(value) if isinstance(value, list | dict) else values.text(value)
    begin = values.whole(start)
    begin = max(0, begin + len(found)) if begin < 0 else begin
    count = len(found) if length is None else values.whole(length)
    return found[begin : begin + count] if count >= 0 else found[begin:count]


def merge(_: Frame, value: object, with_: object) -> object:
    if isinstance(value, dict) and isinstance(with_, dict):
        return value | with_
    if isinstance(value, list) and isinstance(with_, list):
        return value + with_
    raise Fault("merge takes two lists or two objects")


# -- numbers and dates -----------------------------------------------------------------------------------


def abs_(_: Frame, value: object) -> object:
    return abs(values.number(value))


def round_(_: Frame, value: object, precision: object = 0, method: object = "common") -> object:
    rounding = _ROUNDING.get(values.text(method))
    if rounding is None:
        raise Fault("round: the method is common, ceil or floor")
    rounded = _rounded(values.number(value), _digits(precision), rounding)
    return values.fit(float(rounded))


def number_format(
    frame: Frame,
    value: object,
    decimal: object = 0,
    decimal_point: object = ".",
    thousand_sep: object = ",",
) -> object:
    digits = max(0, _digits(decimal))
    rounded = _rounded(values.number(value), digits, ROUND_HALF_UP)
    whole, _, fraction = f"{rounded.copy_abs():.{digits}f}".partition(".")
    point, comma = values.text(decimal_point), values.text(thousand_sep)
    sign = "-" if rounded < 0 else ""
    groups = f"{int(whole):,}".split(",")
    # An integer has at most 309 digits here, so this is short unless the separator is long.
    frame.spend(len(groups) * len(comma) // limits.CHARACTERS)
    return sign + comma.join(groups) + (point + fraction if fraction else "")


def _digits(value: object) -> int:
    digits = values.whole(value)
    if not -limits.DIGITS <= digits <= limits.DIGITS:
        raise Fault(f"a number is rounded to at most {limits.DIGITS} digits")
    return digits


def _rounded(value: int | float, digits: int, rounding: str) -> Decimal:
    """Rounded as it is shown, so that 1.005 becomes 1.01."""
    shifted = Decimal(repr(value)).scaleb(digits, _EXACT)
    return shifted.to_integral_value(rounding).scaleb(-digits, _EXACT)


def date(frame: Frame, value: object, format: object = "F j, Y H:i", timezone: object = None) -> object:
    return dates.formatted(value, values.text(format), timezone, frame.now)


FILTERS: dict[str, Callable[..., object]] = {
    "abs": abs_,
    "capitalize": capitalize,
    "date": date,
    "default": default,
    "e": escape,
    "escape": escape,
    "first": first,
    "join": join,
    "json_encode": json_encode,
    "keys": keys,
    "last": last,
    "length": length,
    "lower": lower,
    "merge": merge,
    "nl2br": nl2br,
    "number_format": number_format,
    "raw": raw,
    "replace": replace,
    "reverse": reverse,
    "round": round_,
    "slice": slice_,
    "sort": sort,
    "split": split,
    "striptags": striptags,
    "title": title,
    "trim": trim,
    "upper": upper,
    "url_encode": url_encode,
}
