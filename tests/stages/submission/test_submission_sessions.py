"""Whole conversations over loopback: TLS both ways, logins, messages, refusals, faults of the policy."""

import asyncio
import gc
import smtplib
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from postroom.accept.rate import Pace
from postroom.errors import StorageUnavailableError
from postroom.runtime import killpoints
from postroom.types.envelope import Address, Recipient
from postroom.types.refusals import (
    ACCOUNT_SUSPENDED,
    DAILY_QUOTA,
    FROM_NOT_VERIFIED,
    LOGIN_REVOKED,
    RECIPIENT_SUPPRESSED,
    SMTP_USER_DISABLED,
    Refused,
)
from support.raw import RawClient
from support.submission import MESSAGE_ID, FakePolicy, User, relay, until
from support.tls import local_tls


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_message_is_accepted(tls: str):
    async with relay() as one, await one.log_in(tls) as client:
        assert await client.message(b"Subject: x\r\n\r\n..dot\r\n") == f"250 2.0.0 Ok: queued as {MESSAGE_ID}"
        assert await client.message(b"second\r\n") == f"250 2.0.0 Ok: queued as {MESSAGE_ID}"
        assert await client.say("QUIT") == "221 2.0.0 Bye"
        assert await client.closed()
        username, envelope, content = one.policy.messages[0]
        assert username == "user"
        assert envelope.sender == Address("a", "example.com")
        assert envelope.recipients == [Recipient(Address("b", "example.net"))]
        assert content.data == b"Subject: x\r\n\r\n.dot\r\n"
        assert (content.size, content.header_size, content.blob) == (20, 12, None)
        assert one.policy.logins == [("user", "secret", "127.0.0.1")]
        assert one.server.accepted == 2
        await until(lambda: one.server.connections == 0)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("politely", [True, False])
async def test_nothing_of_a_connection_is_left_for_the_collector(tls: str, politely: bool):
    """With what TLS needs for it, a third of a megabyte would lie about for minutes."""
    async with relay() as one, await one.connect(tls) as client:
        await client.say("EHLO client.example")
        (left,) = [weakref.ref(connection) for connection in one.server._context.connections]
        if politely:
            await client.say("QUIT")
        else:
            client.writer.transport.abort()
        await until(lambda: left() is None)


@pytest.mark.parametrize("place", ["submission.end_of_data", "submission.before_answer"])
async def test_after_a_fault_inside_nobody_waits_for_an_answer(place: str, monkeypatch: pytest.MonkeyPatch):
    """What became of the message is unknown then, so no reply would be true: the connection ends."""
    async with relay() as one, await one.log_in() as client:
        monkeypatch.setattr(killpoints, "_plan", killpoints.plan({killpoints.SWITCH: f"{place}:raise"}))
        assert await client.message() == ""
        await until(lambda: one.server.connections == 0)


def send_with_smtplib(port: int, implicit: bool) -> dict[str, tuple[int, bytes]]:
    tls = local_tls().client
    if implicit:
        client: smtplib.SMTP = smtplib.SMTP_SSL("localhost", port, context=tls, timeout=5)
    else:
        client = smtplib.SMTP("localhost", port, timeout=5)
    with client:
        if not implicit:
            client.starttls(context=tls)
        client.login("user", "secret")
        return client.sendmail("a@example.com", ["b@example.net", "bad@"], b"Subject: x\n\n.hello\n.\n..\r\n")


@pytest.mark.parametrize("implicit", [False, True])
async def test_smtplib(implicit: bool):
    """Given bytes it sends bare LFs as they are, and stuffs the dots behind them."""
    async with relay() as one:
        port = one.port("implicit" if implicit else "starttls")
        refused = await asyncio.to_thread(send_with_smtplib, port, implicit)
        assert refused["bad@"][0] == 501
        assert one.policy.messages[0][2].data == b"Subject: x\r\n\r\n.hello\r\n.\r\n..\r\n"


async def test_s04_what_comes_with_starttls_is_never_used():
    async with relay() as one, await one.connect() as client:
        await client.reply()
        client.send(b"STARTTLS\r\nEHLO injected.example\r\n")
        assert (await client.reply()).startswith("554 5.5.0 ")
        assert await client.closed()
        assert one.policy.refused_rules == ["early-pipelining"]


async def test_s04_what_comes_before_the_handshake_is_never_used():
    async with relay() as one, await one.connect() as client:
        await client.reply()
        assert (await client.say("STARTTLS")).startswith("220 ")
        client.send(b"EHLO injected.example\r\n")
        assert await client.closed()
        await until(lambda: one.server.connections == 0)


async def test_s04_state_is_reset_and_nothing_is_said_unasked():
    async with relay() as one, await one.connect() as client:
        await client.reply()
        await client.say("EHLO x")
        await client.start_tls(local_tls().client)
        assert (await client.say("MAIL FROM:<a@example.com>")).startswith("503 ")


async def test_a_handshake_that_fails_leaves_nothing():
    async with relay(handshake_timeout=0.05) as one, await one.connect() as client:
        await client.reply()
        assert (await client.say("STARTTLS")).startswith("220 ")
        assert await client.closed()
        await until(lambda: one.server.connections == 0)
        async with await RawClient.connect("127.0.0.1", one.port("implicit")) as second:
            second.send(b"\x16\x03\x01")
            assert await second.closed()
        await until(lambda: one.server.connections == 0)


async def test_s06_nothing_works_before_tls():
    async with relay() as one, await one.connect() as client:
        await client.reply()
        await client.say("EHLO x")
        assert (await client.say("AUTH PLAIN AHVzZXIAc2VjcmV0")).startswith("538 5.7.11 ")
        assert (await client.say("MAIL FROM:<a@example.com>")).startswith("530 5.7.0 ")
        assert one.policy.logins == []
        assert one.policy.refusals == [("auth-needs-tls", None, b""), ("tls-required", None, b"")]


@pytest.mark.parametrize("talks", [True, False])
async def test_s29_plain_text_on_the_tls_port(talks: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("postroom.accept.submission.implicit_tls.SILENCE", 0.05)
    async with relay() as one, await RawClient.connect("127.0.0.1", one.port("implicit")) as client:
        if talks:
            client.send(b"EHLO client.example\r\n")
        reply = await client.reply()
        assert reply.startswith("554 5.7.0 ")
        assert "587" in reply
        assert await client.closed()
        client.writer.close()
        assert one.policy.refused_rules == ["plain-on-tls-port"]
        await until(lambda: one.server.connections == 0)


async def test_s29_a_client_that_says_nothing_and_leaves_is_no_mistake():
    async with relay() as one:
        async with await RawClient.connect("127.0.0.1", one.port("implicit")):
            await until(lambda: one.server.connections == 1)
        await until(lambda: one.server.connections == 0)
        assert one.policy.refusals == []


async def test_data_right_behind_the_handshake():
    """A client's first line may arrive together with the end of the handshake."""
    async with relay() as one:
        for _ in range(20):
            client = await one.connect()
            await client.reply()
            assert (await client.say("STARTTLS")).startswith("220 ")
            await client.writer.start_tls(local_tls().client, server_hostname="localhost")
            client.send(b"EHLO x\r\n")
            assert (await client.reply()).endswith("250 AUTH PLAIN LOGIN")
            client.writer.transport.abort()


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_login_answers(asynchronous: bool):
    cases = [
        (User("user"), "235 2.7.0 "),
        (Refused(SMTP_USER_DISABLED, {"username": "user"}), "535 5.7.8 "),
        (StorageUnavailableError("gone"), "454 4.7.0 "),
        (ValueError("bug"), "454 4.7.0 "),
    ]
    for value, reply in cases:
        policy = FakePolicy(login_answer=later(value) if asynchronous else value)
        async with relay(policy) as one, await one.connect("starttls") as client:
            assert (await client.log_in()).startswith(reply)


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_mail_answers(asynchronous: bool):
    cases = [
        (Pace(), "250 2.1.0 "),
        (Pace(delay=0.01), "250 2.1.0 "),
        (Refused(ACCOUNT_SUSPENDED), "550 5.7.1 "),
        (Refused(DAILY_QUOTA), "451 4.7.1 "),
        (Refused(LOGIN_REVOKED), "421 4.7.0 "),
        (StorageUnavailableError("gone"), "451 4.3.0 "),
        (ValueError("bug"), "451 4.3.0 "),
    ]
    for value, reply in cases:
        async with relay() as one, await one.log_in() as client:
            one.policy.mail_answer = later(value) if asynchronous else value
            assert (await client.say("MAIL FROM:<a@example.com>")).startswith(reply)
            assert await client.closed() if reply.startswith("421") else await client.say("NOOP")


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_rcpt_answers(asynchronous: bool):
    suppressed = Refused(RECIPIENT_SUPPRESSED, {"address": "b@example.net", "reason": "unsubscribed"})
    cases = [
        (None, "250 2.1.5 "),
        (suppressed, "550 5.7.1 "),
        (Refused(LOGIN_REVOKED), "421 4.7.0 "),
        (StorageUnavailableError("gone"), "451 4.3.0 "),
        (ValueError("bug"), "451 4.3.0 "),
    ]
    for value, reply in cases:
        async with relay() as one, await one.log_in() as client:
            await client.say("MAIL FROM:<a@example.com>")
            one.policy.rcpt_answer = later(value) if asynchronous else value
            assert (await client.say("RCPT TO:<b@example.net>")).startswith(reply)
            assert await client.closed() if reply.startswith("421") else await client.say("NOOP")


async def test_one_refused_recipient_leaves_the_others():
    """What is recorded names the one that was refused."""
    async with relay() as one, await one.log_in() as client:
        await client.say("MAIL FROM:<a@example.com>")
        assert (await client.say("RCPT TO:<a@example.net>")).startswith("250 ")
        one.policy.rcpt_answer = Refused(RECIPIENT_SUPPRESSED)
        assert (await client.say("RCPT TO:<b@example.net>")).startswith("550 ")
        [envelope] = one.policy.refused_envelopes
        assert [str(to.address) for to in envelope.recipients] == ["b@example.net"]
        one.policy.rcpt_answer = None
        assert (await client.say("RCPT TO:<c@example.net>")).startswith("250 ")
        assert (await client.say("DATA")).startswith("354 ")
        assert (await client.say("Subject: x\r\n\r\nbody\r\n.")).startswith("250 ")
        [(_, envelope, _)] = one.policy.messages
        assert [str(to.address) for to in envelope.recipients] == ["a@example.net", "c@example.net"]
        assert [seen for _, seen, _ in one.policy.rcpts] == [0, 1, 1]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_message_answers(asynchronous: bool):
    cases = [
        (Refused(FROM_NOT_VERIFIED, {"domain": "example.com", "field": "From"}), "550 5.7.1 "),
        (StorageUnavailableError("gone"), "451 4.3.0 "),
        (ValueError("bug"), "451 4.3.0 "),
    ]
    for value, reply in cases:
        async with relay() as one, await one.log_in() as client:
            one.policy.message_answer = later(value) if asynchronous else value
            assert (await client.message(b"Subject: y\r\n\r\nbody\r\n")).startswith(reply)
            assert one.policy.refusals[-1][1:] == ("user", b"Subject: y\r\n")
            one.policy.message_answer = MESSAGE_ID
            assert (await client.message()).startswith("250 ")


async def test_a_refusal_says_its_rule_and_where_to_read_on():
    policy = FakePolicy(mail_answer=Refused(ACCOUNT_SUSPENDED, {"account": "Shop"}))
    async with relay(policy) as one, await one.log_in() as client:
        reply = await client.say("MAIL FROM:<a@example.com>")
        assert reply.endswith("https://relay.example.com/refusals#account-suspended [account-suspended]")


async def test_s13_pipelining_while_the_policy_thinks():
    """Two whole transactions in one go: replies in order, the second message after the first one's answer."""
    async with relay() as one, await one.log_in() as client:
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        one.policy.message_answer = first
        await client.envelope()
        client.send(b"one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n")
        await until(lambda: one.policy.messages)
        client.send(b"")
        first.set_result("f" * 24)
        assert (await client.reply()).endswith("f" * 24)
        assert [(await client.reply())[:3] for _ in range(3)] == ["250", "250", "354"]
        assert len(one.policy.messages) == 1


async def test_s32_nothing_is_left_of_an_abandoned_transaction():
    async with relay() as one:
        client = await one.log_in()
        await client.envelope()
        client.send(b"half a mess")
        client.writer.transport.abort()
        await until(lambda: one.server.connections == 0)
        assert one.policy.messages == []


async def test_content_refused_by_the_protocol_is_recorded_with_its_header():
    async with relay() as one, await one.log_in() as client:
        await client.envelope()
        client.send(b"Subject: binary\r\n\r\n" + b"x" * 70_000 + b"\r\n")
        client.send(b"\0\r\n.\r\n")
        assert (await client.reply()).startswith("554 5.6.0 ")
        assert one.policy.messages == []
        assert one.policy.refused_rules == ["line-too-long"]
