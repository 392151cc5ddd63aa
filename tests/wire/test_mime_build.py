"""Whole messages from typed parts. What was put in comes out: the stdlib parser and our own reader are the judges."""

from __future__ import annotations

import re
from base64 import encodebytes
from email.message import EmailMessage
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.types.parts import Disposition, Parts
from postroom.wire.mime.build import build, tail
from postroom.wire.mime.build.message import shape_of, top
from support.parts import PNG, attached, parsed, parts, read, shown

HTML = '<p>Hello <img src="cid:logo"></p>\n'


def outline(part: EmailMessage) -> object:
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        return {part.get_content_subtype(): [outline(inner) for inner in part.iter_parts()]}
    return part.get_content_type()


def test_the_smallest_message_byte_for_byte() -> None:
    assert build(parts()) == (
        b"From: Anna <anna@example.com>\r\n"
        b"To: Bob <bob@example.net>\r\n"
        b"Subject: Hello\r\n"
        b"Date: Tue, 01 Jul 2025 10:52:37 +0000\r\n"
        b"Message-ID: <1@example.com>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hello Bob.\r\n"
    )


def test_a_picture_in_html_byte_for_byte() -> None:
    message = build(parts(html="<p>Grüße</p>", attachments=(shown(),)))
    assert message.partition(b"MIME-Version: 1.0\r\n")[2] == (
        b"Content-Type: multipart/alternative;\r\n"
        b' boundary="=_0198c2f1a2b3c4d5e6f70811.a"\r\n'
        b"\r\n"
        b"--=_0198c2f1a2b3c4d5e6f70811.a\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hello Bob.\r\n"
        b"\r\n"
        b"--=_0198c2f1a2b3c4d5e6f70811.a\r\n"
        b'Content-Type: multipart/related; type="text/html";\r\n'
        b' boundary="=_0198c2f1a2b3c4d5e6f70811.r"\r\n'
        b"\r\n"
        b"--=_0198c2f1a2b3c4d5e6f70811.r\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"<p>Gr=C3=BC=C3=9Fe</p>\r\n"
        b"\r\n"
        b"--=_0198c2f1a2b3c4d5e6f70811.r\r\n"
        b"Content-Type: image/png\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: inline; filename="logo.png"\r\n'
        b"Content-ID: <logo>\r\n"
        b"\r\n" + base64_lines(PNG) + b"\r\n"
        b"--=_0198c2f1a2b3c4d5e6f70811.r--\r\n"
        b"\r\n"
        b"--=_0198c2f1a2b3c4d5e6f70811.a--\r\n"
    )


def base64_lines(data: bytes) -> bytes:
    return encodebytes(data).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({}, "text/plain"),
        ({"text": None, "html": HTML}, "text/html"),
        ({"text": None}, "text/plain"),
        ({"html": HTML}, {"alternative": ["text/plain", "text/html"]}),
        ({"attachments": (attached(),)}, {"mixed": ["text/plain", "application/pdf"]}),
        (
            {"html": HTML, "attachments": (attached(), shown(), attached(), shown("x"))},
            {
                "mixed": [
                    {"alternative": ["text/plain", {"related": ["text/html", "image/png", "image/png"]}]},
                    "application/pdf",
                    "application/pdf",
                ]
            },
        ),
        (
            {"text": None, "html": HTML, "attachments": (shown(), attached())},
            {"mixed": [{"related": ["text/html", "image/png"]}, "application/pdf"]},
        ),
        # Nothing can refer to it: no HTML, or no Content-ID.
        ({"attachments": (shown(),)}, {"mixed": ["text/plain", "image/png"]}),
        (
            {"text": None, "html": HTML, "attachments": (shown(""),)},
            {"mixed": ["text/html", "image/png"]},
        ),
    ],
)
def test_multiparts(given_: dict[str, object], expected: object) -> None:
    assert outline(parsed(build(parts(**given_)))) == expected


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("short lines\nof ASCII\n", "7bit", "us-ascii"),
        ("", "7bit", "us-ascii"),
        ("\ttabs\tare fine\n", "7bit", "us-ascii"),
        ("x" * 78, "7bit", "us-ascii"),
        ("x" * 79, "quoted-printable", "us-ascii"),
        ("ends in white space \n", "quoted-printable", "us-ascii"),
        ("ends in white space\t", "quoted-printable", "us-ascii"),
        ("a\nFrom here\n", "quoted-printable", "us-ascii"),
        ("From here\n", "quoted-printable", "us-ascii"),
        ("--=_0198c2f1a2b3c4d5e6f70811.m--\n", "quoted-printable", "us-ascii"),
        ("a\n.\nb\n", "quoted-printable", "us-ascii"),
        ("a\0b", "quoted-printable", "us-ascii"),
        ("a\x0bb", "quoted-printable", "us-ascii"),
        ("a\x7fb", "quoted-printable", "us-ascii"),
        ("ö", "quoted-printable", "utf-8"),
        ("東京" * 100, "quoted-printable", "utf-8"),
    ],
)
def test_texts_are_encoded_as_little_as_possible(text: str, encoding: str, charset: str) -> None:
    for subtype in ("text", "html"):
        message = parsed(build(parts(**{"text": None, subtype: text})))
        assert message["Content-Transfer-Encoding"] == encoding
        assert message.get_content_charset() == charset
        assert message.get_content() == canonical(text)


def canonical(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return (text if text.endswith("\n") else text + "\n").replace("\n", "\r\n")


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\nb", "a\r\n\rb\n\n", "\n" * 3])
def test_line_ends_of_any_kind_become_crlf(text: str) -> None:
    body = build(parts(text=text)).partition(b"\r\n\r\n")[2]
    assert body.decode() == canonical(text)


texts = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\r\n \t.=-\0Fromé東👩‍👧")), max_size=400
)


@given(texts, st.one_of(st.none(), texts), st.booleans(), st.booleans())
def test_p07_what_was_put_in_comes_out(text: str, html: str | None, mixed: bool, related: bool) -> None:
    files = (attached(),) * mixed + (shown(),) * related
    message = build(parts(text=text, html=html, attachments=files))
    assert_fits_everywhere(message)
    found = parsed(message)
    bodies = [part.get_content() for part in found.walk() if part.get_content_maintype() == "text"]
    assert bodies == [canonical(given_) for given_ in (text, html) if given_ is not None]
    contents = [
        part.get_content() for part in found.walk() if part.get_content_maintype() in ("image", "application")
    ]
    assert contents == [PNG] * (related and html is not None) + [b"%PDF-1.4 report"] * mixed + [PNG] * (
        related and html is None
    )


def assert_fits_everywhere(message: bytes) -> None:
    """ASCII in short lines of CRLF, no NUL, a header that our strict reader takes."""
    assert message.isascii()
    assert b"\0" not in message
    assert b"\nFrom " not in message
    assert message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r")
    assert max(map(len, message.split(b"\r\n"))) <= 78
    assert message.endswith(b"\r\n")
    block = message.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert bytes(read(block)) == block


def test_p07_a_line_of_a_megabyte() -> None:
    text = "a👩‍👧ö " * 100_000
    message = build(parts(text=text))
    assert_fits_everywhere(message)
    assert parsed(message).get_content() == canonical(text)


def test_p07_a_text_longer_than_what_is_encoded_at_once() -> None:
    text = "Grüße, From and =\nFrom me \n" * 30_000
    message = build(parts(text=text, html=text))
    assert_fits_everywhere(message)
    assert [part.get_content() for part in parsed(message).iter_parts()] == [canonical(text)] * 2


@given(st.binary(max_size=300))
def test_attachments_come_out_octet_for_octet(data: bytes) -> None:
    message = build(parts(attachments=(attached(data=data),)))
    assert_fits_everywhere(message)
    (found,) = parsed(message).iter_attachments()
    assert found.get_content() == data
    assert max(map(len, message.split(b"\r\n"))) <= 76


def test_a_large_attachment_comes_in_small_chunks() -> None:
    data = bytes(range(256)) * 8192
    chunks = list(tail(parts(attachments=(attached(data=data),))))
    assert max(map(len, chunks)) < 512 * 1024
    (found,) = parsed(build(parts(attachments=(attached(data=data),)))).iter_attachments()
    assert found.get_content() == data


@pytest.mark.parametrize(
    ("data", "charset"),
    [(b"a;b\r\n", "utf-8"), ("ö;ä\n".encode(), "utf-8"), ("ö;ä\n".encode("cp1252"), None)],
)
def test_text_files_say_their_charset_where_it_is_certain(data: bytes, charset: str | None) -> None:
    (found,) = parsed(build(parts(attachments=(attached("a.csv", "text/csv", data),)))).iter_attachments()
    assert found.get_content_charset() == charset
    assert found.get_payload(decode=True) == data


LETTER = b"From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n"


@pytest.mark.parametrize(
    ("data", "stays"),
    [
        (LETTER, True),
        (LETTER + b"no line end", True),
        (LETTER + b"\xc3\xb6\r\n", False),
        (LETTER + b"bare LF\n", False),
        (LETTER + b"\0\r\n", False),
        (LETTER + b"x" * 999 + b"\r\n", False),
        (LETTER + b"--=_0198c2f1a2b3c4d5e6f70811.m--\r\n", False),
        (LETTER + b"\r\r\n", False),
    ],
)
def test_attached_messages_are_never_base64_of_message_rfc822(data: bytes, stays: bool) -> None:
    message = build(parts(attachments=(attached("a.eml", "message/rfc822", data),)))
    (found,) = parsed(message).iter_attachments()
    assert found.get_filename() == "a.eml"
    if stays:
        assert found["Content-Transfer-Encoding"] == "7bit"
        assert data in message
        assert found.get_content()["Subject"] == "x"
    else:
        assert found.get_content_type() == "application/octet-stream"
        assert found.get_content() == data


def test_who_is_in_neither_to_nor_cc_is_nowhere() -> None:
    message = build(parts(to=()))
    assert (
        read(message.partition(b"\r\n\r\n")[0] + b"\r\n").all(b"To")[0].unfolded
        == b"undisclosed-recipients:;"
    )
    assert b"bob" not in message.lower().replace(b"hello bob.", b"")
    assert not re.search(rb"^bcc", message, re.IGNORECASE | re.MULTILINE)


@settings(max_examples=30)
@given(
    st.sampled_from([None, "text", "tëxt"]),
    st.sampled_from([None, "<p>", "<p>ö"]),
    st.sets(st.integers(0, 3)),
)
def test_top_and_tail_are_the_message(text: str | None, html: str | None, chosen: set[int]) -> None:
    files = [attached(), shown(), shown(""), attached("ü.csv", "text/csv")]
    whole = parts(text=text, html=html, attachments=tuple(files[at] for at in sorted(chosen)))
    assert top(whole, shape_of(whole)) + b"".join(tail(whole)) == build(whole)


def test_the_same_parts_are_the_same_bytes() -> None:
    def make() -> Parts:
        return parts(subject="Grüße", html=HTML, attachments=(attached("ö.pdf"), shown()))

    assert build(make()) == build(make())


def test_dispositions_and_content_ids() -> None:
    for disposition, id_ in product(Disposition, ("", "a@b", "logo")):
        file = shown(id_)
        message = build(
            parts(html=HTML, attachments=(type(file)("a.png", "image/png", disposition, id_, PNG),))
        )
        (found,) = (part for part in parsed(message).walk() if part.get_content_maintype() == "image")
        assert found.get_content_disposition() == disposition.value
        assert found["Content-ID"] == (f"<{id_}>" if id_ else None)
