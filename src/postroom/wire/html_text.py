"""Plain text from HTML, for those who read mail without: what it says, in lines, with the addresses of its links.

Template tags stay as they are wherever they stand. A reader of our own: `html.parser` takes minutes for 100 KB of `<div`,
and nothing of this is shown as HTML again. Every step here looks at each character a fixed number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

SILENT = frozenset({"head", "style", "script", "title", "template", "noscript"})
PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table"})
LINES = frozenset(
    {"div", "tr", "li", "section", "article", "header", "footer", "address", "center", "dt", "dd", "body"}
)
CELLS = frozenset({"td", "th"})
BULLET = "- "

_TEMPLATE = {"{{": "}}", "{%": "%}", "{#": "#}"}
_COMMENT = {"<!--": "-->", "<!": ">", "<?": ">"}
_HELD = re.compile("\ue000([0-9]+)\ue001")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")


def html_text(source: str) -> str:
    """The text of a document or a part of one; lines end with a line feed, none of them with a space.

    A megabyte takes longer than an event loop may be held.
    """
    tags: list[str] = []

    def hold(tag: str) -> str:
        tags.append(tag)
        return f"\ue000{len(tags) - 1}\ue001"

    plain = source.replace("\ue000", "").replace("\ue001", "")
    markup = "".join(hold(part) if taken else part for part, taken in _enclosed(plain, _TEMPLATE))
    markup = "".join(part for part, taken in _enclosed(markup, _COMMENT) if not taken)
    return _HELD.sub(lambda found: tags[int(found[1])], _Reader().read(markup))


def _enclosed(source: str, ends: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """The source in parts; True for those that begin with one of these and reach to its end. One without is text."""
    begins = re.compile("|".join(map(re.escape, ends)))
    missing: set[str] = set()
    told = at = 0
    while (begin := begins.search(source, at)) is not None:
        end = ends[begin[0]]
        closed = -1 if end in missing else source.find(end, begin.end())
        if closed < 0:
            missing.add(end)  # nor is there one further on
            at = begin.end()
            continue
        yield source[told : begin.start()], False
        told = at = closed + len(end)
        yield source[begin.start() : told], True
    yield source[told:], False


def _attribute(name: str, attributes: str) -> str:
    found = re.search(
        rf"""(?:^|\s){name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""", attributes, re.IGNORECASE
    )
    return "" if found is None else unescape(next(value for value in found.groups() if value is not None))


class _Reader:
    """`_said`: pieces of text and line feeds. `_link`: the address of the link that is open, and with which piece it
    began; links have no links inside."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._silent = 0
        self._link: tuple[str, int] | None = None

    def read(self, markup: str) -> str:
        at = 0
        for tag in _TAG.finditer(markup):
            self._say(markup[at : tag.start()])
            at = tag.end()
            name = tag[2].lower()
            if tag[1]:
                self._end(name)
            else:
                self._begin(name, tag[3])
        self._say(markup[at:])
        text = "".join(self._said).replace(" \n", "\n").rstrip(" ")
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _begin(self, name: str, attributes: str) -> None:
        if name in SILENT:
            self._silent += 1
        elif name == "a":
            self._link = (_attribute("href", attributes), len(self._said))
        elif name == "img":
            self._say(_attribute("alt", attributes))
        elif name == "br":
            self._said.append("\n")
        elif name == "hr":
            self._break(2)
            self._said.append("---")
            self._break(2)
        else:
            self._around(name)
            if name == "li":
                self._said.append(BULLET)

    def _end(self, name: str) -> None:
        if name in SILENT:
            self._silent = max(self._silent - 1, 0)
        elif name == "a":
            self._end_link()
        elif name in CELLS:
            self._say(" ")
        else:
            self._around(name)

    @property
    def _line_is_empty(self) -> bool:
        return not self._said or self._said[-1] == "\n"

    def _say(self, markup: str) -> None:
        if self._silent or not markup:
            return
        text = _SPACE.sub(" ", unescape(markup))
        if self._line_is_empty or self._said[-1].endswith(" "):
            text = text.removeprefix(" ")
        if text:
            self._said.append(text)

    def _around(self, name: str) -> None:
        if name in PARAGRAPHS:
            self._break(2)
        elif name in LINES:
            self._break(1)

    def _break(self, count: int) -> None:
        """Go on in a new line, behind an empty one if `count` is 2, unless we are there already."""
        if self._said and self._said[-1] == BULLET:
            return
        if not self._line_is_empty:
            self._said.append("\n")
        if count == 2 and len(self._said) > 1 and self._said[-2] != "\n":
            self._said.append("\n")

    def _end_link(self) -> None:
        """Its address stands behind what it says, unless it says just that."""
        if self._link is None:
            return
        href, began = self._link
        self._link = None
        said = "".join(self._said[began:]).strip()
        if href and not href.startswith("#") and said not in (href, href.removeprefix("mailto:")):
            self._say(f" ({href})" if said else href)
