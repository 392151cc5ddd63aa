"""The source in pieces (text, `{{ print }}`, `{% tag %}`), and the tokens inside the braces.

As in Twig: `-` beside the braces takes all white space on that side, `~` takes blanks but no line ends; one line end
directly behind a tag or a comment belongs to it; `{% verbatim %}` keeps what looks like a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from postroom.wire.template import limits
from postroom.wire.template.problem import TemplateProblem


class Kind(Enum):
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what stands in the source; of a string it is the value."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Print:
    line: int
    tokens: list[Token]


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` is the tag's word; the tokens are those behind it."""

    line: int
    name: str
    tokens: list[Token] = field(default_factory=list)


Piece = Text | Print | Tag

_OPENING = re.compile(r"\{([{%#])([-~]?)")
_COMMENT_END = re.compile(r"([-~]?)#\}")
_VERBATIM_END = re.compile(r"\{%([-~]?)\s*endverbatim\s*([-~]?)%\}")
_TOKEN = re.compile(
    r"""
      (?P<space> \s++ )
    | (?P<number> \d++ (?: _\d++ )*+ (?: \.\d++ )?+ )
    | (?P<name> [A-Za-z_\x80-\U0010ffff] [\w\x80-\U0010ffff]*+ )
    | " (?P<double> [^"\\]*+ (?: \\. [^"\\]*+ )*+ ) "
    | ' (?P<single> [^'\\]*+ (?: \\. [^'\\]*+ )*+ ) '
    | (?P<sign> \*\* | // | == | != | <=> | <= | >= | => | \.\.\.? | \?\? | \?\. | [-+*/%~<>?:|.,()\[\]{}=&^] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*+#\{")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_TRIM = {"-": " \t\r\n\0\v", "~": " \t", "": ""}


class Lexer:
    """Iterate over it once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._line = 1
        self._counted = 0

    def __iter__(self) -> Iterator[Piece]:
        trim, newline, comments = "", False, 0
        while True:
            opening = _OPENING.search(self._source, self._at)
            end = len(self._source) if opening is None else opening.start()
            text = self._text(end, trim, newline)
            if opening is None:
                if text.text:
                    yield text
                return
            text = Text(text.line, text.text.rstrip(_TRIM[opening[2]]) if opening[2] else text.text)
            if text.text:
                yield text
            self._at = opening.end()
            line = self._line_at(opening.start())
            if opening[1] == "#":
                trim, newline = self._comment(line), True
                comments += 1
                if comments > limits.NODES:
                    raise TemplateProblem(line, f"the template has more than {limits.NODES} comments")
                continue
            tokens, trim = self._tokens(line, "}}" if opening[1] == "{" else "%}")
            newline = opening[1] == "%"
            if opening[1] == "{":
                yield Print(line, tokens)
            elif tokens and tokens[0] == Token(Kind.NAME, "verbatim"):
                verbatim, trim = self._verbatim(line, trim)
                yield verbatim
            else:
                yield _tag(line, tokens)

    def _text(self, end: int, trim: str, newline: bool) -> Text:
        text = self._source[self._at : end]
        if trim:
            text = text.lstrip(_TRIM[trim])
        elif newline:
            text = text.removeprefix("\r").removeprefix("\n") if text.startswith(("\n", "\r\n")) else text
        return Text(self._line_at(self._at), text)

    def _line_at(self, at: int) -> int:
        """Asked for rising positions only."""
        self._line += self._source.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _comment(self, line: int) -> str:
        end = _COMMENT_END.search(self._source, self._at)
        if end is None:
            raise TemplateProblem(line, "the comment is never closed: #} is missing")
        self._at = end.end()
        return end[1]

    def _verbatim(self, line: int, trim: str) -> tuple[Text, str]:
        end = _VERBATIM_END.search(self._source, self._at)
        if end is None:
            raise TemplateProblem(line, "verbatim is never closed: {% endverbatim %} is missing")
        text = self._text(end.start(), trim, newline=True).text
        self._at = end.end()
        return Text(line, text.rstrip(_TRIM[end[1]]) if end[1] else text), end[2]

    def _tokens(self, line: int, closing: str) -> tuple[list[Token], str]:
        """The tokens up to the closing braces, and the white space control before those."""
        tokens: list[Token] = []
        open_braces = 0
        while True:
            if open_braces == 0:
                for trim in ("", "-", "~"):
                    if self._source.startswith(trim + closing, self._at):
                        self._at += len(trim + closing)
                        return tokens, trim
            found = _TOKEN.match(self._source, self._at)
            if found is None:
                raise TemplateProblem(line, self._nonsense(closing))
            self._at = found.end()
            if found.lastgroup == "space":
                continue
            if found.lastgroup == "double" and _INTERPOLATION.search(found["double"]):
                raise TemplateProblem(line, "#{ } inside a string is not available; join strings with ~")
            token = _token(found)
            open_braces += (token.text == "{") - (token.text == "}") if token.kind is Kind.SIGN else 0
            tokens.append(token)
            if len(tokens) > limits.TOKENS:
                raise TemplateProblem(
                    line, f"there are more than {limits.TOKENS} words and signs between the braces"
                )

    def _nonsense(self, closing: str) -> str:
        rest = self._source[self._at : self._at + 1]
        if not rest:
            return f"the braces are never closed: {closing} is missing"
        return "the string is never closed" if rest in "\"'" else f"unexpected character {rest!r}"


def _token(found: re.Match[str]) -> Token:
    group = found.lastgroup or ""
    if group in ("single", "double"):
        text = _ESCAPED.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), found[group])
        return Token(Kind.STRING, text)
    return Token(Kind(group), found[group])


def _tag(line: int, tokens: list[Token]) -> Tag:
    if not tokens or tokens[0].kind is not Kind.NAME:
        raise TemplateProblem(line, "a tag begins with its name, like {% if ... %}")
    return Tag(line, tokens[0].text, tokens[1:])
