"""Where in an HTML document a value stands, found by reading the template's own text in front of it.

A value in the text of an element may hold some tags; the same value inside an attribute must not, or it would end the
attribute and begin one of its own. So the reader of the template asks this scanner, and chooses how to escape.

The scanner is fed the literal text, piece by piece; between the pieces `filled` says that a value stands there.
Branches begin in the same state; `merge` is the state behind them. This is the WHATWG tokenizer as far as it matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from postroom.wire.template import limits
from postroom.wire.template.problem import Fault


class Place(Enum):
    TEXT = "text of an element"
    TAG = "inside a tag, outside of quotes"
    QUOTED = "a quoted attribute value"
    COMMENT = "a comment"
    RAW = "an element whose content is no HTML"
    UNSURE = "the branches of an if end in different places"


class Part(Enum):
    """Of a tag."""

    BETWEEN = "between attributes"
    NAME = "an attribute's name"
    AFTER_NAME = "behind it"
    BEFORE_VALUE = "behind the equals sign"
    VALUE = "an attribute value without quotes"


@dataclass(frozen=True, slots=True)
class State:
    """`element` is the tag's name (lower-case; "" for an end tag), `attribute` that of the attribute under way."""

    place: Place = Place.TEXT
    part: Part = Part.BETWEEN
    element: str = ""
    attribute: str = ""
    quote: str = ""


RAW_ELEMENTS = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})

_WHOLE_TAG = re.compile(
    r"""<(?P<name>/?+[A-Za-z][^\s/>]*+)
        (?:\s++[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+)*+\s*+/?+>""",
    re.VERBOSE,
)
# [if mso] and its kind hide HTML from everybody but one reader: what is inside is text to him.
_MARK = re.compile(
    r"(?P<condition><!--\[if[^>]*+>)|(?P<comment><!--(?:-?>)?+)|<(?P<name>[!?]|/?+[A-Za-z][^\s/>]*+|/?+\Z)",
    re.I,
)
_COMMENT_END = re.compile(r"--!?>")
_SPACE = re.compile(r"[\s/]*+")
_NAME = re.compile(r"=?[^\s/>=]*+")
_UNQUOTED = re.compile(r"[^\s>]*+")


class Scanner:
    """Set `state` to go on from another place."""

    def __init__(self) -> None:
        self.state = State()
        self._steps = 0

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            self.state, at = _STEPS[self.state.place](self.state, text, at)
            self._steps += 1
            if self._steps > limits.MARKS:
                raise Fault("the HTML has too many tags and attributes")


def filled(state: State) -> State:
    """The state behind a value that was printed here."""
    if state.place is not Place.TAG:
        return state
    value = state.part in (Part.BEFORE_VALUE, Part.VALUE)
    return replace(state, part=Part.VALUE if value else Part.NAME)


def merge(first: State, second: State) -> State:
    """The state behind branches that end in these two: what is true of both, or the more careful of the two."""
    if first == second:
        return first
    if first.place is second.place is Place.TAG:
        return replace(first, part=Part.VALUE, attribute=_either(first, second))
    if first.place is second.place is Place.QUOTED and first.quote == second.quote:
        return replace(first, attribute=_either(first, second))
    return State(Place.UNSURE)


def _either(first: State, second: State) -> str:
    """Nobody knows which attribute: then the value may be a URL, and is looked at as one."""
    return first.attribute if first.attribute == second.attribute else "href"


def repeatable(start: State, end: State) -> bool:
    """Whether a loop may go from one to the other: its body is read once, so it has to begin in one place each time."""
    return start == end or start.place is end.place is Place.TAG


def _text(state: State, text: str, at: int) -> tuple[State, int]:
    mark = _MARK.search(text, at)
    if mark is None:
        return state, len(text)
    if mark["condition"]:
        return state, mark.end()
    if mark["comment"]:
        return (state if mark[0].endswith(">") else State(Place.COMMENT)), mark.end()
    whole = _WHOLE_TAG.match(text, mark.start())
    name = mark["name"].lower()
    element = "" if name.startswith(("/", "!", "?")) else name
    if whole is None:
        return State(Place.TAG, element=element), mark.end()
    return _behind_tag(element), whole.end()


def _behind_tag(element: str) -> State:
    return State(Place.RAW, element=element) if element in RAW_ELEMENTS else State()


def _comment(state: State, text: str, at: int) -> tuple[State, int]:
    end = _COMMENT_END.search(text, at)
    return (state, len(text)) if end is None else (State(), end.end())


def _raw(state: State, text: str, at: int) -> tuple[State, int]:
    end = re.compile(rf"</{state.element}(?=[\s/>]|\Z)", re.I).search(text, at)
    return (state, len(text)) if end is None else (State(Place.TAG), end.end())


def _unsure(state: State, text: str, at: int) -> tuple[State, int]:
    del at
    return state, len(text)


def _quoted(state: State, text: str, at: int) -> tuple[State, int]:
    end = text.find(state.quote, at)
    if end >= 0:
        return State(Place.TAG, element=state.element), end + 1
    return state, len(text)


def _tag(state: State, text: str, at: int) -> tuple[State, int]:
    if state.part is Part.VALUE:
        return _unquoted(state, text, at)
    if state.part is Part.NAME:
        return _attribute_name(state, text, at)
    at = _skip(_SPACE if state.part is Part.BETWEEN else _BLANK, text, at)
    if at == len(text):
        return state, at
    if text[at] == ">":
        return _behind_tag(state.element), at + 1
    if state.part is Part.BETWEEN:
        return replace(state, part=Part.NAME, attribute=""), at
    if state.part is Part.AFTER_NAME:
        equals = text[at] == "="
        return replace(state, part=Part.BEFORE_VALUE if equals else Part.BETWEEN), at + equals
    if text[at] in "\"'":
        return replace(state, place=Place.QUOTED, part=Part.BETWEEN, quote=text[at]), at + 1
    return replace(state, part=Part.VALUE), at


_BLANK = re.compile(r"\s*+")


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at


def _attribute_name(state: State, text: str, at: int) -> tuple[State, int]:
    end = max(_skip(_NAME, text, at), at)
    state = replace(state, attribute=state.attribute + text[at:end].lower())
    return (state if end == len(text) else replace(state, part=Part.AFTER_NAME)), end


def _unquoted(state: State, text: str, at: int) -> tuple[State, int]:
    end = _skip(_UNQUOTED, text, at)
    return (state if end == len(text) else State(Place.TAG, element=state.element)), end


_STEPS = {
    Place.TEXT: _text,
    Place.TAG: _tag,
    Place.QUOTED: _quoted,
    Place.COMMENT: _comment,
    Place.RAW: _raw,
    Place.UNSURE: _unsure,
}
