"""wire.bounce: which refusals say that an address is gone (D09)."""

import pytest

from postroom.types.reply import Reply
from postroom.wire.bounce import hard
from postroom.wire.smtp.reply_reader import ReplyReader

GONE = [
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
    "550-5.1.1 double-checking the recipient's email address for typos or\r\n"
    "550 5.1.1 unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser",
    "550 5.2.1 The email account that you tried to reach is disabled. For more information, go to https://x.test/",
    "550 5.1.1 <bob@b.test>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    "554 delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0] - mta1.mail.yahoo.com",
    "550 No such user here",
    "550 User unknown",
    "550 <spam-block@policy.test>: unknown user",
    "550 5.0.0 Invalid recipient <bob@b.test> (#5.1.1)",
    "553 sorry, no mailbox here by that name",
    "550 Unrouteable address",
    "550 mailbox not found",
    "550 Requested action not taken: mailbox unavailable",
    "550 account bob is no longer active",
    "556 5.1.10 b.test accepts no mail (null MX, RFC 7505)",
    "550 5.1.2 the domain does not exist: blocked.test (MX): the name does not exist",
]
NOT_GONE = [
    "450 4.1.1 User unknown", "421 4.2.1 The user you are trying to contact is receiving mail too quickly",
    "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
    "552 5.2.2 The email account that you tried to reach is over quota", "550 5.2.2 mailbox full", "552 mailbox full",
    "550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using Spamhaus", "554 5.7.1 spam detected",
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated", "550 5.7.0 Relay access denied",
    "550 relaying denied: user not found in relay map", "550 5.1.1 rejected: message looks like spam",
    "550 5.1.1 blocked by policy: unknown user", "550 SPF check failed; no such user accepted",
    "550 Greylisted, please try again: recipient unknown", "550 5.4.1 Recipient address rejected: Access denied",
    "550 5.1.8 Sender address rejected: Domain not found", "550 Sender address rejected: user unknown",
    "550", "550 5.0.0", "554 5.0.0 Service refused", "550 5.5.0 no", "550 Administrative prohibition",
    "552 5.3.4 message too big", "550 5.4.6 loop", "550 5.4.4 no address", "250 2.1.5 no such user, but welcome",
]  # fmt: skip


def read(text: str) -> Reply:
    (reply,) = ReplyReader().feed(text.encode() + b"\r\n")
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize("text", GONE)
def test_d09_the_address_is_gone(text: str) -> None:
    assert hard(read(text))


@pytest.mark.parametrize("text", NOT_GONE)
def test_d09_anything_else_is_not_held_against_the_address(text: str) -> None:
    assert not hard(read(text))
