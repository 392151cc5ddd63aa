"""Q19: told to end under load, with recipients that do not answer, with a database that hangs, node after node.

What comes with a single stop under load is in `test_killpoints`, and what clients see of it in `e2e/test_serve`.
"""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from support.load import Load
from support.net import Net, small_internet
from support.peer import Silence
from support.postgres import PostgresServer
from support.process import Relay, starting
from support.proxy import Proxy
from support.waiting import until
from support.world import Tenant, World

ROUNDS = 3


def send(relay: Relay, tenant: Tenant, to: str) -> str:
    sender = f"app@{tenant.domain}"
    with relay.smtp(*tenant.login) as client:
        client.mail(sender)
        client.rcpt(to)
        code, reply = client.data(f"From: {sender}\r\nSubject: hello\r\n\r\nhello\r\n".encode())
    assert code == 250, reply
    return reply.decode().rpartition(" ")[2]


def test_q19_a_second_signal_ends_it_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with small_internet() as net, net.peer("silent.test", [{"RCPT": Silence()}, {}]) as peer:
        with starting(data, "--first-run", settings=net.settings) as relay:
            world = World.of(data)
            message_id = send(relay, world.tenant("app.test", mode="live"), "you@silent.test")
            until(lambda: peer.commands)
            relay.process.send_signal(signal.SIGTERM)
            until(lambda: '"stopping"' in relay.log)
            assert relay.stop(signal.SIGINT) == 1
        with starting(data, settings=net.settings) as relay:
            world.settled(message_id)
            assert relay.stop() == 0
    assert len([message for message in peer.messages if message]) == 1


@pytest.mark.slow
def test_q19_it_ends_in_time_when_the_database_hangs(tmp_path: Path, postgres_server: PostgresServer) -> None:
    data = tmp_path / "data"
    with ExitStack() as stack:
        net, url = stack.enter_context(small_internet()), stack.enter_context(postgres_server.fresh())
        proxy = stack.enter_context(Proxy(postgres_server.port))
        peer = stack.enter_context(net.peer("sink.test"))
        settings = net.settings | {"POSTROOM_DATABASE__URL": proxy.url(url), "POSTROOM_DELIVERY__LEASE": "2s"}
        with starting(data, "--first-run", settings=settings) as relay:
            world = World(url, data)
            tenant = world.tenant("app.test", mode="live")
            world.settled(send(relay, tenant, "one@sink.test"))
            proxy.stall()
            relay.stop()  # fails when it takes more than half a minute
        proxy.flow()
        with starting(data, settings=settings) as relay:
            world.settled(send(relay, tenant, "two@sink.test"), seconds=20)
            assert relay.stop() == 0
    assert len(peer.messages) == 2


@pytest.mark.slow
def test_q19_one_node_after_the_other_is_restarted_under_load(tmp_path: Path, postgres_url: str) -> None:
    """A deploy while mail is sent: nothing is lost, nothing comes twice, nothing is even suspected of it."""
    with small_internet() as net, net.peer("sink.test") as sink, ExitStack() as stack:
        start = partial(started, postgres_url, net, stack)
        nodes = [start(tmp_path / "one", "--first-run")]
        nodes.append(start(tmp_path / "two"))
        world = World(postgres_url, tmp_path / "one")
        tenant = world.tenant("busy.test", mode="live")
        tls, ledger = nodes[0].tls(), tmp_path / "ledger"

        def port() -> int:
            return next(node.port() for node in nodes if node.process.poll() is None)

        with Load(port, tls, tenant.login, "app@busy.test", "you@sink.test", ledger) as load:
            for number in range(ROUNDS):
                load.wait_for(30 * (number + 1))
                at = number % 2
                assert nodes[at].stop() == 0
                nodes[at] = start(nodes[at].data)
            load.wait_for(30 * (ROUNDS + 1))
        until(lambda: all(email.status == "delivered" for email in world.emails()), 40)
        assert [node.stop() for node in nodes] == [0, 0]
        emails = {email.message_id: email for email in world.emails() if "@sink." in email.recipient}
        acknowledged = load.acknowledged()
    assert set(acknowledged) <= set(emails)
    assert not any(email.possible_duplicate for email in emails.values())
    assert len(sink.messages) == len(emails)
    assert Counter(email.attempts for email in emails.values()) == {1: len(emails)}


def started(url: str, net: Net, stack: ExitStack, data: Path, *arguments: str) -> Relay:
    """A node; all have the first one's key and its authority."""
    first = data.parent / "one"
    settings = net.settings | {
        "POSTROOM_DATABASE__URL": url,
        "POSTROOM_SECRETS__KEY_FILE": str(first / "secret.key"),
    }
    if (first / "tls" / "server.crt").exists():
        settings["POSTROOM_TLS__CERTIFICATE"] = str(first / "tls" / "server.crt")
        settings["POSTROOM_TLS__KEY"] = str(first / "tls" / "server.key")
    return stack.enter_context(starting(data, *arguments, settings=settings))
