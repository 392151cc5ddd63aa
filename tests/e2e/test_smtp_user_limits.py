"""An SMTP user with limits at a running relay, as smtplib sees it: at login, on an open connection, after a crash."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postroom.tenancy import domains
from postroom.types.actor import SYSTEM
from support.net import small_internet
from support.process import Relay, starting
from support.waiting import until
from support.world import World

SOON = 10.0
"""Seconds within which a change by another process takes effect (design section 3 promises 1)."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limits") / "data"


@pytest.fixture(scope="module")
def relay(data: Path) -> Iterator[Relay]:
    with starting(data, "--first-run") as relay:
        yield relay


@pytest.fixture(scope="module")
def domain(relay: Relay) -> str:
    (domain,) = relay.json("domain", "list")
    return str(domain["name"])


def new_user(relay: Relay, domain: str, *options: str) -> dict[str, Any]:
    user: dict[str, Any] = relay.json("smtp-user", "add", domain, "--name", "app", *options)
    return user


def send(client: smtplib.SMTP, author: str, *to: str) -> str:
    """The last reply."""
    try:
        client.sendmail(author, to or ["b@x.test"], f"From: {author}\r\nSubject: limits\r\n\r\nhi\r\n")
    except smtplib.SMTPResponseException as error:
        return f"{error.smtp_code} {error.smtp_error!r}"
    except smtplib.SMTPRecipientsRefused as error:
        return " ".join(f"{code} {reply!r}" for code, reply in error.recipients.values())
    return "250"


def test_limits_are_told_and_changes_reach_open_connections(relay: Relay, domain: str) -> None:
    user = new_user(relay, domain, "--daily-cap", "2", "--refuse-suppressed")
    (account,) = relay.json("account", "list")
    relay.json("suppression", "add", "gone@x.test", "--account", account["id"])
    with relay.smtp(user["username"], user["password"]) as client:
        until(lambda: "recipient-suppressed" in send(client, f"a@{domain}", "gone@x.test"), SOON)
        assert client.sendmail(f"a@{domain}", ["b@x.test", "gone@x.test"], f"From: a@{domain}\r\n\r\nhi\r\n")
        assert send(client, f"a@news.{domain}") == "250"
        assert "451" in (told := send(client, f"a@{domain}"))
        assert "daily cap of 2 emails is used up (2 used); it resets at 00:00 UTC" in told
        relay.json("smtp-user", "change", user["id"], "--daily-cap", "0")
        until(lambda: send(client, f"a@{domain}") == "250", SOON)
        other = relay.json(
            "domain", "add", "other.example.com", "--account", account["id"], "--mode", "sandbox"
        )
        until(lambda: send(client, "a@other.example.com") == "250", SOON)
        relay.json("smtp-user", "change", user["id"], "--from-domain", other["id"])
        until(lambda: "from-not-allowed" in send(client, f"a@{domain}"), SOON)
        relay.json("smtp-user", "change", user["id"], "--allow", "192.0.2.0/24")
        until(lambda: "login-revoked" in send(client, "a@other.example.com"), SOON)
    with relay.smtp() as client, pytest.raises(smtplib.SMTPAuthenticationError, match="address-not-allowed"):
        client.login(user["username"], user["password"])


def test_one_that_expires_ends_by_itself(relay: Relay, domain: str) -> None:
    user = new_user(relay, domain, "--expires", "3s")
    with relay.smtp(user["username"], user["password"]) as client:
        assert send(client, f"a@{domain}") == "250"
        until(lambda: "login-revoked" in send(client, f"a@{domain}"), SOON)
    with relay.smtp() as client, pytest.raises(smtplib.SMTPAuthenticationError, match="smtp-user-expired"):
        client.login(user["username"], user["password"])


def test_the_domains_settings_count_for_smtp(tmp_path: Path) -> None:
    with small_internet() as net, starting(tmp_path / "data", "--first-run", settings=net.settings) as relay:
        world = World.of(relay.data)
        tenant = world.tenant("bulk.test", mode="live")

        def settings(**changes: bool) -> None:
            world.run(lambda database: domains.change(database, domain_id, by=SYSTEM, **changes))

        domain_id = world.run(lambda database: domains.find(database, tenant.domain)).id
        with net.peer("away.test") as peer, relay.smtp(*tenant.login) as client:

            def bulk() -> bool:
                return any(b"\r\nPrecedence: bulk\r\n" in message for message in peer.messages)

            assert send(client, "a@bulk.test", "b@away.test") == "250"
            until(lambda: peer.messages, SOON)
            assert not bulk()
            settings(precedence_bulk=True)
            until(lambda: send(client, "a@bulk.test", "b@away.test") == "250" and bulk(), SOON)
            settings(smtp_enabled=False)
            until(lambda: "login-revoked" in send(client, "a@bulk.test"), SOON)
        with (
            relay.smtp() as client,
            pytest.raises(smtplib.SMTPAuthenticationError, match="domain-smtp-disabled"),
        ):
            client.login(*tenant.login)


def test_x04_a_cap_holds_through_a_crash(tmp_path: Path) -> None:
    with starting(tmp_path / "data", "--first-run") as relay:
        (domain,) = relay.json("domain", "list")
        user = new_user(relay, domain["name"], "--daily-cap", "5")
        with relay.smtp(user["username"], user["password"]) as client:
            assert send(client, f"a@{domain['name']}", "a@x.test", "b@x.test", "c@x.test") == "250"
            relay.kill()
    with starting(tmp_path / "data") as relay, relay.smtp(user["username"], user["password"]) as client:
        assert "smtp-user-daily-cap" in send(
            client, f"a@{domain['name']}", "a@x.test", "b@x.test", "c@x.test"
        )
        assert send(client, f"a@{domain['name']}", "a@x.test", "b@x.test") == "250"
        assert "smtp-user-daily-cap" in send(client, f"a@{domain['name']}")
