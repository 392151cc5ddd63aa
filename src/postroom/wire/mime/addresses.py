"""Address lists of raw header values (RFC 5322 section 3.4, RFC 6532, groups in From by RFC 6854).

Strict wherever two programs could see different addresses in the same bytes (S10, S11, S23): a name with an unquoted
"@", two addresses without a comma, text behind ">", source routes, white space inside a local part are problems. What an
addr-spec looks like is decided by `types.addresses.parse_mailbox` alone; encoded-words are decoded in names only.

One pass over tokens, no recursion: time is in proportion to the length whatever stands in there (M12).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox
from postroom.wire.mime.encoded_words import display

NAME_LENGTH = 200
REMEMBERED_LENGTH = 200  # of a value, in octets

# Words keep their dots (`John Q. Public` is obsolete syntax that everybody writes). Possessive, so linear.
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t]++)
    | (?P<atom>[^\x00-\x20\x7f-\x9f()<>\[\]:;@\\,"]++)
    | (?P<quoted>"[^"\\\x00-\x08\x0a-\x1f\x7f-\x9f]*+(?:\\[^\x00-\x08\x0a-\x1f\x7f-\x9f][^"\\\x00-\x08\x0a-\x1f\x7f-\x9f]*+)*+")
    | (?P<literal>\[[^\[\]\\\x00-\x20\x7f-\U0010ffff]*+\])
    | (?P<special>[<>@,:;])
    | (?P<comment>\()
    """,
    re.VERBOSE,
)
_COMMENT_PART = re.compile(r"\\.|[()\x00-\x08\x0a-\x1f\x7f-\x9f]")
_WORDS = ("atom", "quoted")


class _Token(NamedTuple):
    kind: str
    text: str


def read_addresses(value: bytes) -> tuple[Mailbox, ...] | str:
    """The mailboxes of a raw value as `Field.value` gives it, or a few words that say why it cannot be read.

    Groups are dissolved into their members; there are none only for empty groups (`undisclosed-recipients:;`).
    """
    return _read_again(value) if len(value) <= REMEMBERED_LENGTH else _read(value)


def _read(value: bytes) -> tuple[Mailbox, ...] | str:
    try:
        # Octets that are not UTF-8 become surrogates: harmless in names, never valid in addresses.
        return tuple(_Reader().read(value.replace(b"\r\n", b"").decode("utf-8", "surrogateescape")))
    except AddressError as error:
        return str(error)


# An application writes the same From into message after message.
_read_again = lru_cache(maxsize=1024)(_read)


def _tokens(text: str) -> Iterator[_Token]:
    """Everything but white space and comments."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise AddressError(_stray(text[at]))
        at = match.end()
        kind = match.lastgroup or ""
        if kind == "comment":
            at = _skip_comment(text, at)
        elif kind != "space":
            yield _Token(kind, match[0])


def _stray(char: str) -> str:
    if char == '"':
        return "a quote is not closed or holds a control character"
    if char.isprintable():
        return f'there is a stray "{char}"; names that hold one must be quoted'
    return "it holds a control character"


def _skip_comment(text: str, at: int) -> int:
    """The end of the comment whose opening parenthesis is before `at`. Comments nest."""
    depth = 1
    for part in _COMMENT_PART.finditer(text, at):
        if part[0] == "(":
            depth += 1
        elif part[0] == ")":
            depth -= 1
            if not depth:
                return part.end()
        elif part[0][0] != "\\":
            raise AddressError("it holds a control character")
    raise AddressError("a comment is not closed")


class _Reader:
    """Collects tokens up to the next separator, then reads them as one mailbox."""

    def __init__(self) -> None:
        self._mailboxes: list[Mailbox] = []
        self._element: list[_Token] = []
        self._in_group = False
        self._groups = 0
        self._comma_due = False  # behind a group

    def read(self, text: str) -> list[Mailbox]:
        for token in _tokens(text):
            if token.kind == "special" and token.text in ",:;":
                self._separate(token.text)
            elif self._comma_due:
                raise AddressError("a comma is missing behind a group")
            else:
                self._element.append(token)
        if self._in_group:
            raise AddressError('a group is not closed by ";"; names that hold a colon must be quoted')
        self._finish_element()
        if not self._mailboxes and not self._groups:
            raise AddressError("it is empty")
        return self._mailboxes

    def _separate(self, separator: str) -> None:
        if separator == ":":
            self._open_group()
            return
        self._finish_element()
        self._comma_due = False
        if separator == ";":
            if not self._in_group:
                raise AddressError('there is a stray ";"')
            self._in_group, self._comma_due = False, True

    def _open_group(self) -> None:
        if self._in_group or not self._element or not _is_phrase(self._element):
            raise AddressError('there is a stray ":"; names that hold one must be quoted')
        self._element = []
        self._in_group = True
        self._groups += 1

    def _finish_element(self) -> None:
        """Nothing between two commas is obsolete syntax (RFC 5322 section 4.4), and harmless."""
        if self._element:
            self._mailboxes.append(_read_mailbox(self._element))
            self._element = []


def _is_phrase(tokens: list[_Token]) -> bool:
    return all(token.kind in _WORDS for token in tokens)


def _read_mailbox(tokens: list[_Token]) -> Mailbox:
    """`local@domain`, or `name <local@domain>` with nothing behind."""
    opening = next((at for at, token in enumerate(tokens) if token.text == "<"), None)
    if opening is None:
        return Mailbox("", _read_addr_spec(tokens))
    phrase, rest = tokens[:opening], tokens[opening + 1 :]
    if not _is_phrase(phrase):
        raise AddressError('there is a stray "@" or bracket before "<"; names that hold one must be quoted')
    if not rest or rest[-1].text != ">":
        raise AddressError('there is text behind ">", or it is missing')
    return Mailbox(_read_name(phrase), _read_addr_spec(rest[:-1]))


def _read_name(phrase: list[_Token]) -> str:
    words = [_unquote(token.text) if token.kind == "quoted" else token.text for token in phrase]
    return display(" ".join(words).encode("utf-8", "surrogateescape"), NAME_LENGTH)


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _read_addr_spec(tokens: list[_Token]) -> Address:
    """White space and comments around the parts are gone by now; inside them they make more than three tokens."""
    if len(tokens) == 3 and tokens[0].kind in _WORDS and tokens[1].text == "@":
        return parse_mailbox(f"{tokens[0].text}@{tokens[2].text}", literal=True)
    if not any(token.text == "@" for token in tokens):
        raise AddressError('an address has no "@domain"; names that hold a comma must be quoted')
    if tokens[-1].text == "@":
        raise AddressError('there is nothing behind the "@" of an address')
    if tokens[0].text == "@":
        raise AddressError('there is nothing before the "@" of an address')
    raise AddressError("an address holds white space, a second @ or a bracket")
