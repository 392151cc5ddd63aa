"""Accounts that people make by themselves, where they may (U10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.store import audit
from postroom.store.database import Database
from postroom.tenancy import accounts, sign_up
from postroom.types.notices import SignUpConfirmation, SignUpKnown
from support import people
from support.api import ApiWorld

ORIGIN = {"origin": "http://api.test"}
EMAIL, PASSWORD = "new@example.com", "a much better one"
BODY = {"name": "Nora", "last_name": "New", "account": "Shop", "password": PASSWORD}


async def post(api: ApiWorld, path: str, body: dict[str, Any]) -> httpx.Response:
    return await api.http.post(f"/console{path}", json=body, headers=ORIGIN)


@pytest.fixture
async def world(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    """Where people may sign up."""
    api = await ApiWorld.start(sqlite_database, tmp_path, server={"sign_up": "approval"})
    yield api
    await api.stop()


async def token(api: ApiWorld, email: str = EMAIL) -> str:
    await post(api, "/sign-up", {"email": email})
    notice = api.mail.notices[-1]
    assert isinstance(notice, SignUpConfirmation)
    assert notice.to == email
    page, _, secret = notice.link.partition("#")
    assert page == "http://localhost:8025/sign-up"
    return secret


async def test_it_is_closed_unless_the_operator_opens_it(api: ApiWorld) -> None:
    assert (await api.http.get("/console/sign-up")).json() == {"data": {"mode": "closed"}}
    asked = await post(api, "/sign-up", {"email": EMAIL})
    assert (asked.status_code, asked.json()["message"]) == (
        403,
        "New accounts are made by the operator only.",
    )
    assert (await post(api, "/sign-up/confirm", {**BODY, "token": "A" * 43})).status_code == 403
    person, operator = await api.person(), await api.person(operator=True)
    assert (await person.post("/console/accounts", json={"name": "Mine"})).status_code == 403
    made = await operator.post("/console/accounts", json={"name": "Mine"})
    assert (made.status_code, made.json()["data"]["state"]) == (201, "approved")
    assert api.mail.notices == []


async def test_an_address_a_link_and_an_account_that_waits_for_approval(world: ApiWorld) -> None:
    assert (await world.http.get("/console/sign-up")).json() == {"data": {"mode": "approval"}}
    secret = await token(world)
    assert (await post(world, "/sign-up/look", {"token": secret})).json() == {"data": {"email": EMAIL}}
    easy = await post(world, "/sign-up/confirm", {**BODY, "token": secret, "password": "1234567890"})
    assert (easy.status_code, list(easy.json()["errors"])) == (422, ["password"])
    made = await post(world, "/sign-up/confirm", {**BODY, "token": secret})
    assert (made.status_code, made.json()["data"]["email"]) == (201, EMAIL)
    assert (await post(world, "/sign-up/confirm", {**BODY, "token": secret})).status_code == 410

    signed_in = await post(world, "/session", {"email": EMAIL, "password": PASSWORD})
    shown = signed_in.json()["data"]
    account_id = made.json()["data"]["account_id"]
    assert shown["accounts"] == [{"id": account_id, "name": "Shop", "state": "unapproved", "role": "Admin"}]
    assert (shown["user"]["name"], shown["user"]["operator"]) == ("Nora", False)
    async with world.database.read() as connection:
        entries = await audit.page(connection, account_id, limit=9)
        asked = await audit.page(connection, "", action="sign_up.", limit=9)
    assert {entry.action for entry in entries} >= {"account.created", "user.created"}
    assert [entry.object_name for entry in asked] == [EMAIL]
    assert secret not in str(entries + asked)


async def test_u10_a_known_address_gets_another_mail_and_the_same_answer(world: ApiWorld) -> None:
    person = await world.person()
    known = await post(world, "/sign-up", {"email": person.user.email})
    new = await post(world, "/sign-up", {"email": EMAIL})
    nonsense = await post(world, "/sign-up", {"email": "no address"})
    for answer in (known, new, nonsense):
        assert (answer.status_code, answer.content) == (202, b"")
    assert world.mail.notices[0] == SignUpKnown(person.user.email, "http://localhost:8025/sign-in")
    assert len(world.mail.notices) == 2


async def test_limits_by_address_and_network(world: ApiWorld) -> None:
    statuses = [(await post(world, "/sign-up", {"email": EMAIL})).status_code for _ in range(11)]
    assert statuses == [202] * 10 + [429]
    assert len(world.mail.notices) == 3


async def test_who_became_a_user_meanwhile_does_not_become_another(world: ApiWorld) -> None:
    secret = await token(world)
    before = len(await accounts.list_all(world.database))
    await people.make(world.database, email=EMAIL)
    assert (await post(world, "/sign-up/confirm", {**BODY, "token": secret})).status_code == 410
    assert len(await accounts.list_all(world.database)) == before


async def test_another_account_for_who_is_signed_in(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_up, "MOST", 2)
    person = await world.person()
    made = await person.post("/console/accounts", json={"name": " Second "})
    account = made.json()["data"]
    assert (made.status_code, account["name"], account["state"]) == (201, "Second", "unapproved")
    switched = await person.post("/console/session/account", json={"account_id": account["id"]})
    assert switched.json()["data"]["role"] == "Admin"
    full = await person.post("/console/accounts", json={"name": "Third"})
    assert (full.status_code, list(full.json()["errors"])) == (422, ["name"])
    assert (await person.post("/console/accounts", json={"name": "x" * 192})).status_code == 422
