"""What is stored of a personalised message."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default as policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.draft import Content
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox, Parts
from postroom.wire.mime.build import Document, DocumentError, UnsafePartsError, build, tail
from postroom.wire.mime.build.check import unsafe
from support.parts import ANNA, attached, parts, shown

FULL = parts(
    from_=Mailbox("Änne", Address('"a n"', "example.com")),
    to=(Mailbox("", Address('"a@b"', "example.net")), ANNA),
    cc=(Mailbox("Jörg", Address("jörg", "xn--mnchen-3ya.example")),),
    reply_to=(ANNA, ANNA),
    subject="Hello {{ name }} \u2013 東京",
    text="Hello {{ name }}\n",
    html="<p>Hello {{ name }}</p>",
    headers=(("X-A", "ö"), ("X-A", "")),
    in_reply_to="<a@b>",
    references=("<a@b>", "<c@d>"),
    list_unsubscribe=("https://example.com/u",),
    precedence_bulk=True,
    attachments=(attached(), shown()),
)


@pytest.mark.parametrize("given_", [FULL, parts(), parts(text=None, html=""), parts(text="", html=None)])
def test_a_document_is_read_as_it_was_written(given_: Parts) -> None:
    document = Document.of(given_, twig=False, simple=True)
    head = document.encode()
    assert Document.decode(head) == document
    assert document.parts.attachments == ()


@pytest.mark.parametrize("given_", [FULL, parts(), parts(text=None, html="x", attachments=(shown(),))])
def test_rendered_top_and_tail_are_the_message(given_: Parts) -> None:
    document = Document.decode(Document.of(given_).encode())
    message = document.rendered(given_.subject, given_.text, given_.html) + b"".join(tail(given_))
    assert message == build(given_)


@given(st.text(), st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_a_rendered_subject_is_one_line(subject: str, text: str, html: str) -> None:
    document = Document.of(FULL)
    if unsafe(subject):
        with pytest.raises(UnsafePartsError, match="subject"):
            document.rendered(subject, text, html)
        return
    message = document.rendered(subject, text, html) + b"".join(tail(FULL))
    found = message_from_bytes(message, policy=policy)
    assert len(found.keys()) == len(message_from_bytes(build(FULL), policy=policy).keys())
    assert [part.get_content_type() for part in found.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]


def test_s12_a_rendered_subject_with_a_control_character_is_refused() -> None:
    document = Document.of(parts())
    for char in ("\r\n", "\0", "\x1b", "\x1c", "\x7f", "\x80", "\u2028"):
        with pytest.raises(UnsafePartsError, match="subject holds a control character"):
            document.rendered(f"a{char}b", "", None)


def test_one_octet_tells_a_document_from_a_message() -> None:
    head = Document.of(FULL).encode()
    assert Content(head, len(head), len(head)).personalised
    message = build(FULL)
    assert not Content(message, len(message), 10).personalised
    assert not Content(b"", 100, 10, blob="key").personalised


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"From: a@example.com\r\n",
        b"\0parts 2\n{}\n",
        b"\0parts 1\n",
        b"\0parts 1\n{}",
        b"\0parts 1\n[]",
        b'\0parts 1\n{"shape":[1,1],"twig":true,"simple":true,"nonsense":1}',
        b'\0parts 1\n{"shape":[1,1,1]}',
        Document.of(FULL).encode()[:-20],
        Document.of(FULL).encode().replace(b'"subject"', b'"s"'),
        Document.of(FULL).encode().replace(b'"to":[[', b'"to":[[1,'),
        Document.of(FULL).encode().replace("東".encode(), b"\xff"),
    ],
)
def test_what_is_no_document_is_told(head: bytes) -> None:
    with pytest.raises(DocumentError):
        Document.decode(head)
