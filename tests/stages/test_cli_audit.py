"""postroom audit: who changed what; and that whatever is done at the command line is in it."""

from __future__ import annotations

import csv
import getpass
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import pytest
from sqlalchemy import select

from postroom.runtime.secrets import SecretBox
from postroom.store import second_factors
from postroom.store.audit import Entry
from postroom.store.database import Database
from postroom.store.query import columns, every
from postroom.store.schema import audit
from postroom.store.second_factors import SecondFactor
from postroom.tenancy import audit_log, first_run
from support import people
from support.cli import Cli, every_command
from support.cli import cli as cli
from support.mail import insert, lay_out, message_row

ADDRESS = "bob@example.org"


@pytest.fixture
def account(cli: Cli) -> str:
    return str(cli.json("account", "add", "Acme", "--approved")["id"])


@pytest.fixture
def blocked(cli: Cli, account: str) -> str:
    """The account, with three changes: two of suppressions and one of a domain."""
    cli.json("suppression", "add", ADDRESS, "--account", account)
    cli.json("domain", "add", "box.example.com", "--account", account, "--mode", "sandbox")
    cli.json("suppression", "delete", ADDRESS, "--account", account)
    return account


MADE_HERE = ("suppression.deleted", "domain.created", "suppression.created")


def listed(cli: Cli, account: str, *options: str) -> list[str]:
    rows = cli.json("audit", "list", "--account", account, *options)
    return [row["action"] for row in rows if row["action"] in MADE_HERE]


def test_the_newest_come_first(cli: Cli, blocked: str) -> None:
    assert listed(cli, blocked) == list(MADE_HERE)
    entry = cli.json("audit", "list", "--account", blocked, "--limit", "1")[0]
    assert entry["actor"] == {"kind": "command", "id": None, "name": getpass.getuser(), "client": None}
    assert (entry["object"]["name"], entry["after"]) == (ADDRESS, None)
    assert "suppression.deleted" in cli.text("audit", "list", "--account", blocked)


def test_by_what_one_looks_for(cli: Cli, blocked: str) -> None:
    domain = cli.json("domain", "list", "--account", blocked)[0]["id"]
    assert listed(cli, blocked, "--action", "domain.created") == ["domain.created"]
    assert listed(cli, blocked, "--action", "suppression.") == ["suppression.deleted", "suppression.created"]
    assert listed(cli, blocked, "--object", domain) == ["domain.created"]
    assert listed(cli, blocked, "--actor", "command") == list(MADE_HERE)
    assert listed(cli, blocked, "--actor", "system") == []
    assert listed(cli, blocked, "--since", "2100-01-01") == []
    assert listed(cli, blocked, "--until", "2026-01-01T00:00:00") == []
    assert listed(cli, blocked, "--since", "2026-01-01", "--until", "2100-01-01") == list(MADE_HERE)


def test_the_installation_has_a_log_of_its_own(cli: Cli, blocked: str) -> None:
    assert not set(MADE_HERE) & {row["action"] for row in cli.json("audit", "list")}
    assert "there is no account nobody" in cli.error("audit", "list", "--account", "nobody")
    assert "there is no account nobody" in cli.error("audit", "export", "--account", "nobody")


def test_all_of_it_as_csv(cli: Cli, blocked: str) -> None:
    head, *rows = csv.reader(io.StringIO(cli.text("audit", "export", "--account", blocked)))
    assert head == list(audit_log.COLUMNS)
    actions = [row[head.index("action")] for row in rows]
    assert [action for action in actions if action in MADE_HERE] == list(MADE_HERE)


def test_all_of_it_as_json_lines(cli: Cli, blocked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PIECE", 2)
    lines = cli.text("audit", "export", "--account", blocked, "--json").splitlines()
    actions = [json.loads(line)["action"] for line in lines]
    assert [action for action in actions if action in MADE_HERE] == list(MADE_HERE)
    only = cli.text("audit", "export", "--account", blocked, "--action", "domain.created", "--json")
    assert json.loads(only)["object"]["name"] == "box.example.com"


# -- what the command line does is written down ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """Something of everything that commands name."""

    account: str
    domain: str
    smtp_user: str
    token: str
    email: str
    user: str

    def filled(self, words: Sequence[str]) -> list[str]:
        """`{account}` and so on are those of the scene."""
        return [word.format_map(asdict(self)) for word in words]


@pytest.fixture
def scene(cli: Cli, account: str) -> Scene:
    (cli.data / "postroom.toml").write_text("[plans.small]\ndaily_quota = 5\n")
    domain = cli.json("domain", "add", "box.example.com", "--account", account, "--mode", "sandbox")["id"]
    cli.json("suppression", "add", ADDRESS, "--account", account)
    return Scene(
        account=account,
        domain=domain,
        smtp_user=cli.json("smtp-user", "add", domain, "--name", "App")["id"],
        token=cli.json("token", "add", "--account", account, "--name", "App", "--scope", "all")["id"],
        email=cli.store(lambda database: _waiting(database, account, domain)),
        user=cli.store(lambda database: _somebody(database, account)),
    )


async def _waiting(database: Database, account: str, domain: str) -> str:
    """An email in the queue."""
    mail = await insert(database, lay_out(message_row(account, domain_id=domain), 1))
    return mail.emails[0].id


async def _somebody(database: Database, account: str) -> str:
    """With a second step, and beside another Admin."""
    user = await people.make(database, account)
    await people.make(database, account)
    async with database.write() as connection:
        await second_factors.put(connection, SecondFactor(user.id, b"sealed", 1, 0, 0, 0, 1))
    return user.id


class Run(NamedTuple):
    """What stands behind the name of the command, and a command that comes before."""

    arguments: tuple[str, ...]
    before: tuple[str, ...] = ()


MINE = ("--account", "{account}")
CHANGES: dict[str, Run] = {
    "account add": Run(("Other",)),
    "account approve": Run(("{account}",), ("account", "suspend", "{account}")),
    "account suspend": Run(("{account}", "--reason", "abuse")),
    "account unsuspend": Run(("{account}",), ("account", "suspend", "{account}")),
    "account plan": Run(("{account}", "small")),
    "account quota": Run(("{account}", "10")),
    "user add": Run(("new@example.com", *MINE, "--role", "Manager", "--password-stdin")),
    "user set-role": Run(("{user}", *MINE, "--role", "Manager")),
    "user remove": Run(("{user}", *MINE)),
    "user sign-out": Run(("{user}",)),
    "user sign-in-link": Run(("{user}",)),
    "user disable-second-factor": Run(("{user}",)),
    "domain add": Run(("new.example.com", *MINE)),
    "domain pause": Run(("{domain}",)),
    "domain resume": Run(("{domain}",), ("domain", "pause", "{domain}")),
    "domain delete": Run(("{domain}",)),
    "smtp-user add": Run(("{domain}", "--name", "Shop")),
    "smtp-user change": Run(("{smtp_user}", "--name", "Shop")),
    "smtp-user disable": Run(("{smtp_user}",)),
    "smtp-user enable": Run(("{smtp_user}",), ("smtp-user", "disable", "{smtp_user}")),
    "smtp-user reset-password": Run(("{smtp_user}",)),
    "smtp-user delete": Run(("{smtp_user}",)),
    "token add": Run((*MINE, "--name", "Shop", "--scope", "all")),
    "token pause": Run(("{token}",)),
    "token unpause": Run(("{token}",), ("token", "pause", "{token}")),
    "token delete": Run(("{token}",)),
    "suppression add": Run(("new@example.org", *MINE)),
    "suppression delete": Run((ADDRESS, *MINE)),
    "queue retry": Run(("{email}",)),
    "queue cancel": Run(("{email}",)),
}
SILENT = {
    "serve": "it runs the relay; what the first run makes is tested beside it",
    "migrate": "it changes tables, not what is in them",
    "send": "mail has its own events",
    "doctor": "it only looks; what a check of a domain finds may change the domain, which is tested beside that",
    "domain check": "as doctor",
}
READING = {"list", "show", "log", "catalogue", "docs", "sessions", "export"}
"""The last word of commands that only look."""


def test_every_command_says_whether_it_changes_anything() -> None:
    names = {name for name in every_command() if name.split()[-1] not in READING}
    missing = sorted(names - set(CHANGES) - set(SILENT))
    assert not missing, f"{', '.join(missing)}: add its arguments to CHANGES here, or say why not in SILENT"
    assert not (set(CHANGES) | set(SILENT)) - names, "these do not exist any more"


async def _all(database: Database) -> list[Entry]:
    async with database.read() as connection:
        statement = select(*columns(Entry, audit)).order_by(audit.c.id)
        return await every(connection, Entry, statement)


def test_what_the_first_run_makes_was_made_by_nobody_else(cli: Cli) -> None:
    box = SecretBox.load(cli.data / "secret.key")
    for _ in range(2):  # the second time everything is there
        cli.store(lambda database: first_run.make(database, box))
    entries = cli.store(_all)
    assert sorted(entry.action for entry in entries) == [
        "account.created", "domain.created", "smtp_user.created", "user.created",
    ]  # fmt: skip
    assert {entry.actor_kind for entry in entries} == {"system"}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_writes_one_entry(cli: Cli, scene: Scene, name: str) -> None:
    run = CHANGES[name]
    if run.before:
        cli.json(*scene.filled(run.before))
    before = cli.store(_all)
    cli.json(*name.split(), *scene.filled(run.arguments), input="correct horse battery\n")
    [entry] = cli.store(_all)[len(before) :]
    assert (entry.actor_kind, entry.actor_name) == ("command", getpass.getuser())
    about_nobody = ("user sign-out", "user sign-in-link", "user disable-second-factor")
    if name == "account add":
        assert entry.account_id == entry.object_id
    else:
        assert entry.account_id == ("" if name in about_nobody else scene.account)


def test_what_is_refused_writes_none(cli: Cli, scene: Scene) -> None:
    """For names of nothing; what needs no name is left out, and so is taking nobody off a list, which is no mistake."""
    nothing = Scene(**dict.fromkeys(asdict(scene), "nobody"))
    before = cli.store(_all)
    for name, run in CHANGES.items():
        words = nothing.filled(run.arguments)
        if words != list(run.arguments) and name != "suppression delete":
            cli.error(*name.split(), *words, input="correct horse battery\n")
    assert cli.store(_all) == before
