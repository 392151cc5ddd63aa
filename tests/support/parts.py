"""Messages as typed parts, for tests that build or compose them."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy
from typing import Any

from postroom.types.draft import Content
from postroom.types.envelope import Address
from postroom.types.parts import Attachment, Disposition, Mailbox, Parts
from postroom.wire.mime.build import Document, tail
from postroom.wire.mime.header import Header, read_header

ANNA = Mailbox("Anna", Address("anna", "example.com"))
BOB = Mailbox("Bob", Address("bob", "example.net"))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def parts(**changes: Any) -> Parts:
    """A short text from Anna to Bob."""
    given: dict[str, Any] = {
        "from_": ANNA,
        "to": (BOB,),
        "subject": "Hello",
        "message_id": "<1@example.com>",
        "date": 1_751_367_157_000,
        "seed": "0198c2f1a2b3c4d5e6f70811",
        "text": "Hello Bob.\n",
    }
    return Parts(**(given | changes))


def attached(
    name: str = "report.pdf", content_type: str = "application/pdf", data: bytes = b"%PDF-1.4 report"
) -> Attachment:
    return Attachment(name, content_type, Disposition.ATTACHMENT, "", data)


def shown(content_id: str = "logo", name: str = "logo.png") -> Attachment:
    """A picture that the HTML refers to."""
    return Attachment(name, "image/png", Disposition.INLINE, content_id, PNG)


def personalised(whole: Parts, *, twig: bool = True, simple: bool = False) -> Content:
    """As it is stored, all in one piece."""
    head = Document.of(whole, twig=twig, simple=simple).encode()
    data = head + b"".join(tail(whole))
    return Content(data, len(data), len(head))


def parsed(message: bytes) -> EmailMessage:
    """As the stdlib reads it, without a defect anywhere."""
    found = message_from_bytes(message, policy=policy)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert part.defects == []
        assert [(name, value.defects) for name, value in part.items() if value.defects] == []
    return found


def read(block: bytes) -> Header:
    """A header block as our own strict reader takes it."""
    header = read_header(block)
    assert isinstance(header, Header), header
    return header
