"""Nobody sends in another account's name (S10): each way to write an address, through all the rules."""

from __future__ import annotations

import pytest

from postroom.accept import admit
from postroom.types.envelope import Address
from support.candidates import account, candidate, decide, domain

OWN = ("shop.test", "xn--bcher-kva.test")
OTHERS = ("deep.shop.test", "xn--mnchen-3ya.test", "rival.test")
SHOP = account(*(domain(name) for name in OWN), others=OTHERS)
"""Its own: shop.test and bücher.test. Another account's: rival.test, münchen.test, and deep.shop.test."""

NOT_VERIFIED = "550 5.7.1 The domain {} in {} is not verified for this account. [from-not-verified]"


def not_verified(domain: str, field: str = "From") -> tuple[str, str]:
    return "from-not-verified", NOT_VERIFIED.format(domain, field)


def invalid(problem: str, field: str = "From") -> tuple[str, str]:
    reply = f"554 5.6.0 The field {field} cannot be read as addresses: {problem}. [from-invalid]"
    return "from-invalid", reply


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("From: a@rival.test", not_verified("rival.test")),
        ("From: A <a@rival.test>", not_verified("rival.test")),
        ("FROM: a@RIVAL.Test", not_verified("rival.test")),
        ("From: a@mail.rival.test", not_verified("mail.rival.test")),
        ("From: a@notshop.test", not_verified("notshop.test")),
        ("From: a@test", not_verified("test")),
        ("From: a@münchen.test", not_verified("xn--mnchen-3ya.test")),
        ("From: a@xn--mnchen-3ya.test", not_verified("xn--mnchen-3ya.test")),
        ("From: a@XN--MNCHEN-3YA.test", not_verified("xn--mnchen-3ya.test")),
        ("From: a@deep.shop.test", not_verified("deep.shop.test")),
        ("From: a@x.deep.shop.test", not_verified("x.deep.shop.test")),
        ("From: a@shop.test, a@rival.test", not_verified("rival.test")),
        ("From: a@rival.test, a@shop.test", not_verified("rival.test")),
        ("From: Team: a@shop.test, b@rival.test;", not_verified("rival.test")),
        ("From: Team: b@rival.test;, a@shop.test", not_verified("rival.test")),
        ('From: "a@shop.test" <a@rival.test>', not_verified("rival.test")),
        ("From: =?utf-8?q?a=40shop.test?= <a@rival.test>", not_verified("rival.test")),
        ('From: "a@shop.test,"@rival.test', not_verified("rival.test")),
        ("From: (a@shop.test) a@rival.test", not_verified("rival.test")),
        ("From: a@shop.test,\r\n a@rival.test", not_verified("rival.test")),
        ("From: a@shop.test\r\nSender: a@rival.test", not_verified("rival.test", "Sender")),
        ("Sender: a@shop.test\r\nFrom: a@rival.test", not_verified("rival.test")),
        ("From: a@[192.0.2.1]", not_verified("[192.0.2.1]")),
    ],
)
def test_s10_another_accounts_domain_is_refused_by_its_name(header: str, answer: tuple[str, str]) -> None:
    assert decide(candidate(SHOP, f"{header}\r\n".encode())) == answer


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("From: a@rival.test.", invalid("the domain is not valid")),
        ("From: a@shop.test.", invalid("the domain is not valid")),
        ("From: a@rival．test", invalid("the international domain is not valid (IDNA 2008)")),
        (
            "From: a@rival.test <a@shop.test>",
            invalid('there is a stray "@" or bracket before "<"; names that hold one must be quoted'),
        ),
        ("From: <a@shop.test> <a@rival.test>", invalid("an address holds white space, a second @ or a bracket")),
        ("From: a@rival.test@shop.test", invalid("an address holds white space, a second @ or a bracket")),
        ("From: =?utf-8?q?a=40rival.test?=", invalid('an address has no "@domain"; names that hold a comma must be quoted')),
        ("From: undisclosed-recipients:;", invalid("it holds no address")),
        ("From: a@shop.test\r\nSender: undisclosed:;", invalid("it holds no address", "Sender")),
    ],
)  # fmt: skip
def test_s10_what_can_be_read_in_two_ways_is_refused(header: str, answer: tuple[str, str]) -> None:
    assert decide(candidate(SHOP, f"{header}\r\n".encode())) == answer


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("From: a@shop.test\r\nFrom: a@rival.test", "From"),
        ("From: a@rival.test\r\nFrom: a@shop.test", "From"),
        ("From: a@shop.test\r\nfrom: a@rival.test", "From"),
        ("From: a@shop.test\r\nSubject: hi\r\nFROM: a@shop.test", "From"),
        ("From: a@shop.test\r\nSender: a@shop.test\r\nSender: a@rival.test", "Sender"),
    ],
)
def test_s10_several_from_or_sender_fields_are_refused(header: str, field: str) -> None:
    reply = f"554 5.6.0 The field {field} is there more than once. [header-repeated]"
    assert decide(candidate(SHOP, f"{header}\r\n".encode())) == ("header-repeated", reply)


@pytest.mark.parametrize(
    ("header", "signing"),
    [
        ("From: a@shop.test", "shop.test"),
        ("From: a@SHOP.Test", "shop.test"),
        ("From: a@mail.shop.test", "shop.test"),
        ("From: a@rival.test.shop.test", "shop.test"),
        ("From: a@bücher.test", "xn--bcher-kva.test"),
        ("From: a@BÜCHER.test", "xn--bcher-kva.test"),
        ("From: a@xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("From: a@mail.shop.test, b@xn--bcher-kva.test", "shop.test"),
        ("From: Team: a@shop.test;", "shop.test"),
        ('From: "a@rival.test" <a@shop.test>', "shop.test"),
        ("From: =?utf-8?q?a=40rival.test?= <a@shop.test>", "shop.test"),
        ("From: a@shop.test\r\nSender: b@xn--bcher-kva.test", "shop.test"),
    ],
)
def test_s10_ones_own_domain_signs_however_it_is_written(header: str, signing: str) -> None:
    wants_in = candidate(SHOP, f"{header}\r\n".encode())
    assert decide(wants_in) == ("", "")
    draft = admit.draft(wants_in, "0" * 24, 0)
    assert (draft.signing_domain, draft.domain_id) == (signing, f"id-{signing}")


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("From: a@shop.test", Address("a", "rival.test")),
        ("From: a@shop.test\r\nResent-From: a@rival.test", None),
        ("From: a@shop.test\r\nReply-To: a@rival.test", None),
    ],
)
def test_s10_where_nobody_is_shown_as_the_author_any_domain_may_stand(
    header: str, sender: Address | None
) -> None:
    """The return path is ours, receivers hold Resent-From against nobody, and an answer may go anywhere: the signature
    is the author's own all the same."""
    wants_in = candidate(SHOP, f"{header}\r\n".encode(), sender=sender)
    assert decide(wants_in) == ("", "")
    assert admit.draft(wants_in, "0" * 24, 0).signing_domain == "shop.test"
