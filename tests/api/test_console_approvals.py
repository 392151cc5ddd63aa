"""/console/approval, /console/quota and /console/operator/requests: asking, deciding, and what follows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from postroom.store.accounts import Account
from postroom.tenancy import accounts
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Role
from support.api import ApiWorld, Tenant
from support.operator_changes import ANSWERS
from support.people import SignedIn

REQUESTS = "/console/operator/requests"


@pytest.fixture
async def tenant(api: ApiWorld) -> Tenant:
    return await api.tenant(approved=False)


@pytest.fixture
async def customer(api: ApiWorld, tenant: Tenant) -> SignedIn:
    return await api.person(tenant)


@pytest.fixture
async def operator(api: ApiWorld) -> SignedIn:
    return await api.person(operator=True)


async def account(api: ApiWorld, tenant: Tenant) -> Account:
    return await accounts.get(api.database, tenant.account.id)


async def waiting(operator: SignedIn, query: str = "state=submitted") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await operator.get(f"{REQUESTS}?{query}")).json()["data"]
    return found


async def decide(operator: SignedIn, what: str, **body: Any) -> dict[str, Any]:
    (request,) = await waiting(operator)
    answer = await operator.post(f"{REQUESTS}/{request['id']}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    decided: dict[str, Any] = answer.json()["data"]
    return decided


async def test_from_the_question_to_the_approval(
    api: ApiWorld, tenant: Tenant, customer: SignedIn, operator: SignedIn
) -> None:
    nothing = (await customer.get("/console/approval")).json()["data"]
    assert nothing == {
        "state": "none",
        "reason": "",
        "submitted_at": None,
        "decided_at": None,
        "questionnaire": None,
    }
    asked = await customer.post("/console/approval", json=ANSWERS)
    assert (asked.status_code, asked.json()["data"]["state"]) == (201, "submitted")
    assert asked.json()["data"]["questionnaire"] == ANSWERS
    again = await customer.post("/console/approval", json=ANSWERS)
    assert (again.status_code, again.json()["message"]) == (
        422,
        "A request like this waits for a decision already.",
    )
    (request,) = await waiting(operator, "kind=approval")
    assert (
        request.items()
        >= {
            "kind": "approval",
            "state": "submitted",
            "account": tenant.account.name,
            "account_id": tenant.account.id,
            "answers": ANSWERS,
            "decided_by": "",
            "decided_at": None,
        }.items()
    )
    decided = await decide(operator, "approve", reason="Welcome")
    assert (decided["state"], decided["decided_by"]) == ("approved", operator.user.email)
    assert (await account(api, tenant)).state == "approved"
    shown = (await customer.get("/console/approval")).json()["data"]
    assert (shown["state"], shown["reason"]) == ("approved", "Welcome")
    late = await customer.post("/console/approval", json=ANSWERS)
    assert late.json()["message"] == f"The account {tenant.account.name} is approved already."


async def test_a_refusal_has_a_reason_and_it_may_be_asked_again(
    api: ApiWorld, tenant: Tenant, customer: SignedIn, operator: SignedIn
) -> None:
    await customer.post("/console/approval", json=ANSWERS)
    (request,) = await waiting(operator)
    bare = await operator.post(f"{REQUESTS}/{request['id']}/refuse", json={"reason": " "})
    assert bare.status_code == 422
    await decide(operator, "refuse", reason="Too little is said")
    shown = (await customer.get("/console/approval")).json()["data"]
    assert (shown["state"], shown["reason"]) == ("refused", "Too little is said")
    assert (await account(api, tenant)).state == "unapproved"
    assert (await customer.post("/console/approval", json=ANSWERS)).status_code == 201
    assert (await customer.get("/console/approval")).json()["data"]["state"] == "submitted"
    assert len(await waiting(operator, "kind=approval")) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company", None),
        ("company", "x" * 192),
        ("website", ""),
        ("content", "x" * 2001),
        ("daily_volume", 0),
        ("daily_volume", "many"),
        ("consent", None),
        ("contact", "nobody"),
    ],
)
async def test_every_question_wants_an_answer(customer: SignedIn, field: str, value: Any) -> None:
    answer = await customer.post("/console/approval", json=ANSWERS | {field: value})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


async def test_only_who_manages_the_account_asks(api: ApiWorld, tenant: Tenant) -> None:
    manager = await api.person(tenant, Grant(Role.MANAGER))
    assert (await manager.get("/console/approval")).status_code == 403
    assert (await manager.post("/console/quota/requests", json={})).status_code == 403


async def test_of_two_who_decide_one_is_quicker(
    api: ApiWorld, tenant: Tenant, customer: SignedIn, operator: SignedIn
) -> None:
    await customer.post("/console/approval", json=ANSWERS)
    (request,) = await waiting(operator)
    path = f"{REQUESTS}/{request['id']}"
    answers = await asyncio.gather(
        operator.post(f"{path}/approve", json={}), operator.post(f"{path}/refuse", json={"reason": "No"})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    approved = answers[0].status_code == 200
    assert (await account(api, tenant)).state == ("approved" if approved else "unapproved")


async def test_of_two_who_ask_at_the_same_time_one_does(customer: SignedIn, operator: SignedIn) -> None:
    answers = await asyncio.gather(*[customer.post("/console/approval", json=ANSWERS) for _ in range(5)])
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422, 422]
    assert len(await waiting(operator)) == 1


async def test_whoever_is_approved_without_a_decision_has_no_open_request(
    api: ApiWorld, tenant: Tenant, customer: SignedIn, operator: SignedIn
) -> None:
    await customer.post("/console/approval", json=ANSWERS)
    await operator.post(f"/console/operator/accounts/{tenant.account.id}/approve")
    assert await waiting(operator) == []
    assert (await customer.get("/console/approval")).json()["data"]["state"] == "approved"


async def test_to_approve_a_request_lifts_no_suspension(
    api: ApiWorld, tenant: Tenant, customer: SignedIn, operator: SignedIn
) -> None:
    await customer.post("/console/approval", json=ANSWERS)
    await accounts.suspend(api.database, tenant.account.id, "spam", by=SYSTEM)
    await decide(operator, "approve")
    now = await account(api, tenant)
    assert (now.state, now.state_reason) == ("suspended", "spam")
    assert (await accounts.unsuspend(api.database, tenant.account.id, by=SYSTEM)).state == "approved"  # type: ignore[union-attr]


async def test_a_larger_quota_is_asked_for_and_given(
    api: ApiWorld, tenant: Tenant, customer: SignedIn, operator: SignedIn
) -> None:
    wanted = {"daily_quota": 50, "reason": "Autumn sale"}
    endless = await customer.post("/console/quota/requests", json=wanted)
    assert endless.json()["errors"] == {
        "daily_quota": ["The daily_quota must be larger than the quota there is (none)."]
    }
    await accounts.set_quota(api.database, api.config, tenant.account.id, 10, by=SYSTEM)
    await api.changed()
    small = await customer.post("/console/quota/requests", json=wanted | {"daily_quota": 10})
    assert small.status_code == 422
    asked = (await customer.post("/console/quota/requests", json=wanted)).json()["data"]
    assert asked.items() >= {"daily_quota": 10, "used_today": 0, "over_quota": "refuse"}.items()
    assert asked["request"].items() >= {"state": "submitted", "daily_quota": 50}.items()
    assert (await decide(operator, "approve", daily_quota=30))["kind"] == "quota"
    await api.changed()
    shown = (await customer.get("/console/quota")).json()["data"]
    assert (shown["daily_quota"], shown["request"]["state"]) == (30, "approved")
    await customer.post("/console/quota/requests", json=wanted)
    await decide(operator, "refuse", reason="Not yet")
    shown = (await customer.get("/console/quota")).json()["data"]
    assert (shown["daily_quota"], shown["request"]["answer"]) == (30, "Not yet")


async def test_h01_what_is_no_request(operator: SignedIn) -> None:
    assert (await operator.get(f"{REQUESTS}/{'a' * 16}")).status_code == 404
    assert (await operator.post(f"{REQUESTS}/{'a' * 16}/approve", json={})).status_code == 404
