"""wire.smtp.client_commands: command lines, and what cannot be put into one (S25)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.envelope import Address
from postroom.wire.smtp.client_commands import (
    InjectionError,
    Needs,
    OneRecipient,
    hello_name,
    impossible,
    mail,
    rcpt,
    read_offers,
)

BOB = Address("bob", "b.test")
EVERYTHING = {"SIZE": "1000", "8BITMIME": "", "SMTPUTF8": "", "DSN": ""}
SMALL = Needs(100)


def envelope(
    sender: str = "a@a.test", local: str = "bob", domain: str = "b.test", **dsn: str
) -> OneRecipient:
    return OneRecipient(sender, Address(local, domain), **dsn)


def test_parameters_only_when_offered() -> None:
    full = envelope(ret="HDRS", envid="e+3D1", notify="FAILURE,DELAY", orcpt="rfc822;bob@b.test")
    needs = Needs(100, eight_bit=True)
    assert mail(full, needs, {}) == "MAIL FROM:<a@a.test>"
    assert rcpt(full, {}) == "RCPT TO:<bob@b.test>"
    assert mail(full, needs, EVERYTHING) == "MAIL FROM:<a@a.test> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=e+3D1"
    assert rcpt(full, EVERYTHING) == "RCPT TO:<bob@b.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob@b.test"
    assert mail(envelope(""), SMALL, EVERYTHING) == "MAIL FROM:<> SIZE=100"
    assert mail(envelope("root"), SMALL, {}) == "MAIL FROM:<root>"
    assert rcpt(envelope(local='"a b>c\\"d"'), {}) == 'RCPT TO:<"a b>c\\"d"@b.test>'


def test_smtputf8_when_an_address_or_the_headers_need_it() -> None:
    assert mail(envelope("ä@a.test"), SMALL, EVERYTHING).endswith(" SMTPUTF8")
    assert mail(envelope(local="ä"), SMALL, EVERYTHING).endswith(" SMTPUTF8")
    assert mail(envelope(), Needs(1, utf8=True), EVERYTHING).endswith(" SMTPUTF8")
    assert "SMTPUTF8" not in mail(envelope(), SMALL, EVERYTHING)
    foreign = envelope(local="ä", orcpt="utf-8;ä@b.test")
    assert rcpt(foreign, EVERYTHING) == "RCPT TO:<ä@b.test> ORCPT=utf-8;ä@b.test"
    assert rcpt(envelope(orcpt="utf-8;ä@b.test"), {"DSN": ""}) == "RCPT TO:<bob@b.test>"


@pytest.mark.parametrize(
    ("given_envelope", "needs", "offers", "enhanced"),
    [
        (envelope(), Needs(1001), {"SIZE": "1000"}, "5.3.4"),
        (envelope(), Needs(1000), {"SIZE": "1000"}, None),
        (envelope(), Needs(10**9), {"SIZE": ""}, None),
        (envelope(), Needs(10**9), {"SIZE": "0"}, None),
        (envelope(), Needs(10**9), {"SIZE": "many"}, None),
        (envelope(), Needs(10**9), {"SIZE": "9" * 5000}, None),
        (envelope("ä@a.test"), SMALL, {}, "5.6.7"),
        (envelope(local="ä"), SMALL, {"8BITMIME": ""}, "5.6.7"),
        (envelope(), Needs(1, utf8=True), {"8BITMIME": ""}, "5.6.9"),
        (envelope(), Needs(1, eight_bit=True), {}, "5.6.3"),
        (envelope("ä@a.test"), Needs(1, True, True), EVERYTHING, None),
    ],
)
def test_d19_what_a_server_cannot_take(given_envelope, needs, offers, enhanced) -> None:
    reply = impossible(given_envelope, needs, offers)
    assert (reply.enhanced if reply else None) == enhanced


BAD_ADDRESSES = [
    "a@b.test\r\nRCPT TO:<x@y.test>", "a\n@b.test", "a\r@b.test", "a\0@b.test", "a@b.test> SIZE=1", "a>@b.test", "<a@b.test",
    "a b@b.test", "a@b test", '"a\r\n"@b.test', '"a"b"@b.test', '"a', "a@b@c.test>", "a\x7f@b.test", '"a\\\n"@b.test',
]  # fmt: skip


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_s25_addresses_cannot_leave_their_place(address: str) -> None:
    with pytest.raises(InjectionError):
        mail(envelope(address), SMALL, EVERYTHING)
    with pytest.raises(InjectionError):
        rcpt(OneRecipient("", Address(address, "")), EVERYTHING)


@pytest.mark.parametrize("value", ["a b", "a\r\nDATA", "a=b", "", "a\0", "a\tb"])
def test_s25_parameters_cannot_leave_their_place(value: str) -> None:
    with pytest.raises(InjectionError):
        mail(envelope(ret=value), SMALL, EVERYTHING)
    with pytest.raises(InjectionError):
        mail(envelope(envid=value), SMALL, EVERYTHING)
    with pytest.raises(InjectionError):
        rcpt(envelope(notify=value), EVERYTHING)
    with pytest.raises(InjectionError):
        rcpt(envelope(orcpt=value), EVERYTHING)
    with pytest.raises(InjectionError):
        hello_name(value)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_s25_fuzzed_commands_stay_one_line(sender: str, local: str, domain: str, value: str) -> None:
    try:
        lines = [
            mail(envelope(sender, envid=value), SMALL, EVERYTHING),
            rcpt(envelope(local=local, domain=domain, orcpt=value), EVERYTHING),
        ]
    except InjectionError:
        return
    for line in lines:
        assert not re.search(r"[\x00-\x1f\x7f]", line)
        unquoted = re.sub(r'<"(?:[^"\\]|\\.)*"', "<", line)
        path = unquoted.partition(":")[2].partition(" ")[0]
        assert re.fullmatch(r"<[^<>]*>", path)


def test_offers_are_read_leniently() -> None:
    assert read_offers(("hello PIPELINING", "size 100", "AUTH PLAIN", "AUTH=LOGIN", "X")) == {
        "SIZE": "100",
        "AUTH": "PLAIN LOGIN",
        "X": "",
    }
