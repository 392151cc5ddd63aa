"""Q08 to Q10: PostgreSQL down, slow, restarted, gone during COMMIT, or set up to forget."""

from __future__ import annotations

import json
import smtplib
import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from support.net import small_internet
from support.peer import Delay, Peer
from support.postgres import PostgresServer
from support.process import Relay, run, starting
from support.proxy import Proxy
from support.waiting import until
from support.world import Tenant, World

LEASE = 2.0
SETTINGS = {
    "POSTROOM_DATABASE__TIMEOUT": "1s",
    "POSTROOM_DELIVERY__LEASE": f"{LEASE:g}s",
    "POSTROOM_DELIVERY__RETRY": '["100ms"]',
    "POSTROOM_API__BULK_PER_MINUTE": "0",
}
WORST = 6.0
"""Seconds to an answer when the database does not give one; Q09 says five, and this machine is shared."""
_STARTUP = struct.pack("!I", 3 << 16) + b"user\0postgres\0database\0postgres\0\0"
STARTUP = struct.pack("!I", len(_STARTUP) + 4) + _STARTUP
"""How a client begins to talk to PostgreSQL."""


@dataclass
class Scene:
    """A relay behind a proxy to its database, and the recipients' server."""

    relay: Relay
    proxy: Proxy
    world: World
    tenant: Tenant
    peer: Peer
    client: smtplib.SMTP
    token: str

    def post(self, path: str, subject: str) -> httpx.Response:
        domain = self.tenant.domain
        to = [{"email": "you@recipient.test"}]
        email = {"from": {"email": f"app@{domain}"}, "to": to, "subject": subject, "text": "hello"}
        url = f"http://127.0.0.1:{self.relay.addresses['http']['port']}/v1/{path}"
        body = [email] if path == "bulk-email" else email
        return httpx.post(url, json=body, headers={"authorization": f"Bearer {self.token}"}, timeout=WORST)

    def send(self, subject: str) -> tuple[int, str]:
        """The answer to the end of data, or to what was refused before."""
        sender = f"app@{self.tenant.domain}"
        for code, reply in (self.client.mail(sender), self.client.rcpt("you@recipient.test")):
            if code != 250:
                self.client.rset()
                return code, reply.decode()
        code, reply = self.client.data(f"From: {sender}\r\nSubject: {subject}\r\n\r\nhello\r\n".encode())
        return code, reply.decode()

    def recovers(self) -> None:
        """By itself, and what it takes then arrives."""

        def taken() -> str:
            try:
                code, reply = self.send("after")
            except smtplib.SMTPException:
                self.client = self.relay.smtp(*self.tenant.login)
                return ""
            return reply.rpartition(" ")[2] if code == 250 else ""

        self.world.settled(until(taken, what=f"it takes mail again\n{self.relay.log[-3000:]}"))

    def copies(self, subject: str) -> int:
        return sum(f"Subject: {subject}\r\n".encode() in message for message in self.peer.messages)


@pytest.fixture(scope="module")
def scene(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp("database") / "data"
    with (
        postgres_server.fresh() as url,
        small_internet() as net,
        Proxy(postgres_server.port) as proxy,
        net.peer("recipient.test") as peer,
    ):
        settings = SETTINGS | net.settings | {"POSTROOM_DATABASE__URL": proxy.url(url)}
        with starting(data, "--first-run", settings=settings) as relay:
            world = World(url, data)
            tenant = world.tenant("app.test", mode="live")
            client = relay.smtp(*tenant.login)
            yield Scene(relay, proxy, world, tenant, peer, client, world.token(tenant))


def test_q10_an_accept_whose_commit_happened_is_looked_up_and_acknowledged(scene: Scene) -> None:
    scene.recovers()
    scene.proxy.cut_commit("committed", passed_on=True)
    code, reply = scene.send("committed")
    assert (code, scene.proxy.cut_commits > 0) == (250, True), reply
    scene.world.settled(reply.rpartition(" ")[2])
    assert scene.copies("committed") == len(scene.world.message_ids("committed")) == 1


def test_q10_an_accept_whose_commit_never_came_is_refused_and_not_kept(scene: Scene) -> None:
    scene.recovers()
    before = scene.proxy.cut_commits
    scene.proxy.cut_commit("never committed", passed_on=False)
    code, reply = scene.send("never committed")
    assert (code, scene.proxy.cut_commits) == (451, before + 1), reply
    assert scene.world.message_ids("never committed") == []
    scene.recovers()
    assert scene.copies("never committed") == 0


def test_q10_a_bulk_whose_commit_happened_is_looked_up_and_acknowledged(scene: Scene) -> None:
    scene.proxy.restart()  # the statement is seen the first time that a connection uses it
    scene.recovers()
    before = scene.proxy.cut_commits
    scene.proxy.cut_commit("INTO bulk_emails", passed_on=True)
    answer = scene.post("bulk-email", "bulk committed")
    assert (answer.status_code, scene.proxy.cut_commits) == (202, before + 1), answer.text
    until(lambda: scene.copies("bulk committed"))
    assert len(scene.world.message_ids("bulk committed")) == scene.copies("bulk committed") == 1


def test_q10_a_bulk_whose_commit_never_came_is_kept_once_or_refused(scene: Scene) -> None:
    scene.proxy.restart()  # the statement is seen the first time that a connection uses it
    scene.recovers()
    before = scene.proxy.cut_commits
    scene.proxy.cut_commit("INTO bulk_emails", passed_on=False)
    answer = scene.post("bulk-email", "bulk in doubt")
    assert scene.proxy.cut_commits == before + 1
    assert answer.status_code in (202, 503), answer.text
    scene.recovers()
    until(lambda: scene.copies("bulk in doubt") == (answer.status_code == 202))


@pytest.mark.parametrize("passed_on", [True, False])
def test_q10_an_outcome_is_recorded_once_whatever_became_of_its_commit(scene: Scene, passed_on: bool) -> None:
    scene.recovers()
    before = scene.proxy.cut_commits
    subject = f"outcome {passed_on}"
    scene.proxy.cut_commit("delivered", passed_on=passed_on)  # the status it writes
    code, reply = scene.send(subject)
    assert code == 250, reply
    (email,) = scene.world.settled(reply.rpartition(" ")[2])
    assert scene.proxy.cut_commits == before + 1
    assert [event.type for event in email.events].count("delivered") == 1
    assert len(email.attempts) == scene.copies(subject) == 1
    assert not email.email.possible_duplicate


def test_q09_while_the_database_is_down_mail_is_refused_and_taken_again_afterwards(scene: Scene) -> None:
    scene.recovers()
    scene.proxy.go_down()
    try:
        assert scene.send("down")[0] in (451, 454)
        assert [scene.post(path, "down").status_code for path in ("email", "bulk-email")] == [503, 503]
        assert health(scene.relay)[0] == 503
    finally:
        scene.proxy.come_up()
    scene.recovers()
    assert scene.copies("down") == 0
    assert health(scene.relay) == (200, {})


def test_q09_while_the_database_hangs_nobody_waits_for_long(scene: Scene) -> None:
    scene.recovers()
    assert scene.client.sock is not None
    scene.client.sock.settimeout(WORST)
    scene.proxy.stall()
    try:
        assert scene.send("hangs")[0] in (451, 454)
        assert [scene.post(path, "hangs").status_code for path in ("email", "bulk-email")] == [503, 503]
    finally:
        scene.proxy.flow()
    scene.recovers()
    assert scene.copies("hangs") == len(
        scene.world.message_ids("hangs")
    )  # 451 was honest: at most a second copy


def test_q09_a_restarted_database_loses_nothing(scene: Scene) -> None:
    scene.recovers()
    ids = []
    for number in range(5):
        scene.proxy.restart()
        code, reply = scene.send(f"restarted {number}")
        if code == 250:
            ids.append(reply.rpartition(" ")[2])
    for one in ids:
        scene.world.settled(one)
    scene.recovers()


def test_q09_outcomes_outlive_a_database_that_is_away_for_longer_than_the_lease(scene: Scene) -> None:
    """The recipients' server has the message, and the node that knows it has a new number when it can say so."""
    scene.recovers()
    scene.peer.scripts = [{"DOT": Delay(LEASE / 2, "250 2.0.0 taken")}]
    scene.peer.drop_all()
    code, reply = scene.send("outlives")
    assert code == 250, reply
    try:
        until(lambda: scene.copies("outlives"))
        scene.proxy.go_down()
        time.sleep(1.5 * LEASE)
    finally:
        scene.proxy.come_up()
        scene.peer.scripts = [{}]
    (email,) = scene.world.settled(reply.rpartition(" ")[2])
    assert len(email.attempts) == scene.copies("outlives") == 1
    assert not email.email.possible_duplicate
    scene.recovers()


def test_q09_a_server_without_a_free_connection_is_a_database_that_is_away(
    postgres_server: PostgresServer, scene: Scene
) -> None:
    scene.recovers()
    with every_connection_taken(postgres_server, scene):
        assert scene.send("full")[0] in (451, 454)
    scene.recovers()
    assert scene.copies("full") == len(
        scene.world.message_ids("full")
    )  # 451 was honest: at most a second copy


@contextmanager
def every_connection_taken(server: PostgresServer, scene: Scene) -> Iterator[None]:
    """The relay loses its own, and others are quicker."""
    scene.proxy.go_down()
    with ExitStack() as stack:
        while True:
            taken = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            taken.sendall(STARTUP)
            if b"too many clients" in taken.recv(1000):
                break
        scene.proxy.come_up()
        yield


# -- durability weakened -----------------------------------------------------------------------------------------


@contextmanager
def changed(server: PostgresServer, setting: str, value: str) -> Iterator[None]:
    """A setting of the whole server, put back at the end."""
    try:
        server.execute(f"ALTER SYSTEM SET {setting} = {value}")
        server.execute("SELECT pg_reload_conf()")
        yield
    finally:
        server.execute(f"ALTER SYSTEM RESET {setting}")
        server.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_q08_a_server_that_may_forget_is_refused_at_start(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path, setting: str
) -> None:
    with changed(postgres_server, setting, "off"):
        result = run(
            tmp_path / "data", "serve", "--first-run", settings={"POSTROOM_DATABASE__URL": postgres_url}
        )
    assert result.returncode != 0
    assert f"{setting} is off" in result.stderr


def test_q08_a_server_that_begins_to_forget_shows_in_health(
    postgres_server: PostgresServer, scene: Scene
) -> None:
    assert health(scene.relay) == (200, {})
    with changed(postgres_server, "fsync", "off"):
        until(lambda: health(scene.relay) == (503, {"durability": "fsync is off"}))
    until(lambda: health(scene.relay) == (200, {}))


def test_q08_asynchronous_commit_by_default_is_overruled(
    postgres_server: PostgresServer, scene: Scene
) -> None:
    with changed(postgres_server, "synchronous_commit", "off"):
        scene.proxy.restart()
        scene.recovers()
        assert health(scene.relay) == (200, {})


def health(relay: Relay) -> tuple[int, dict[str, str]]:
    """Status and problems."""
    address = relay.addresses["http"]
    url = f"http://{address['host']}:{address['port']}/health"
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, json.load(response)["problems"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["problems"]
