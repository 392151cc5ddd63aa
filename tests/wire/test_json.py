"""What is JSON for us and what is not, alike for small texts and for large ones read in pieces (H06)."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from mmap import mmap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.json import (
    JsonRefusedError,
    JsonSyntaxError,
    LongText,
    decode,
    decode_large,
    large,
    long_text,
)


def decode_mapped(raw: bytes) -> Any:
    """As the API holds large bodies."""
    pages = mmap(-1, len(raw))
    pages.write(raw)
    return decode_large(pages)


BOTH = pytest.mark.parametrize(
    "read", [decode, decode_large, decode_mapped], ids=["small", "large", "mapped"]
)
Read = Callable[[bytes], Any]

REFUSED = [
    (b'{"a":1,"a":2}', "the key 'a' is there twice"),
    (b'{"a":{"b":1,"c":2,"\\u0062":3}}', "the key 'b' is there twice"),
    (b"[NaN]", "NaN is no JSON number"),
    (b"[-Infinity]", "-Infinity is no JSON number"),
    (b"[1e999]", "too large"),
    (b"[0." + b"1" * 100 + b"]", "too large or too long"),
    (b"[" + b"1" * 5000 + b"]", "more than 20 digits"),
    (b"[123456789012345678901]", "more than 20 digits"),
    (b'["\\ud800"]', "half a surrogate pair"),
    (b'["\\udc00\\ud800"]', "half a surrogate pair"),
    (b'{"\\uD83D":1}', "half a surrogate pair"),
    (b'["a\\u0000b"]', "NUL"),
    (b'{"a\\u0000":1}', "NUL"),
    (b'["\xff"]', "not UTF-8"),
    (b'["\xc3"]', "not UTF-8"),
    (b'["\xed\xa0\x80"]', "not UTF-8"),  # a surrogate as if it were a character
    (b"[" * 33 + b"]" * 33, "deeper than 32"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32"),
    (b"[" * 100_000, "deeper than 32"),
    (b'{"a":' * 100_000, "deeper than 32"),
]

WRONG = [
    b"[",
    b"{",
    b'{"a":1',
    b'["a',
    b'["a\\',
    b'{"a"}',
    b'{"a":}',
    b"{a:1}",
    b"{'a':1}",
    b"[1,]",
    b"[,1]",
    b"[1,,2]",
    b"[1 2]",
    b"[[1] 2]",
    b"[1]]",
    b"[1}",
    b'{"a":1]',
    b'{"a":1,}',
    b'{,"a":1}',
    b'{"a":1 "b":2}',
    b'{"a":[1] "b":2}',
    b'{"a" [1]}',
    b'{"a":[1][2]}',
    b"[1][2]",
    b"[1] x",
    b"x [1]",
    b"[tru]",
    b"[01]",
    b"[1.]",
    b"[+1]",
    b"[.5]",
    b'["a\nb"]',
    b'["a\x00b"]',
    b'["a\\x41"]',
    b'["\\u12g4"]',
    b'["\\u12"]',
    b"\xef\xbb\xbf\xef\xbb\xbf[1]",
    b" \xef\xbb\xbf[1]",
    b"[\xef\xbb\xbf1]",
    b"\xef\xbb\xbf",
    b"\x00[1]",
    "[1]".encode("utf-16-le"),
    b"[[1,2,3,4,5,6][1,2,3,4,5,6]]",
    b'{"a":[1,2,3,4,5,6][1,2,3,4,5,6]}',
    b'{"a":[1,2,3,4,5,6]"b":[1,2,3,4,5,6]}',
    b"[[1,2,3,4,5,6] x,2]",
    b"[[1,2,3,4,5,6] x]",
    b"[x [1,2,3,4,5,6]]",
    b"[[1,2,3,4,5,6],]",
    b"[[1,2,3,4,5,6],,1]",
    b"[1,2,3,4,5,6,]",
    b"[1,2,3,4,5,6,,7]",
    b"[1,2,3,4,5,6}",
    b'{"a":[1,2,3,4,5,6},"b":1}',
    b'{"a":1,"b":2,"c":3,"d":4]',
    b"[1,2,3,4,5,6] x",
    b"x [1,2,3,4,5,6]",
    b"[1,2,3,4,5,6][1]",
    b"[1] // comment",
    b"[1 /* comment */]",
]

RIGHT = [
    b"{}",
    b" [ ] ",
    b'{"a":{"a":[{"a":1}]}}',
    b'["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800"]',
    '["é漢😀", "\\u00e9\\/\\b\\f\\n\\r\\t\\"\\\\"]'.encode(),
    b"[0, -0, -1, 1.5, 1e3, 1E-3, 18446744073709551615, true, false, null]",
    b"[" * 32 + b"]" * 32,
    b'{"":1}',
    b'[{"a":1},{"a":1}]',
    b'["\x7f"]',
    b'\xef\xbb\xbf {"a":[1, "\xef\xbb\xbf"]}',  # a byte order mark
]


@BOTH
@pytest.mark.parametrize(("raw", "why"), REFUSED)
def test_h06_refused(read: Read, raw: bytes, why: str) -> None:
    with pytest.raises(JsonRefusedError, match=why):
        read(raw)


@BOTH
@pytest.mark.parametrize("raw", WRONG)
def test_h06_wrong(read: Read, raw: bytes) -> None:
    with pytest.raises((JsonSyntaxError, JsonRefusedError)):
        read(raw)


@BOTH
@pytest.mark.parametrize("raw", RIGHT)
def test_right(read: Read, raw: bytes) -> None:
    assert read(raw) == json.loads(raw)


def test_small_scalars_are_json_large_ones_are_not_taken() -> None:
    assert [decode(raw) for raw in (b"1", b'"a"', b"null", b" true ")] == [1, "a", None, True]
    with pytest.raises(JsonSyntaxError):
        decode_large(b'"a"')


def test_a_syntax_error_says_where() -> None:
    with pytest.raises(JsonSyntaxError, match=r"^expecting ',' delimiter at line 2, column 4$"):
        decode(b"[1,\n 2 3]")


def test_h06_bounded_numbers_of_values_and_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "MOST_VALUES", 10)
    monkeypatch.setattr(large, "MOST_CONTAINERS", 5)
    assert len(decode_large(b"[" + b"1," * 10 + b"1]")) == 11
    with pytest.raises(JsonRefusedError, match="more than 10 values"):
        decode_large(b"[" + b"1," * 11 + b"1]")
    with pytest.raises(JsonRefusedError, match="more than 5 objects and arrays"):
        decode_large(b"[" + b"[]," * 5 + b"1]")
    assert decode_large(b'["' + b"[,{" * 50 + b'"]') == ["[,{" * 50]


@BOTH
def test_a_backslash_before_each_quote_is_no_quadratic_work(read: Read) -> None:
    text = '"\\' * 30_000
    assert read(json.dumps([text]).encode()) == [text]


# -- in pieces ------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, 4)


def shrink(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """As if 64 KB were `step` octets, so that small examples meet every seam."""
    monkeypatch.setattr(large, "STEP", step)
    monkeypatch.setattr(long_text, "STEP", max(step, 12))
    monkeypatch.setattr(large, "MEDIUM", max(4 * step, 60))
    monkeypatch.setattr(large, "LONG", 1_000_000)
    monkeypatch.setattr(large, "MOST_SPACE", 1_000_000)


alphabet = st.sampled_from('ab0"\\/\n\t\x1f\x7fé漢😀 ,[]{}:')
json_text = st.text(alphabet)
keys = st.text(alphabet, max_size=4)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | json_text,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=40,
)


@given(
    value=st.lists(values) | st.dictionaries(keys, values),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
    step=st.integers(2, 40),
)
def test_in_pieces_is_the_same_as_at_once(
    value: Any, ascii_only: bool, indent: int | None, step: int
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, step)
        assert decode_large(raw) == value


@given(
    value=st.lists(values) | st.dictionaries(keys, values),
    at=st.integers(0, 200),
    change=st.sampled_from([b"", b",", b'"', b"[", b"}", b":", b"\\", b"0", b" ", b"\xff", b"\\ud800"]),
    step=st.integers(2, 40),
)
def test_damaged_in_pieces_is_the_same_as_at_once(value: Any, at: int, change: bytes, step: int) -> None:
    """Either both read the same, or both refuse."""
    raw = json.dumps(value).encode()
    raw = raw[: at % len(raw)] + change + raw[at % len(raw) + 1 :]

    def outcome(read: Callable[[bytes], Any]) -> Any:
        try:
            return read(raw)
        except (JsonSyntaxError, JsonRefusedError):
            return "refused"

    whole = outcome(decode)
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, step)
        parts = outcome(decode_large)
    assert parts == (whole if isinstance(whole, list | dict) else "refused")


@pytest.mark.parametrize("raw", [*RIGHT, *WRONG, *(raw for raw, _ in REFUSED)])
@pytest.mark.parametrize("step", [2, 3, 5, 8, 13])
def test_the_tables_at_every_seam(raw: bytes, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, step)
    if raw in RIGHT:
        assert decode_large(raw) == json.loads(raw)
    else:
        with pytest.raises((JsonSyntaxError, JsonRefusedError)):
            decode_large(raw)


@pytest.mark.usefixtures("tiny")
def test_keys_twice_are_seen_across_pieces() -> None:
    for raw in (b'{"a":1,"b":22222222,"a":3}', b'{"a":[1,2,3,4,5,6],"b":1,"a":[1,2,3,4,5,6]}'):
        with pytest.raises(JsonRefusedError, match="'a' is there twice"):
            decode_large(raw)


@pytest.mark.usefixtures("tiny")
def test_a_key_may_not_be_long() -> None:
    with pytest.raises(JsonSyntaxError):
        decode_large(b'{"' + b"k" * 100 + b'":1}')


# -- long strings ---------------------------------------------------------------------------------------------


def long_of(text: str, *, escaped: bool = True, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(large, "MEDIUM", 8)
    monkeypatch.setattr(large, "LONG", 16)
    raw = json.dumps({"a": 1, "long": text, "b": [text, "short"]}, ensure_ascii=escaped).encode()
    return decode_large(raw)


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        string.ascii_letters * 5000,
        'é\n"\\/' * 20_000,
        "😀" * 30_000,
        "a" * 65_535 + "😀" + "b" * 100,
        "\x7f" * 100_000,
    ],
)
def test_a_long_string_is_read_in_pieces(text: str, escaped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    value = long_of(text, escaped=escaped, monkeypatch=monkeypatch)
    assert isinstance(value["long"], LongText)
    assert value["long"].text() == value["b"][0].text() == text
    assert len(value["long"]) == len(json.dumps(text, ensure_ascii=escaped).encode()) - 2
    assert all(len(piece) <= 70_000 for piece in value["long"].pieces())
    assert (value["a"], value["b"][1]) == (1, "short")


@pytest.mark.parametrize(
    "inside", [b"\\ud800", b"\\x41", b"\x01", b"\\u0000", b"\xff", b"\\udc00\\ud800", b"\\u00g0"]
)
@pytest.mark.parametrize("before", [0, 30, 65_530, 65_535, 65_536, 100_000])
def test_h06_a_long_string_is_checked_before_anybody_uses_it(
    inside: bytes, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "MEDIUM", 8)
    monkeypatch.setattr(large, "LONG", 16)
    with pytest.raises((JsonSyntaxError, JsonRefusedError)):
        decode_large(b'["' + b"a" * before + inside + b"a" * 50 + b'"]')


def test_a_string_between_medium_and_long_is_an_ordinary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "MEDIUM", 8)
    text = "é" * 100_000
    assert decode_large(json.dumps([1, text, {"k": text}]).encode()) == [1, text, {"k": text}]
