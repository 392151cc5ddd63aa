"""What needs a hand: each rule by itself, at the edge of what it minds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from postroom.runtime import ids
from postroom.store.queue import Backlog
from postroom.web.console import problems
from postroom.web.console.hours import HOUR, Counts
from postroom.web.console.problems import GIB, Facts, Level, Machine, Page
from support.stored import domain

NOW = 1_780_000_000_000
DAY = 24 * HOUR


FINE = Facts(
    now=NOW,
    state="approved",
    domains=[domain()],
    grace=3 * DAY,
    can_send=True,
    used=0,
    quota=None,
    day=Counts(1000, 1000),
    refused=0,
    machine=Machine("/data", 9 * GIB, NOW + 90 * DAY),
)


def waiting_since(hours: int) -> Backlog:
    return Backlog(1, {}, ids.earliest(NOW - hours * HOUR))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"state": "unapproved"}, ["account-unapproved"]),
        ({"quota": 100, "used": 79}, []),
        ({"quota": 100, "used": 80}, ["quota-near"]),
        ({"quota": 100, "used": 100}, ["quota-used-up"]),
        ({"quota": 0, "used": 0}, ["quota-used-up"]),
        ({"domains": []}, ["no-domain"]),
        ({"domains": [], "can_send": False}, ["no-domain"]),
        ({"domains": [domain(verified_at=None)]}, ["domain-unverified"]),
        ({"domains": [domain(failing_since=NOW - DAY)]}, ["domain-failing"]),
        ({"domains": [domain(failing_since=1, send_paused=True, pause_reason="dns")]}, ["sending-paused"]),
        ({"domains": [domain(send_paused=True)]}, ["sending-paused"]),
        ({"can_send": False}, ["no-credential"]),
        ({"day": Counts(0, 19, bounced=19)}, []),
        ({"day": Counts(0, 380, bounced=20)}, []),
        ({"day": Counts(0, 379, bounced=20)}, ["many-bounces"]),
        ({"day": None, "refused": None}, []),
        ({"refused": 1}, ["mail-refused"]),
        ({"backlog": waiting_since(2)}, []),
        ({"backlog": waiting_since(3)}, ["queue-old"]),
        ({"backlog": Backlog(9, {"paused": 9}, None)}, []),
        ({"backlog": Backlog(2, {"quarantined": 2}, None)}, ["mail-quarantined"]),
        ({"machine": None}, []),
        ({"machine": Machine("/data", GIB - 1, None)}, ["disk-nearly-full"]),
        ({"machine": Machine("/data", None, NOW + 14 * DAY)}, []),
        ({"machine": Machine("/data", None, NOW + 14 * DAY - 1)}, ["certificate-ends"]),
        ({"machine": Machine("/data", None, NOW)}, ["certificate-ends"]),
    ],
)
def test_what_each_rule_minds(change: dict[str, Any], expected: list[str]) -> None:
    found = problems.found(replace(FINE, **change))
    assert [problem.id for problem in found] == expected
    assert all(problem.what and problem.fix for problem in found)


@pytest.mark.parametrize(
    ("reason", "words"),
    [("", "is paused; its mail waits"), ("dns", "DNS records are gone"), ("lost", "another account")],
)
def test_why_sending_is_paused(reason: str, words: str) -> None:
    [problem] = problems.found(replace(FINE, domains=[domain(send_paused=True, pause_reason=reason)]))
    assert words in problem.what
    assert (problem.page, problem.object_id) == (Page.DOMAIN, "d" * 16)


def test_how_long_is_left_is_told() -> None:
    [problem] = problems.found(replace(FINE, domains=[domain(failing_since=NOW - DAY)]))
    assert "in 48 hours" in problem.what
    [problem] = problems.found(replace(FINE, machine=Machine("/data", None, NOW + 3 * DAY)))
    assert (problem.what, problem.level) == ("The TLS certificate ends in 3 days.", Level.WARNING)
    [problem] = problems.found(replace(FINE, machine=Machine("/data", None, NOW - 1)))
    assert problem.level is Level.ERROR


def test_the_worst_comes_first() -> None:
    facts = replace(
        FINE, state="unapproved", refused=1, domains=[domain(verified_at=None), domain(send_paused=True)]
    )
    found = problems.found(facts)
    assert [problem.level for problem in found] == [Level.ERROR, Level.ERROR, Level.WARNING, Level.INFO]
    assert len({problem.id for problem in found}) == 4


def test_every_rule_is_in_the_list() -> None:
    defined = {
        function
        for function in vars(problems).values()
        if callable(function)
        and getattr(function, "__annotations__", {}).get("return") == "Iterator[Problem]"
    }
    assert defined == set(problems.RULES)
