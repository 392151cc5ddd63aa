"""Limits: connections, failed logins, errors, time, rate; and draining (S08, S17, S18)."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from postroom.accept.submission import channel
from postroom.accept.submission.context import BUFFER
from postroom.accept.submission.deadlines import Deadlines
from postroom.accept.submission.limits import (
    ConnectionLimits,
    FailedLogins,
    client_address,
    client_network,
)
from postroom.config import Config, Listen, Submission
from postroom.errors import ConfigError
from postroom.runtime.clock import FakeClock
from postroom.types.refusals import AUTH_FAILED, Refused
from support.submission import MESSAGE_ID, User, relay, until


@pytest.mark.parametrize(
    ("host", "client", "network"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
    ],
)
def test_client_addresses(host: str, client: str, network: str):
    assert client_address(host) == client
    assert client_network(client) == network


def test_s08_failures_make_an_address_wait_longer_and_longer():
    clock = FakeClock()
    failed = FailedLogins(3, clock.monotonic)
    waits = [failed.failed("192.0.2.1", "user") for _ in range(15)]
    assert waits[:3] == [0, 0, 0]
    assert all(later == min(2 * sooner, 900) for sooner, later in pairwise(waits[3:]))
    refused = failed.wait("192.0.2.1", "user")
    assert refused is not None
    assert refused.facts == {"seconds": "900"}
    assert failed.wait("192.0.2.2", "user") is None
    clock.advance(901)
    assert failed.wait("192.0.2.1", "user") is None
    clock.advance(3600)
    assert failed.failed("192.0.2.1", "user") == 0


def test_s08_an_attacker_in_one_network_cannot_shut_out_the_owner():
    clock = FakeClock()
    failed = FailedLogins(3, clock.monotonic)
    failed.succeeded("2001:db8::1", "owner")
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"):
        failed.failed(address, "other")
    assert failed.wait("2001:db8::9", "owner") is None
    assert failed.wait("2001:db8::9", "other") is not None
    clock.advance(24 * 3600 + 1)
    failed.forget()
    assert not failed.is_known("2001:db8::1")


def test_s08_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("postroom.accept.submission.limits.MOST_REMEMBERED", 10)
    failed = FailedLogins(1, FakeClock().monotonic)
    for at in range(100):
        failed.failed(f"192.0.2.{at}", f"user{at}")
        failed.succeeded(f"192.0.2.{at}", "user")
    tables = (failed._failures, failed._guesses, failed._known, failed._known_networks)
    assert [len(table) for table in tables] == [10] * 4
    assert not failed.is_known("192.0.2.1")
    assert failed.is_known("192.0.2.99")
    failed.failed("192.0.2.1", "x" * 100_000)
    assert max(map(len, failed._guesses)) == 320


def test_s08_the_more_one_password_is_guessed_at_the_longer_a_guess_takes():
    clock = FakeClock()
    failed = FailedLogins(5, clock.monotonic)
    failed.succeeded("192.0.2.1", "owner")
    delays = []
    for at in range(120):
        failed.failed(f"198.51.{at}.1", "Owner")
        delays.append(failed.delay(f"203.0.113.{at}", "owner"))
    assert delays == sorted(delays)
    assert sorted(set(delays)) == [0, 1, 2, 4, 8, 10]
    assert delays.index(1) == 19
    assert failed.delay("192.0.2.1", "OWNER") == 0  # he comes from where he always does
    assert failed.delay("203.0.113.1", "other") == 0
    clock.advance(3601)
    assert failed.delay("203.0.113.1", "owner") == 0
    failed.forget()
    assert failed._guesses == {}


def test_s17_the_last_connections_are_for_known_addresses():
    limits = ConnectionLimits(10, 3, lambda client: client == "192.0.2.9")
    clients = [f"192.0.2.{at // 3}" for at in range(9)]
    assert [limits.enter(client) for client in clients] == [None] * 9
    refused = limits.enter("192.0.2.0")
    assert refused is not None
    assert refused.rule.id == "too-many-connections"
    limits.leave("192.0.2.0")
    busy = limits.enter("192.0.2.8")
    assert busy is not None
    assert busy.rule.id == "server-busy"
    limits.leave("192.0.2.8")
    assert limits.enter("192.0.2.9") is None
    for client in [*clients, "192.0.2.9"]:
        limits.leave(client)
    assert limits.total == 0


def test_s17_deadlines():
    limits = Submission(command_timeout=300, login_timeout=60, data_timeout=180, min_data_rate=500)
    deadlines = Deadlines(limits, 0.0)
    assert deadlines.overdue(59) is None
    assert deadlines.overdue(61) is not None
    deadlines.logged_in()
    assert deadlines.overdue(299) is None
    assert deadlines.overdue(301) is not None
    deadlines.replied(290)
    assert deadlines.overdue(589) is None
    deadlines.stood_still(500, 100)
    assert deadlines.overdue(689) is None
    deadlines.data_started(1000)
    deadlines.received(1010, 5000)
    assert deadlines.overdue(1019) is None
    slow = deadlines.overdue(1030)
    assert slow is not None
    assert slow.rule.id == "too-slow"
    deadlines.received(1030, 1_000_000)
    assert deadlines.overdue(1209) is None
    silent = deadlines.overdue(1211)
    assert silent is not None
    assert silent.facts == {"seconds": "180"}
    deadlines.data_ended()


async def test_s17_connections_per_address():
    async with relay(connections_per_address=2) as one:
        clients = [await one.connect() for _ in range(3)]
        assert (await clients[0].reply()).startswith("220 ")
        assert (await clients[1].reply()).startswith("220 ")
        assert (await clients[2].reply()).startswith("421 4.7.0 ")
        assert await clients[2].closed()
        async with await one.connect(source="127.0.0.2") as other:
            assert (await other.reply()).startswith("220 ")
        clients[0].writer.transport.abort()
        await until(lambda: one.server.connections == 1)
        async with await one.connect() as again:
            assert (await again.reply()).startswith("220 ")
        assert one.policy.refused_rules == ["too-many-connections"]
        for client in clients:
            client.writer.transport.abort()


async def test_s17_implicit_tls_over_the_limit_is_closed_without_a_handshake():
    async with relay(connections_per_address=1) as one, await one.log_in("implicit"):
        with pytest.raises(OSError):
            await one.connect("implicit")
        assert one.policy.refused_rules == ["too-many-connections"]


async def test_s08_three_failed_logins_close_the_connection():
    async with relay() as one, await one.connect("starttls") as client:
        for username in ("user", "user", "other"):
            assert (await client.log_in(username, "wrong")).startswith("535 5.7.8 ")
        assert (await client.reply()).startswith("421 4.7.0 ")
        assert await client.closed()


async def test_s08_an_address_that_guesses_has_to_wait_but_its_owner_has_not():
    async with relay(failed_logins=2) as one:
        await one.log_in(source="127.0.0.3")
        for username in ("u1", "u2", "u3"):
            async with await one.connect("starttls", source="127.0.0.3") as client:
                # tried by two mechanisms: that counts once
                assert (await client.log_in(username, "wrong")).startswith("535 ")
                assert (await client.log_in(username, "wrong")).startswith(("535 ", "421 "))
        one.policy.logins.clear()
        async with await one.connect("starttls", source="127.0.0.3") as client:
            assert (await client.log_in("user2")).startswith("421 4.7.0 ")
            assert await client.closed()
        assert one.policy.logins == []  # nobody was asked
        async with await one.log_in(source="127.0.0.3"):
            pass
        async with await one.connect("starttls", source="127.0.0.4") as client:
            assert (await client.log_in("user2")).startswith("235 ")


async def test_s08_a_guess_at_a_user_who_is_under_attack_is_held_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("postroom.accept.submission.limits.FREE_GUESSES", 2)
    monkeypatch.setattr("postroom.accept.submission.limits.LONGEST_DELAY", 0.2)
    loop = asyncio.get_running_loop()
    async with relay() as one:
        for source in ("127.0.0.3", "127.0.0.4"):
            async with await one.connect("starttls", source=source) as client:
                assert (await client.log_in("user", "wrong")).startswith("535 ")
        async with await one.connect("starttls", source="127.0.0.5") as client:
            began = loop.time()
            assert (await client.log_in("user")).startswith("235 ")  # the owner, from somewhere else
            assert loop.time() - began >= 0.19
            assert (await client.message()).startswith("250 ")


async def test_s08_strangers_are_recorded_by_their_network_with_the_name_they_tried():
    async with relay() as one, await one.connect("starttls") as client:
        await client.log_in("nobody", "wrong")
        record = one.server._context.record
        record(Refused(AUTH_FAILED), "2001:db8:1:2:3:4:5:6", username="nobody")
        record(Refused(AUTH_FAILED), "2001:db8:1:2:3:4:5:6", login=User("user"))
        assert one.policy.strangers == [("127.0.0.1", "nobody"), ("2001:db8:1:2::/64", "nobody")]


async def test_s18_errors_slow_down_and_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channel, "ERROR_DELAY", 0.03)
    loop = asyncio.get_running_loop()
    async with relay(max_errors=6) as one, await one.log_in() as client:
        for delayed in (False, False, True, True, True):
            start = loop.time()
            assert (await client.say("WIZ")).startswith("500 ")
            assert not delayed or loop.time() - start >= 0.029
        client.send(b"WIZ\r\nNOOP\r\n")
        assert (await client.reply()).startswith("500 ")
        assert (await client.reply()).startswith("421 4.7.0 ")
        assert await client.closed()
        assert one.policy.refused_rules == ["command-unknown"] * 6 + ["too-many-errors"]


async def test_s17_a_login_must_come_in_time():
    async with relay(login_timeout=0.05) as one, await one.connect("starttls") as client:
        assert (await client.reply()).startswith("421 4.4.2 ")
        assert await client.closed()
        assert one.policy.refused_rules == ["idle-timeout"]


async def test_s17_octets_that_drip_do_not_prolong_a_command():
    async with relay(command_timeout=0.1) as one, await one.log_in() as client:
        for octet in b"NOOP NOOP NOOP NOOP NOOP NOOP NOOP NOOP NOOP NOOP NOOP":
            client.send(bytes([octet]))
            await asyncio.sleep(0.005)
        assert (await client.reply()).startswith("421 4.4.2 ")


async def test_s17_each_command_has_its_own_time():
    async with relay(command_timeout=0.2) as one, await one.log_in() as client:
        for _ in range(5):
            await asyncio.sleep(0.06)
            assert (await client.say("NOOP")).startswith("250 ")


async def test_s17_silence_within_data():
    async with relay(data_timeout=0.05) as one, await one.log_in() as client:
        await client.envelope()
        client.send(b"Subject: x\r\n")
        assert (await client.reply()).startswith("421 4.4.2 ")
        assert await client.closed()
        assert one.policy.messages == []


async def test_s17_content_that_trickles(monkeypatch: pytest.MonkeyPatch):
    """No silence is too long, and still it would take for ever."""
    monkeypatch.setattr("postroom.accept.submission.deadlines.RATE_AFTER", 0.1)
    async with relay(data_timeout=0.4, min_data_rate=1000) as one, await one.log_in() as client:
        await client.envelope()
        reply = asyncio.create_task(client.reply())
        while not reply.done():
            client.send(b"x")
            await asyncio.sleep(0.01)
        assert (await reply).startswith("421 4.4.2 ")
        assert one.policy.refused_rules == ["too-slow"]
        assert one.policy.messages == []


async def test_the_policys_time_is_not_the_clients():
    async with relay(command_timeout=0.05, data_timeout=0.05) as one, await one.log_in() as client:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        one.policy.message_answer = answer
        await client.envelope()
        client.send(b"x\r\n.\r\n")
        await asyncio.sleep(0.15)
        answer.set_result(MESSAGE_ID)
        assert (await client.reply()).startswith("250 ")
        assert one.policy.refusals == []


async def test_drain_lets_a_message_finish():
    async with relay() as one:
        idle, busy, waiting = await one.log_in(), await one.log_in(), await one.log_in("implicit")
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await waiting.envelope()
        one.policy.message_answer = answer
        waiting.send(b"x\r\n.\r\n")
        await until(lambda: one.policy.messages)
        one.policy.message_answer = MESSAGE_ID
        await busy.envelope()
        draining = asyncio.create_task(one.server.drain(5))
        assert (await idle.reply()).startswith("421 4.3.2 ")
        busy.send(b"x\r\n.\r\n")
        assert (await busy.reply()).startswith("250 ")
        assert (await busy.reply()).startswith("421 4.3.2 ")
        assert not draining.done()
        answer.set_result(MESSAGE_ID)
        assert (await waiting.reply()).startswith("250 ")
        assert (await waiting.reply()).startswith("421 4.3.2 ")
        assert await waiting.closed()
        for client in (idle, busy, waiting):
            client.writer.transport.abort()
        await draining
        assert one.server.accepted == 2
        with pytest.raises(OSError):
            await one.connect()


async def test_drain_ends_in_time():
    async with relay() as one, await one.log_in() as client:
        await client.envelope()
        await one.server.drain(0.01)
        assert (await client.reply()).startswith("421 4.3.2 ")
        assert await client.closed()
        assert one.policy.messages == []


@pytest.mark.parametrize("setting", ["listen", "implicit_tls_listen"])
async def test_a_taken_port_names_its_setting(setting: str):
    from postroom.accept.submission import SubmissionServer

    async with relay() as one:
        taken = Listen(port=one.port())
        empty = {"listen": [], "implicit_tls_listen": []}
        config = Config(submission=Submission(**{**empty, setting: [Listen(port=0), taken]}))
        server = SubmissionServer(
            config, "relay.test", one.policy, one.blobs, lambda: None, FakeClock().monotonic
        )
        with pytest.raises(
            ConfigError, match=rf"^submission\.{setting}: {taken} is taken by another program$"
        ):
            await server.start()
        assert server.addresses == []


async def test_s17_no_client_holds_the_loop_however_much_it_sends_at_once(monkeypatch: pytest.MonkeyPatch):
    """Its input is worked off a part at a time, and the others have their turns between."""
    loop = asyncio.get_running_loop()
    events: Counter[int] = Counter()
    turn = 0
    slow_down = channel.Channel._slow_down

    def counted(self: channel.Channel) -> None:
        events[turn] += 1
        slow_down(self)

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(next_turn)

    monkeypatch.setattr(channel.Channel, "_slow_down", counted)
    async with relay() as one, await one.log_in() as client:
        next_turn()
        client.send(b"MAIL FROM:<a@example.com>\r\n" + b"RCPT TO:<b@example.net>\r\n" * 5000)
        replies = [await client.reply() for _ in range(5001)]
        assert [reply[:3] for reply in replies] == ["250"] * 1001 + ["452"] * 4000
    assert events.total() > 5000
    assert max(events.values()) <= channel.MOST_EVENTS


async def test_s17_a_client_that_never_reads_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channel, "LINGER", 0.1)
    async with relay(command_timeout=0.2) as one, await one.log_in() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.send(b"MAIL FROM:<a@example.com>\r\n" + b"RCPT TO:<b@example.net>\r\n" * 200_000)
        connection = next(iter(one.server._context.connections))
        await until(lambda: connection._paused & channel.UNSENT)
        assert connection._session.buffered <= 2 * BUFFER
        await until(lambda: one.server.connections == 0)
    assert one.policy.refused_rules[-1] == "idle-timeout"
