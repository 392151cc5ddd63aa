"""The rules one by one, apart from whose name a message is sent in (test_admit_senders.py)."""

from __future__ import annotations

import pytest

from postroom.accept import admit
from postroom.config import Config, Server, Submission
from postroom.types.draft import Stream
from postroom.types.envelope import Address
from support.candidates import account, candidate, decide, domain

FROM = b"From: a@shop.test\r\n"
SHOP = account(domain("shop.test"))
CONFIG = Config(server=Server(contact="post@relay.test"), submission=Submission(max_hops=5))

BEHIND_THE_SIGN = 'there is nothing behind the "@" of an address'
BEFORE_THE_SIGN = 'there is nothing before the "@" of an address'
TAGS_TOO_LONG = "a tag has more than 100 characters"


@pytest.mark.parametrize(
    ("header", "reply"),
    [
        (b"", "554 5.6.0 The message has no From field. [from-missing]"),
        (b"Sender: a@shop.test\r\n", "554 5.6.0 The message has no From field. [from-missing]"),
        (b"From:\r\n", "554 5.6.0 The field From cannot be read as addresses: it is empty. [from-invalid]"),
        (b"From: Anna\r\n", '554 5.6.0 The field From cannot be read as addresses: an address has no "@domain"; names that hold a comma must be quoted. [from-invalid]'),
        (b"From: me@\r\n", f"554 5.6.0 The field From cannot be read as addresses: {BEHIND_THE_SIGN}. [from-invalid]"),
        (b"From: Me <me@>\r\n", f"554 5.6.0 The field From cannot be read as addresses: {BEHIND_THE_SIGN}. [from-invalid]"),
        (b"From: @shop.test\r\n", f"554 5.6.0 The field From cannot be read as addresses: {BEFORE_THE_SIGN}. [from-invalid]"),
        (b"From: me@ shop@shop.test\r\n", "554 5.6.0 The field From cannot be read as addresses: an address holds white space, a second @ or a bracket. [from-invalid]"),
        (FROM + b"Sender: me@\r\n", f"554 5.6.0 The field Sender cannot be read as addresses: {BEHIND_THE_SIGN}. [from-invalid]"),
        (FROM + b"to: b@x.test\r\nTO: c@x.test\r\n", "554 5.6.0 The field To is there more than once. [header-repeated]"),
        (FROM + b"Message-ID: <1@x>\r\nMessage-ID: <1@x>\r\n", "554 5.6.0 The field Message-ID is there more than once. [header-repeated]"),
        (FROM + b"Subject : hi\r\n", "554 5.6.0 The header is broken at line 2: there is white space before the colon. [header-invalid]"),
        (FROM + b"no field\r\n", "554 5.6.0 The header is broken at line 2: there is no colon. [header-invalid]"),
        (b" " + FROM, "554 5.6.0 The header is broken at line 1: it continues a field, but there is none before it. [header-invalid]"),
        (FROM + b"Reply-To: support at example\r\n", '550 5.6.0 Reply-To cannot be read as addresses: an address has no "@domain"; names that hold a comma must be quoted. [reply-to-invalid]'),
        (FROM + b"Reply-To: undisclosed:;\r\n", "550 5.6.0 Reply-To cannot be read as addresses: it holds no address. [reply-to-invalid]"),
        (FROM + b"X-Postroom-Stream: news\r\n", "550 5.6.0 X-Postroom-Stream must be transactional or broadcast. [stream-unknown]"),
        (FROM + b"X-Postroom-Stream:\r\n", "550 5.6.0 X-Postroom-Stream must be transactional or broadcast. [stream-unknown]"),
        (FROM + b"X-MailerSend-Tags: 1,2,3,4,5,6\r\n", "550 5.6.0 X-MailerSend-Tags: 6 tags; at most 5 are allowed. [tags-invalid]"),
        (FROM + b"X-MailerSend-Tags: a, " + b"t" * 101 + b"\r\n", f"550 5.6.0 X-MailerSend-Tags: {TAGS_TOO_LONG}. [tags-invalid]"),
        (FROM + b"Received: here\r\n" * 6, "554 5.4.6 The message has passed 6 servers: this is a loop. [too-many-hops]"),
    ],
)  # fmt: skip
def test_a_header_that_no_rule_lets_in(header: bytes, reply: str) -> None:
    rule, said = decide(candidate(SHOP, header, config=CONFIG))
    assert said == reply
    assert reply.endswith(f" [{rule}]")


@pytest.mark.parametrize(
    ("header", "stream", "tags"),
    [
        (b"", Stream.TRANSACTIONAL, ()),
        (b"x-postroom-stream: Broadcast\r\n", Stream.BROADCAST, ()),
        (b"X-Postroom-Stream:\r\n transactional\r\n", Stream.TRANSACTIONAL, ()),
        (b"X-MailerSend-Tags: news\r\n", Stream.TRANSACTIONAL, ("news",)),
        (b'X-MailerSend-Tags: "a, b"\r\n', Stream.TRANSACTIONAL, ("a", "b")),
        (b'x-mailersend-tags: "a","b" ,, a\r\n', Stream.TRANSACTIONAL, ("a", "b")),
        (b"X-MailerSend-Tags: =?utf-8?q?caf=C3=A9?=\r\n", Stream.TRANSACTIONAL, ("café",)),
        (b"X-MailerSend-Tags: 1,2,3,4,5\r\n", Stream.TRANSACTIONAL, ("1", "2", "3", "4", "5")),
        (b"X-MailerSend-Tags:\r\n", Stream.TRANSACTIONAL, ()),
    ],
)
def test_stream_and_tags_are_read_from_the_header(
    header: bytes, stream: Stream, tags: tuple[str, ...]
) -> None:
    wants_in = candidate(SHOP, FROM + header)
    assert decide(wants_in) == ("", "")
    draft = admit.draft(wants_in, "0" * 24, 0)
    assert (draft.stream, draft.tags) == (stream, tags)


@pytest.mark.parametrize(
    ("sender", "rule"),
    [
        (Address("a", "shop.test"), ""),
        (Address("bounces", "mail.shop.test"), ""),
        (None, ""),
        (Address("a", "rival.test"), "envelope-not-verified"),
        (Address("root", "localhost"), "envelope-not-verified"),
    ],
)
def test_a_strict_domain_wants_its_own_envelope_senders(sender: Address | None, rule: str) -> None:
    strict = account(domain("shop.test", strict=True))
    reply = f"550 5.7.1 The envelope sender {sender} is not under a verified domain. [{rule}]" if rule else ""
    assert decide(candidate(strict, FROM, sender=sender)) == (rule, reply)
    assert decide(candidate(SHOP, FROM, sender=sender)) == ("", "")


@pytest.mark.parametrize(
    ("state", "rule", "reply"),
    [
        ("suspended", "account-suspended", "550 5.7.1 The account Shop is suspended. [account-suspended]"),
        ("unapproved", "account-unapproved", "550 5.7.1 The account Shop is not approved for sending yet. [account-unapproved]"),
    ],
)  # fmt: skip
def test_the_account_is_asked_about_again_at_the_end_of_data(state: str, rule: str, reply: str) -> None:
    assert decide(candidate(account(domain("shop.test"), state=state), FROM, config=CONFIG)) == (rule, reply)


def test_an_smtp_user_keeps_to_its_domains() -> None:
    both = account(domain("shop.test"), domain("news.test"))
    allowed = frozenset({"id-shop.test"})
    reply = "550 5.7.1 This SMTP user may not send from news.test, which is in From. [from-not-allowed]"
    assert decide(candidate(both, FROM, allowed=allowed)) == ("", "")
    wants_in = candidate(both, b"From: a@shop.test, a@news.test\r\n", allowed=allowed)
    assert decide(wants_in) == ("from-not-allowed", reply)


def test_the_plan_limits_the_recipients() -> None:
    config = Config.model_validate({"plans": {"small": {"recipients": 2}}})
    shop = account(domain("shop.test"), plan="small")
    assert decide(candidate(shop, FROM, recipients=2, config=config)) == ("", "")
    reply = "452 4.5.3 Too many recipients: at most 2 per message. [too-many-recipients]"
    assert decide(candidate(shop, FROM, recipients=3, config=config)) == ("too-many-recipients", reply)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (FROM, "a@shop.test"),
        (b"From: =?utf-8?q?J=C3=B6rg?= <a@shop.test>\r\n", "Jörg <a@shop.test>"),
        (FROM + b"no field\r\n", "a@shop.test"),
        (b"Subject: hi\r\n there\r\n" + FROM + b" \r\nTo: b@x.test\r\n", "a@shop.test"),
        (b"no field\r\n" + FROM, ""),
        (FROM.rstrip(), ""),
        (b"", ""),
    ],
)
def test_who_wrote_what_is_refused_is_shown_as_far_as_the_header_can_be_read(
    header: bytes, shown: str
) -> None:
    assert admit.shown_from(header) == shown
