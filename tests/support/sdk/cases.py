"""What every client sends, each to a mail domain of its own. `CASES` are functions of that domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from support.sdk import Contact, File, Mail

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n" + bytes(range(256)) * 40
TEXT = "Grüße aus der Werkstatt.\n.\n..\nA line that begins with a dot is the one above.\n\ttab, and 日本語"
HTML = '<p>Grüße &amp; <a href="https://shop.example.com/?a=1&amp;b=2">日本語</a></p>'


class Wording(NamedTuple):
    """What a recipient reads."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Case:
    """`wording`: what a recipient should read where it is not what the mail says. `uses`: fields beyond the usual."""

    mail: Mail
    wording: Mapping[str, Wording] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()


def text_only(at: str) -> Case:
    return Case(Mail((Contact(f"anna@{at}"),), "Your order 4711", TEXT))


def html_and_text(at: str) -> Case:
    return Case(
        Mail((Contact(f"anna@{at}", "Anna"),), "Grüße, 日本語 und 🎉 " + "sehr " * 20 + "lang", TEXT, HTML)
    )


def html_only(at: str) -> Case:
    return Case(Mail((Contact(f"anna@{at}", "Anna"),), "Only HTML", html=HTML))


def everybody(at: str) -> Case:
    mail = Mail(
        (Contact(f"anna@{at}", "Anna Müller"), Contact(f"ben@{at}")),
        "For all of you",
        TEXT,
        cc=(Contact(f"cora@{at}", "Cora"), Contact(f"dora@{at}", "Dora D. Doe")),
        bcc=(Contact(f"secret@{at}", "Nobody's Business"),),
        reply_to=Contact("support@elsewhere.example.org", "Support Team"),
        sender=Contact("hello@news.shop.example.com", 'Shop "Nr. 1" Köln'),
    )
    return Case(mail)


def envelope_only(at: str) -> Case:
    mail = Mail((), "For somebody", TEXT, rcpt_to=(Contact(f"anna@{at}", "Anna"), Contact(f"ben@{at}")))
    return Case(mail, uses=frozenset({"rcpt_to"}))


def files(at: str) -> Case:
    mail = Mail(
        (Contact(f"anna@{at}", "Anna"),),
        "Your invoice",
        TEXT,
        HTML,
        files=(
            File("invoice.pdf", PDF, "application/pdf"),
            File("Übersicht für März 2026.csv", "Straße;1,50\n".encode(), "text/csv"),
            File("notes.txt", b"plain words\n", "text/plain"),
        ),
    )
    return Case(mail)


def pictures(at: str) -> Case:
    mail = Mail(
        (Contact(f"anna@{at}", "Anna"),),
        "With pictures",
        TEXT,
        '<p><img src="cid:logo" alt="logo"> and a file</p>',
        files=(File("logo.png", PNG, "image/png", "logo"), File("invoice.pdf", PDF, "application/pdf")),
    )
    return Case(mail)


def headers(at: str) -> Case:
    mail = Mail(
        (Contact(f"anna@{at}", "Anna"),),
        "Re: your question",
        TEXT,
        headers={"X-Order": "4711", "X-Campaign": "spring sale; 20 %"},
        in_reply_to="question.1@elsewhere.example.org",
        references=("question.0@elsewhere.example.org", "question.1@elsewhere.example.org"),
        tags=("order", "spring sale"),
    )
    return Case(mail)


def newsletter(at: str) -> Case:
    mail = Mail(
        (Contact(f"anna@{at}", "Anna"),),
        "News",
        TEXT,
        HTML,
        bulk=True,
        list_unsubscribe="<https://shop.example.com/unsubscribe?u=1>",
    )
    return Case(mail, uses=frozenset({"bulk", "list_unsubscribe"}))


def personal(at: str) -> Case:
    anna, ben = f"anna@{at}", f"ben@{at}"
    mail = Mail(
        (Contact(anna, "Anna"), Contact(ben, "Ben")),
        "Order {{ order.number }}",
        "Dear {{ name }},\n\n{% for item in order['items'] %}- {{ item }}\n{% endfor %}",
        "<p>Dear {{ name }}</p>{% if order.paid %}<p>paid</p>{% endif %}",
        data={
            anna: {"name": "Anna <b>M.</b>", "order": {"number": 4711, "items": ["ink", "Öl"], "paid": True}},
            ben: {"name": "Ben", "order": {"number": 4712, "items": ["pen"], "paid": False}},
        },
    )
    wording = {
        anna: Wording(
            "Order 4711",
            "Dear Anna <b>M.</b>,\n\n- ink\n- Öl",
            "<p>Dear Anna <b>M.</b></p><p>paid</p>",
        ),
        ben: Wording("Order 4712", "Dear Ben,\n\n- pen", "<p>Dear Ben</p>"),
    }
    return Case(mail, wording, frozenset({"data"}))


CASES: dict[str, Callable[[str], Case]] = {
    case.__name__: case
    for case in (
        text_only,
        html_and_text,
        html_only,
        everybody,
        envelope_only,
        files,
        pictures,
        headers,
        newsletter,
        personal,
    )
}
