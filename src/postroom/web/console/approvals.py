"""`/console/approval` and `/console/quota`: what an account asks the operator for, and where that stands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from postroom.store import account_requests as store
from postroom.store import quota_days
from postroom.store.account_requests import SUBMITTED, AccountRequest
from postroom.tenancy import accounts, approvals, quotas
from postroom.tenancy.account_requests import Kind, answers_of
from postroom.tenancy.approvals import Questionnaire
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.errors import invalid, refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.route import routes
from postroom.web.api.words import EMAIL


def _address(text: str) -> str:
    try:
        return str(parse_mailbox(text.strip()))
    except AddressError:
        raise ValueError(EMAIL) from None


Text = Annotated[str, Field(min_length=1, max_length=2000)]


class ApprovalIn(Input):
    company: str = Field(max_length=191)
    website: str = Field(max_length=255)
    content: Text
    daily_volume: int = Field(ge=1, le=accounts.LARGEST_QUOTA)
    consent: Text
    contact: Annotated[str, Field(max_length=320), AfterValidator(_address)]


class ApprovalOut(BaseModel):
    """`state`: `none`, nothing was asked yet; `refused`: it may be asked again. `reason` is what the operator wrote.
    `questionnaire` is what was answered last; null if nothing was."""

    state: Literal["none", "submitted", "approved", "refused"]
    reason: str
    submitted_at: Timestamp | None
    decided_at: Timestamp | None
    questionnaire: dict[str, str | int] | None


class QuotaIn(Input):
    daily_quota: int = Field(ge=1, le=accounts.LARGEST_QUOTA)
    reason: Text


class AskedQuota(BaseModel):
    state: Literal["submitted", "approved", "refused"]
    daily_quota: int
    reason: str
    answer: str
    submitted_at: Timestamp
    decided_at: Timestamp | None


class QuotaOut(BaseModel):
    """`daily_quota` null: no limit. `over_quota`: what comes beyond it is refused, or held until the reset.
    `held_for_tomorrow` are those emails; they count on the next day. `request` is the last one, null: there was none."""

    plan: str
    daily_quota: int | None
    used_today: int
    over_quota: Literal["refuse", "hold"]
    held_for_tomorrow: int
    reset_at: Timestamp
    request: AskedQuota | None


def router(api: Api) -> APIRouter:
    resource = routes("Approval and quota")
    add_approval(api, resource)
    add_quota(api, resource)
    return resource


def add_approval(api: Api, resource: APIRouter) -> None:
    @resource.get("/approval", summary="Whether the account is approved")
    @access(Permission.MANAGE_ACCOUNT)
    async def show(caller: CurrentCaller) -> Data[ApprovalOut]:
        account = await accounts.get(api.database, caller.account_id)
        async with api.database.read() as connection:
            newest = await store.newest(connection, caller.account_id, Kind.APPROVAL)
        return Data(data=_approval(newest, approved=account.approved_at is not None))

    @resource.post("/approval", status_code=201, summary="Ask to be approved")
    @access(Permission.MANAGE_ACCOUNT)
    async def submit(body: ApprovalIn, caller: CurrentCaller) -> Data[ApprovalOut]:
        """The operator is told by mail, and the Admins of the account are when it is decided. 422 while a request waits,
        and when the account is approved already."""
        answers = Questionnaire(**body.model_dump())
        asked = await approvals.submit(api.database, caller.account_id, answers, by=caller.actor)
        if isinstance(asked, Refused):
            raise refused(asked)
        return Data(data=_approval(asked, approved=False))


def add_quota(api: Api, resource: APIRouter) -> None:
    @resource.get("/quota", summary="The account's daily quota of emails")
    @access(Permission.MANAGE_ACCOUNT)
    async def show_quota(caller: CurrentCaller) -> Data[QuotaOut]:
        return Data(data=await _quota(api, caller))

    @resource.post("/quota/requests", status_code=201, summary="Ask for a larger daily quota")
    @access(Permission.MANAGE_ACCOUNT)
    async def ask(body: QuotaIn, caller: CurrentCaller) -> Data[QuotaOut]:
        """The operator is told by mail, and the Admins of the account are when it is decided."""
        now = quotas.daily_quota(caller.account, api.config)
        if now is None or body.daily_quota <= now:
            have = "none" if now is None else str(now)
            raise invalid(
                {"daily_quota": [f"The daily_quota must be larger than the quota there is ({have})."]}
            )
        asked = await approvals.ask_for_quota(
            api.database, caller.account_id, body.daily_quota, body.reason, by=caller.actor
        )
        if isinstance(asked, Refused):
            raise refused(asked)
        return Data(data=await _quota(api, caller))


def _approval(newest: AccountRequest | None, *, approved: bool) -> ApprovalOut:
    """An account may be approved without having asked."""
    state = "none" if newest is None else newest.state
    return ApprovalOut(
        state="approved" if approved else state,
        reason=newest.reason if newest is not None and newest.state != SUBMITTED else "",
        submitted_at=newest.created_at if newest is not None else None,
        decided_at=newest.decided_at if newest is not None else None,
        questionnaire=answers_of(newest) if newest is not None else None,
    )


async def _quota(api: Api, caller: Caller) -> QuotaOut:
    now = api.clock.now_ms()
    day, account_id = quotas.day_number(now), caller.account_id
    async with api.database.read() as connection:
        used = await quota_days.used(connection, account_id, day)
        held = await quota_days.used(connection, account_id, day + 1)
        newest = await store.newest(connection, account_id, Kind.QUOTA)
    return QuotaOut(
        plan=caller.account.plan,
        daily_quota=quotas.daily_quota(caller.account, api.config),
        used_today=used,
        over_quota="hold" if quotas.holds(caller.account, api.config) else "refuse",
        held_for_tomorrow=held,
        reset_at=quotas.next_day_ms(now),
        request=None if newest is None else _asked(newest),
    )


def _asked(request: AccountRequest) -> AskedQuota:
    answers = answers_of(request)
    return AskedQuota(
        state=request.state,
        daily_quota=int(answers["daily_quota"]),
        reason=str(answers["why"]),
        answer=request.reason,
        submitted_at=request.created_at,
        decided_at=request.decided_at,
    )
