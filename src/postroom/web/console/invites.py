"""`/console/invites`: inviting with the link on the screen, and accepting an invitation."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from postroom.tenancy import invites
from postroom.tenancy.users import Member
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Call, CurrentCaller
from postroom.web.api.errors import invalid, refused
from postroom.web.api.fields import Input
from postroom.web.api.invite_object import InviteOut, Sent, invite_out, invited, invited_again
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.api.user_input import InviteInput
from postroom.web.api.words import REQUIRED
from postroom.web.console.access import CurrentCall, Who, open_to


class LinkedInvite(InviteOut):
    """`link` is for who invites, to hand over; null when the mail is on its way to the invited person."""

    link: str | None


class Token(Input):
    token: str = Field(max_length=100)


class Acceptance(Token):
    """A name and a password for who is new; who is signed in needs neither."""

    name: str | None = Field(None, max_length=191)
    last_name: str = Field("", max_length=191)
    password: str | None = Field(None, max_length=1024)


class InvitationOut(BaseModel):
    """`has_user`: somebody with this address signs in here already, and has to before they accept."""

    email: str
    account: str
    role: Role
    has_user: bool


class Joined(BaseModel):
    account_id: str
    user_id: str
    email: str


def router(api: Api) -> APIRouter:
    resource = routes("Invites")

    @resource.post("/invites", status_code=201, summary="Invite a user")
    @access(Permission.MANAGE_ACCOUNT)
    async def invite(body: InviteInput, caller: CurrentCaller) -> Data[LinkedInvite]:
        return Data(data=_linked(await invited(api, caller, body)))

    @resource.post("/invites/{invite_id}/resend", summary="Resend an invite")
    @access(Permission.MANAGE_ACCOUNT)
    async def resend(invite_id: str, caller: CurrentCaller) -> Data[LinkedInvite]:
        return Data(data=_linked(await invited_again(api, caller, invite_id)))

    @resource.post("/invites/look", summary="What an invitation is about")
    @open_to(Who.ANYBODY)
    async def look(body: Token) -> Data[InvitationOut]:
        """Changes nothing; a POST keeps the token out of logs."""
        found = await invites.look(api.database, body.token)
        if found is None:
            raise refused(Refused(refusals.INVITE_INVALID))
        invite, account, has_user = found
        shown = InvitationOut(
            email=invite.email, account=account.name, role=invite_out(invite).role, has_user=has_user
        )
        return Data(data=shown)

    @resource.post("/invites/accept", status_code=201, summary="Accept an invitation")
    @open_to(Who.EITHER)
    async def accept(body: Acceptance, call: CurrentCall) -> Data[Joined]:
        """Who is signed in joins as who they are; who is not becomes a new user, and signs in next."""
        joined = await _accepted(api, call, body)
        if isinstance(joined, Refused):
            raise refused(joined, "password")
        shown = Joined(
            account_id=joined.membership.account_id, user_id=joined.user.id, email=joined.user.email
        )
        return Data(data=shown)

    return resource


async def _accepted(api: Api, call: Call, body: Acceptance) -> Member | Refused:
    if call.person is not None:
        by = Actor(ActorKind.USER, call.person.user_id, call.person.email, call.client)
        return await invites.accept_as(api.database, body.token, call.person.user_id, by=by)
    missing = [name for name in ("name", "password") if getattr(body, name) is None]
    if body.name is None or body.password is None:
        raise invalid({name: [REQUIRED.replace("{field}", name)] for name in missing})
    return await invites.accept(
        api.database,
        body.token,
        name=body.name,
        last_name=body.last_name,
        password=body.password,
        client=call.client,
    )


def _linked(sent: Sent) -> LinkedInvite:
    return LinkedInvite(**dict(invite_out(sent.invite)), link=sent.link or None)
