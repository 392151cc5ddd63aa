"""`--json`: what every command writes on standard output is JSON, or nothing when it fails."""

from __future__ import annotations

import json

from postroom.cli import refusals
from postroom.config import reference
from support.cli import Cli, every_command
from support.cli import cli as cli

PASSWORD = "correct horse battery\n"
NOBODY = "0" * 24
IN_ORDER = """
migrate
config show
config docs
refusals catalogue
refusals catalogue --markdown
refusals log
account add Acme --approved
account approve {account}
account suspend {account}
account unsuspend {account}
account plan {account} none
account quota {account} 5
account show {account}
account list
user add ann@example.com --account {account} --role Admin --password-stdin
user add ben@example.com --account {account} --role Manager --password-stdin
user list
user set-role ben@example.com --account {account} --role Designer
user remove ben@example.com --account {account}
user sessions ann@example.com
user sign-out ann@example.com
user sign-in-link ann@example.com
user disable-second-factor ann@example.com
domain add example.com --account {account} --mode sandbox
domain show example.com
domain list
domain check example.com
domain pause example.com
domain resume example.com
smtp-user add example.com --name App
smtp-user change {smtp-user} --daily-cap 5
smtp-user list
smtp-user disable {smtp-user}
smtp-user enable {smtp-user}
smtp-user reset-password {smtp-user}
smtp-user delete {smtp-user}
token add --account {account} --name App --scope all
token list
token pause {token}
token unpause {token}
token delete {token}
suppression add bob@example.org --account {account}
suppression list --account {account}
suppression delete bob@example.org --account {account}
message list
message show {nobody}
queue list
queue show {nobody}
queue retry {nobody}
queue cancel {nobody}
inbox list
inbox show {nobody}
inbox show {nobody} --source
domain delete example.com
audit list
audit export
send --from ann@example.com --to bob@example.org
doctor --quick
serve --role nobody
"""


def test_every_command_answers_with_json(cli: Cli) -> None:
    """On an installation that has nothing yet; `serve` and `send` can only fail here."""
    (cli.data / "postroom.toml").write_text('[dns]\nservers = ["127.0.0.1:9"]\ntimeout = "10ms"\n')
    lines = IN_ORDER.strip().splitlines()
    assert {name for line in lines for name in every_command() if line.startswith(name)} == set(
        every_command()
    )
    made = {"nobody": NOBODY}
    for line in lines:
        done = cli.run(*line.format(**made).split(), "--json", input=PASSWORD)
        answers = [json.loads(answer) for answer in done.stdout.splitlines()]
        if answers:
            assert len(answers) == 1 or line == "audit export", line  # which is known for its lines
        else:
            assert done.exit_code, line
            assert set(json.loads(done.stderr)) == {"error"}, line
        noun, _, verb = line.partition(" ")
        if verb.startswith("add "):
            made.setdefault(noun, answers[0]["id"])


def test_a_page_is_a_value_in_json(cli: Cli) -> None:
    assert cli.json("config", "docs") == {"markdown": reference()}
    assert cli.json("refusals", "catalogue", "--markdown") == {"markdown": refusals.as_markdown()}


def test_a_wrong_use_is_told_in_words(cli: Cli) -> None:
    """By the parser, which does not know yet what was asked for."""
    done = cli.run("account", "show", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Usage: postroom account show" in done.stderr
