"""Nothing that is put into a part can become a header, a line or an address of its own (S12, S25, H11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.envelope import Address
from postroom.types.parts import Mailbox, Parts
from postroom.wire.mime.build import (
    Document,
    FieldProblem,
    Problem,
    UnsafePartsError,
    build,
    custom_name_problem,
    problems,
    server_owned,
)
from support.parts import ANNA, BOB, attached, parts, read, shown

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
UNSAFE = [*CONTROLS, "\u2028", "\u2029", "\ud800", "\udfff"]

FIELDS: dict[str, Callable[[str], Parts]] = {
    "subject": lambda text: parts(subject=text),
    "from.name": lambda text: parts(from_=Mailbox(text, ANNA.address)),
    "to.1.name": lambda text: parts(to=(BOB, Mailbox(text, ANNA.address))),
    "cc.0.name": lambda text: parts(cc=(Mailbox(text, ANNA.address),)),
    "reply_to.0.name": lambda text: parts(reply_to=(Mailbox(text, ANNA.address),)),
    "headers.0.name": lambda text: parts(headers=((text, "value"),)),
    "headers.1.value": lambda text: parts(headers=(("X-A", "value"), ("X-B", text))),
    "attachments.0.filename": lambda text: parts(attachments=(attached(text),)),
    "attachments.0.content_type": lambda text: parts(attachments=(attached(content_type=text),)),
    "attachments.1.id": lambda text: parts(html="", attachments=(attached(), shown(text))),
    "in_reply_to": lambda text: parts(in_reply_to=text),
    "references.1": lambda text: parts(references=("<a@b>", text)),
    "list_unsubscribe": lambda text: parts(list_unsubscribe=(text,)),
    "message_id": lambda text: parts(message_id=text),
    "seed": lambda text: parts(seed=text),
    "from.email": lambda text: parts(from_=Mailbox("", Address(text, "example.com"))),
    "to.0.email": lambda text: parts(to=(Mailbox("", Address("a", text)),)),
}
GOOD = {
    "headers.0.name": "X-Name",
    "attachments.0.content_type": "application/pdf",
    "in_reply_to": "<a@example.com>",
    "references.1": "<a@example.com>",
    "message_id": "<a@example.com>",
    "list_unsubscribe": "https://example.com/u",
    "seed": "0123456789abcdef",
    "from.email": "local",
    "to.0.email": "example.com",
}


@pytest.mark.parametrize("path", FIELDS)
def test_s12_every_control_character_in_every_field_is_refused(path: str) -> None:
    make = FIELDS[path]
    good = GOOD.get(path, "plain")
    assert list(problems(make(good))) == []
    for char in UNSAFE:
        for text in (good[:2] + char + good[2:], char + good, good + char):
            assert [problem.path for problem in problems(make(text))] == [path], repr(text)
            for refuse in (build, Document.of):
                with pytest.raises(UnsafePartsError) as refused:
                    refuse(make(text))
                assert refused.value.problem.path == path


ATTACKS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "\r\n",
                "\n",
                "\r",
                "\0",
                "\x1c",
                "\x0b",
                "\x85",
                "\u2028",
                "Bcc: evil@example.net",
                " ",
                "\t",
                "<",
                ">",
            ]
        ),
        st.sampled_from(
            [
                ",",
                ";",
                ":",
                '"',
                "\\",
                "(",
                "=?utf-8?q?",
                "=0D=0A",
                "?=",
                "@",
                "--=_0198c2f1a2b3c4d5e6f70811.m",
                "é",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=8,
).map("".join)


@given(st.sampled_from(sorted(FIELDS)), ATTACKS.filter(bool))
def test_s12_s25_whatever_is_put_in_adds_no_field_and_no_line(path: str, text: str) -> None:
    """Either it is refused, or the message has the fields it has anyway, one of each."""
    given_ = FIELDS[path](text)
    if list(problems(given_)):
        with pytest.raises(UnsafePartsError):
            build(given_)
        return
    message = build(given_)
    header = read(message.partition(b"\r\n\r\n")[0] + b"\r\n")
    expected = read(build(FIELDS[path](GOOD.get(path, "plain"))).partition(b"\r\n\r\n")[0] + b"\r\n")
    if path != "headers.0.name":
        assert [field.key for field in header] == [field.key for field in expected]
    assert header.repeated() is None
    assert message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r")
    assert b"\0" not in message
    assert b"\nbcc:" not in message.lower()


@given(ATTACKS, ATTACKS)
def test_texts_add_nothing_outside_their_part(text: str, html: str) -> None:
    message = build(parts(text=text, html=html, attachments=(attached(), shown())))
    assert message.count(b"\r\n--=_0198c2f1a2b3c4d5e6f70811.") == 9


OWNED = [
    "From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Return-Path",
    "Received", "Received-SPF", "Authentication-Results", "Feedback-ID", "DKIM-Signature", "DKIM-Filter", "ARC-Seal",
    "ARC-Message-Signature", "Content-Type", "Content-Disposition", "Content-Anything", "Resent-From", "Resent-Bcc",
    "X-Postroom-Stream", "X-MailerSend-Tags", "DomainKey-Signature",
]  # fmt: skip


@pytest.mark.parametrize("name", OWNED)
def test_h11_names_of_the_server_in_any_spelling(name: str) -> None:
    for spelled in (name, name.lower(), name.upper()):
        assert server_owned(spelled)
        assert custom_name_problem(spelled) is Problem.HEADER_OWNED
        for space in (" ", "\t", "\r\n"):
            assert custom_name_problem(spelled + space) is Problem.HEADER_OWNED
        with pytest.raises(UnsafePartsError, match=r"headers\.0\.name"):
            build(parts(headers=((spelled, "x"),)))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("X-Campaign", None),
        ("x1", None),
        ("List-Id", None),
        ("Auto-Submitted", None),
        ("X-Postroomer", None),
        ("Contents", None),
        ("n" * 70, None),
        ("n" * 71, Problem.HEADER_NAME),
        ("", Problem.HEADER_NAME),
        ("X_Under", Problem.HEADER_NAME),
        ("X Space", Problem.HEADER_NAME),
        ("X-Colon:", Problem.HEADER_NAME),
        ("X-Ö", Problem.HEADER_NAME),
        ("X-٣", Problem.HEADER_NAME),
        ("X-A\n", Problem.HEADER_NAME),
    ],
)
def test_h11_custom_names(name: str, problem: Problem | None) -> None:
    assert custom_name_problem(name) is problem


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("In-Reply-To", {"in_reply_to": "<a@b>"}),
        ("references", {"references": ("<a@b>",)}),
        ("List-Unsubscribe", {"list_unsubscribe": ("mailto:a@example.com",)}),
        ("List-Unsubscribe-Post", {"list_unsubscribe": ("https://example.com/",)}),
        ("PRECEDENCE", {"precedence_bulk": True}),
    ],
)
def test_h11_a_custom_header_does_not_override_a_field_of_the_request(
    name: str, changes: dict[str, object]
) -> None:
    custom = parts(headers=((name, "<a@b>"),))
    assert list(problems(custom)) == []
    assert list(problems(replace(custom, **changes))) == [
        FieldProblem("headers.0.name", Problem.HEADER_TWICE)
    ]


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"to": (Mailbox("", Address("a b", "example.com")),)}, "to.0.email", Problem.ADDRESS),
        ({"to": (Mailbox("", Address("a>", "example.com")),)}, "to.0.email", Problem.ADDRESS),
        ({"to": (Mailbox("", Address("a", "example.com>,<b@x")),)}, "to.0.email", Problem.ADDRESS),
        ({"to": (Mailbox("", Address("a", "münchen.example")),)}, "to.0.email", Problem.ADDRESS),
        ({"to": (Mailbox("", Address("a", "Example.com")),)}, "to.0.email", Problem.ADDRESS),
        ({"cc": (ANNA, Mailbox("", Address("a@b", "example.com")))}, "cc.1.email", Problem.ADDRESS),
        ({"message_id": "1@example.com"}, "message_id", Problem.MESSAGE_ID),
        ({"message_id": "<1@example.com> <2@example.com>"}, "message_id", Problem.MESSAGE_ID),
        ({"message_id": "<ö@example.com>"}, "message_id", Problem.MESSAGE_ID),
        ({"references": ("<a@b>", "<a@b>,")}, "references.1", Problem.MESSAGE_ID),
        ({"list_unsubscribe": ("ftp://example.com/",)}, "list_unsubscribe", Problem.UNSUBSCRIBE),
        ({"list_unsubscribe": ("javascript:alert(1)",)}, "list_unsubscribe", Problem.UNSUBSCRIBE),
        ({"list_unsubscribe": ("https://example.com/>, <b",)}, "list_unsubscribe", Problem.UNSUBSCRIBE),
        ({"list_unsubscribe": ("https://example.com/ö",)}, "list_unsubscribe", Problem.UNSUBSCRIBE),
        ({"list_unsubscribe": ("https://example.com/" + "u" * 971,)}, "list_unsubscribe", Problem.UNSUBSCRIBE),
        ({"attachments": (shown("a b"),)}, "attachments.0.id", Problem.CONTENT_ID),
        ({"attachments": (shown("<a>"),)}, "attachments.0.id", Problem.CONTENT_ID),
        ({"attachments": (shown("ö"),)}, "attachments.0.id", Problem.CONTENT_ID),
        ({"attachments": (shown("x" * 257),)}, "attachments.0.id", Problem.CONTENT_ID),
        ({"attachments": (attached(content_type="text/plain; x=y"),)}, "attachments.0.content_type", Problem.CONTENT_TYPE),
        ({"attachments": (attached(content_type="text"),)}, "attachments.0.content_type", Problem.CONTENT_TYPE),
        ({"text": "half \ud83d a character"}, "text", Problem.UNICODE),
        ({"html": "half \udc00 a character"}, "html", Problem.UNICODE),
        ({"seed": "short"}, "seed", Problem.SEED),
        ({"seed": 'a"b' * 5}, "seed", Problem.SEED),
    ],
)  # fmt: skip
def test_what_is_no_address_no_id_and_no_uri(changes: dict[str, object], path: str, problem: Problem) -> None:
    assert list(problems(parts(**changes))) == [FieldProblem(path, problem)]


def test_all_problems_come_at_once_and_in_order() -> None:
    bad = parts(
        subject="a\nb",
        from_=Mailbox("\r", Address("", "")),
        headers=(("Bcc", "\n"), ("X-A", "fine")),
        attachments=(attached(), attached("a\tb")),
        in_reply_to="x",
    )
    assert [problem.path for problem in problems(bad)] == [
        "from.name",
        "from.email",
        "subject",
        "attachments.1.filename",
        "headers.0.name",
        "headers.0.value",
        "in_reply_to",
    ]


def test_the_rest_of_unicode_may_stand_in_names_and_subjects() -> None:
    text = "שלום مرحبا \u200f\u202e\u00a0\u00ad\ufeff👩‍👧\U0010ffff"
    assert list(problems(parts(subject=text, from_=Mailbox(text, ANNA.address)))) == []
