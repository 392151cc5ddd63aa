"""What all commands have in common: options, output, errors, exit statuses, settings, the database's version."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from postroom.cli import refusals
from postroom.cli.output import cell, iso, moment, relative, to_json
from postroom.store.database import Database
from postroom.types.refusals import CATALOGUE
from support.cli import Cli, every_command
from support.cli import cli as cli

AT = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("arguments", [("--json", "account", "list"), ("account", "list", "--json")])
def test_json_may_stand_before_or_behind_the_command(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert json.loads(cli.text(*arguments)) == []


def test_data_behind_the_command_goes_over_data_before_it(cli: Cli, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert str(other) in cli.error("account", "list", "--data", str(other))


def test_every_command_has_the_shared_options_and_a_help(cli: Cli) -> None:
    found = [tuple(name.split()) for name in every_command()]
    assert len(found) > 30
    for path in found:
        said = cli.text(*path, "--help")
        for option in ("--json", "--data", "--config", "--verbose"):
            assert option in said, path


def test_version(cli: Cli) -> None:
    assert cli.text("--version").startswith("postroom 0.")


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    said = Cli(tmp_path / "none").error("account", "list")
    assert "postroom migrate" in said
    assert not (tmp_path / "none").exists()


def test_an_older_database_is_left_alone_until_migrate(cli: Cli) -> None:
    async def forget(database: Database) -> None:
        async with database.write() as connection:
            for (name,) in list(
                await connection.execute(
                    text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
                )
            ):
                await connection.execute(text(f'DROP TABLE "{name}"'))

    cli.store(forget)
    assert "postroom migrate" in cli.error("account", "list", status=2)
    assert cli.json("migrate")["applied"]
    assert cli.json("migrate")["applied"] == []
    assert cli.json("account", "list") == []


def test_migrate_makes_a_private_database_and_its_key(tmp_path: Path) -> None:
    fresh = Cli(tmp_path / "fresh")
    assert fresh.json("migrate")["applied"]
    assert stat.S_IMODE(fresh.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((fresh.data / "secret.key").stat().st_mode) == 0o600


def test_a_lost_key_is_not_replaced(cli: Cli) -> None:
    (cli.data / "secret.key").unlink()
    assert "restore it from the backup" in cli.error("migrate")
    account = cli.json("account", "add", "Acme")["id"]
    assert "secret.key" in cli.error("domain", "add", "example.com", "--account", account)
    assert cli.json("domain", "list") == []


def test_a_setting_that_is_refused_ends_with_status_2(cli: Cli) -> None:
    (cli.data / "postroom.toml").write_text("[submission]\nmax_sice = 5\n")
    said = cli.error("account", "list", status=2)
    assert "postroom.toml" in said
    assert "max_sice" in said


def test_config_show_has_every_section_and_no_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "POSTROOM_DELIVERY__ROUTES", '[{"domain": "*", "host": "smart.example", "password": "hunter22"}]'
    )
    shown = cli.json("config", "show")
    assert shown["delivery"]["routes"][0]["host"] == "smart.example"
    assert "hunter22" not in cli.text("config", "show") + json.dumps(shown)
    assert "submission.max_size = " in cli.text("config", "show")


def test_config_docs_is_a_page(cli: Cli) -> None:
    assert "POSTROOM_SUBMISSION__MAX_SIZE" in cli.text("config", "docs")


def test_catalogue_lists_every_rule(cli: Cli) -> None:
    rows = cli.json("refusals", "catalogue")
    assert [row["id"] for row in rows] == list(CATALOGUE)
    assert rows[0]["smtp_code"] == CATALOGUE[rows[0]["id"]].code
    tables = cli.text("refusals", "catalogue")
    assert all(rule in tables for rule in CATALOGUE)


def test_the_page_of_refusals_has_a_heading_for_each_rule(cli: Cli) -> None:
    page = cli.text("refusals", "catalogue", "--markdown")
    assert page == refusals.as_markdown()
    lines = page.splitlines()
    for rule in CATALOGUE.values():
        at = lines.index(f"### {rule.id}")
        assert rule.answer in lines[at + 2]
        assert rule.fix in lines[at + (5 if rule.code else 4)]


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=5), "5 s ago"),
        (timedelta(minutes=3, seconds=59), "3 min ago"),
        (timedelta(hours=25), "1 day ago"),
        (timedelta(days=-2), "in 2 days"),
        (timedelta(hours=-3), "in 3 h"),
    ],
)
def test_relative_times(ago: timedelta, words: str) -> None:
    assert relative(AT - ago, AT) == words


def test_times_are_utc() -> None:
    assert iso(AT) == "2026-01-31T09:05:00Z"
    assert to_json({"at": AT + timedelta(milliseconds=7)}) == '{"at": "2026-01-31T09:05:00.007Z"}'
    assert cell(AT, AT + timedelta(minutes=5)).plain == "2026-01-31T09:05:00Z (5 min ago)"
    assert moment(None) is None
    assert moment(int(AT.timestamp() * 1000)) == AT


def test_x03_what_strangers_sent_cannot_drive_the_terminal() -> None:
    assert "\x1b" not in cell("\x1b[2Jgone\x9b1A [bold]").plain
    assert cell("[bold]x[/bold]").plain == "[bold]x[/bold]"
