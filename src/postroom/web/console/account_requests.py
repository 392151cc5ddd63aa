"""`/console/operator/requests`: what accounts ask for, and the operator's decisions."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from postroom.errors import NotFoundError
from postroom.store import account_requests as store
from postroom.store import accounts as account_store
from postroom.store.account_requests import AccountRequest
from postroom.tenancy import accounts, approvals
from postroom.tenancy.account_requests import Kind, answers_of
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import not_found, refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentActor, Who, open_to

State = Literal["submitted", "approved", "refused"]


class RequestOut(BaseModel):
    """`answers` of an approval are the questionnaire's, of a quota `daily_quota` and `why`. `reason` and `decided_by` are
    the operator's."""

    id: str
    kind: Kind
    state: State
    account_id: str
    account: str
    answers: dict[str, str | int]
    reason: str
    decided_by: str
    submitted_at: Timestamp
    decided_at: Timestamp | None


class Approval(Input):
    """`daily_quota`: what is given instead of what was asked for; only of a quota. 0: no limit."""

    reason: str = Field("", max_length=accounts.LONGEST_REASON)
    daily_quota: int | None = Field(None, ge=0, le=accounts.LARGEST_QUOTA)


class Refusal(Input):
    reason: str = Field(max_length=accounts.LONGEST_REASON)


def router(api: Api) -> APIRouter:
    resource = routes("Account requests")
    add_reading(api, resource)
    add_deciding(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the request of the path."""

    async def request(request_id: str) -> AccountRequest:
        try:
            return await approvals.get(api.database, request_id)
        except NotFoundError:
            raise not_found() from None

    return request


def add_reading(api: Api, resource: APIRouter) -> None:
    request = loader(api)

    @resource.get("/operator/requests", summary="List requests", response_model=Counted[RequestOut])
    @open_to(Who.OPERATOR)
    async def index(
        page: CurrentPage,
        state: Annotated[State | None, Query()] = None,
        kind: Annotated[Kind | None, Query()] = None,
    ) -> Any:
        """The oldest first."""
        async with api.database.read() as connection:
            total = await store.count(connection, state=state, kind=kind)
            found = await store.page(connection, state=state, kind=kind, offset=page.offset, limit=page.limit)
        return page.counted(await _shown(api, found), total)

    @resource.get("/operator/requests/{request_id}", summary="Get a request")
    @open_to(Who.OPERATOR)
    async def show(found: Annotated[AccountRequest, Depends(request)]) -> Data[RequestOut]:
        return Data(data=(await _shown(api, [found]))[0])


def add_deciding(api: Api, resource: APIRouter) -> None:
    request = loader(api)

    @resource.post("/operator/requests/{request_id}/approve", summary="Approve a request")
    @open_to(Who.OPERATOR)
    async def approve(
        body: Approval, found: Annotated[AccountRequest, Depends(request)], by: CurrentActor
    ) -> Data[RequestOut]:
        """The account may send, or has the quota. Its Admins are told by mail."""
        decided = await approvals.approve(
            api.database, api.config, found.id, daily_quota=body.daily_quota, reason=body.reason, by=by
        )
        return Data(data=await _decided(api, decided))

    @resource.post("/operator/requests/{request_id}/refuse", summary="Refuse a request")
    @open_to(Who.OPERATOR)
    async def refuse(
        body: Refusal, found: Annotated[AccountRequest, Depends(request)], by: CurrentActor
    ) -> Data[RequestOut]:
        """The reason is mailed to the Admins of the account; they may ask again."""
        decided = await approvals.refuse(api.database, found.id, body.reason, by=by)
        return Data(data=await _decided(api, decided))


async def _decided(api: Api, request: AccountRequest | Refused) -> RequestOut:
    """Raises ApiError for what was refused."""
    if isinstance(request, Refused):
        raise refused(request)
    return (await _shown(api, [request]))[0]


async def _shown(api: Api, requests: list[AccountRequest]) -> list[RequestOut]:
    async with api.database.read() as connection:
        asking = await account_store.load(connection, [one.account_id for one in requests])
    names = {account.id: account.name for account in asking}
    return [
        RequestOut(
            id=one.id,
            kind=Kind(one.kind),
            state=one.state,
            account_id=one.account_id,
            account=names.get(one.account_id, ""),
            answers=answers_of(one),
            reason=one.reason,
            decided_by=one.decided_by,
            submitted_at=one.created_at,
            decided_at=one.decided_at,
        )
        for one in requests
    ]
