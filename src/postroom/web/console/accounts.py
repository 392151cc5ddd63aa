"""`/console/operator/accounts`: all accounts of the installation, for its operators."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from postroom.store import accounts as store
from postroom.store import quota_days
from postroom.store.accounts import Account, AccountFilter
from postroom.tenancy import accounts, quotas
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import not_found, refused
from postroom.web.api.fields import Flag, Input
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentActor, Who, open_to

State = Literal["unapproved", "approved", "suspended"]
Reason = Annotated[str, Field(max_length=accounts.LONGEST_REASON)]
Quota = Annotated[int, Field(ge=0, le=accounts.LARGEST_QUOTA)]
Plan = Annotated[str, Field(max_length=50)]


class OperatorAccount(BaseModel):
    """`daily_quota` is the account's own, null: what its plan says, 0: no limit. `quota_today` is what holds, null: no
    limit. `held_for_tomorrow`: emails beyond the quota that wait for the next day, and count on that."""

    id: str
    name: str
    state: State
    state_reason: str
    plan: str
    daily_quota: int | None
    quota_today: int | None
    used_today: int
    held_for_tomorrow: int
    approved_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


class NewAccount(Input):
    name: str = Field(max_length=accounts.LONGEST_NAME)
    approved: Flag = False
    plan: Plan = ""
    daily_quota: Quota | None = None


class Suspension(Input):
    """The reason is the operator's note."""

    reason: Reason = ""


class PlanChoice(Input):
    """Absent: no plan."""

    plan: Plan = ""


class QuotaChoice(Input):
    """Absent: what the plan says; 0: no limit."""

    daily_quota: Quota | None = None


def router(api: Api) -> APIRouter:
    resource = routes("Accounts")
    add_reading(api, resource)
    add_state(api, resource)
    add_limits(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the account of the path."""

    async def account(account_id: str) -> Account:
        async with api.database.read() as connection:
            found = await store.get(connection, account_id)
        if found is None:
            raise not_found()
        return found

    return account


def add_reading(api: Api, resource: APIRouter) -> None:
    account = loader(api)

    @resource.get("/operator/accounts", summary="List accounts", response_model=Counted[OperatorAccount])
    @open_to(Who.OPERATOR)
    async def index(
        page: CurrentPage,
        search: Annotated[
            str | None, Query(max_length=191, description="A part of the name, or an id.")
        ] = None,
        state: Annotated[State | None, Query()] = None,
        plan: Annotated[str | None, Query(max_length=50)] = None,
    ) -> Any:
        """The newest first."""
        wanted = AccountFilter(search, state, plan)
        async with api.database.read() as connection:
            total = await store.count(connection, wanted)
            found = await store.page(connection, wanted, offset=page.offset, limit=page.limit)
        return page.counted(await _all_shown(api, found), total)

    @resource.get("/operator/accounts/{account_id}", summary="Get an account")
    @open_to(Who.OPERATOR)
    async def show(found: Annotated[Account, Depends(account)]) -> Data[OperatorAccount]:
        return Data(data=await _shown(api, found))

    @resource.post("/operator/accounts", status_code=201, summary="Create an account")
    @open_to(Who.OPERATOR)
    async def create(body: NewAccount, by: CurrentActor) -> Data[OperatorAccount]:
        """Without people: invite them next."""
        why = accounts.unknown(api.config, body.plan)
        if why is not None:
            raise refused(why, "plan")
        made = await accounts.add(
            api.database,
            body.name,
            approved=body.approved,
            daily_quota=body.daily_quota,
            plan=body.plan,
            by=by,
        )
        return Data(data=await _shown(api, made))


def add_state(api: Api, resource: APIRouter) -> None:
    account = loader(api)

    @resource.post("/operator/accounts/{account_id}/approve", summary="Approve an account")
    @open_to(Who.OPERATOR)
    async def approve(found: Annotated[Account, Depends(account)], by: CurrentActor) -> Data[OperatorAccount]:
        """It may send, whatever it was before; what a suspension held is queued again. If it has asked for that, its
        request is decided by this."""
        return Data(data=await _shown(api, await accounts.approve(api.database, found.id, by=by)))

    @resource.post("/operator/accounts/{account_id}/suspend", summary="Suspend an account")
    @open_to(Who.OPERATOR)
    async def suspend(
        body: Suspension, found: Annotated[Account, Depends(account)], by: CurrentActor
    ) -> Data[OperatorAccount]:
        """It stops sending within 10 s, and its people and tokens are shut out. What is queued is held."""
        return Data(
            data=await _shown(api, await accounts.suspend(api.database, found.id, body.reason, by=by))
        )

    @resource.post("/operator/accounts/{account_id}/unsuspend", summary="Lift an account's suspension")
    @open_to(Who.OPERATOR)
    async def unsuspend(
        found: Annotated[Account, Depends(account)], by: CurrentActor
    ) -> Data[OperatorAccount]:
        """It is approved, or not, as it was before. What was held is queued again."""
        return Data(data=await _changed(api, await accounts.unsuspend(api.database, found.id, by=by)))


def add_limits(api: Api, resource: APIRouter) -> None:
    account = loader(api)

    @resource.put("/operator/accounts/{account_id}/plan", summary="Put an account on a plan")
    @open_to(Who.OPERATOR)
    async def set_plan(
        body: PlanChoice, found: Annotated[Account, Depends(account)], by: CurrentActor
    ) -> Data[OperatorAccount]:
        """What it has too much of for the plan stays; it cannot add more."""
        changed = await accounts.set_plan(api.database, api.config, found.id, body.plan, by=by)
        return Data(data=await _changed(api, changed, "plan"))

    @resource.put("/operator/accounts/{account_id}/quota", summary="Set an account's daily quota")
    @open_to(Who.OPERATOR)
    async def set_quota(
        body: QuotaChoice, found: Annotated[Account, Depends(account)], by: CurrentActor
    ) -> Data[OperatorAccount]:
        """What waits for the next day goes on as far as the new quota lets it."""
        changed = await accounts.set_quota(api.database, api.config, found.id, body.daily_quota, by=by)
        return Data(data=await _shown(api, changed))


async def _changed(api: Api, account: Account | Refused, field: str = "") -> OperatorAccount:
    """Raises ApiError for what was refused."""
    if isinstance(account, Refused):
        raise refused(account, field)
    return await _shown(api, account)


async def _shown(api: Api, account: Account) -> OperatorAccount:
    return (await _all_shown(api, [account]))[0]


async def _all_shown(api: Api, accounts: list[Account]) -> list[OperatorAccount]:
    day, ids = quotas.day_number(api.clock.now_ms()), [account.id for account in accounts]
    async with api.database.read() as connection:
        used = await quota_days.used_by(connection, ids, day)
        held = await quota_days.used_by(connection, ids, day + 1)
    return [_out(api, one, used.get(one.id, 0), held.get(one.id, 0)) for one in accounts]


def _out(api: Api, account: Account, used: int, held: int) -> OperatorAccount:
    return OperatorAccount(
        id=account.id,
        name=account.name,
        state=account.state,
        state_reason=account.state_reason,
        plan=account.plan,
        daily_quota=account.daily_quota,
        quota_today=quotas.quota_of(account.daily_quota, account.plan, api.config),
        used_today=used,
        held_for_tomorrow=held,
        approved_at=account.approved_at,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )
