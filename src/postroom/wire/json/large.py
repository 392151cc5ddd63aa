"""Large JSON in small steps. A run of complete members of about 64 KB is decoded at once; what is larger than a run
is put together here, member by member."""

from __future__ import annotations

import re
from typing import Any

from postroom.wire.json.decode import (
    DEEPEST,
    MARK,
    JsonRefusedError,
    JsonSyntaxError,
    decode_text,
    repeated,
    to_text,
    too_deep,
)
from postroom.wire.json.long_text import STEP, LongText, Octets

MEDIUM = 4 * STEP
"""A longer string is decoded in pieces."""
LONG = 8 * 1024 * 1024
"""A longer one stays a LongText. 2 MB of text may take 6 MB, each character written as \\uXXXX."""
MOST_VALUES, MOST_CONTAINERS = 1_500_000, 200_000
"""Each takes memory, and containers also time of the garbage collector (H06)."""
MOST_SPACE = 4 * STEP

_INSIDE = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_TO_QUOTE = re.compile(_INSIDE, re.DOTALL)
_SCALARS = rb'[^"\[\]{},]*+'
_TO_NEXT = re.compile(_SCALARS + rb'(?:"' + _INSIDE + rb'"' + _SCALARS + rb")*+", re.DOTALL)
"""Up to a bracket, a comma, or a string that goes on behind the window."""
_QUOTE, _COMMA, _OPEN = b'"', b",", b"[{"
_BLANK, _SPACE = b" \t\r\n", " \t\r\n"
_MARK = MARK.encode()


class _Container:
    """An array or object that is open. Members before `start` are in `value`, those up to `member` are complete.

    `value` is None as long as nothing of it had to be decoded by itself: then it is part of its parent's run.
    """

    __slots__ = ("closing", "is_object", "member", "opened", "settled", "start", "value")

    def __init__(self, bracket: bytes, opened: int) -> None:
        self.is_object = bracket == b"{"
        self.closing = b"}" if self.is_object else b"]"
        self.opened = opened
        self.start = self.member = opened + 1
        self.value: Any = None
        self.settled = False
        """The current member is in `value`; only its comma or the end of the container may follow."""

    def add(self, members: Any) -> None:
        """Raises JsonRefusedError for a key that is there already."""
        if not self.is_object:
            self.value += members
            return
        for key in members:
            if key in self.value:
                raise repeated(key)
        self.value |= members


def decode_large(raw: Octets) -> Any:
    """As `decode`, for use in a thread. Strings of more than 8 MB are `LongText`, which refers to `raw`."""
    return _Scanner(raw).run()


class _Scanner:
    def __init__(self, raw: Octets) -> None:
        self._raw = raw
        self._open: list[_Container] = []
        self._decoded_to = 0
        self._values = self._containers = 0

    def run(self) -> Any:
        """An object or array; nothing else is large."""
        raw, at = self._raw, self._next(0)
        if raw[at : at + 1] not in (b"[", b"{") or raw[:at].removeprefix(_MARK).strip(_BLANK):
            raise JsonSyntaxError("an object or an array is expected", "the beginning")
        while True:
            character = raw[at : at + 1]
            if character == _QUOTE:
                at = self._string(at)
            elif character == _COMMA:
                self._end_member(at)
                at += 1
            elif character and character in _OPEN:
                self._enter(character, at)
                at += 1
            elif character:
                done = self._leave(character, at)
                at += 1
                if not self._open:
                    return self._whole(done, at)
            else:
                raise JsonSyntaxError("an array or object does not end", "the end")
            at = self._next(at)

    def _next(self, at: int) -> int:
        """The next bracket, comma or long string, or the end."""
        for window in range(at, at + MOST_SPACE, STEP):
            end = _TO_NEXT.match(self._raw, window, window + STEP).end()  # type: ignore[union-attr]
            if end < window + STEP:
                return end
        raise JsonRefusedError(f"a number or space of more than {MOST_SPACE // 2} octets")

    def _enter(self, bracket: bytes, at: int) -> None:
        self._containers += 1
        if self._containers > MOST_CONTAINERS:
            raise JsonRefusedError(f"it holds more than {MOST_CONTAINERS} objects and arrays")
        if len(self._open) == DEEPEST:
            raise too_deep()
        self._open.append(_Container(bracket, at))

    def _leave(self, bracket: bytes, at: int) -> _Container:
        container = self._open.pop()
        if bracket != container.closing:
            raise _unexpected(bracket, at)
        if container.value is not None:
            self._last_members(container, at)
            if self._open:
                self._settle(self._open[-1], container.opened, container.value, at + 1)
        return container

    def _last_members(self, container: _Container, end: int) -> None:
        if container.settled:
            self._must_be_blank(container.start, end)
        else:
            self._take(container, end)

    def _end_member(self, at: int) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            raise JsonRefusedError(f"it holds more than {MOST_VALUES} values")
        container = self._open[-1]
        if container.settled:
            self._must_be_blank(container.start, at)
            container.start = at + 1
            container.settled = False
        container.member = at + 1
        if at - self._decoded_to > STEP:
            self._decode_to_here(at + 1)

    def _string(self, at: int) -> int:
        """Behind the string that begins at `at`. One of medium length is decoded with its run."""
        end = self._quote_after(at + 1)
        if end - at > MEDIUM:
            string = LongText(self._raw, at + 1, end)
            self._decode_to_here(at)
            self._settle(
                self._open[-1], at, string.text() if len(string) <= LONG else string.checked(), end + 1
            )
            self._decoded_to = end + 1
        return end + 1

    def _quote_after(self, at: int) -> int:
        while True:
            end = _TO_QUOTE.match(self._raw, at, at + STEP).end()  # type: ignore[union-attr]
            if self._raw[end : end + 1] == _QUOTE:
                return end
            if end == at:
                raise JsonSyntaxError("a string does not end", "the end")
            at = end

    def _decode_to_here(self, at: int) -> None:
        """Decode all complete members of all that is open, so that little of what comes before is left."""
        for container in self._open:
            if container.value is None:
                container.value = {} if container.is_object else []
            if container.member > container.start and not container.settled:
                self._take(container, container.member - 1)
                container.start = container.member
        self._decoded_to = at

    def _take(self, container: _Container, end: int) -> None:
        """Decode the members from `start` to `end`; at least one has to be there, for a comma came before it."""
        text = to_text(self._raw[container.start : end])
        if not text.strip(_SPACE):
            raise JsonSyntaxError("a value is missing", f"octet {end + 1}")
        whole = f"{{{text}}}" if container.is_object else f"[{text}]"
        container.add(_decoded(whole, container.start, end))

    def _settle(self, container: _Container, began: int, value: Any, after: int) -> None:
        """`value`, whose text began at `began`, is the container's current member; the text goes on at `after`."""
        prefix = to_text(self._raw[container.member : began])
        if container.settled or (prefix.strip(_SPACE) and not container.is_object):
            raise JsonSyntaxError("a comma is missing", f"octet {began + 1}")
        if container.is_object:
            key = _decoded(f"{{{prefix}null}}", container.member, began)
            container.add(dict.fromkeys(key, value))
        else:
            container.add([value])
        container.start = container.member = after
        container.settled = True

    def _must_be_blank(self, start: int, end: int) -> None:
        if self._raw[start:end].strip(_BLANK):
            raise JsonSyntaxError("a comma is missing", f"octet {start + 1}")

    def _whole(self, container: _Container, after: int) -> Any:
        """The outermost container has ended: nothing may follow."""
        if len(self._raw) - after > STEP or self._raw[after:].strip(_BLANK):
            raise JsonSyntaxError("something follows the end", f"octet {after + 1}")
        if container.value is not None:
            return container.value
        return decode_text(to_text(self._raw[:]).removeprefix(MARK))


def _decoded(text: str, start: int, end: int) -> Any:
    """What `text`, made of the octets from `start` to `end`, holds."""
    try:
        return decode_text(text)
    except JsonSyntaxError as error:
        raise JsonSyntaxError(error.problem, f"one of the octets {start + 1} to {end}") from None


def _unexpected(bracket: bytes, at: int) -> JsonSyntaxError:
    return JsonSyntaxError(f"unexpected {bracket.decode()}", f"octet {at + 1}")
