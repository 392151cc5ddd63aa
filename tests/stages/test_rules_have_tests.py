"""Every rule about who may send and what is sent is named by a test that shows it refusing."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from postroom.types.refusals import GROUPS, Rule

TESTS = Path(__file__).parent.parent
PLACES = ("stages/**/*.py", "talk/*.talk", "wire/*.py")
"""Where rules and dialogues are tested. The clients' cases name rules, too, but show what becomes of them."""

ELSEWHERE = {
    "preflight": "api/test_preflight.py",  # it is what the HTTP API says of a message, as a reply
}


@cache
def written() -> frozenset[str]:
    """Every word of these tests that may be a rule: `from-missing` or FROM_MISSING."""
    files = [path for pattern in PLACES for path in TESTS.glob(pattern) if path != Path(__file__)]
    return frozenset(word for file in files for word in words(file))


def words(file: Path) -> list[str]:
    return re.findall(r"[\w-]+", file.read_text("utf-8"))


@pytest.mark.parametrize(
    "rule", [*GROUPS["Who may send"], *GROUPS["What is sent, and to whom"]], ids=lambda rule: rule.id
)
def test_a_test_names_the_rule(rule: Rule) -> None:
    names = {rule.id, rule.id.replace("-", "_").upper()}
    elsewhere = ELSEWHERE.get(rule.id)
    assert names & (set(words(TESTS / elsewhere)) if elsewhere else written())
