"""`/v1/invites`: who is invited and has not joined yet. Inviting is `POST /v1/users`."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from postroom.store import invites as store
from postroom.store.invites import Invite
from postroom.tenancy import invites
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.errors import not_found
from postroom.web.api.invite_object import InviteOut, invite_out, invited_again
from postroom.web.api.json_out import Data, empty
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes


def router(api: Api) -> APIRouter:
    resource = routes("Users")

    @resource.get("/invites", summary="List invites", response_model=Counted[InviteOut])
    @access(Scope.USERS_READ, Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def index(caller: CurrentCaller, page: CurrentPage) -> Any:
        """Those whose three days are over, too: they can be sent again."""
        async with api.database.read() as connection:
            total = await store.count(connection, caller.account_id)
            found = await store.page(connection, caller.account_id, offset=page.offset, limit=page.limit)
        return page.counted([invite_out(invite) for invite in found], total)

    async def asked(invite_id: str, caller: CurrentCaller) -> Invite:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, invite_id)
        if found is None:
            raise not_found()
        return found

    @resource.get("/invites/{invite_id}", summary="Get an invite")
    @access(Scope.USERS_READ, Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def show(found: Annotated[Invite, Depends(asked)]) -> Data[InviteOut]:
        """Who is invited, and to do what."""
        return Data(data=invite_out(found))

    @resource.post("/invites/{invite_id}/resend", summary="Resend an invite")
    @access(Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def resend(caller: CurrentCaller, found: Annotated[Invite, Depends(asked)]) -> Data[InviteOut]:
        """By a mail with a new link, good for three days. The link before is dead."""
        return Data(data=invite_out((await invited_again(api, caller, found.id)).invite))

    @resource.delete("/invites/{invite_id}", status_code=204, summary="Cancel an invite")
    @access(Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def delete(caller: CurrentCaller, found: Annotated[Invite, Depends(asked)]) -> Response:
        """Its link is dead."""
        await invites.cancel(api.database, caller.account_id, found.id, by=caller.actor)
        return empty(204)

    return resource
