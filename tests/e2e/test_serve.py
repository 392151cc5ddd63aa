"""A relay at work: what happens to those who are connected while it is changed, told to stop, or split into two."""

from __future__ import annotations

import os
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from postroom.runtime import local_ca
from postroom.runtime.clock import Clock
from postroom.types.status import EmailStatus
from support.load import Load
from support.net import small_internet
from support.process import STOPS_WITHIN, Relay, starting
from support.waiting import until
from support.world import Tenant, World

SOON = 10.0
"""Seconds within which a change by another process takes effect (design section 3 promises 1, suspension 10)."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with starting(tmp_path_factory.mktemp("serve") / "data", "--first-run") as relay:
        yield relay


@pytest.fixture
def world(shared: Relay) -> World:
    return World.of(shared.data)


def refused(attempt: Callable[[], tuple[int, bytes]]) -> str:
    """The refusal, as soon as there is one."""

    def look() -> str:
        code, reply = attempt()
        return "" if code == 250 else f"{code} {reply.decode()}"

    return until(look, SOON)


def attempts(client: smtplib.SMTP, tenant: Tenant) -> Callable[[], tuple[int, bytes]]:
    """MAIL on a connection that is open and logged in, as often as one likes."""

    def attempt() -> tuple[int, bytes]:
        answer = client.mail(f"a@{tenant.domain}")
        if answer[0] != 421:
            client.rset()
        return answer

    return attempt


def test_a_suspended_account_is_stopped_on_its_open_connections(shared: Relay, world: World) -> None:
    tenant = world.tenant("stopped.test")
    with shared.smtp(*tenant.login) as client:
        assert client.mail("a@stopped.test")[0] == 250
        client.rset()
        suspended = shared.json("account", "suspend", tenant.account_id, "--reason", "complaints")
        assert suspended["state"] == "suspended"
        assert refused(attempts(client, tenant)).endswith("[account-suspended]")
        shared.json("account", "approve", tenant.account_id)
        until(lambda: attempts(client, tenant)()[0] == 250, SOON)


def test_what_a_suspended_account_has_queued_waits_for_its_approval(tmp_path: Path) -> None:
    with small_internet() as net:
        settings = net.settings | {"POSTROOM_DELIVERY__RETRY": '["300ms"]'}
        with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
            world = World.of(relay.data)
            tenant = world.tenant("queued.test", mode="live")
            with net.peer("away.test", {"RCPT": ["450 4.7.1 greylisted"] * 2}) as peer:
                message_id = send(relay, tenant, "you@away.test")
                world.settled(message_id, "deferred")
                world.suspend(tenant)
                world.settled(message_id, "held")
                relay.json("account", "approve", tenant.account_id)
                world.settled(message_id, "delivered")
                # Where the one recipient is refused, a pipelined DATA that is accepted all the same ends with a dot.
                assert len([message for message in peer.messages if message]) == 1


def test_a_switched_off_smtp_user_loses_its_open_connections(shared: Relay, world: World) -> None:
    tenant = world.tenant("revoked.test")
    client = shared.smtp(*tenant.login)
    shared.json("smtp-user", "disable", tenant.username)
    assert refused(attempts(client, tenant)).endswith("[login-revoked]")
    client.close()


def test_a_new_password_counts_at_once(shared: Relay, world: World) -> None:
    tenant = world.tenant("renewed.test")
    with shared.smtp(*tenant.login):
        new = shared.json("smtp-user", "reset-password", tenant.username)["password"]
    with shared.smtp(tenant.username, new) as client:
        assert client.noop()[0] == 250
    with shared.smtp() as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(*tenant.login)


def test_a_new_certificate_is_used_by_the_next_connection(tmp_path: Path) -> None:
    certificate, key = tmp_path / "relay.crt", tmp_path / "relay.key"
    issue(tmp_path / "first", certificate, key)
    settings = {"POSTROOM_TLS__CERTIFICATE": str(certificate), "POSTROOM_TLS__KEY": str(key)}
    with starting(tmp_path / "data", settings=settings) as relay:
        first = shown_certificate(relay)
        issue(tmp_path / "second", certificate, key)
        until(lambda: shown_certificate(relay) != first, 30, what="the relay shows the new certificate")


def issue(authority: Path, certificate: Path, key: Path) -> None:
    """A certificate of a new authority, put in place as a renewal does it."""
    local_ca.ensure_certificate(authority, [], Clock())
    os.replace(authority / "server.key", key)
    os.replace(authority / "server.crt", certificate)


def shown_certificate(relay: Relay) -> bytes | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP_SSL("localhost", relay.port("implicit"), context=context) as client:
        return client.sock.getpeercert(binary_form=True)


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/health", "application/json", '"status":"ok"'),
        ("/refusals", "text/html", 'id="from-not-verified"'),
        ("/metrics", "text/plain", "postroom_"),
    ],
)
def test_the_web_server_answers(shared: Relay, path: str, kind: str, words: str) -> None:
    with urlopen(f"http://127.0.0.1:{shared.addresses['http']['port']}{path}") as answer:
        assert answer.headers["Content-Type"].startswith(kind)
        assert words in answer.read().decode()


def test_sigterm_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_internet() as net, net.peer("sink.test") as sink:
        data = tmp_path / "data"
        with starting(data, "--first-run", settings=net.settings) as relay:
            world = World.of(data)
            tenant = world.tenant("busy.test", mode="live")
            with Load(
                relay.port, relay.tls(), tenant.login, "app@busy.test", "you@sink.test", tmp_path / "ledger"
            ) as load:
                load.wait_for(100)
                began = time.monotonic()
                assert relay.stop() == 0
                assert time.monotonic() - began < STOPS_WITHIN
        acknowledged = load.acknowledged()
        with starting(data, settings=net.settings) as relay:
            until(lambda: all(EmailStatus(email.status).final for email in world.emails()))
            assert relay.stop() == 0
        emails = {email.message_id: email for email in world.emails()}
    assert {emails[message_id].status for message_id in acknowledged} == {EmailStatus.DELIVERED}
    sent = [email for email in emails.values() if email.recipient == "you@sink.test"]
    assert len(sink.messages) == len(sent)  # an orderly end makes no second copy


def test_one_process_accepts_and_another_one_delivers(tmp_path: Path, postgres_url: str) -> None:
    """Two nodes that share nothing but PostgreSQL and the key file."""
    with small_internet() as net, net.peer("far.test") as peer:
        key = {"POSTROOM_SECRETS__KEY_FILE": str(tmp_path / "front" / "secret.key")}
        settings = net.settings | key | {"POSTROOM_DATABASE__URL": postgres_url}
        with (
            starting(
                tmp_path / "front", "--first-run", "--role", "submission,http", settings=settings
            ) as front,
            starting(tmp_path / "back", "--role", "delivery", settings=settings) as back,
        ):
            world = World(postgres_url, tmp_path / "front")
            tenant = world.tenant("two.test", mode="live")
            message_id = send(front, tenant, "you@far.test")
            world.settled(message_id)
            assert "submission" not in back.addresses
            assert [peer.messages[0].count(b"DKIM-Signature:"), len(peer.messages)] == [1, 1]
            assert back.stop() == front.stop() == 0


def send(relay: Relay, tenant: Tenant, recipient: str) -> str:
    sender = f"a@{tenant.domain}"
    with relay.smtp(*tenant.login) as client:
        client.ehlo()
        client.mail(sender)
        client.rcpt(recipient)
        code, reply = client.data(f"From: {sender}\r\nSubject: hello\r\n\r\nhello\r\n".encode())
    assert code == 250, reply
    return reply.decode().rpartition(" ")[2]
