"""The server session where a dialogue file does not show it: events, answers, every split (S13, S18, S32)."""

import itertools
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import (
    AUTH_FAILED,
    SHUTTING_DOWN,
    STORAGE_UNAVAILABLE,
    TOO_MANY_FAILED_LOGINS,
    Refused,
)
from postroom.wire.smtp.events import Authenticate, Closed, EndOfData, MailFrom, StartTls
from postroom.wire.smtp.server import ServerSession
from postroom.wire.smtp.settings import ServerSettings
from support.smtp_owner import MESSAGE_ID, logged_in_owner, new_owner, owner_in_data

TWO_MESSAGES = (
    (b"EHLO x\r\n", b"250 AUTH PLAIN LOGIN\r\n"),
    (b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"),
    (b"dXNlcg==\r\n", b"334 UGFzc3dvcmQ6\r\n"),
    (b"c2VjcmV0\r\n", b"235 2.7.0 Authentication successful\r\n"),
    (b"MAIL FROM:<a@example.com> BODY=8BITMIME\r\nRCPT TO:<b@example.net>\r\nDATA\r\n", b"354 "),
    (b"Subject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n", b"354 "),
    (b"second\n.\n\r\n.\r\n", b"250 2.0.0 Ok: queued as " + MESSAGE_ID.encode()),
)


def play(cut: int | None) -> list[bytes]:
    """The conversation with every piece cut in two at `cut` (0: in octets)."""
    owner = new_owner(tls=True)
    for data, expected in TWO_MESSAGES:
        if cut == 0:
            output = b"".join(owner.feed(data[at : at + 1]) for at in range(len(data)))
        else:
            output = owner.feed(data[:cut]) + (owner.feed(data[cut:]) if cut is not None else b"")
        assert expected in output.splitlines(keepends=True)[-1] + b"\r\n"
    assert owner.logins == [("LOGIN", "user", "secret")]
    assert owner.envelopes == [
        Envelope(Address("a", "example.com"), [Recipient(Address("b", "example.net"))], eight_bit=True),
        Envelope(None, [Recipient(Address("c", "example.net"))]),
    ]
    return owner.kept


@pytest.mark.parametrize("cut", [None, *range(90)])
def test_every_split_gives_the_same(cut: int | None):
    assert play(cut) == [b"Subject: x\r\n\r\n.dot\r\n", b"second\r\n.\r\n\r\n"]


TURNS = (
    *(data for data, _ in TWO_MESSAGES),
    b"MAIL FROM:<a@example.com> ENVID=x\r\nRCPT TO:<b@example.net> NOTIFY=NEVER\r\nRCPT TO:<no>\r\nWIZ\r\nDATA\r\n",
    b"one\n..two\r\n.\rthree\r\n.\n\r\n..\r\n.\r\nNOOP\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n",
    b"RCPT TO:<b@example.net>\r\nDATA\r\n",
    b"From: a@example.com\r\n\r\none\0two\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
    b"\r\n" + b"x" * 1100 + b"\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
    b".\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
    b"Subject: \xff\r\n\r\n..\n\xff.\r\n..\r\n.\r\nEHLO " + b"x" * 700 + b"\r\n\xfe\r\nQUIT\r\nNOOP\r\n",
)
"""What a client sends before it reads: good and refused, with line ends and dots of every kind."""


def told(cuts: Collection[int]) -> tuple[object, ...]:
    """All that came of TURNS: the replies to each, and what the owner was told. `cuts` are places in the whole."""
    owner, replies, start = new_owner(tls=True, max_command=600), [], 0
    for turn in TURNS:
        edges = [0, *sorted({cut - start for cut in cuts if start < cut < start + len(turn)}), len(turn)]
        replies.append(b"".join(owner.feed(turn[at:end]) for at, end in itertools.pairwise(edges)))
        start += len(turn)
    ends = [
        end.refused or end for end in owner.ends
    ]  # of what is refused, how much was read depends on the cuts
    return replies, owner.logins, owner.envelopes, owner.kept, ends, owner.refusals, owner.closed


@given(st.sets(st.integers(1, sum(map(len, TURNS)) - 1), max_size=60))
@settings(max_examples=1000, deadline=None)
def test_s32_a_thousand_random_cuts_give_the_same(cuts: set[int]):
    assert told(cuts) == told(())


def test_s32_cut_everywhere_gives_the_same():
    replies, _, envelopes, kept, _, refusals, closed = whole = told(())
    assert told(range(sum(map(len, TURNS)))) == whole
    assert all(reply.endswith(b"\r\n") for reply in replies)
    assert (len(envelopes), len(kept), closed) == (4, 4, True)
    assert refusals == ["recipient-syntax", "command-unknown", "command-too-long", "command-bytes"]


@given(st.lists(st.sampled_from([b"EHLO x", b"AUTH PLAIN", b"AHVzZXIAc2VjcmV0", b"MAIL FROM:<a@b>", b"RCPT TO:<a@b>", b"DATA", b"RSET", b".", b"*", b"STARTTLS", b"\xff", b"a\nb", b"QUIT", b""])))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_any_sequence_of_lines_is_answered(lines: list[bytes]):
    owner = new_owner(tls=True)
    for line in lines:
        in_data, closed = owner.session.in_data, owner.closed
        output = owner.feed(line + b"\r\n")
        silent = closed or (in_data and line != b".")
        assert bool(output) != silent
        assert output.endswith(b"\r\n") or silent


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes):
    owner = new_owner(tls=True)
    owner.feed(data)
    owner.feed(b"\r\n")
    assert owner.closed or owner.feed(b"NOOP\r\n")


def test_nothing_is_read_while_an_answer_is_waited_for():
    session = ServerSession(ServerSettings("relay.example.com"), tls=True)
    owner = logged_in_owner()
    session = owner.session
    session.receive(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n")
    assert isinstance(session.next_event(), MailFrom)
    assert session.waiting
    assert session.next_event() is None
    assert session.buffered == len(b"RCPT TO:<c@d.example>\r\n")
    assert session.take_output() == b""
    session.accept()
    assert session.take_output() == b"250 2.1.0 Ok\r\n"
    assert session.next_event() is not None


@pytest.mark.parametrize("event", [Authenticate, StartTls])
def test_s13_input_while_a_login_or_starttls_is_answered_closes(event: type):
    session = ServerSession(ServerSettings("relay.example.com"), tls=event is Authenticate)
    session.receive(b"EHLO x\r\n")
    session.next_event()
    session.take_output()
    session.receive(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n" if event is Authenticate else b"STARTTLS\r\n")
    assert isinstance(session.next_event(), event)
    session.receive(b"MAIL FROM:<a@b.example>\r\n")
    assert session.take_output().startswith(b"554 5.5.0 ")
    session.accept()  # the owner's answer comes too late
    session.refuse(Refused(AUTH_FAILED))
    assert session.take_output() == b""
    assert not session.authenticated
    assert session.closing


def test_s32_after_the_dot_the_owner_decides_alone():
    session = owner_in_data().session
    session.receive(b"x\r\n.\r\n")
    session.next_event()
    end = session.next_event()
    assert isinstance(end, EndOfData)
    assert session.take_output() == b""
    session.refuse(Refused(STORAGE_UNAVAILABLE))
    assert session.take_output().startswith(b"451 4.3.0 ")
    assert session.envelope is None
    assert not session.closing


@pytest.mark.parametrize("in_data", [False, True])
def test_close_says_why_and_reads_nothing_more(in_data: bool):
    owner = owner_in_data() if in_data else logged_in_owner()
    owner.session.close(Refused(SHUTTING_DOWN))
    owner.session.close(Refused(SHUTTING_DOWN))
    assert owner.session.take_output().count(b"421 4.3.2 ") == 1
    assert isinstance(owner.session.next_event(), Closed)
    assert owner.session.next_event() is None
    assert owner.feed(b"NOOP\r\n") == b""


def test_the_greeting():
    session = ServerSession(ServerSettings("relay.example.com"))
    session.greet()
    assert session.take_output() == b"220 relay.example.com ESMTP Postroom\r\n"


def test_a_rule_that_closes_closes():
    owner = new_owner(tls=True)
    owner.login = TOO_MANY_FAILED_LOGINS.id
    owner.feed(b"EHLO x\r\n")
    assert owner.feed(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n").startswith(b"421 4.7.0 ")
    assert owner.closed


def test_s18_an_accepted_message_forgives():
    owner = logged_in_owner(max_errors=3)
    for _ in range(3):
        owner.feed(b"WIZ\r\n")
        owner.feed(b"RCPT TO:<a@b.example>\r\n")
        assert owner.session.errors == 2
        owner.feed(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        owner.feed(b"x\r\n.\r\n")
        assert owner.session.errors == 0
    assert not owner.closed


def test_s06_s07_credentials_are_in_no_repr():
    event = Authenticate("PLAIN", "the-user", "the-secret")
    assert "the-" not in repr(event)
    assert "the-" not in str(event)
