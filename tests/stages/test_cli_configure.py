"""account, user, domain, smtp-user, suppression: what each prints, and what it says when it cannot."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from support.cli import Cli
from support.cli import cli as cli


@pytest.fixture
def account(cli: Cli) -> str:
    return str(cli.json("account", "add", "Acme", "--approved")["id"])


@pytest.fixture
def domain(cli: Cli, account: str) -> str:
    return str(cli.json("domain", "add", "example.com", "--account", account, "--mode", "sandbox")["id"])


def test_account_add_prints_the_account_with_its_id(cli: Cli) -> None:
    account = cli.json("account", "add", "Acme", "--daily-quota", "100")
    assert len(account["id"]) == 16
    assert (account["name"], account["state"], account["daily_quota"]) == ("Acme", "unapproved", 100)
    assert datetime.fromisoformat(account["created_at"]).utcoffset() is not None
    assert cli.json("account", "list") == [account]


def test_account_approve_and_suspend(cli: Cli) -> None:
    account_id = cli.json("account", "add", "Acme")["id"]
    assert cli.json("account", "approve", account_id)["state"] == "approved"
    suspended = cli.json("account", "suspend", account_id, "--reason", "spam")
    assert (suspended["state"], suspended["state_reason"]) == ("suspended", "spam")


def test_account_unsuspend_and_plan_and_quota(cli: Cli) -> None:
    (cli.data / "postroom.toml").write_text("[plans.small]\ndaily_quota = 5\n")
    account_id = cli.json("account", "add", "Acme", "--plan", "small")["id"]
    assert "not suspended" in cli.error("account", "unsuspend", account_id)
    cli.json("account", "suspend", account_id)
    assert cli.json("account", "unsuspend", account_id)["state"] == "unapproved"
    assert cli.json("account", "show", account_id)["quota_today"] == 5
    assert cli.json("account", "quota", account_id, "0")["daily_quota"] == 0
    assert cli.json("account", "show", account_id)["quota_today"] is None
    assert cli.json("account", "quota", account_id, "default")["daily_quota"] is None
    assert "a quota is a number" in cli.error("account", "quota", account_id, "many")
    assert cli.json("account", "plan", account_id, "none")["plan"] == ""
    assert "no plan odd" in cli.error("account", "plan", account_id, "odd")
    assert "no plan odd" in cli.error("account", "add", "Acme", "--plan", "odd")


def test_account_show_has_domains_and_todays_use(cli: Cli, account: str, domain: str) -> None:
    shown = cli.json("account", "show", account)
    assert (shown["domains"], shown["used_today"]) == (["example.com"], 0)
    assert "example.com" in cli.text("account", "show", account)


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "show", "nobody"),
        ("account", "approve", "nobody"),
        ("account", "suspend", "nobody"),
        ("domain", "add", "example.org", "--account", "nobody"),
        ("domain", "show", "nobody"),
        ("domain", "check", "nobody"),
        ("domain", "pause", "nobody"),
        ("domain", "resume", "nobody"),
        ("domain", "list", "--account", "nobody"),
        ("smtp-user", "add", "nobody", "--name", "app"),
        ("smtp-user", "list", "nobody"),
        ("smtp-user", "change", "nobody", "--name", "app"),
        ("smtp-user", "disable", "nobody"),
        ("smtp-user", "enable", "nobody"),
        ("smtp-user", "reset-password", "nobody"),
        ("smtp-user", "delete", "nobody"),
        ("suppression", "add", "a@example.com", "--account", "nobody"),
        ("suppression", "list", "--account", "nobody"),
        ("suppression", "delete", "a@example.com", "--account", "nobody"),
        ("message", "show", "nobody"),
        ("message", "list", "--account", "nobody"),
        ("queue", "show", "nobody"),
        ("queue", "retry", "nobody"),
        ("queue", "cancel", "nobody"),
        ("inbox", "show", "nobody"),
        ("inbox", "list", "--domain", "nobody"),
        ("refusals", "log", "--account", "nobody"),
    ],
)
def test_what_does_not_exist_is_said_clearly(cli: Cli, arguments: tuple[str, ...]) -> None:
    said = cli.error(*arguments)
    assert said.startswith("error: ")
    assert arguments[2].split("@")[0] in said or "nobody" in said
    assert "Traceback" not in said
    assert set(json.loads(cli.error(*arguments, "--json"))) == {"error"}


def test_user_add_reads_the_password_from_standard_input(cli: Cli, account: str) -> None:
    arguments = (
        "user",
        "add",
        "Ann@Example.com",
        "--account",
        account,
        "--role",
        "Admin",
        "--password-stdin",
    )
    user = cli.json(*arguments, "--operator", input="correct horse battery\n")
    assert (user["email"], user["operator"], user["roles"]) == ("ann@example.com", True, {account: "Admin"})
    assert cli.json("user", "list") == [user]


@pytest.mark.parametrize(
    ("role", "password", "reason"),
    [
        ("Admin", "", "password is empty"),
        ("Admin", "short", "at least 10 characters"),
    ],
)
def test_user_add_refuses(cli: Cli, account: str, role: str, password: str, reason: str) -> None:
    arguments = ("user", "add", "ann@example.com", "--account", account, "--role", role, "--password-stdin")
    assert reason in cli.error(*arguments, input=password + "\n")
    assert cli.json("user", "list") == []


def test_user_add_without_terminal_names_the_option(cli: Cli, account: str) -> None:
    said = cli.error("user", "add", "ann@example.com", "--account", account, "--role", "Admin")
    assert "--password-stdin" in said


def test_domain_add_prints_the_records_to_publish(cli: Cli, account: str) -> None:
    domain = cli.json("domain", "add", "example.org", "--account", account)
    assert (domain["name"], domain["mode"], domain["verified"]) == ("example.org", "live", False)
    required = [record for record in domain["records"] if record["required"]]
    assert [record["type"] for record in required] == ["TXT"]
    assert required[0]["value"].startswith("v=DKIM1; k=rsa; p=")
    # A key that is broken over lines cannot be copied.
    lines = cli.text("domain", "show", "example.org").splitlines()
    assert any(required[0]["value"] in line for line in lines)


@pytest.mark.parametrize(("options", "mode"), [(("--trusted",), "live"), (("--mode", "sandbox"), "sandbox")])
def test_domain_add_verified_at_once(cli: Cli, account: str, options: tuple[str, ...], mode: str) -> None:
    domain = cli.json("domain", "add", "example.org", "--account", account, *options)
    assert (domain["mode"], domain["verified"]) == (mode, True)


def test_domain_exists_already(cli: Cli, account: str, domain: str) -> None:
    assert "exists already" in cli.error("domain", "add", "Example.COM", "--account", account)


def test_domain_add_with_an_unknown_mode_is_wrong_usage(cli: Cli, account: str) -> None:
    assert cli.run("domain", "add", "example.org", "--account", account, "--mode", "half").exit_code == 2


def test_domain_pause_and_resume(cli: Cli, domain: str) -> None:
    assert cli.json("domain", "pause", "Example.COM")["send_paused"] is True
    assert cli.json("domain", "show", domain)["send_paused"] is True
    assert "send paused" in cli.text("domain", "show", domain)
    assert [one["send_paused"] for one in cli.json("domain", "list")] == [True]
    assert cli.json("domain", "resume", domain)["send_paused"] is False


def test_domain_delete(cli: Cli, account: str, domain: str) -> None:
    cli.json("smtp-user", "add", "example.com", "--name", "app")
    assert cli.json("domain", "delete", "Example.COM")["id"] == domain
    assert (cli.json("domain", "list"), cli.json("smtp-user", "list")) == ([], [])
    assert "no domain" in cli.error("domain", "delete", domain)
    assert cli.json("domain", "add", "example.com", "--account", account)["id"] != domain


def test_a_name_that_several_accounts_have_added_is_named_by_its_id(cli: Cli, account: str) -> None:
    other = cli.json("account", "add", "Other")["id"]
    made = [cli.json("domain", "add", "example.org", "--account", owner) for owner in (account, other)]
    assert "name its id instead" in cli.error("domain", "show", "example.org")
    assert cli.json("domain", "show", made[1]["id"])["account_id"] == other


def test_a_public_suffix_is_refused(cli: Cli, account: str) -> None:
    assert "public suffix" in cli.error("domain", "add", "co.uk", "--account", account)


def test_domain_list_never_shows_private_keys(cli: Cli, domain: str) -> None:
    assert "private" not in json.dumps([cli.json("domain", "list"), cli.json("domain", "show", domain)])


def test_smtp_user_password_is_shown_once(cli: Cli, domain: str) -> None:
    made = cli.json("smtp-user", "add", "example.com", "--name", "app")
    assert {"id", "username", "password", "server", "port"} <= set(made)
    assert (made["server"], made["port"]) == ("localhost", 2525)
    listed = cli.json("smtp-user", "list")
    assert [user["username"] for user in listed] == [made["username"]]
    everything = cli.text("smtp-user", "list", "--json") + cli.text("smtp-user", "list")
    assert made["password"] not in everything
    assert not any(word in everything for word in ("hash", "scram", "password"))


def test_smtp_user_reset_password_makes_another(cli: Cli, domain: str) -> None:
    made = cli.json("smtp-user", "add", "example.com", "--name", "app")
    again = cli.json("smtp-user", "reset-password", made["username"])
    assert again["id"] == made["id"]
    assert again["password"] != made["password"]


def test_smtp_user_disable_enable_delete(cli: Cli, domain: str) -> None:
    made = cli.json("smtp-user", "add", domain, "--name", "app")
    assert cli.json("smtp-user", "disable", made["id"])["enabled"] is False
    assert cli.json("smtp-user", "enable", made["username"])["enabled"] is True
    assert cli.json("smtp-user", "delete", made["id"])["username"] == made["username"]
    assert cli.json("smtp-user", "list", "example.com") == []


def test_smtp_user_change_sets_limits_and_takes_them_away(cli: Cli, domain: str) -> None:
    limits = ("--hourly-cap", "10", "--allow", "192.0.2.7/24", "--allow", "::1", "--stream", "broadcast")
    made = cli.json("smtp-user", "add", domain, "--name", "app", *limits, "--expires", "90d")
    more = ("--name", "new", "--from-domain", "example.com", "--daily-cap", "100", "--refuse-suppressed")
    changed = cli.json("smtp-user", "change", made["username"], *more)
    assert [changed] == cli.json("smtp-user", "list")
    assert (changed["name"], changed["from_domains"]) == ("new", [domain])
    assert (changed["hourly_cap"], changed["daily_cap"]) == (10, 100)
    assert changed["allowed_addresses"] == ["192.0.2.0/24", "::1/128"]
    assert (changed["stream"], changed["refuse_suppressed"]) == ("broadcast", True)
    assert changed["expires_at"] > changed["created_at"]
    away = (
        "--from-domain",
        "any",
        "--hourly-cap",
        "0",
        "--daily-cap",
        "0",
        "--allow",
        "any",
        "--expires",
        "never",
    )
    changed = cli.json("smtp-user", "change", made["id"], *away, "--accept-suppressed")
    assert (changed["from_domains"], changed["allowed_addresses"]) == ([], [])
    assert (changed["hourly_cap"], changed["daily_cap"], changed["expires_at"]) == (None, None, None)
    assert changed["refuse_suppressed"] is False


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--from-domain", "nobody.test"), "the account has no domain nobody.test"),
        (("--allow", "here"), "no address or network"),
        (("--expires", "2020-01-31"), "cannot expire in the past"),
        (("--expires", "soon"), "write a time like 90d"),
        (("--name", " "), "1 to 50 characters"),
    ],
)
def test_limits_that_cannot_be(cli: Cli, domain: str, options: tuple[str, str], why: str) -> None:
    made = cli.json("smtp-user", "add", domain, "--name", "app")
    assert why in cli.error("smtp-user", "change", made["id"], *options)


def test_suppression_add_list_delete(cli: Cli, account: str) -> None:
    entry = cli.json("suppression", "add", "Bob@EXAMPLE.com", "--account", account, "--reason", "asked")
    assert (entry["address"], entry["list"], entry["reason"]) == ("Bob@example.com", "blocklist", "asked")
    assert cli.json("suppression", "list", "--account", account) == [entry]
    assert "is on blocklist already" in cli.error(
        "suppression", "add", "Bob@example.com", "--account", account
    )
    assert cli.json("suppression", "delete", "Bob@example.com", "--account", account)["lists"] == 1
    assert cli.json("suppression", "list", "--account", account) == []


def test_suppression_of_one_domain_or_stream_and_by_pattern(cli: Cli, account: str, domain: str) -> None:
    one = cli.json(
        "suppression",
        "add",
        "a@x.test",
        "--account",
        account,
        "--domain",
        "example.com",
        "--stream",
        "broadcast",
    )
    assert (one["domain_id"], one["stream"], one["pattern"]) == (domain, "broadcast", False)
    pattern = cli.json("suppression", "add", "*@X.test", "--account", account, "--pattern")
    assert (pattern["address"], pattern["domain_id"], pattern["pattern"]) == ("*@x.test", None, True)
    assert cli.json("suppression", "delete", "*@x.test", "--account", account)["lists"] == 1


def test_suppression_lists_have_names(cli: Cli, account: str) -> None:
    said = cli.error("suppression", "add", "a@example.com", "--account", account, "--list", "friends")
    assert "hard_bounces" in said
