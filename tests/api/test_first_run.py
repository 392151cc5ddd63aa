"""The steps of the first run: each as things really are."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from postroom.config import Config
from postroom.store import audit, domains, installation, users
from postroom.store import emails as email_store
from postroom.store.database import Database
from postroom.store.schema import emails, inbox
from postroom.tenancy import domains as domain_policy
from postroom.tenancy import network_checks, smtp_users
from postroom.tenancy.first_run import WELCOME
from postroom.types.actor import SYSTEM
from support.api import ApiWorld
from support.people import SignedIn
from support.sent import sent

STEPS = ["account", "sandbox", "host_name", "port_25", "domain", "smtp_user", "message"]


async def steps(operator: SignedIn) -> dict[str, dict[str, Any]]:
    shown = (await operator.get("/console/first-run")).json()["data"]
    assert [one["step"] for one in shown["steps"]] == STEPS
    return {one["step"]: one for one in shown["steps"]}


async def test_a_fresh_installation_has_everything_before_it(api: ApiWorld) -> None:
    operator = await api.person(operator=True)
    async with api.database.write() as connection:
        await users.change(connection, operator.user.id, password_hash="")
    shown = (await operator.get("/console/first-run")).json()["data"]
    assert {one["state"] for one in shown["steps"]} == {"open"}
    assert all(one["fix"] for one in shown["steps"])
    assert (shown["finished"], shown["closed"], shown["smarthost"], shown["domain_id"]) == (
        False,
        False,
        None,
        None,
    )
    assert shown["checks"] == {"under_way": False, "began_at": None, "ended_at": None, "results": []}
    assert (await (await api.person()).get("/console/first-run")).status_code == 403


async def test_account_and_sandbox(api: ApiWorld) -> None:
    operator = await api.person(operator=True)
    assert (await steps(operator))["account"]["state"] == "done"
    welcome = await _caught(api)
    async with api.database.write() as connection:
        await installation.put(connection, WELCOME, welcome)
    assert (await steps(operator))["sandbox"]["state"] == "open"  # it has sent that one itself
    mine = await _caught(api)
    found = (await steps(operator))["sandbox"]
    assert (found["state"], found["object_id"]) == ("done", mine)


async def _caught(api: ApiWorld) -> str:
    """The id of a message that lies in the sandbox inbox."""
    made = await sent(api, api.first)
    row = {
        "account_id": api.first.account.id,
        "email_id": made.emails[0].id,
        "message_id": made.messages[0].id,
        "domain_id": api.first.domain.id,
        "recipient": made.emails[0].recipient,
        "received_at": api.clock.now_ms(),
    }
    async with api.database.write() as connection:
        await connection.execute(insert(inbox).values(row))
    return made.messages[0].id


# -- the network ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def smarthost(greeting: bytes) -> AsyncIterator[int]:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("greeting", "state"), [(b"220 hello\r\n", "done"), (b"554 no\r\n", "problem")])
async def test_the_network_is_looked_at_when_somebody_asks(
    sqlite_database: Database, tmp_path: Path, greeting: bytes, state: str
) -> None:
    async with smarthost(greeting) as port:
        route = {"domain": "*", "host": "127.0.0.1", "port": port}
        api = await ApiWorld.start(sqlite_database, tmp_path, delivery={"routes": [route]})
        operator = await api.person(operator=True)
        begun = await operator.post("/console/first-run/checks", json={})
        assert (begun.status_code, begun.json()["data"]["checks"]["under_way"]) == (202, True)
        shown = (await operator.get("/console/first-run")).json()["data"]
        assert shown["checks"]["under_way"] is False
        names = ["resolver", "port 25 outbound", "host name and PTR"]
        assert [one["name"] for one in shown["checks"]["results"]] == names
        assert shown["smarthost"] == {"host": "127.0.0.1", "port": port}
        found = await steps(operator)
        assert found["port_25"]["state"] == state
        assert found["host_name"]["state"] == "problem"
        assert found["host_name"]["fix"]
        await api.stop()


async def test_one_run_at_a_time_and_one_that_died_is_forgotten(api: ApiWorld) -> None:
    now = api.clock.now_ms()
    assert await network_checks.begin(api.database, now=now, by=SYSTEM)
    assert not await network_checks.begin(api.database, now=now + 1, by=SYSTEM)
    assert await network_checks.begin(api.database, now=now + network_checks.LONGEST_RUN, by=SYSTEM)
    run = await network_checks.last(api.database)
    assert run is not None
    assert run.under_way(run.began_at)
    await network_checks.end(api.database, [], now=now)
    assert await network_checks.begin(api.database, now=now, by=SYSTEM)


# -- to a real address ------------------------------------------------------------------------------------------


async def test_domain_smtp_user_and_message(api: ApiWorld) -> None:
    operator = await api.person(operator=True)
    account_id = api.first.account.id
    domain = await domain_policy.add(api.database, api.box, "shop.test", account_id=account_id, by=SYSTEM)
    waiting = (await steps(operator))["domain"]
    assert (waiting["state"], waiting["object_id"]) == ("open", domain.id)
    checked = [
        {"key": "dkim", "record": "pr1", "found": "v=DKIM1", "ok": True, "unknown": False, "mend": ""},
        {
            "key": "dmarc",
            "record": "_dmarc",
            "found": "",
            "ok": False,
            "unknown": False,
            "mend": "Publish it.",
        },
    ]
    async with api.database.write() as connection:
        await domains.change(connection, domain.id, verified_at=1, check_result=json.dumps(checked))
    shown = (await operator.get("/console/first-run")).json()["data"]
    assert shown["domain_id"] == domain.id
    passes = {one["name"]: one["passes"] for one in shown["authentication"]}
    assert passes == {"SPF": None, "DKIM": True, "DMARC": False}
    assert (await steps(operator))["smtp_user"]["state"] == "open"
    await smtp_users.add(api.database, domain.id, name="App", by=SYSTEM)
    found = await steps(operator)
    assert (found["domain"]["state"], found["smtp_user"]["state"]) == ("done", "done")
    async with api.database.write() as connection:
        await domains.change(connection, domain.id, failing_since=5)
    assert (await steps(operator))["domain"]["state"] == "problem"


@pytest.mark.parametrize(
    ("status", "state"),
    [("delivered", "done"), ("deferred", "open"), ("queued", "open"), ("bounced", "problem")],
)
async def test_what_became_of_the_first_real_message(api: ApiWorld, status: str, state: str) -> None:
    operator = await api.person(operator=True)
    assert (await steps(operator))["message"]["state"] == "open"
    made = await sent(api, api.first)
    async with api.database.write() as connection:
        await domains.change(connection, api.first.domain.id, mode="live", verified_at=1)
        mine = emails.c.id == made.emails[0].id
        await connection.execute(update(emails).where(mine).values(status=status, reply="what they said"))
        assert await email_store.find(connection, made.emails[0].id) is not None
    found = (await steps(operator))["message"]
    assert (found["state"], found["object_id"]) == (state, made.messages[0].id)
    assert "what they said" in found["detail"]


# -- what operators say themselves ------------------------------------------------------------------------------


async def test_steps_are_left_out_and_come_back_to(api: ApiWorld) -> None:
    operator, other = await api.person(operator=True), await api.person(operator=True)
    shown = (await operator.put("/console/first-run", json={"skipped": STEPS, "closed": True})).json()["data"]
    assert (shown["finished"], shown["closed"]) == (True, True)
    shown = (await other.put("/console/first-run", json={"skipped": ["port_25"]})).json()["data"]
    assert ([one["step"] for one in shown["steps"] if one["skipped"]], shown["closed"]) == (["port_25"], True)
    await other.put("/console/first-run", json={"skipped": ["port_25"]})
    async with api.database.read() as connection:
        entries = await audit.page(connection, "", action="first_run.marked", limit=9)
    assert len(entries) == 2  # what changes nothing is not told
    wrong = await operator.put("/console/first-run", json={"skipped": ["nonsense"]})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"host": "smtp.example.com", "username": "me", "password": 'a"b\\c é \U0001f511 #x'},
        {"host": "smtp.example.com", "port": 25, "tls": "opportunistic", "domain": "example.org"},
    ],
)
async def test_the_lines_of_a_smarthost_are_what_the_configuration_takes(
    api: ApiWorld, body: dict[str, Any]
) -> None:
    operator = await api.person(operator=True)
    shown = (await operator.post("/console/first-run/smarthost", json=body)).json()["data"]
    assert shown["file"].endswith("postroom.toml")
    (route,) = Config(**tomllib.loads(shown["lines"])).delivery.routes
    wanted = {"port": 587, "tls": "required", "domain": "*", "username": "", "password": ""} | body
    taken = route.model_dump() | {"password": route.password.get_secret_value()}
    assert taken == wanted


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"host": "a\nb"},
        {"host": "a", "port": 0},
        {"host": "a", "password": "\x7f"},
        {"host": "a", "tls": "no"},
    ],
)
async def test_what_is_no_smarthost(api: ApiWorld, body: dict[str, Any]) -> None:
    operator = await api.person(operator=True)
    assert (await operator.post("/console/first-run/smarthost", json=body)).status_code == 422
