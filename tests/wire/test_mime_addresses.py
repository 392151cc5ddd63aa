"""Address lists: who a header names, or why nobody can tell for sure."""

from __future__ import annotations

import re
from email import policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.types.envelope import Address
from postroom.wire.mime.addresses import read_addresses


def addresses(value: bytes) -> list[str]:
    found = read_addresses(value)
    assert not isinstance(found, str), found
    return [str(mailbox.address) for mailbox in found]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" a@example.com", ["a@example.com"]),
        (b"<a@example.com>", ["a@example.com"]),
        (b"Anna <a@example.com>", ["a@example.com"]),
        (b"Anna B. Smith <A.b+c@EXAMPLE.com>", ["A.b+c@example.com"]),
        (
            b"a@example.com, B <b@example.net>,c@example.org",
            ["a@example.com", "b@example.net", "c@example.org"],
        ),
        (b'"Smith, Anna" <a@example.com>', ["a@example.com"]),
        (b'"x@evil.example" <a@example.com>', ["a@example.com"]),
        (b'"<x@evil.example>,\\"" <a@example.com>', ["a@example.com"]),
        (b"(x@evil.example,) a@example.com (\\) (nested (twice)))", ["a@example.com"]),
        (b"a (x) @ (y) example.com", ["a@example.com"]),
        (b"Anna (x) < (y) a@example.com (z) > (,)", ["a@example.com"]),
        (b"Anna\r\n <a@example.com>,\r\n\tb@example.net", ["a@example.com", "b@example.net"]),
        (b"Team: a@example.com, B <b@example.net>;", ["a@example.com", "b@example.net"]),
        (b"Team: a@example.com;, c@example.org", ["a@example.com", "c@example.org"]),
        (b"undisclosed-recipients:;", []),
        (b"a@example.com,, b@example.net,", ["a@example.com", "b@example.net"]),
        (b"a@[192.0.2.1]", ["a@[192.0.2.1]"]),
        ("Jörg <jörg@münchen.example>".encode(), ["jörg@xn--mnchen-3ya.example"]),
        (b"J\xf6rg <joerg@example.com>", ["joerg@example.com"]),
    ],
)
def test_s10_addresses_are_found_whatever_stands_around_them(value: bytes, expected: list[str]) -> None:
    assert addresses(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'"a b"@example.com', '"a b"@example.com'),
        (b'"a@b"@example.com', '"a@b"@example.com'),
        (b'"a@evil.example x"@example.com', '"a@evil.example x"@example.com'),
        (b'"\\""@example.com', '"\\""@example.com'),
        (b"MiXed@Example.COM", "MiXed@example.com"),
        (b"(x)a@example.com", "a@example.com"),
        (b"x" * 64 + b"@example.com", "x" * 64 + "@example.com"),
        (b"=?utf-8?q?a=40evil.example?=@example.com", "=?utf-8?q?a=40evil.example?=@example.com"),
    ],
)
def test_s23_local_parts_stay_byte_for_byte(value: bytes, expected: str) -> None:
    assert addresses(value) == [expected]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"  ",
        b",",
        b"Anna",
        b"Smith, Anna <a@example.com>",
        b"a@evil.example <a@example.com>",
        b"a@evil.example a@example.com",
        b"<a@evil.example> <a@example.com>",
        b"<a@example.com> x",
        b"Anna <a@example.com",
        b"Anna a@example.com>",
        b"<<a@example.com>>",
        b"<>",
        b"<a@evil.example, a@example.com>",
        b"<@evil.example:a@example.com>",
        b"<@evil.example,@example.com:a@example.com>",
        b"a@evil.example@example.com",
        b"a@evil.example(x)@example.com",
        b"alice@example.org)bob@example.com",
        b"(alice@example.org",
        b'"alice@example.org',
        b"[x] <a@example.com>",
        b"a b@example.com",
        b"a . b@example.com",
        b"a@exam ple.com",
        b"a..b@example.com",
        b".a@example.com",
        b"x" * 65 + b"@example.com",
        b'"\\"@example.com',
        b'""a@example.com',
        b"a@",
        b"@example.com",
        b"a\\@example.com",
        b"a@example.com;",
        b"Team: a@example.com",
        b": a@example.com;",
        b"a@x: b@example.com;",
        b"One: Two: a@example.com;;",
        b"Team: a@example.com; b@example.com",
        b"Re: hello <a@example.com>",
        b"a@example.com\0",
        b"a@example.com\x0bb@evil.example",
        b'"a\x1c" <a@example.com>',
        b"(a\x0c) <a@example.com>",
        b"a@example.com\r\n\r b@evil.example",
        b"\xf6@example.com",
        b"a@\xf6.example",
        b'"\xf6"@example.com',
        "a＠evil.example@example.com,".encode() + b"\xff@b",
        "a\u200bb@example.com".encode(),
        "a@evil．example".encode(),
    ],
)
def test_s11_s23_what_can_be_read_in_two_ways_is_a_problem(value: bytes) -> None:
    problem = read_addresses(value)
    assert isinstance(problem, str)
    assert problem
    assert len(problem) <= 90


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"a@example.com", ""),
        (b"Anna  B. (comment) Smith <a@example.com>", "Anna B. Smith"),
        (b'"Smith, \\"Anna\\"" <a@example.com>', 'Smith, "Anna"'),
        (b"=?utf-8?q?J=C3=B6rg?= Smith <a@example.com>", "Jörg Smith"),
        (b"=?utf-8?q?x=40evil.example=3E=2C?= <a@example.com>", "x@evil.example>,"),
        ("東京 <a@example.com>".encode(), "東京"),
        (b"J\xf6rg <a@example.com>", "Jörg"),
        (b"x" * 1000 + b" <a@example.com>", "x" * 199 + "…"),
    ],
)
def test_names_are_decoded_for_display(value: bytes, name: str) -> None:
    found = read_addresses(value)
    assert not isinstance(found, str)
    assert [mailbox.name for mailbox in found] == [name]


atoms = st.text("abcXYZ019!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=8)
domains = st.lists(st.text("abc019", min_size=1, max_size=5), min_size=2, max_size=3).map(".".join)
locals_ = st.one_of(
    st.lists(atoms, min_size=1, max_size=3).map(".".join),
    st.text("ab @,<>()[]:;.", max_size=8).map('"{}"'.format),
)
specs = st.builds("{}@{}".format, locals_, domains)
names = st.one_of(
    st.lists(atoms, min_size=1, max_size=3).map(" ".join),
    st.text("ab @,<>()[]:;.", min_size=1, max_size=8).map('"{}"'.format),
)
mailboxes = st.one_of(
    specs.map(lambda spec: (spec, [spec])),
    st.tuples(names, specs).map(lambda pair: ("{} <{}>".format(*pair), [pair[1]])),
    st.tuples(names, specs).map(lambda pair: ("{}\r\n <{}> (x@y, (z))".format(*pair), [pair[1]])),
    st.lists(specs, max_size=3).map(lambda many: ("Group: {};".format(", ".join(many)), many)),
)


@given(st.lists(mailboxes, min_size=1, max_size=4))
def test_s10_every_address_of_a_well_formed_list_is_found(parts: list[tuple[str, list[str]]]) -> None:
    value = ",\r\n\t".join(text for text, _ in parts)
    assert addresses(value.encode()) == [spec for _, specs in parts for spec in specs]


SPECIALS = list('@<>,:;"()\\[].')
PIECES = [*SPECIALS, "a", "b.c", "x.example", "=?utf-8?q?q=40z?=", "(c)", "Name", " ", '"q q"', ""]


@st.composite
def damaged_lists(draw) -> str:
    """A well-formed list with some pieces put in or in the place of others."""
    text = ", ".join(part for part, _ in draw(st.lists(mailboxes, min_size=1, max_size=2)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[start + draw(st.integers(0, 2)) :]
    return text


@settings(max_examples=500)
@given(damaged_lists())
def test_s23_what_we_read_a_second_parser_reads_alike(value: str) -> None:
    found = read_addresses(value.encode())
    theirs = _second_parser(value.replace("\r\n", ""))
    if not isinstance(found, str) and theirs is not None:
        assert [_unquoted(mailbox.address) for mailbox in found] == theirs


def _unquoted(address: Address) -> tuple[str, str]:
    quoted = address.local.startswith('"')
    return re.sub(r"\\(.)", r"\1", address.local[1:-1]) if quoted else address.local, address.domain


def _second_parser(value: str) -> list[tuple[str, str]] | None:
    """The addresses as CPython reads them, or None where it crashes, is not sure itself or is known to be wrong."""
    if "=?" in value:
        return None  # it decodes encoded-words wherever they stand, local parts included (CPython 152519)
    try:
        header = policy.default.header_factory("To", value)
    except Exception:
        return None
    if any("obsolete" not in str(defect).lower() for defect in header.defects):
        return None
    return [(address.username, address.domain.lower()) for address in header.addresses]


@pytest.mark.parametrize(
    "value",
    [
        b"a@b.example, " * 20_000,
        b"(" * 100_000,
        b"(" * 20_000 + b")" * 20_000 + b"a@b.example",
        b"<" * 100_000,
        b'"' * 100_001,
        b'"' + b"\\" * 100_001,
        b"x:" * 20_000,
        b"x" * 100_000,
        b"x " * 20_000,
        b"[" * 100_000,
        b"a@" * 20_000,
        b"g:;," * 20_000,
    ],
    ids=lambda value: value[:6].decode(),
)
def test_m12_floods_take_linear_time_and_no_recursion(value: bytes) -> None:
    read_addresses(value)
