"""The header that is built from parts: encoded, folded, and read back by the stdlib and by our own strict reader."""

from __future__ import annotations

import re
import unicodedata
from email import message_from_bytes
from email.header import decode_header
from email.headerregistry import AddressHeader
from email.policy import default as policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.addresses import parse_mailbox
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox
from postroom.wire.mime.addresses import read_addresses
from postroom.wire.mime.build import build, international
from postroom.wire.mime.encoded_words import display
from support.parts import ANNA, attached, parsed, parts, read

PEOPLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])
NAMES = st.text(st.one_of(PEOPLE, st.sampled_from(' ",;<>@\\()=?._é東👩')), max_size=120)
ADDRESSES = st.sampled_from(
    [
        "bob@example.net",
        '"b o,b"@example.net',
        "x" * 64 + "@" + "y" * 60 + ".example",
        "jörg@example.net",
        "a@[192.0.2.1]",
    ]
).map(lambda text: parse_mailbox(text, literal=True))


def header_of(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[0] + b"\r\n"


def field(message: bytes, name: bytes) -> bytes:
    (found,) = read(header_of(message)).all(name)
    return found.raw


def assert_folded(raw: bytes) -> None:
    """Lines with encoded-words in 76 columns, words in 75, no line of white space, everything else in 998."""
    for line in raw.split(b"\r\n")[:-1]:
        assert line.strip()
        assert len(line) <= (76 if b"=?" in line else 998), line
    for word in re.findall(rb"=\?[^ \r\n]*\?=", raw):
        assert len(word) <= 75


# -- subjects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "raw"),
    [
        ("", b"Subject:\r\n"),
        ("Hello Bob", b"Subject: Hello Bob\r\n"),
        ("  Hello  Bob ", b"Subject: Hello  Bob\r\n"),
        ("Grüße", b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"),
        ("東京", b"Subject: =?utf-8?b?5p2x5Lqs?=\r\n"),
        ("=?utf-8?q?spoof?=", b"Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3Fspoof=3F=3D?=\r\n"),
        ("a_b=c? ö", b"Subject: =?utf-8?q?a=5Fb=3Dc=3F_=C3=B6?=\r\n"),
        (
            "word " * 20,
            b"Subject:" + b" word" * 13 + b"\r\n" + b" word" * 7 + b"\r\n",
        ),
        ("x" * 67, b"Subject: " + b"x" * 67 + b"\r\n"),
        ("x" * 75, b"Subject:\r\n " + b"x" * 75 + b"\r\n"),
        ("x" * 76, b"Subject: =?utf-8?q?" + b"x" * 55 + b"?=\r\n =?utf-8?q?" + b"x" * 21 + b"?=\r\n"),
    ],
)
def test_subjects(subject: str, raw: bytes) -> None:
    assert field(build(parts(subject=subject)), b"Subject") == raw


@given(st.text(st.one_of(PEOPLE, st.sampled_from(" =?_éü東👩‍👧")), max_size=300))
def test_s12_a_subject_comes_out_as_it_was_put_in(subject: str) -> None:
    message = build(parts(subject=subject))
    raw = field(message, b"Subject")
    assert_folded(raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    value = raw[len(b"Subject:") : -2].replace(b"\r\n", b"").strip(b" ")
    pieces = decode_header(value.decode("ascii"))
    assert "".join(p if isinstance(p, str) else p.decode(c or "ascii") for p, c in pieces) == subject.strip(
        " "
    )
    assert display(value, 1000) == display(subject.encode(), 1000) or "=?" in subject
    assert len(read(header_of(message)).fields) == 8


def test_words_are_cut_between_characters() -> None:
    for text, encoding in (
        ("é", "b"),
        ("東", "b"),
        ("😀", "b"),
        ("a few words and é ", "q"),
        ("aaaaaaaaaaaaé", "q"),
    ):
        subject = (text * 100).strip()
        raw = field(build(parts(subject=subject)), b"Subject")
        assert_folded(raw)
        words = re.findall(rf"=\?utf-8\?{encoding}\?[^?]*\?=", raw.decode())
        assert len(words) > 3
        assert "".join(decode_header(word)[0][0].decode("utf-8") for word in words) == subject


# -- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("", b"From: anna@example.com\r\n"),
        ("  ", b"From: anna@example.com\r\n"),
        ("Anna B", b"From: Anna B <anna@example.com>\r\n"),
        ("Anna B. Smith", b'From: "Anna B. Smith" <anna@example.com>\r\n'),
        ("Smith, Anna", b'From: "Smith, Anna" <anna@example.com>\r\n'),
        ('Anna "A" \\', b'From: "Anna \\"A\\" \\\\" <anna@example.com>\r\n'),
        ("Anna  B", b'From: "Anna  B" <anna@example.com>\r\n'),
        ("evil@example.net", b'From: "evil@example.net" <anna@example.com>\r\n'),
        ("Änne", b"From: =?utf-8?q?=C3=84nne?= <anna@example.com>\r\n"),
        ("Änne, B", b"From: =?utf-8?q?=C3=84nne=2C_B?= <anna@example.com>\r\n"),
        ("=?utf-8?q?x?=", b"From: =?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <anna@example.com>\r\n"),
        (
            "x" * 61,
            b"From: =?utf-8?q?" + b"x" * 48 + b"?=\r\n =?utf-8?q?xxxxxxxxxxxxx?= <anna@example.com>\r\n",
        ),
    ],
)
def test_names(name: str, raw: bytes) -> None:
    assert field(build(parts(from_=Mailbox(name, ANNA.address))), b"From") == raw


@given(st.lists(st.tuples(NAMES, ADDRESSES), min_size=1, max_size=6))
def test_s12_mailboxes_come_out_as_they_were_put_in(given_: list[tuple[str, Address]]) -> None:
    mailboxes = tuple(Mailbox(name, address) for name, address in given_)
    message = build(parts(to=mailboxes, cc=mailboxes, reply_to=mailboxes))
    for name in (b"To", b"Cc", b"Reply-To"):
        raw = field(message, name)
        assert_folded(raw)
        found = read_addresses(raw[len(name) + 1 : -2])
        assert not isinstance(found, str), found
        assert [mailbox.address for mailbox in found] == [address for _, address in given_]
        for mailbox, (given_name, _) in zip(found, given_, strict=True):
            assert mailbox.name == display(given_name.encode(), 200) or "=?" in given_name


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_s12_the_stdlib_reads_the_same_names(names: list[str]) -> None:
    message = parsed(build(parts(to=tuple(Mailbox(name, ANNA.address) for name in names))))
    header = message["To"]
    assert isinstance(header, AddressHeader)
    assert [str(address.addr_spec) for address in header.addresses] == ["anna@example.com"] * len(names)
    for address, name in zip(header.addresses, names, strict=True):
        if (
            name.isascii() and "=?" not in name and len(name) <= 60
        ):  # 3.11 loses white space between words elsewhere
            assert address.display_name.split() == name.split()


def test_address_lists_are_folded_between_mailboxes() -> None:
    people = tuple(Mailbox(f"Person {at}", Address(f"person{at}", "example.net")) for at in range(50))
    raw = field(build(parts(to=people)), b"To")
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert raw.count(b"\r\n") < 50
    found = read_addresses(raw[3:-2])
    assert tuple(found) == people


def test_international_addresses() -> None:
    ascii_local = Mailbox("", parse_mailbox("anna@MÜNCHEN.example"))
    assert not international(parts(from_=ascii_local))
    message = build(parts(from_=ascii_local))
    assert field(message, b"From") == b"From: anna@xn--mnchen-3ya.example\r\n"
    assert message.isascii()
    utf8_local = Mailbox("Jörg", parse_mailbox("jörg@münchen.example"))
    assert international(parts(to=(ANNA, utf8_local)))
    message = build(parts(to=(utf8_local,)))
    expected = "To: =?utf-8?q?J=C3=B6rg?= <jörg@xn--mnchen-3ya.example>\r\n"
    assert field(message, b"To") == expected.encode()
    assert message.replace("jörg".encode(), b"").isascii()


# -- the others --------------------------------------------------------------------------------------------------


def test_references_unsubscribe_and_precedence() -> None:
    message = build(
        parts(
            in_reply_to="<b@example.net>",
            references=("<a@example.net>", "<b@example.net>"),
            list_unsubscribe=("https://example.com/u?x=1,2", "mailto:u@example.com"),
            precedence_bulk=True,
        )
    )
    assert field(message, b"In-Reply-To") == b"In-Reply-To: <b@example.net>\r\n"
    assert field(message, b"References") == b"References: <a@example.net> <b@example.net>\r\n"
    unsubscribe = b"List-Unsubscribe: <https://example.com/u?x=1,2>, <mailto:u@example.com>\r\n"
    assert field(message, b"List-Unsubscribe") == unsubscribe
    assert (
        field(message, b"List-Unsubscribe-Post") == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )
    assert field(message, b"Precedence") == b"Precedence: bulk\r\n"


@pytest.mark.parametrize("uri", ["http://example.com/u", "mailto:u@example.com"])
def test_one_click_needs_https(uri: str) -> None:
    header = read(header_of(build(parts(list_unsubscribe=(uri,)))))
    assert header.all(b"List-Unsubscribe")
    assert not header.all(b"List-Unsubscribe-Post")


def test_the_longest_values_fit_998_octets() -> None:
    longest = "<" + "r" * 440 + "@" + "s" * 440 + ">"
    message = build(
        parts(
            in_reply_to=longest,
            references=(longest,) * 20,
            list_unsubscribe=("https://example.com/" + "u" * 970,),
            headers=(("X-" + "n" * 68, "v" * 900), ("X-Long", "v" * 3000), ("X-Words", "w" * 899 + " ö")),
        )
    )
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert field(message, b"List-Unsubscribe").startswith(b"List-Unsubscribe:\r\n <https://")
    assert field(message, b"References").count(longest.encode()) == 20


def test_custom_fields_in_their_order() -> None:
    given_ = (("X-B", "one"), ("X-A", "Grüße"), ("x-b", "two"), ("X-Empty", ""))
    header = read(header_of(build(parts(headers=given_))))
    assert [bytes(header.fields[at].raw) for at in range(5, 9)] == [
        b"X-B: one\r\n",
        b"X-A: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n",
        b"x-b: two\r\n",
        b"X-Empty:\r\n",
    ]


def test_custom_fields_keep_long_tokens_as_they_are() -> None:
    """What a program reads must not become encoded-words as long as a line can hold it."""
    token = "eyJ" + "x" * 800
    assert field(build(parts(headers=(("X-Token", token),))), b"X-Token") == f"X-Token: {token}\r\n".encode()


# -- file names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("report.pdf", b'filename="report.pdf"'),
        ("a b;c.pdf", b'filename="a b;c.pdf"'),
        ("", b'filename=""'),
        ("Übersicht.pdf", b"filename*=utf-8''%C3%9Cbersicht.pdf; filename=\"Ubersicht.pdf\""),
        ("報告.pdf", b"filename*=utf-8''%E5%A0%B1%E5%91%8A.pdf; filename=\"_.pdf\""),
        ('a"b.pdf', b"filename*=utf-8''a%22b.pdf; filename=\"a_b.pdf\""),
        ("a\\b.pdf", b"filename*=utf-8''a%5Cb.pdf; filename=\"a_b.pdf\""),
        ("東", b"filename*=utf-8''%E6%9D%B1; filename=\"_\""),
    ],
)
def test_file_names(name: str, parameters: bytes) -> None:
    message = build(parts(attachments=(attached(name),)))
    found = re.search(rb"Content-Disposition: attachment;((?:.|\r\n )*)\r\n", message)
    assert found is not None
    assert found[1].replace(b"\r\n", b"").strip() == parameters


@given(st.text(PEOPLE, max_size=200))
def test_s12_file_names_come_out_as_they_were_put_in(name: str) -> None:
    message = build(parts(attachments=(attached(name + ".pdf"),)))
    assert message.isascii()
    assert max(map(len, message.split(b"\r\n"))) <= 78
    (found,) = parsed_leniently(message)
    assert (found or "").strip() == (name + ".pdf").strip()


def parsed_leniently(message: bytes) -> list[str | None]:
    """The stdlib calls the plain name beside the true one a defect, and is right to ignore it."""
    return [part.get_filename() for part in message_from_bytes(message, policy=policy).iter_attachments()]


def test_the_plain_name_is_short_and_keeps_its_extension() -> None:
    for name in ("ö" * 200 + ".pdf", "x" * 200 + ".pdf", "ö" * 200, "a." + "ö" * 100):
        message = build(parts(attachments=(attached(name),)))
        plain = re.findall(rb' filename="([^"]*)"\r\n', message)
        assert len(plain) == 1
        assert len(plain[0]) <= 60
        assert plain[0].endswith(b".pdf") == name.endswith(".pdf")
        assert unicodedata.normalize("NFC", parsed_leniently(message)[0] or "") == name
