"""postroom token: made and shown once, listed, paused, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from postroom.types.scopes import Scope
from support.cli import Cli
from support.cli import cli as cli


@pytest.fixture
def account(cli: Cli) -> str:
    return str(cli.json("account", "add", "Acme", "--approved")["id"])


def add(cli: Cli, account: str, *more: str) -> tuple[str, ...]:
    return ("token", "add", "--account", account, "--name", "App", "--scope", "email_full", *more)


def test_the_token_is_shown_once_with_everything_else(cli: Cli, account: str) -> None:
    made = cli.json(*add(cli, account, "--scope", "domains_read", "--allow", "10.0.0.1/8", "--allow", "::1"))
    assert len(made["token"]) == len("mlsn.") + 64
    assert made["scopes"] == ["email_full", "domains_read"]
    assert made["allowed_addresses"] == ["10.0.0.0/8", "::1/128"]
    assert (made["account_id"], made["paused"], made["expires_at"]) == (account, False, None)
    assert "secret_hash" not in made
    listed = cli.json("token", "list")
    assert listed == [{name: value for name, value in made.items() if name != "token"}]
    assert made["token"] not in cli.text("token", "list", "--account", account)


def test_people_see_the_token_once(cli: Cli, account: str) -> None:
    result = cli.run(*add(cli, account))
    assert "mlsn." in result.stdout
    assert "not shown again" in result.stderr


def test_all_scopes(cli: Cli, account: str) -> None:
    made = cli.json("token", "add", "--account", account, "--name", "App", "--scope", "all")
    assert made["scopes"] == list(Scope)


def test_pause_unpause_delete(cli: Cli, account: str) -> None:
    which = cli.json(*add(cli, account))["id"]
    assert cli.json("token", "pause", which)["paused"] is True
    assert cli.json("token", "unpause", which)["paused"] is False
    assert cli.json("token", "delete", which) == {"id": which, "name": "App"}
    assert cli.json("token", "list") == []
    assert "There is no token yet" in cli.text("token", "list")


def test_the_audit_log_has_each_change_and_who_made_it(cli: Cli, account: str) -> None:
    made = cli.json(*add(cli, account))
    for verb in ("pause", "unpause", "delete"):
        cli.json("token", verb, made["id"])
    entries = cli.json("audit", "list", "--account", account, "--action", "token.")
    assert [one["action"] for one in entries][::-1] == [
        "token.created", "token.paused", "token.unpaused", "token.deleted",
    ]  # fmt: skip
    assert {one["actor"]["kind"] for one in entries} == {"command"}
    assert made["token"] not in str(entries)


@pytest.mark.parametrize("verb", ["pause", "unpause", "delete"])
def test_a_token_that_is_not_there(cli: Cli, verb: str) -> None:
    assert "there is no token nobody" in cli.error("token", verb, "nobody")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2099-01-31", "2099-01-31T00:00:00Z"),
        ("2099-01-31T12:30", "2099-01-31T12:30:00Z"),
        ("2099-01-31T12:30+02:00", "2099-01-31T10:30:00Z"),
    ],
)
def test_expiry_at_a_moment(cli: Cli, account: str, written: str, expected: str) -> None:
    assert cli.json(*add(cli, account, "--expires", written))["expires_at"] == expected


def test_expiry_after_a_while(cli: Cli, account: str) -> None:
    ends = datetime.fromisoformat(cli.json(*add(cli, account, "--expires", "90d"))["expires_at"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--expires", "soon"), "write a time like 90d"),
        (("--expires", "2001-01-01"), "in the past"),
        (("--allow", "example.com"), "no address or network"),
        (("--scope", "everything"), "no such scope"),
        (("--domain", "nobody.test"), "no domain"),
    ],
)
def test_what_cannot_be(cli: Cli, account: str, more: tuple[str, ...], why: str) -> None:
    assert why in cli.error(*add(cli, account, *more))


def test_an_account_that_is_not_there(cli: Cli) -> None:
    assert "there is no account nobody" in cli.error(*add(cli, "nobody"))
    assert "there is no account nobody" in cli.error("token", "list", "--account", "nobody")
