"""wire.smtp.dot_stuffing: what goes over the wire after DATA (S02)."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postroom.wire.smtp.dot_stuffing import DotStuffer, UnsafeContentError, stuffed

ALPHABET = st.sampled_from([b"\r", b"\n", b".", b"\0", b"a", b"\r\n"])
CONTENT = st.lists(ALPHABET, max_size=12).map(b"".join)


def in_chunks(content: bytes, cuts: list[int]) -> bytes:
    stuffer = DotStuffer()
    edges = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    chunks = [content[start:end] for start, end in pairwise(edges)]
    return b"".join([*map(stuffer.feed, chunks), stuffer.finish()])


def is_clean(content: bytes) -> bool:
    return b"\0" not in content and not {b"\r", b"\n"} & {
        content[at : at + 1] for at in range(len(content)) if content[at : at + 2] != b"\r\n" and content[at - 1 : at + 1] != b"\r\n"
    }  # fmt: skip


@given(CONTENT, st.lists(st.integers(0, 40), max_size=4))
@example(b"\r\n.\r\n", [2, 3])
@example(b"a\r\n..\r\n.", [1, 2])
@example(b"\n\r\r\n", [3])
@settings(max_examples=1000, deadline=None)
def test_s02_nothing_but_clean_stuffed_content_reaches_the_wire(content: bytes, cuts: list[int]) -> None:
    if not is_clean(content):
        with pytest.raises(UnsafeContentError):
            stuffed(content)
        with pytest.raises(UnsafeContentError):
            in_chunks(content, cuts)
        return
    wire = stuffed(content)
    assert in_chunks(content, cuts) == wire
    assert is_clean(wire)
    body, end = wire[:-3], wire[-3:]
    assert end == b".\r\n"
    assert b"\r\n.\r\n" not in b"\r\n" + body
    unstuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")
    assert (
        unstuffed == content if content.endswith(b"\r\n") or not content else unstuffed == content + b"\r\n"
    )


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.b\r\n", b"a\r\n..b\r\n.\r\n"),
        (b"a.b\r\n", b"a.b\r\n.\r\n"),
    ],
)
def test_stuffs_and_ends(content: bytes, wire: bytes) -> None:
    assert stuffed(content) == wire


def test_s02_every_split_of_a_crlf_and_a_dot() -> None:
    content = b"x\r\n.\r\n..y\r\n"
    for first in range(len(content) + 1):
        for second in range(len(content) + 1):
            assert in_chunks(content, [first, second]) == b"x\r\n..\r\n...y\r\n.\r\n"


def test_head_and_body_are_one_stream() -> None:
    assert stuffed(b"A: b\r\n\r\n", b".c\r\n") == b"A: b\r\n\r\n..c\r\n.\r\n"
