"""Addresses: one parser, RFC 5321 and RFC 6531 (S09, S21, S22, S23)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.addresses import AddressError, parse_domain, parse_mailbox
from postroom.types.envelope import Address
from postroom.wire.smtp.address import parse_path


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("a@example.com", "a", "example.com"),
        ("MiXed.Case@Example.COM", "MiXed.Case", "example.com"),
        ('"a b"@x.example', '"a b"', "x.example"),
        ('"a@b"@x.example', '"a@b"', "x.example"),
        ('"a\\"b"@x.example', '"a\\"b"', "x.example"),
        ('"evil@x.example "@internal.example', '"evil@x.example "', "internal.example"),
        ("=?utf-8?q?a=40b?=c@h.example", "=?utf-8?q?a=40b?=c", "h.example"),
        ("!#$%&'*+/=?^_`{|}~-@x.example", "!#$%&'*+/=?^_`{|}~-", "x.example"),
        ("root@localhost", "root", "localhost"),
        ("a" * 64 + "@x.example", "a" * 64, "x.example"),
        ("jörg@example.com", "jörg", "example.com"),
        ("a@MÜNCHEN.example", "a", "xn--mnchen-3ya.example"),
        ("a@mu\u0308nchen.example", "a", "xn--mnchen-3ya.example"),
        ("a@faß.example", "a", "xn--fa-hia.example"),
        ("a@XN--MNCHEN-3YA.example", "a", "xn--mnchen-3ya.example"),
        ("نامه\u200cای@example.com", "نامه\u200cای", "example.com"),
    ],
)
def test_s23_accepted_byte_for_byte(text: str, local: str, domain: str):
    assert parse_mailbox(text) == Address(local, domain)
    assert parse_path(f"<{text}> SIZE=1") == (Address(local, domain), " SIZE=1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        '"\\"@x.example',
        '"a"b@x.example',
        '"a b@x.example',
        "a b@x.example",
        "a..b@x.example",
        ".a@x.example",
        "a.@x.example",
        "(x)a@x.example",
        "a@b@us.example",
        "@us.example:a@b.example",
        "a@us.example.",
        "a@.example",
        "a@b..example",
        "a@-b.example",
        "a@b-.example",
        "a@b_c.example",
        "a@b;us.example",
        "a@b.example:25",
        "a@b.example,c@d.example",
        "a@[127.0.0.1]",
        "a@" + "b" * 64 + ".example",
        "a" * 65 + "@x.example",
        "é" * 33 + "@x.example",
        "a@" + "b." * 125 + "example",
        "a@xn--",
        "a@xn---",
        "a@xn--a.example",
        "a＠b.example",
        "a@b．example",
        "a@b。example",
        "a\u200bb@x.example",
        "\u200c@x.example",
        "a\u202eb@x.example",
        "a\u2028b@x.example",
        "a\x85b@x.example",
        "a\ud800b@x.example",
        "a@b\ud800.example",
        "a\tb@x.example",
        "a\0b@x.example",
        '"a\nb"@x.example',
        "a>b@x.example",
    ],
)
def test_s23_refused(text: str):
    with pytest.raises(AddressError):
        parse_mailbox(text)


@pytest.mark.parametrize(
    "path", ["a@b.example", "<a@b.example", "<<a@b.example>>", '<"a>b@c.example', " <a@b.example>", ""]
)
def test_paths_refused(path: str):
    with pytest.raises(AddressError):
        parse_path(path)


def test_the_null_path():
    assert parse_path("<> X=1") == (None, " X=1")


def test_a_bracket_may_be_quoted():
    assert parse_path('<"a>b"@c.example>') == (Address('"a>b"', "c.example"), "")


@pytest.mark.parametrize(
    ("domain", "folded"),
    [("[127.0.0.1]", "[127.0.0.1]"), ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]")],
)
def test_s09_literals_only_where_they_are_allowed(domain: str, folded: str):
    assert parse_mailbox(f"a@{domain}", literal=True) == Address("a", folded)
    with pytest.raises(AddressError):
        parse_mailbox(f"a@{domain}")


@pytest.mark.parametrize(
    "domain", ["[127.0.0.256]", "[IPv6:fe80::1%eth0]", "[2001:db8::1]", "[127.0.0.1", "[]", "[x]"]
)
def test_literals_refused(domain: str):
    with pytest.raises(AddressError):
        parse_mailbox(f"a@{domain}", literal=True)


def test_s22_a_huge_label_is_refused_before_it_is_decoded():
    with pytest.raises(AddressError, match="too long"):
        parse_domain("xn--" + "a" * 10_000)


@given(st.text(max_size=80))
def test_s23_whatever_is_accepted_can_be_written_again(text: str):
    for candidate in (text, f"{text}@example.com", f"a@{text}"):
        try:
            address = parse_mailbox(candidate)
        except AddressError:
            continue
        assert parse_mailbox(str(address)) == address
        assert parse_path(f"<{address}>") == (address, "")
        assert str(address).encode().isascii() or not address.local.isascii()
