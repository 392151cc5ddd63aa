"""postroom user: roles, removal, sessions, and who did it."""

from __future__ import annotations

import getpass
from base64 import b32decode
from typing import Any

import pytest

from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import audit
from postroom.store.audit import Entry
from postroom.store.database import Database
from postroom.store.users import User
from postroom.tenancy import enrolment, sessions, sign_in_links
from postroom.tenancy.sessions import Browser, NewSession, Renewal
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.refusals import Refused
from postroom.wire import totp
from support import people
from support.cli import Cli
from support.cli import cli as cli

EMAIL = "ann@example.com"
CUSTOM = ("--role", "Custom User", "--permission", "read-email", "--permission", "read-activity")


@pytest.fixture
def account(cli: Cli) -> str:
    return str(cli.json("account", "add", "Acme", "--approved")["id"])


@pytest.fixture
def ann(cli: Cli, account: str) -> User:
    return cli.store(lambda database: people.make(database, account, email=EMAIL))


def entries(cli: Cli, account: str) -> list[Entry]:
    async def read(database: Database) -> list[Entry]:
        async with database.read() as connection:
            return await audit.page(connection, account, action="user.", limit=20)

    return cli.store(read)


def test_a_custom_user_is_made_with_what_they_may_do(cli: Cli, account: str) -> None:
    domain = cli.json("domain", "add", "box.example.com", "--account", account, "--mode", "sandbox")
    add = ("user", "add", EMAIL, "--account", account, *CUSTOM, "--domain", "box.example.com")
    cli.json(*add, "--password-stdin", input="correct horse\n")
    (entry,) = entries(cli, account)
    assert (entry.action, entry.actor_kind, entry.actor_name) == (
        "user.created",
        "command",
        getpass.getuser(),
    )
    assert entry.after is not None
    assert '"permissions": "read-activity read-email"' in entry.after
    assert domain["id"] in entry.after
    assert "argon2" not in entry.after


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--role", "Custom User"), "at least one --permission"),
        (("--role", "Manager", "--permission", "read-email"), "are for a Custom User"),
        ((*CUSTOM, "--domain", "other.example.com"), "no domain other.example.com"),
    ],
)
def test_what_does_not_go_together(
    cli: Cli, account: str, ann: User, options: tuple[str, ...], why: str
) -> None:
    assert why in cli.error("user", "set-role", EMAIL, "--account", account, *options)
    assert entries(cli, account)[0].action == "user.created"


def test_an_unknown_role_is_told_those_there_are(cli: Cli, account: str, ann: User) -> None:
    said = cli.error("user", "set-role", EMAIL, "--account", account, "--role", "King", status=2)
    assert "'Custom User'" in said


def test_roles_are_changed_and_the_last_admin_stays(cli: Cli, account: str, ann: User) -> None:
    demote = ("user", "set-role", EMAIL, "--account", account, "--role", "Manager")
    assert "needs at least one Admin" in cli.error(*demote)
    assert "needs at least one Admin" in cli.error("user", "remove", ann.id, "--account", account)
    cli.store(lambda database: people.make(database, account))
    assert cli.json(*demote).items() >= {"email": EMAIL, "role": "Manager"}.items()
    assert cli.json("user", "remove", EMAIL, "--account", account)["id"] == ann.id
    roles: dict[str, Any] = {user["email"]: user["roles"] for user in cli.json("user", "list")}
    assert roles[EMAIL] == {}
    assert [entry.action for entry in entries(cli, account)][:2] == ["user.deleted", "user.updated"]


def test_who_is_not_there(cli: Cli, account: str, ann: User) -> None:
    assert "there is no user ben@example.com" in cli.error(
        "user", "remove", "ben@example.com", "--account", account
    )
    other = cli.json("account", "add", "Other")["id"]
    assert "the account has no user" in cli.error("user", "remove", EMAIL, "--account", other)


def test_sessions_are_listed_and_ended(cli: Cli, ann: User) -> None:
    assert "not signed in anywhere" in cli.text("user", "sessions", EMAIL)

    async def sign_in(database: Database) -> str:
        async with database.write() as connection:
            browser = Browser("192.0.2.7", "Firefox")
            now = 4_000_000_000_000
            return (await sessions.begin(connection, ann, browser, now=now, lifetime=60)).secret

    secret = cli.store(sign_in)
    (session,) = cli.json("user", "sessions", EMAIL)
    assert (session["client"], session["user_agent"]) == ("192.0.2.7", "Firefox")
    assert secret not in str(session)
    assert cli.json("user", "sign-out", EMAIL) == {"email": EMAIL, "sessions": 1}
    assert cli.json("user", "sessions", EMAIL) == []


def test_a_link_signs_in_once(cli: Cli, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.text("user", "sign-in-link", EMAIL).startswith("http://localhost:8025/sign-in#link=")
    monkeypatch.setenv("POSTROOM_SERVER__HTTP_URL", "https://mail.example.com/")
    url = cli.json("user", "sign-in-link", ann.id)["url"]
    page, _, secret = url.partition("#link=")
    assert (page, len(secret)) == ("https://mail.example.com/sign-in", 43)
    browser = Browser("192.0.2.7", "Firefox")

    async def use(database: Database) -> object:
        return await sign_in_links.use(database, secret, browser, now=Clock().now_ms(), lifetime=60)

    made = cli.store(use)
    assert isinstance(made, NewSession)
    assert (made.user.email, made.complete) == (EMAIL, True)
    again = cli.store(use)
    assert isinstance(again, Refused)
    assert again.rule is refusals.LINK_INVALID

    async def look(database: Database) -> list[Entry]:
        async with database.read() as connection:
            return await audit.page(connection, "", action="sign_in_link.", limit=9)

    told = cli.store(look)
    assert [(entry.object_name, entry.actor_name) for entry in told] == [(EMAIL, getpass.getuser())] * 2
    assert secret not in str(told)
    assert "there is no user ben@example.com" in cli.error("user", "sign-in-link", "ben@example.com")


def test_the_second_step_is_switched_off_for_who_has_lost_it(cli: Cli, ann: User) -> None:
    assert "takes no second step" in cli.error("user", "disable-second-factor", EMAIL)
    box = SecretBox.load(cli.data / "secret.key")
    renewal = Renewal(Browser("192.0.2.7", ""), "", 30_000, 60)

    async def switch_on(database: Database) -> object:
        made = await enrolment.enrol(database, box, ann.id, now=30_000, by=SYSTEM)
        assert isinstance(made, enrolment.Enrolment)
        code = totp.code(b32decode(made.secret), 1)
        return await enrolment.confirm(database, box, ann.id, code, renewal=renewal, by=SYSTEM)

    assert isinstance(cli.store(switch_on), enrolment.Confirmed)
    assert cli.json("user", "disable-second-factor", EMAIL) == {"id": ann.id, "email": EMAIL}
    assert cli.json("user", "sessions", EMAIL) == []
    assert "takes no second step" in cli.error("user", "disable-second-factor", EMAIL)
