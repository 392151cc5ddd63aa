"""`/v1/users`: who looks after the account."""

# No postponed annotations here: they name loaders that only `router` knows.

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import domains, memberships, second_factors, templates
from postroom.store.domains import Domain
from postroom.store.templates import Template
from postroom.tenancy import users
from postroom.tenancy.grants import Grant
from postroom.tenancy.users import Member
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import DomainShort, short
from postroom.web.api.errors import not_found, refused
from postroom.web.api.invite_object import InviteOut, Permissions, invite_out, invited
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.api.shown import AddressText, ConfigId, CreatedAt, UpdatedAt, Url, Word, limited
from postroom.web.api.user_input import MOST, GrantInput, InviteInput, grant_of


class UserTemplate(BaseModel):
    id: ConfigId = Field(description="Of the template.", examples=["7nxe3yjmeq28vp0k"])
    name: Word = Field(description="Its name.", examples=["Order"])
    description: Word | None = Field(description="Always null.", examples=[None])
    type: Word = Field(description="How it was made.", examples=["api"])
    created_at: CreatedAt


class UserOut(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: ConfigId = Field(description="Of the user.", examples=["0z76k5jg0o3yeg2d"])
    avatar: Url | None = Field(description="Always null.", examples=[None])
    email: AddressText = Field(description="What they sign in with.", examples=["anna@example.com"])
    last_name: Word = Field(description="Empty if they gave none.", examples=["Smith"])
    name: Word = Field(description="Empty if they gave none.", examples=["Anna"])
    two_factor: bool = Field(
        False, alias="2fa", description="Whether signing in takes a second step.", examples=[False]
    )
    created_at: Timestamp = Field(description="When they joined the account.")
    updated_at: UpdatedAt
    role: Role = Field(description="What they may do.", examples=["Admin"])
    permissions: Permissions
    domains: Annotated[list[DomainShort], limited(maxItems=MOST)] = Field(
        description="The only ones a Custom User may see; none: all."
    )
    templates: Annotated[list[UserTemplate], limited(maxItems=MOST)] = Field(
        description="What `read-own-templates` lets a Custom User see."
    )


def router(api: Api) -> APIRouter:
    resource = routes("Users")

    @resource.get("/users", summary="List users", response_model=Counted[UserOut])
    @access(Scope.USERS_READ, Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def index(caller: CurrentCaller, page: CurrentPage) -> Any:
        """In the order they joined."""
        async with api.database.read() as connection:
            total = await memberships.count(connection, caller.account_id)
            found = await users.page(connection, caller.account_id, offset=page.offset, limit=page.limit)
            shown = await _shown(connection, caller.account_id, found)
        return page.counted(shown, total)

    async def asked(user_id: str, caller: CurrentCaller) -> Member:
        async with api.database.read() as connection:
            found = await users.member(connection, caller.account_id, user_id)
        if found is None:
            raise not_found()
        return found

    @resource.get("/users/{user_id}", summary="Get a user")
    @access(Scope.USERS_READ, Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def show(found: Annotated[Member, Depends(asked)]) -> Data[UserOut]:
        """Somebody who looks after the account."""
        return await _one(api, found)

    @resource.post("/users", status_code=201, summary="Invite a user")
    @access(Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def invite(body: InviteInput, caller: CurrentCaller) -> Data[InviteOut]:
        """They get a link by mail that is good once, for three days.

        Nobody can give more than they have themselves. An account may send 100 invitations an hour.
        """
        made = await invited(api, caller, body)
        return Data(data=invite_out(made.invite))

    @resource.put("/users/{user_id}", summary="Update a user")
    @access(Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def update(
        body: GrantInput, caller: CurrentCaller, found: Annotated[Member, Depends(asked)]
    ) -> Data[UserOut]:
        """What is left out stays as it is. It takes effect within a second. One Admin always remains."""
        return await _one(api, await _changed(api, caller, found, body))

    @resource.delete("/users/{user_id}", status_code=204, summary="Delete a user")
    @access(Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def delete(caller: CurrentCaller, found: Annotated[Member, Depends(asked)]) -> Response:
        """They are out of the account within a second. One Admin always remains."""
        removed = await users.remove(
            api.database, caller.account_id, found.user.id, within=caller.grant, by=caller.actor
        )
        if isinstance(removed, Refused):
            raise refused(removed, "user")
        return empty(204)

    return resource


async def _changed(api: Api, caller: Caller, found: Member, wanted: GrantInput) -> Member:
    """Raises ApiError, NotFoundError."""
    async with api.database.read() as connection:
        grant = await grant_of(connection, caller.account_id, wanted, Grant.of(found.membership))
    changed = await users.change(
        api.database, caller.account_id, found.user.id, grant, within=caller.grant, by=caller.actor
    )
    if isinstance(changed, Refused):
        raise refused(changed, "role")
    return changed


async def _one(api: Api, member: Member) -> Data[UserOut]:
    async with api.database.read() as connection:
        (shown,) = await _shown(connection, member.membership.account_id, [member])
    return Data(data=shown)


async def _shown(connection: AsyncConnection, account_id: str, members: Sequence[Member]) -> list[UserOut]:
    grants = [Grant.of(member.membership) for member in members]
    named = {chosen for grant in grants for chosen in grant.templates}
    found = await templates.load(connection, account_id, named) if named else []
    owned = await domains.list_all(connection, account_id) if any(g.domains for g in grants) else []
    factors = await second_factors.load(connection, [member.user.id for member in members])
    confirmed = {user_id for user_id, factor in factors.items() if factor.confirmed_at is not None}
    return [
        _user(member, grant, owned, found, two_factor=member.user.id in confirmed)
        for member, grant in zip(members, grants, strict=True)
    ]


def _user(
    member: Member, grant: Grant, owned: Iterable[Domain], named: Iterable[Template], *, two_factor: bool
) -> UserOut:
    """What was deleted meanwhile is left out."""
    return UserOut(
        id=member.user.id,
        avatar=None,
        email=member.user.email,
        last_name=member.user.last_name,
        name=member.user.name,
        two_factor=two_factor,
        created_at=member.membership.created_at,
        updated_at=member.membership.updated_at,
        role=grant.role,
        permissions=[one for one in Permission if one in grant.chosen],
        domains=[short(domain) for domain in owned if domain.id in (grant.domains or ())],
        templates=[_template(template) for template in named if template.id in grant.templates],
    )


def _template(template: Template) -> UserTemplate:
    return UserTemplate(
        id=template.id,
        name=template.name,
        description=None,
        type=template.type,
        created_at=template.created_at,
    )
