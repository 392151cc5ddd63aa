"""`POST /console/sandbox`: a domain to try everything with."""

from __future__ import annotations

import asyncio

import pytest

from postroom.tenancy import accounts
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Permission, Role
from support import people
from support.api import ApiWorld
from support.people import SignedIn

WHERE = "/console/sandbox"


@pytest.fixture
async def newcomer(api: ApiWorld) -> SignedIn:
    """The Admin of an account that is not approved and has nothing."""
    account = await accounts.add(api.database, "Newcomer", by=SYSTEM)
    return await signed_in(api, account.id)


async def signed_in(api: ApiWorld, account_id: str, grant: Grant | None = None) -> SignedIn:
    user = await people.make(api.database, account_id, grant)
    return await people.sign_in(api.database, api.http, user, api.clock.now_ms())


async def test_one_can_send_from_it_at_once(api: ApiWorld, newcomer: SignedIn) -> None:
    made = (await newcomer.post(WHERE)).json()["data"]
    assert made["name"].endswith(".sandbox.postroom.example")
    (sender,) = (await newcomer.get("/console/senders")).json()["data"]
    assert (sender["value"], sender["state"], sender["usable"]) == (made["name"], "sandbox", True)
    await api.changed()
    body = {
        "from": {"email": f"hello@{made['name']}"},
        "to": [{"email": "bob@example.com"}],
        "subject": "Hello",
        "text": "It works.",
    }
    assert (await newcomer.post("/v1/email", json=body)).status_code == 202


async def test_there_is_one_however_often_it_is_asked_for(newcomer: SignedIn) -> None:
    answers = await asyncio.gather(*(newcomer.post(WHERE) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1


async def test_the_one_that_is_there_will_do(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.post(WHERE)).json()["data"]["id"] == api.first.domain.id


async def test_who_sees_some_domains_only_makes_none(api: ApiWorld) -> None:
    domains = frozenset({api.first.domain.id})
    grant = Grant(Role.CUSTOM_USER, frozenset({Permission.MANAGE_DOMAIN}), domains=domains)
    person = await signed_in(api, api.first.account.id, grant)
    assert (await person.post(WHERE)).status_code == 403
