"""/console/operator/accounts and /console/operator/plans: what operators do to accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from postroom.store import audit
from postroom.store.database import Database
from support.api import ApiWorld
from support.people import SignedIn

PLANS = {
    "small": {"daily_quota": 100, "over_quota": "hold", "domains": 1, "email_per_minute": 5},
    "large": {"daily_quota": 0},
}
ACCOUNTS = "/console/operator/accounts"


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    world = await ApiWorld.start(sqlite_database, tmp_path, plans=PLANS, limits={"daily_quota": 1000})
    yield world
    await world.stop()


@pytest.fixture
async def operator(api: ApiWorld) -> SignedIn:
    return await api.person(operator=True)


async def done(operator: SignedIn, account_id: str, what: str, **body: Any) -> dict[str, Any]:
    call = operator.put if what in ("plan", "quota") else operator.post
    answer = await call(f"{ACCOUNTS}/{account_id}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()["data"]
    return shown


async def test_an_account_is_created_with_its_plan(operator: SignedIn) -> None:
    made = await operator.post(ACCOUNTS, json={"name": "Acme", "plan": "small"})
    assert made.status_code == 201
    shown = made.json()["data"]
    times = {name: shown.pop(name) for name in ("created_at", "updated_at")}
    assert shown == {
        "id": shown["id"],
        "name": "Acme",
        "state": "unapproved",
        "state_reason": "",
        "plan": "small",
        "daily_quota": None,
        "quota_today": 100,
        "used_today": 0,
        "held_for_tomorrow": 0,
        "approved_at": None,
    }
    again = (await operator.get(f"{ACCOUNTS}/{shown['id']}")).json()["data"]
    assert again == shown | times


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 192}, "name"),
        ({"name": "Acme", "plan": "none"}, "plan"),
        ({"name": "Acme", "daily_quota": -1}, "daily_quota"),
        ({"name": "Acme", "daily_quota": 10**13}, "daily_quota"),
    ],
)
async def test_what_an_account_cannot_be(operator: SignedIn, body: dict[str, Any], field: str) -> None:
    answer = await operator.post(ACCOUNTS, json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


async def test_accounts_are_found_by_name_id_state_and_plan(api: ApiWorld, operator: SignedIn) -> None:
    made = {}
    for name, plan in (("Acme 100%", "small"), ("Acme two", ""), ("Other", "small")):
        answer = await operator.post(ACCOUNTS, json={"name": name, "plan": plan})
        made[name] = answer.json()["data"]["id"]
    await done(operator, made["Other"], "suspend")

    async def names(query: str) -> list[str]:
        found = (await operator.get(f"{ACCOUNTS}?{query}")).json()
        assert found["meta"]["total"] == len(found["data"])
        return sorted(one["name"] for one in found["data"])

    assert await names("search=ACME") == ["Acme 100%", "Acme two"]
    assert await names("search=100%25") == ["Acme 100%"]
    assert await names(f"search={made['Other']}") == ["Other"]
    assert await names("plan=small&state=unapproved") == ["Acme 100%"]
    assert await names("state=suspended") == ["Other"]
    assert api.first.account.name in await names("state=approved")
    paged = (await operator.get(f"{ACCOUNTS}?limit=10&page=2")).json()
    assert (paged["data"], paged["meta"]["total"]) == ([], 4)
    assert (await operator.get(f"{ACCOUNTS}?state=odd")).status_code == 422


async def test_a_suspension_ends_where_it_began(operator: SignedIn) -> None:
    account_id = (await operator.post(ACCOUNTS, json={"name": "Acme"})).json()["data"]["id"]
    answer = await operator.post(f"{ACCOUNTS}/{account_id}/unsuspend")
    assert (answer.status_code, answer.json()["message"]) == (422, "The account Acme is not suspended.")
    suspended = await done(operator, account_id, "suspend", reason=" spam ")
    assert (suspended["state"], suspended["state_reason"]) == ("suspended", "spam")
    assert (await done(operator, account_id, "unsuspend"))["state"] == "unapproved"
    assert (await done(operator, account_id, "approve"))["approved_at"] is not None
    await done(operator, account_id, "suspend")
    lifted = await done(operator, account_id, "unsuspend")
    assert (lifted["state"], lifted["state_reason"]) == ("approved", "")


async def test_plan_and_quota(operator: SignedIn) -> None:
    account_id = (await operator.post(ACCOUNTS, json={"name": "Acme"})).json()["data"]["id"]

    async def quota(what: str, **body: Any) -> int | None:
        shown = await done(operator, account_id, what, **body)
        today: int | None = shown["quota_today"]
        return today

    assert await quota("plan", plan="small") == 100
    assert await quota("quota", daily_quota=7) == 7
    assert await quota("quota", daily_quota=0) is None
    assert await quota("quota") == 100
    assert await quota("plan", plan="large") is None
    assert await quota("plan") == 1000
    unknown = await operator.put(f"{ACCOUNTS}/{account_id}/plan", json={"plan": "odd"})
    assert unknown.json()["errors"] == {"plan": ["The configuration has no plan odd."]}


async def test_the_audit_log_says_who_did_it(api: ApiWorld, operator: SignedIn) -> None:
    account_id = api.first.account.id
    await done(operator, account_id, "quota", daily_quota=7)
    await done(operator, account_id, "quota", daily_quota=7)
    async with api.database.read() as connection:
        (entry,) = await audit.page(connection, account_id, action="account.updated", limit=9)
    assert (entry.actor_kind, entry.actor_name) == ("user", operator.user.email)
    assert (entry.before, entry.after) == ('{"daily_quota": null}', '{"daily_quota": 7}')


async def test_h01_what_is_no_account(operator: SignedIn) -> None:
    for what in ("", "/approve", "/suspend", "/plan"):
        call = operator.get if not what else operator.put if what == "/plan" else operator.post
        assert (
            await call(f"{ACCOUNTS}/{'a' * 16}{what}", **({} if not what else {"json": {}}))
        ).status_code == 404


async def test_plans_tell_what_holds(operator: SignedIn) -> None:
    plans = (await operator.get("/console/operator/plans")).json()["data"]
    assert [plan["name"] for plan in plans] == ["", "small", "large"]
    assert [plan["daily_quota"] for plan in plans] == [1000, 100, None]
    assert [plan["domains"] for plan in plans] == [None, 1, None]
    assert [plan["over_quota"] for plan in plans] == ["refuse", "hold", "refuse"]
    assert [plan["per_minute"]["email"] for plan in plans] == [None, 5, None]
    assert all(plan["custom_headers"] and plan["bulk_emails"] == 500 for plan in plans)
