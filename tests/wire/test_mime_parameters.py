from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.mime.parameters import read_parameters


@pytest.mark.parametrize(
    ("written", "value", "name", "expected"),
    [
        (b" text/plain", "text/plain", "charset", ""),
        (b' Text/HTML; charset="UTF-8"; x=y', "text/html", "charset", "UTF-8"),
        (b" text/plain;\r\n\tcharset = us-ascii", "text/plain", "charset", "us-ascii"),
        (b" attachment; FileName=a.pdf", "attachment", "filename", "a.pdf"),
        (rb' attachment; filename="a \"b\" \\c.pdf"', "attachment", "filename", 'a "b" \\c.pdf'),
        (b" attachment; filename*=utf-8''%c3%a4.pdf; filename=x", "attachment", "filename", "ä.pdf"),
        (b" attachment; filename*=iso-8859-1'de'%e4.pdf", "attachment", "filename", "ä.pdf"),
        (b" attachment; filename*=%c3%a4.pdf", "attachment", "filename", "ä.pdf"),
        (b" attachment; filename*0=lo; filename*1=ng.pdf", "attachment", "filename", "long.pdf"),
        (
            b" attachment; filename*0*=utf-8''%c3; filename*1*=%a4%20; filename*2=b",
            "attachment",
            "filename",
            "ä b",
        ),
        (b" attachment; filename*1=b", "attachment", "filename", ""),
        (b' attachment; filename="=?utf-8?b?w6QucGRm?="', "attachment", "filename", "ä.pdf"),
        (b' attachment; filename="a\x01b\xe2\x80\xaegpj.exe"', "attachment", "filename", "abgpj.exe"),
        (b' attachment; filename="no end', "attachment", "filename", ""),
        (b"", "", "filename", ""),
    ],
)
def test_values_and_parameters(written: bytes, value: str, name: str, expected: str) -> None:
    read = read_parameters(written)
    assert (read.value, read.get(name)) == (value, expected)


def test_the_first_of_two_counts_and_only_so_many_are_read() -> None:
    assert read_parameters(b"a; x=1; x=2").get("x") == "1"
    many = b"a" + b"".join(b"; p%d=1" % number for number in range(1000))
    assert len(read_parameters(many).raw) == 100


@given(st.binary(max_size=300))
def test_m12_whatever_stands_there_is_read(written: bytes) -> None:
    read = read_parameters(b"attachment; filename" + written)
    assert read.get("filename").isprintable()
