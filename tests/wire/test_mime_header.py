"""The strict header reader: nothing is changed, and nothing is read that another program would read differently."""

from __future__ import annotations

from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.mime.date import format_date
from postroom.wire.mime.header import Field, Header, HeaderProblem, make_field, read_header
from postroom.wire.mime.message_id import valid_message_id
from support.dkim import SAMPLES


def read(block: bytes) -> Header:
    header = read_header(block)
    assert isinstance(header, Header), header
    return header


def test_fields_keep_their_bytes() -> None:
    header = read(b"From: a@b.example\r\nSUBJECT:one\r\n\ttwo \r\nX:\r\n")
    assert [(field.key, field.name, field.value) for field in header] == [
        (b"from", b"From", b" a@b.example"),
        (b"subject", b"SUBJECT", b"one\r\n\ttwo "),
        (b"x", b"X", b""),
    ]
    assert header.fields[1].raw == b"SUBJECT:one\r\n\ttwo \r\n"
    assert header.fields[1].unfolded == b"one\ttwo"


def test_names_are_found_in_any_letter_case() -> None:
    header = read(b"To: 1\r\ntO: 2\r\nCc: 3\r\n")
    assert [field.unfolded for field in header.all(b"TO")] == [b"1", b"2"]
    assert header.first(b"cC") == Field(b"cc", b"Cc: 3\r\n")
    assert header.first(b"Bcc") is None


def test_an_empty_block_has_no_fields() -> None:
    assert read(b"").fields == []


def test_fields_are_cut_out_and_put_in_front() -> None:
    header = read(b"A: 1\r\nBcc: x\r\n y\r\nX-Own-One: 2\r\nx-own-TWO: 3\r\nB: 4\r\n")
    header = header.without(b"bCC", prefixes=(b"X-Own-",)).prepended([b"N: 5\r\n\t6\r\n", b"M: 7\r\n"])
    assert bytes(header) == b"N: 5\r\n\t6\r\nM: 7\r\nA: 1\r\nB: 4\r\n"
    assert header.first(b"n") == make_field(b"N: 5\r\n\t6\r\n")


@pytest.mark.parametrize(
    ("block", "line", "problem"),
    [
        (b"From : a@b\r\n", 1, "white space before the colon"),
        (b"A: 1\r\nFrom\t: a@b\r\n", 2, "white space before the colon"),
        (b"From\0: a@b\r\n", 1, "NUL"),
        (b"From: a@b\0\r\n", 1, "NUL"),
        (b"From: a@b\rFrom: c@d\r\n", 1, "CR or LF by itself"),
        (b"From: a@b\nFrom: c@d\r\n", 1, "CR or LF by itself"),
        (b"A: 1\r\n folded\nFrom: c@d\r\n", 2, "CR or LF by itself"),
        (b"Fr\xc3\xb6m: a@b\r\n", 1, "other than printable ASCII"),
        (b"From\xa0: a@b\r\n", 1, "other than printable ASCII"),
        (b"From\x0b: a@b\r\n", 1, "other than printable ASCII"),
        (b"Fr om: a@b\r\n", 1, "other than printable ASCII"),
        (b": a@b\r\n", 1, "no name"),
        (b"A: 1\r\nHello there\r\n", 2, "no colon"),
        (b"From a@b Tue Jul  1 10:52:37 2025\r\n", 1, "other than printable ASCII"),
        (b"x" * 2000 + b"\r\nFrom: a@b\r\n", 1, "no colon"),
        (b" folded: 1\r\n", 1, "none before it"),
        (b"A: 1\r\n \t\r\nFrom: a@b\r\n", 2, "nothing but white space"),
        (b"A: 1\r\n\r\nFrom: a@b\r\n", 2, "empty"),
        (b"A: 1\r\nB: 2", 2, "does not end in CRLF"),
        (b"A: 1\r\nB: 2\r", 2, "does not end in CRLF"),
    ],
)
def test_s11_what_others_read_differently_is_a_problem(block: bytes, line: int, problem: str) -> None:
    found = read_header(block)
    assert isinstance(found, HeaderProblem)
    assert found.line == line
    assert problem in found.problem


@pytest.mark.parametrize(
    ("block", "repeated"),
    [
        (b"From: a\r\nSubject: b\r\nReceived: c\r\nReceived: d\r\n", None),
        (b"From: a\r\nSubject: b\r\nfrom: c\r\n", b"From"),
        (b"From: a\r\nFROM:\r\n", b"From"),
        (b"Message-Id: a\r\nMessage-ID: a\r\n", b"Message-ID"),
        (b"X: 1\r\nX: 2\r\nTo: 1\r\nto: 2\r\n", b"To"),
    ],
)
def test_s11_single_fields_are_counted(block: bytes, repeated: bytes | None) -> None:
    assert read(block).repeated() == repeated


WORDS = [
    b"From",
    b"To",
    b"X-1",
    b"a@b.example",
    b"word",
    b"\xc3\xb6",
    b"<",
    b'"',
    b"\x0b",
    b"\x1c",
    b"\x85",
    b"\0",
]
BETWEEN = [b":", b": ", b" ", b"\t", b"\r\n", b"\r\n", b"\r\n ", b"\r", b"\n"]
fragments = st.lists(st.sampled_from([*WORDS, *BETWEEN])).map(lambda parts: b"".join(parts) + b"\r\n")


@given(fragments)
def test_s11_python_sees_the_same_fields_or_we_refuse(block: bytes) -> None:
    header = read_header(block)
    if isinstance(header, Header):
        judge = BytesParser().parsebytes(block + b"\r\nbody")
        assert [name.encode() for name in judge.keys()] == [field.name for field in header]  # noqa: SIM118
        assert judge.get_payload() == "body"


@given(st.one_of(fragments, st.binary()))
def test_s12_a_header_that_is_read_is_not_changed(block: bytes) -> None:
    header = read_header(block)
    if isinstance(header, Header):
        assert bytes(header) == block


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_read_without_change(name: str) -> None:
    block = SAMPLES[name].partition(b"\r\n\r\n")[0].removesuffix(b"\r\n") + b"\r\n"
    assert bytes(read(block)) == block


@pytest.mark.parametrize("block", [b"x" * 500_000, b"a:" + b"\r\n\t" * 200_000, b"a:b\r\n" * 100_000 + b"x"])
def test_m12_broken_floods_take_linear_time(block: bytes) -> None:
    assert isinstance(read_header(block + b"\r\n"), HeaderProblem)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (b"<a.b@example.com>", True),
        (b"<a..b.@[192.0.2.1]>", True),
        (b"<20250701105237.GA1@host>", True),
        (b"<" + b"x" * 880 + b"@example.com>", True),
        (b"<" + b"x" * 900 + b"@example.com>", False),
        (b"", False),
        (b"a@b", False),
        (b"<a>", False),
        (b"<a@b@c>", False),
        (b"<a@b> <c@d>", False),
        (b"<a b@c>", False),
        (b"<a@b", False),
        (b"<@b>", False),
        (b"<a\x0b@b>", False),
        (b"<\xc3\xb6@b>", False),
    ],
)
def test_message_id(value: bytes, valid: bool) -> None:
    assert valid_message_id(value) is valid


def test_date_is_written_in_utc() -> None:
    assert format_date(1_751_367_157_999) == "Tue, 01 Jul 2025 10:52:37 +0000"
