"""wire.smtp.client: the session, driven by hand."""

import base64

import pytest

from postroom.types.envelope import Address
from postroom.wire.smtp.client import ClientSession, Ended, Event, Ready, SendContent, Stage, StartTls
from postroom.wire.smtp.client_commands import InjectionError, Login, Needs, OneRecipient

ENVELOPE = OneRecipient("a@a.test", Address("bob", "b.test"))
NEEDS = Needs(100)
PIPELINED = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<bob@b.test>\r\nDATA\r\n"
HELLO = b"EHLO me.test\r\n"


def session(tls: str = "none", login: Login | None = None) -> ClientSession:
    return ClientSession("me.test", tls=tls, login=login)


def opened(*offers: str) -> ClientSession:
    client = session()
    client.receive(b"220 hi\r\n")
    lines = "".join(f"250-{offer}\r\n" for offer in ("peer", *offers))
    assert client.receive(f"{lines}250 HELP\r\n".encode()) == Ready()
    client.take_output()
    client.take_trace()
    return client


def in_data(*offers: str) -> ClientSession:
    client = opened("PIPELINING", *offers)
    assert client.begin(ENVELOPE, NEEDS) is None
    assert isinstance(client.receive(b"250 ok\r\n250 ok\r\n354 go\r\n"), SendContent)
    client.take_output()
    return client


def ended(event: Event | None) -> tuple[Stage, int, str]:
    assert isinstance(event, Ended)
    return event.stage, event.reply.code, event.reply.enhanced


# -- opening ------------------------------------------------------------------------------------------------------


def test_ehlo_after_the_greeting() -> None:
    client = session()
    assert client.take_output() == b""
    assert client.receive(b"220-hi\r\n") is None
    assert client.take_output() == b""
    client.receive(b"220 there\r\n")
    assert client.take_output() == HELLO
    assert client.awaiting is Stage.EHLO
    assert client.receive(b"250-peer\r\n250 PIPELINING\r\n") == Ready()
    assert client.offers == {"PIPELINING": ""}
    assert client.take_trace() == [
        ("S", "220 hi there"), ("C", "EHLO me.test"), ("S", "250 peer PIPELINING"),
    ]  # fmt: skip


def test_helo_when_the_server_knows_no_ehlo() -> None:
    client = session("opportunistic")
    client.receive(b"220 hi\r\n")
    client.take_output()
    assert client.receive(b"502 what?\r\n") is None
    assert client.take_output() == b"HELO me.test\r\n"
    assert client.receive(b"250 peer\r\n") == Ready()
    assert client.offers == {}


@pytest.mark.parametrize(
    ("said", "stage", "code", "greeted"),
    [
        (b"554 go away\r\n", Stage.GREETING, 554, True),
        (b"421 busy\r\n", Stage.GREETING, 421, True),
        (b"354 odd\r\n", Stage.GREETING, 354, True),
        (b"HTTP/1.1 400 Bad Request\r\n", Stage.GREETING, 451, False),
        (b"220 hi\r\n421 busy\r\n", Stage.EHLO, 421, True),
        (b"220 hi\r\n451 later\r\n", Stage.EHLO, 451, True),
        (b"220 hi\r\n550 no\r\n550 no\r\n", Stage.HELO, 550, True),
    ],
)
def test_d05_refused_before_the_session_is_open(said: bytes, stage: Stage, code: int, greeted: bool) -> None:
    client = session()
    event = client.receive(said)
    assert ended(event)[:2] == (stage, code)
    assert client.closed
    assert client.greeted is greeted


def test_s25_the_host_name_is_checked() -> None:
    with pytest.raises(InjectionError):
        ClientSession("me\r\nMAIL FROM:<>")


# -- TLS ----------------------------------------------------------------------------------------------------------


def before_tls(tls: str = "opportunistic", login: Login | None = None) -> ClientSession:
    client = session(tls, login)
    client.receive(b"220 hi\r\n")
    client.receive(b"250-peer\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n")
    assert client.take_output().endswith(b"STARTTLS\r\n")
    return client


def test_ehlo_again_after_the_handshake_and_nothing_remembered() -> None:
    client = before_tls()
    assert client.receive(b"220 go\r\n") == StartTls()
    assert client.take_output() == b""
    client.tls_started()
    assert client.offers == {}
    assert client.take_output() == HELLO
    assert client.receive(b"250-peer\r\n250 SIZE 1\r\n") == Ready()
    assert client.offers == {"SIZE": "1"}


@pytest.mark.parametrize("injected", [b"250 fake\r\n", b"2", b"250-fake\r\n", b"garbage\r\n", b"\x16"])
def test_s05_anything_before_the_handshake_is_a_failure(injected: bytes) -> None:
    client = before_tls()
    assert ended(client.receive(b"220 go\r\n" + injected)) == (Stage.STARTTLS, 451, "4.7.0")
    assert client.closed
    client = before_tls()
    assert client.receive(b"220 go\r\n") == StartTls()
    assert ended(client.receive(injected)) == (Stage.STARTTLS, 451, "4.7.0")


@pytest.mark.parametrize("refusal", [b"454 4.7.0 not now\r\n", b"502 no\r\n"])
def test_d13_opportunistic_goes_on_when_starttls_is_refused(refusal: bytes) -> None:
    client = before_tls()
    assert client.receive(refusal) == Ready()
    assert ("*", "the server refused STARTTLS: going on in clear text") in client.take_trace()
    client = before_tls("required")
    assert ended(client.receive(refusal)) == (Stage.STARTTLS, 451, "4.7.0")


def test_d13_required_never_goes_on_when_starttls_is_missing() -> None:
    for said in (b"250 peer\r\n", b"500 what\r\n250 peer\r\n"):
        client = session("required")
        client.receive(b"220 hi\r\n")
        assert ended(client.receive(said)) == (Stage.STARTTLS, 451, "4.7.0")
        assert client.closed


def test_none_ignores_starttls() -> None:
    client = session("none")
    client.receive(b"220 hi\r\n")
    assert client.receive(b"250-peer\r\n250 STARTTLS\r\n") == Ready()


# -- login --------------------------------------------------------------------------------------------------------

LOGIN = Login("üser", "s3cret")


def test_auth_plain_with_the_initial_response_and_redacted() -> None:
    client = session(login=LOGIN)
    client.receive(b"220 hi\r\n")
    client.receive(b"250-peer\r\n250 AUTH LOGIN PLAIN\r\n")
    response = base64.b64encode("\0üser\0s3cret".encode())
    assert client.take_output() == HELLO + b"AUTH PLAIN " + response + b"\r\n"
    assert client.receive(b"235 ok\r\n") == Ready()
    assert response.decode() not in str(client.take_trace())
    assert "s3cret" not in repr(LOGIN)


def test_auth_login_and_redacted() -> None:
    client = session(login=LOGIN)
    client.receive(b"220 hi\r\n")
    client.receive(b"250-peer\r\n250 AUTH=LOGIN\r\n")
    assert client.take_output().endswith(b"AUTH LOGIN\r\n")
    client.receive(b"334 VXNlcm5hbWU6\r\n")
    assert base64.b64decode(client.take_output()) == "üser".encode()
    client.receive(b"334 UGFzc3dvcmQ6\r\n")
    assert base64.b64decode(client.take_output()) == b"s3cret"
    assert client.receive(b"235 ok\r\n") == Ready()
    assert [text for who, text in client.take_trace() if who == "C"][1:] == [
        "AUTH LOGIN",
        "(redacted)",
        "(redacted)",
    ]


@pytest.mark.parametrize(
    ("tls", "login", "offers", "said", "code"),
    [
        ("none", LOGIN, "AUTH PLAIN", b"535 5.7.8 wrong\r\n", 535),
        ("none", LOGIN, "AUTH PLAIN", b"334 more\r\n", 334),
        ("none", LOGIN, "AUTH CRAM-MD5", b"", 451),
        ("none", LOGIN, "HELP", b"", 451),
        ("none", Login("a\0b", "c"), "AUTH PLAIN", b"", 451),
        ("opportunistic", LOGIN, "AUTH PLAIN", b"", 451),
    ],
)
def test_login_that_fails_ends_the_session(
    tls: str, login: Login, offers: str, said: bytes, code: int
) -> None:
    client = session(tls, login)
    client.receive(b"220 hi\r\n")
    event = client.receive(f"250-peer\r\n250 {offers}\r\n".encode()) or client.receive(said)
    assert ended(event)[:2] == (Stage.AUTH, code)
    assert client.closed


# -- transactions -------------------------------------------------------------------------------------------------


def test_pipelined_envelope_is_one_write() -> None:
    client = opened("PIPELINING")
    assert client.begin(ENVELOPE, NEEDS) is None
    assert client.take_output() == PIPELINED
    assert client.receive(b"250 ok\r\n250 ok\r\n") is None
    assert client.mail_accepted
    assert client.receive(b"354 go\r\n") == SendContent()
    client.content_sent(100)
    assert client.dot_sent
    event = client.receive(b"250 2.0.0 queued\r\n")
    assert ended(event) == (Stage.CONTENT, 250, "2.0.0")
    assert [text for who, text in client.take_trace() if who == "C"][-1] == "(100 octets)"
    client.begin(ENVELOPE, NEEDS)
    assert client.take_output() == PIPELINED


def test_without_pipelining_one_command_at_a_time() -> None:
    client = opened()
    client.begin(ENVELOPE, NEEDS)
    event = None
    for command in PIPELINED.splitlines(keepends=True):
        assert client.take_output() == command
        event = client.receive(b"354 go\r\n" if command == b"DATA\r\n" else b"250 ok\r\n")
    assert event == SendContent()


@pytest.mark.parametrize(
    ("replies", "stage", "code"),
    [
        (b"450 a\r\n503 b\r\n503 c\r\n", Stage.MAIL, 450),
        (b"550 a\r\n503 b\r\n503 c\r\n", Stage.MAIL, 550),
        (b"250 a\r\n550 b\r\n554 c\r\n", Stage.RCPT, 550),
        (b"250 a\r\n452 b\r\n503 c\r\n", Stage.RCPT, 452),
        (b"250 a\r\n250 b\r\n451 c\r\n", Stage.DATA, 451),
    ],
)
@pytest.mark.parametrize("offer", ["PIPELINING", "HELP"])
def test_d07_the_first_refusal_counts_and_the_next_transaction_resets(
    offer: str, replies: bytes, stage: Stage, code: int
) -> None:
    client = opened(offer)
    client.begin(ENVELOPE, NEEDS)
    event = None
    for reply in replies.splitlines(keepends=True):
        event = event or client.receive(reply)
    assert ended(event)[:2] == (stage, code)
    assert not client.closed
    client.take_output()
    client.begin(ENVELOPE, NEEDS)
    assert client.take_output() == (b"RSET\r\n" + PIPELINED if offer == "PIPELINING" else b"RSET\r\n")
    if offer == "PIPELINING":
        assert client.receive(b"250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n") == SendContent()


def test_d07_data_accepted_without_recipient_gets_an_empty_message_and_its_reply_is_ignored() -> None:
    client = opened("PIPELINING")
    client.begin(ENVELOPE, NEEDS)
    client.take_output()
    assert client.receive(b"250 ok\r\n550 5.1.1 no such user\r\n354 go\r\n") is None
    assert client.take_output() == b".\r\n"
    assert not client.dot_sent
    assert client.refusal is not None
    assert ended(client.receive(b"250 queued\r\n")) == (Stage.RCPT, 550, "5.1.1")
    client.begin(ENVELOPE, NEEDS)
    assert client.take_output().startswith(b"RSET\r\n")


@pytest.mark.parametrize(
    ("after", "stage", "code"),
    [(b"421 bye\r\n", Stage.RCPT, 550), (b"what?\r\n", Stage.RCPT, 550), (b"250 odd\r\n", Stage.RCPT, 550)],
)
def test_a_refusal_stands_whatever_comes_after_it(after: bytes, stage: Stage, code: int) -> None:
    client = opened("PIPELINING")
    client.begin(ENVELOPE, NEEDS)
    assert ended(client.receive(b"250 ok\r\n550 no\r\n" + after))[:2] == (stage, code)
    assert client.closed


@pytest.mark.parametrize("reply", [b"421 4.3.2 bye\r\n", b"421\r\n"])
@pytest.mark.parametrize("before", [b"", b"250 ok\r\n", b"250 ok\r\n250 ok\r\n"])
def test_d12_421_closes_anywhere(before: bytes, reply: bytes) -> None:
    client = opened("PIPELINING")
    client.begin(ENVELOPE, NEEDS)
    assert ended(client.receive(before + reply))[1] == 421
    assert client.closed


@pytest.mark.parametrize("reply", [b"250 ok\r\n", b"334 go\r\n", b"99 \r\n"])
def test_d08_nonsense_to_data_closes(reply: bytes) -> None:
    client = opened("PIPELINING")
    client.begin(ENVELOPE, NEEDS)
    event = client.receive(b"250 ok\r\n250 ok\r\n" + reply)
    if reply.startswith(b"334"):
        assert event == SendContent()  # the first digit decides
        return
    assert isinstance(event, Ended)
    assert (event.reply.enhanced, event.understood, client.closed) == ("4.5.0", False, True)


@pytest.mark.parametrize("reply", [b"what?\r\n", b"354 more\r\n"])
def test_d08_nonsense_after_the_dot_is_not_understood(reply: bytes) -> None:
    client = in_data()
    client.content_sent(100)
    event = client.receive(reply)
    assert isinstance(event, Ended)
    assert (event.reply.enhanced, event.understood, client.dot_sent) == ("4.5.0", False, True)


def test_a_refusal_while_content_is_sent_counts_and_closes() -> None:
    client = in_data()
    assert ended(client.receive(b"552 5.3.4 too big\r\n")) == (Stage.CONTENT, 552, "5.3.4")
    assert client.closed
    client = in_data()
    event = client.receive(b"250 already\r\n")
    assert isinstance(event, Ended)
    assert not event.understood


@pytest.mark.parametrize("said", [b"421 idle\r\n", b"250 late\r\n", b"junk\r\n"])
def test_whatever_comes_unasked_closes_without_an_event(said: bytes) -> None:
    client = opened()
    assert client.receive(said) is None
    assert client.closed


def test_an_unasked_reply_behind_the_last_one_spoils_nothing() -> None:
    client = in_data()
    client.content_sent(100)
    assert ended(client.receive(b"250 queued\r\n421 bye\r\n"))[1] == 250
    assert client.closed


def test_d19_size_is_checked_before_anything_is_sent() -> None:
    client = opened("SIZE 99")
    reply = client.begin(ENVELOPE, NEEDS)
    assert reply is not None
    assert reply.enhanced == "5.3.4"
    assert client.take_output() == b""
    assert client.begin(ENVELOPE, Needs(99)) is None


def test_s25_an_impossible_address_raises_and_leaves_the_session_as_it_was() -> None:
    client = opened("PIPELINING")
    with pytest.raises(InjectionError):
        client.begin(OneRecipient("a@a.test", Address("x>\r\nDATA", "b.test")), NEEDS)
    assert client.take_output() == b""
    assert client.begin(ENVELOPE, NEEDS) is None
    assert client.take_output() == PIPELINED


def test_a_refused_reset_closes() -> None:
    client = in_data()
    client.content_sent(1)
    client.receive(b"451 later\r\n")
    client.begin(ENVELOPE, NEEDS)
    assert ended(client.receive(b"500 what?\r\n"))[0] is Stage.RSET
    assert client.closed


def test_quit() -> None:
    client = opened()
    client.quit()
    assert client.take_output() == b"QUIT\r\n"
    assert client.receive(b"221 bye\r\n") is None
    assert client.closed


def test_replies_byte_by_byte_come_to_the_same() -> None:
    client = opened("PIPELINING")
    client.begin(ENVELOPE, NEEDS)
    replies = b"250-a\r\n250 ok\r\n250 ok\r\n354 go\r\n"
    events = [client.receive(replies[at : at + 1]) for at in range(len(replies))]
    assert [event for event in events if event] == [SendContent()]
