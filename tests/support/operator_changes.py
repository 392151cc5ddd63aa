"""As `changes`, for what accounts ask the operator for, and what operators do to accounts: never the scene's own."""

from __future__ import annotations

from typing import Any

from postroom.tenancy import accounts, approvals
from postroom.tenancy.approvals import Questionnaire
from postroom.types.actor import SYSTEM
from postroom.types.refusals import Refused
from support.changes import NEW, Change, Prepare, Scene

ANSWERS: dict[str, Any] = {
    "company": "Acme",
    "website": "https://acme.example",
    "content": "Orders and invoices",
    "daily_volume": 500,
    "consent": "They buy from us",
    "contact": "ann@acme.example",
}


def account(
    body: dict[str, Any] | None = None, *, suspended: bool = False, approved: bool = False
) -> Prepare:
    """An account of its own to do something to."""

    async def prepare(scene: Scene) -> Change:
        other = (await scene.api.tenant(approved=approved)).account.id
        if suspended:
            await accounts.suspend(scene.api.database, other, by=SYSTEM)
        return Change(body, ids={"account_id": other}, account_id=other)

    return prepare


def request(**body: Any) -> Prepare:
    """A request of an account of its own to decide."""

    async def prepare(scene: Scene) -> Change:
        other = (await scene.api.tenant(approved=False)).account.id
        asked = await approvals.submit(scene.api.database, other, Questionnaire(**ANSWERS), by=SYSTEM)
        assert not isinstance(asked, Refused)
        return Change(body, ids={"request_id": asked.id}, account_id=other)

    return prepare


async def asks_to_be_approved(scene: Scene) -> Change:
    other = await scene.api.tenant(approved=False)
    return Change(ANSWERS, by=await scene.api.person(other), account_id=other.account.id)


async def asks_for_a_quota(scene: Scene) -> Change:
    api, other = scene.api, await scene.api.tenant()
    await accounts.set_quota(api.database, api.config, other.account.id, 10, by=SYSTEM)
    body = {"daily_quota": 20, "reason": "Autumn sale"}
    return Change(body, by=await api.person(other), account_id=other.account.id)


async def creates_an_account(_: Scene) -> Change:
    return Change({"name": "Acme", "daily_quota": 10}, account_id=NEW)


CHANGES: dict[str, Prepare] = {
    "POST /approval": asks_to_be_approved,
    "POST /quota/requests": asks_for_a_quota,
    "POST /operator/accounts": creates_an_account,
    "POST /operator/accounts/{account_id}/approve": account(),
    "POST /operator/accounts/{account_id}/suspend": account({"reason": "spam"}),
    "POST /operator/accounts/{account_id}/unsuspend": account(suspended=True),
    "PUT /operator/accounts/{account_id}/plan": account({"plan": "small"}),
    "PUT /operator/accounts/{account_id}/quota": account({"daily_quota": 10}),
    "POST /operator/requests/{request_id}/approve": request(reason="Welcome"),
    "POST /operator/requests/{request_id}/refuse": request(reason="Too little is said"),
}
