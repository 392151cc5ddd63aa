"""Limits: connections, failed logins, errors, time, rate; and draining (S08, S17, S18)."""

import asyncio
from itertools import pairwise

import pytest

from postroom.accept.submission import channel
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
from support.submission import MESSAGE_ID, relay, until


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
    waits = [failed.failed("192.0.2.1") for _ in range(15)]
    assert waits[:3] == [0, 0, 0]
    assert all(later == min(2 * sooner, 900) for sooner, later in pairwise(waits[3:]))
    refused = failed.wait("192.0.2.1", "user")
    assert refused is not None
    assert refused.facts == {"seconds": "900"}
    assert failed.wait("192.0.2.2", "user") is None
    clock.advance(901)
    assert failed.wait("192.0.2.1", "user") is None
    clock.advance(3600)
    assert failed.failed("192.0.2.1") == 0


def test_s08_an_attacker_in_one_network_cannot_shut_out_the_owner():
    clock = FakeClock()
    failed = FailedLogins(3, clock.monotonic)
    failed.succeeded("2001:db8::1", "owner")
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"):
        failed.failed(address)
    assert failed.wait("2001:db8::9", "owner") is None
    assert failed.wait("2001:db8::9", "other") is not None
    clock.advance(24 * 3600 + 1)
    failed.forget()
    assert not failed.is_known("2001:db8::1")


def test_s08_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("postroom.accept.submission.limits.MOST_REMEMBERED", 10)
    failed = FailedLogins(1, FakeClock().monotonic)
    for at in range(100):
        failed.failed(f"192.0.2.{at}")
    assert len(failed._failures) == 10


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
        server = SubmissionServer(config, one.policy, one.blobs, lambda: None, FakeClock().monotonic)
        with pytest.raises(
            ConfigError, match=rf"^submission\.{setting}: {taken} is taken by another program$"
        ):
            await server.start()
        assert server.addresses == []
