"""How a value is written: by where it stands. All take the frame and a value and return what is printed.

In the text of an element a value may hold the limited HTML of the contract (section 2.1); everything else in it is
stripped. Values are HTML to begin with, so `&amp;` stays what it is and a lone `&` becomes `&amp;`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

import nh3

from postroom.wire.template import limits, values
from postroom.wire.template.frame import Frame
from postroom.wire.template.html_context import Part, Place, State
from postroom.wire.template.problem import Fault
from postroom.wire.template.values import Escaped, Markup, Raw

Write = Callable[[Frame, object], str]

_TAGS = {
    "p", "b", "i", "strong", "em", "a", "li", "ul", "q", "blockquote", "abbr", "address", "cite", "bdo", "strike", "u",
    "h1", "h2", "h3", "br", "img",
}  # fmt: skip
_ATTRIBUTES = {
    "id", "class", "style", "href", "src", "width", "height", "alt", "lang", "title", "dir", "cite", "target",
}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"*": _ATTRIBUTES},
    url_schemes={"http", "https", "mailto", "tel", "sms", "cid"},
    link_rel=None,
)
_URL_ATTRIBUTES = frozenset(
    {"href", "src", "action", "formaction", "background", "cite", "poster", "data", "longdesc"}
)
_SCRIPT_SCHEMES = frozenset({"javascript", "vbscript", "livescript", "mocha", "data"})
_BLOCKED = "#"

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPECIAL = re.compile("[<>&\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONE_AMPERSAND = re.compile(r"&(?!(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+):")
_IMAGE = re.compile(r"\s*data:image/", re.I)
_BLANK = re.compile(r"\s")
_IGNORED_IN_URL = re.compile("[\0-\x20\x7f-\x9f]")
_UNQUOTED = {ord(char): f"&#{ord(char)};" for char in " \t\n\r\f=`/"}
_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\u2028\u2029"}


def plain(frame: Frame, value: object) -> str:
    """Text as it is, without the control characters that no mail may hold."""
    del frame
    text = value if type(value) is str else values.text(value)
    if text.isprintable():
        return text
    return _CONTROL.sub("", text) if _CONTROL.search(text) else text


def limited_html(frame: Frame, value: object) -> str:
    """For the text of an element: allowed tags stay, others go, the rest is escaped."""
    if isinstance(value, Raw | Escaped | Markup):
        return plain(frame, value)
    text = value if type(value) is str else values.text(value)
    if not _SPECIAL.search(text):
        return text
    text = _LONE_AMPERSAND.sub("&amp;", _CONTROL.sub("", text))
    if "<" not in text:
        return text.replace(">", "&gt;")
    tags = text.count("<")
    if tags > limits.TAGS:
        raise Fault(f"a value holds more than {limits.TAGS} HTML tags")
    frame.spend(len(text) // limits.CHARACTERS + tags * tags // limits.CHARACTERS)
    return _CLEANER.clean(text)


def attribute(frame: Frame, value: object) -> str:
    """Between quotes, and wherever tags have no place: all that could end it is escaped."""
    text = plain(frame, value)
    if isinstance(value, Raw | Escaped):
        return text
    text = _LONE_AMPERSAND.sub("&amp;", text)
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#39;")


def unquoted(frame: Frame, value: object) -> str:
    """In a tag, outside of quotes."""
    text = attribute(frame, value)
    return text if isinstance(value, Raw) else text.translate(_UNQUOTED)


def script(frame: Frame, value: object) -> str:
    """Inside a string of a script or of JSON (email mark-up): nothing in it ends the string or the element."""
    if isinstance(value, Raw):
        return plain(frame, value)
    quoted = json.dumps(plain(frame, value))[1:-1].replace('\\"', "\\u0022")
    return quoted.translate(_IN_SCRIPT)


def _unquoted_script(frame: Frame, value: object) -> str:
    return script(frame, value).translate(_UNQUOTED)


def _url(inner: Write, quote: str) -> Write:
    """An attribute that is a URL, in these quotes or in none: it must not have a scheme that runs as a script."""

    def write(frame: Frame, value: object) -> str:
        if isinstance(value, Raw):
            return inner(frame, value)
        url = html.unescape(_value_so_far(frame, quote) + plain(frame, value))
        scheme = _SCHEME.match(_IGNORED_IN_URL.sub("", url))
        if scheme is None or scheme[1].lower() not in _SCRIPT_SCHEMES or _IMAGE.match(url):
            return inner(frame, value)
        return _BLOCKED

    return write


def _value_so_far(frame: Frame, quote: str) -> str:
    """What is written of the attribute value under way; what came from values has no quote, `=` or blank in it."""
    found: list[str] = []
    for chunk in reversed(frame.out):
        frame.spend(1)
        found.append(chunk)
        if quote in chunk if quote else _BLANK.search(chunk):
            break
    written = "".join(reversed(found))
    if quote:
        return written.rpartition(quote)[2]
    word = _BLANK.split(written)[-1]
    return word.partition("=")[2] if "=" in word else word


_WRITE_URL = {quote: _url(attribute if quote else unquoted, quote) for quote in ("", '"', "'")}


def at(state: State) -> Write:
    """How to write a value that stands here."""
    if state.place is Place.TEXT:
        return limited_html
    if state.place is Place.RAW and state.element == "script":
        return script
    if state.place in (Place.COMMENT, Place.RAW):
        return attribute
    in_value = state.place is Place.QUOTED or state.part in (Part.VALUE, Part.BEFORE_VALUE)
    if in_value and state.attribute.startswith("on"):
        return script if state.place is Place.QUOTED else _unquoted_script
    if in_value and state.attribute.rpartition(":")[2] in _URL_ATTRIBUTES:  # also xlink:href
        return _WRITE_URL[state.quote]
    return attribute if state.place is Place.QUOTED else unquoted
