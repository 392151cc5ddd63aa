from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.wire.mime import reading
from postroom.wire.mime.reading import DEEPEST, MOST_PARTS, Part, content, take_apart, text_of
from support.messages import MESSAGE


def whole(message: bytes, part: Part | None) -> bytes:
    assert part is not None
    return b"".join(content(message, part))


def test_texts_and_attachments_each_in_its_place() -> None:
    taken = take_apart(MESSAGE)
    assert taken.text is not None
    assert taken.html is not None
    assert text_of(MESSAGE, taken.text, 100) == ("Grüße, and a line that goes on", True)
    assert whole(MESSAGE, taken.html) == b"<p>Hello <img src='cid:logo@shop'></p>"
    picture, pdf = taken.attachments
    assert (picture.number, picture.type, picture.content_id, picture.disposition) == (
        3,
        "image/png",
        "logo@shop",
        "inline",
    )
    assert whole(MESSAGE, picture).startswith(b"\x89PNG")
    assert (pdf.number, pdf.filename, whole(MESSAGE, pdf)) == (4, "Rechnung ü.pdf", b"%PDF-1.7\n")
    assert [field.name for field in taken.header][:2] == [b"From", b"To"]


def test_a_plain_message_is_one_text() -> None:
    message = b"Subject: a\r\n\r\nline\r\nline\r\n"
    taken = take_apart(message)
    assert taken.text is not None
    assert text_of(message, taken.text, 100) == ("line\nline\n", True)
    assert (taken.html, taken.attachments) == (None, ())


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        (b"Content-Type: text/html\r\n", "html"),
        (b"Content-Type: TEXT/HTML; charset=x\r\n", "html"),
        (b"Content-Type: text/plain\r\n", "text"),
        (b"", "text"),
        (b"Content-Type: text/html\r\nContent-Disposition: attachment\r\n", "file"),
        (b"Content-Type: text/html; name=a.html\r\n", "file"),
        (b"Content-Type: text/plain\r\nContent-Disposition: inline; filename=a.txt\r\n", "file"),
        (b"Content-Type: text/html\r\nContent-Type: text/plain\r\n", "html"),
        (b"Content-Type: nonsense\r\n", "file"),
        (b"Content-Type: message/rfc822\r\n", "file"),
        (b"Content-Type: multipart/mixed\r\n", "file"),
        (b"Content-Type: multipart/alternative; boundary=nowhere\r\n", "file"),
        (b"Broken header\r\n", "text"),
    ],
)
def test_m09_what_is_shown_and_what_is_a_file(headers: bytes, place: str) -> None:
    taken = take_apart(headers + b"\r\n<b>x</b>\r\n")
    found = {
        "text": taken.text,
        "html": taken.html,
        "file": taken.attachments[0] if taken.attachments else None,
    }
    assert [name for name, part in found.items() if part is not None] == [place]


def test_base64_is_read_whatever_stands_between_and_padding_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = bytes(range(256)) * 3
    for size in (768, 767, 766):
        encoded = b64encode(octets[:size])
        lines = b"\r\n".join(encoded[at : at + 61] for at in range(0, len(encoded), 61))
        message = b"Content-Type: a/b\r\nContent-Transfer-Encoding: BASE64\r\n\r\n" + lines + b"\r\n!more"
        for slice_ in (1, 7, 64, 10_000):
            monkeypatch.setattr(reading, "SLICE", slice_)
            [part] = take_apart(message).attachments
            found = whole(message, part)
            assert found[:size] == octets[:size]
            assert size == 768 or found == octets[:size]


def test_quoted_printable_is_cut_between_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"=C3=BC=\r\n=41 b\r\n" * 30
    message = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + lines
    )
    for slice_ in (20, 33, 10_000):
        monkeypatch.setattr(reading, "SLICE", slice_)
        taken = take_apart(message)
        assert taken.text is not None
        assert text_of(message, taken.text, 10_000) == ("üA b\n" * 30, True)


def test_a_long_text_is_cut() -> None:
    message = b"\r\n" + b"line\r\n" * 100
    taken = take_apart(message)
    assert taken.text is not None
    text, all_of_it = text_of(message, taken.text, 12)
    assert (text, all_of_it) == ("line\nline\nli", False)


def test_a_boundary_may_begin_as_another_one() -> None:
    message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n--ab\r\nstill one\r\n--a \t\r\n\r\ntwo\r\n--a--\r\nrest"
    taken = take_apart(message)
    assert whole(message, taken.text) == b"one\r\n--ab\r\nstill one"
    assert [whole(message, part) for part in taken.attachments] == [b"two"]


def test_a_multipart_without_its_end_is_read_to_the_end() -> None:
    message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n\r\n<b>"
    assert whole(message, take_apart(message).html) == b"<b>"


def test_m12_nesting_and_numbers_have_an_end() -> None:
    deep = b""
    for level in range(DEEPEST * 3):
        deep += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    assert len(take_apart(deep + b"\r\nx").attachments) == 1
    many = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\nx\r\n" * (MOST_PARTS * 2)
    assert len(take_apart(many).attachments) == MOST_PARTS - 1


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, len(MESSAGE)))
def test_m12_whatever_is_read_can_be_shown(noise: bytes, at: int) -> None:
    message = MESSAGE[:at] + noise + MESSAGE[at:]
    taken = take_apart(message)
    for part in (taken.text, taken.html, *taken.attachments):
        if part is not None:
            text_of(message, part, 1000)
            assert 0 <= part.start <= part.end <= len(message)
