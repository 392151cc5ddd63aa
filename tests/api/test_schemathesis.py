"""schemathesis over /v1/openapi.json: whatever is asked, the answer is one that the document promises.

Once with parameters as they are made up, where most ids lead nowhere, and once with ids and days of things that are
there. The same requests in every run.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi import checks
from sqlalchemy import delete

from postroom.store.database import Database
from postroom.store.schema import webhooks
from postroom.tenancy import suppressions
from postroom.tenancy.entitlements import Area
from postroom.types.actor import SYSTEM
from support.api import ApiWorld
from support.objects import new_domain, objects, webhook
from support.sent import dates

LONG = 10_000
"""Characters, more than which take too long to try out again and again."""
BOB, SUPPRESSED = "bob@example.com", "carla@example.com"
SENDING = ("/email", "/bulk-email", "/preflight")
ABSENT = ("html", "template_id", "personalization", "variables", "attachments", "headers", "send_at")
"""Fields that are right only together with others, or as more than text."""

CONFIG: dict[str, Any] = {
    "base-url": "http://api.test/v1",
    "seed": 4,
    "generation": {
        "deterministic": True,
        "max-examples": 6,
        "no-shrink": True,
        "with-security-parameters": False,
    },
    "phases": {"stateful": {"enabled": False}},
}

POSITIVE = {**CONFIG, "generation": {**CONFIG["generation"], "mode": "positive"}}

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
"""Not among them: whether wrong data is refused and right data accepted. What is wrong beyond its shape (a sender that
is not verified, a template that does not compile) is no matter of a schema, and some of what a schema calls wrong is
taken on purpose: null and "" for absent, unknown fields, 1 for true. test_email_fields and others have the tables.
Tokens are not left out here either: test_every_endpoint does so, for every endpoint.
"""


class World:
    """The API with a loop of its own, for hypothesis calls functions that are not async."""

    def __init__(self, url: str, directory: Path, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._recipients = cycle(((BOB,), (BOB, SUPPRESSED), (SUPPRESSED,)))
        self._number = count()
        self._there: dict[str, Iterator[str]] = {}
        self.database = runner.run(Database.open(url, pool=2))
        limits = {f"{area}_per_minute": 1_000_000 for area in Area} | {"requests_per_day": 1_000_000}
        start = ApiWorld.start(self.database, directory, http={"access_log": False}, api=limits)
        self.api = runner.run(start)
        runner.run(suppressions.add(self.database, self.api.first.account.id, SUPPRESSED, by=SYSTEM))
        self.document: dict[str, Any] = runner.run(self.api.anonymous.get("/openapi.json")).json()

    def fill(self) -> None:
        """Something of everything; `_there` has ids by the name of their parameter."""
        self._runner.run(self._remove_webhooks())  # a domain may have but so many
        found = self._runner.run(objects(self.api, self.api.first))
        self._there = {name: cycle(ids) for name, ids in found.items()}

    async def _remove_webhooks(self) -> None:
        async with self.database.write() as connection:
            await connection.execute(delete(webhooks))

    def send(self, case: Case) -> httpx.Response:
        made = requests.Request(**case.as_transport_kwargs()).prepare()
        headers = httpx.Headers(made.headers)
        headers["authorization"] = f"Bearer {self.api.secret}"
        request = httpx.Request(str(made.method), str(made.url), headers=headers, content=made.body)
        return self._runner.run(self.api.http.send(request))

    def aim(self, case: Case) -> None:
        """At what is there: ids, the last hour, a sender that may send to somebody."""
        for name in case.path_parameters:
            case.path_parameters[name] = next(self._there[name])
        if (case.method, case.path) == ("DELETE", "/domains/{domain_id}"):
            made = self._runner.run(self.api.post("/domains", json=new_domain()))
            case.path_parameters["domain_id"] = made.json()["data"]["id"]
        if isinstance(case.query, dict):
            now = {"domain_id": self.api.first.domain.id, **dates(self.api)}
            case.query |= {name: value for name, value in now.items() if name in case.query}
        if "idempotency-key" in case.headers:
            case.headers["idempotency-key"] = str(next(self._number))
        for one in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(one, dict):
                one |= self._right(case.path)

    def _right(self, path: str) -> dict[str, Any]:
        """What takes more than a right shape in a body."""
        if path.startswith("/webhooks"):
            return webhook(self.api.first)
        if path.startswith("/suppressions"):
            domain = {"domain_id": self.api.first.domain.id}
            return domain | {"recipients": ["gone@example.org"], "patterns": [], "all": True}
        if path == "/domains":
            return new_domain()
        if not path.startswith(SENDING):
            return {}
        return {
            "from": {"email": f"anna@{self.api.first.domain.name}"},
            "to": [{"email": name} for name in next(self._recipients)],
            "subject": "Hello",
            "text": "Hello",
        } | dict.fromkeys(ABSENT)

    def stop(self) -> None:
        self._runner.run(self.api.stop())
        self._runner.run(self.database.close())


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with asyncio.Runner() as runner:
        world = World(sqlite_url, tmp_path, runner)
        yield world
        world.stop()


def small(schema: Any) -> Any:
    """The document without limits of text that take megabytes to try out: test_email_large and others do so."""
    if isinstance(schema, dict):
        return {
            name: small(inner)
            for name, inner in schema.items()
            if not (name == "maxLength" and isinstance(inner, int) and inner > LONG)
        }
    return [small(inner) for inner in schema] if isinstance(schema, list) else schema


def operation_tests(
    document: dict[str, Any], config: dict[str, Any], test: Callable[[Case], None]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """One test for each operation, with its name. The plugin for pytest would do the same, but not with pytest 9."""
    loaded = schemathesis.openapi.from_dict(small(document), config=SchemathesisConfig.from_dict(config))
    schema = loaded.exclude(tag="Probe")
    for found in schema.get_all_operations():
        operation = found.ok()
        yield (
            operation.label,
            build_operation_test(
                config=schema.config,
                operation=operation,
                test_func=test,
                given_kwargs={},
                feedback=FeedbackSources(),
            ),
        )


def test_whatever_is_asked(world: World, subtests: pytest.Subtests) -> None:
    def ask(case: Case) -> None:
        case.validate_response(world.send(case), checks=CHECKS)

    for name, test in operation_tests(world.document, CONFIG, ask):
        with subtests.test(name):
            test()


def test_what_is_there(world: World, subtests: pytest.Subtests) -> None:
    statuses: Counter[int] = Counter()

    def ask(case: Case) -> None:
        world.aim(case)
        answer = world.send(case)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    for name, test in operation_tests(world.document, POSITIVE, ask):
        statuses.clear()
        world.fill()
        with subtests.test(name):
            test()
            if name.startswith(("GET", "DELETE")) or name.endswith(SENDING):
                assert any(status < 300 for status in statuses), statuses
