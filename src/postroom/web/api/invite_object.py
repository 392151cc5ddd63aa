"""An invitation as it is shown, and making one: the API and the console share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import structlog
from pydantic import BaseModel, Field

from postroom.errors import ConflictError, PostroomError
from postroom.store.invites import Invite
from postroom.tenancy import invites
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.grants import Grant
from postroom.tenancy.invites import NewInvite
from postroom.types.notices import Invitation
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Caller
from postroom.web.api.errors import invalid, refused
from postroom.web.api.json_out import Timestamp
from postroom.web.api.shown import AddressText, ConfigId, CreatedAt, limited
from postroom.web.api.user_input import MOST, InviteInput, grant_of

log = structlog.get_logger()

PAGE = "/invite#"
"""Of the dashboard. What follows # stays in the browser: no log and no Referer has it."""
TAKEN = {"email": ["The email has already been taken."]}


Permissions = Annotated[
    list[Permission],
    limited(maxItems=len(Permission)),
    Field(description="Those chosen for a Custom User.", examples=[["read-email"]]),
]


class InviteData(BaseModel):
    domains: Annotated[list[ConfigId], limited(maxItems=MOST)] = Field(
        description="The only domains a Custom User may see, by id; none: all.",
        examples=[["65qngkdovk8lwr12"]],
    )
    templates: Annotated[list[ConfigId], limited(maxItems=MOST)] = Field(
        description="What `read-own-templates` lets a Custom User see, by id.",
        examples=[["7nxe3yjmeq28vp0k"]],
    )


class InviteOut(BaseModel):
    id: ConfigId = Field(description="Of the invitation.", examples=["351ndgwynxzqx8ko"])
    email: AddressText = Field(description="Who is invited.", examples=["anna@example.com"])
    data: InviteData = Field(description="What a Custom User is limited to.")
    role: Role = Field(description="What they may do.", examples=["Manager"])
    permissions: Permissions
    requires_periodic_password_change: bool = Field(
        description="The password has to be changed now and then.", examples=[False]
    )
    created_at: CreatedAt
    updated_at: Timestamp = Field(description="When it was sent last. It is good for three days from then.")


@dataclass(frozen=True, slots=True)
class Sent:
    """`link` for the screen of who invites; empty when the mail is on its way to the invited person."""

    invite: Invite
    link: str = field(repr=False)


def invite_out(invite: Invite) -> InviteOut:
    grant = Grant.of(invite)
    return InviteOut(
        id=invite.id,
        email=invite.email,
        data=InviteData(domains=sorted(grant.domains or ()), templates=sorted(grant.templates)),
        role=grant.role,
        permissions=[one for one in Permission if one in grant.chosen],
        requires_periodic_password_change=grant.requires_periodic_password_change,
        created_at=invite.created_at,
        updated_at=invite.updated_at,
    )


async def invited(api: Api, caller: Caller, body: InviteInput) -> Sent:
    """Invite somebody and send the mail. Raises ApiError."""
    async with api.database.read() as connection:
        grant = await grant_of(connection, caller.account_id, body)
    try:
        made = await invites.add(
            api.database,
            caller.account_id,
            body.email,
            grant,
            within=caller.grant,
            most=entitlements(caller.account, api.config).users,
            by=caller.actor,
        )
    except ConflictError:
        raise invalid(TAKEN) from None
    return await _sent(api, caller, made)


async def invited_again(api: Api, caller: Caller, invite_id: str) -> Sent:
    """A new link by a new mail. Raises ApiError, NotFoundError."""
    made = await invites.resend(
        api.database, caller.account_id, invite_id, within=caller.grant, by=caller.actor
    )
    return await _sent(api, caller, made)


async def _sent(api: Api, caller: Caller, made: NewInvite | Refused) -> Sent:
    """The invitation is kept already: when no mail can be made now, it can be sent again later."""
    if isinstance(made, Refused):
        raise refused(made, retry_after=3600 if made.rule.status == 429 else None)
    link = api.mail.link(f"{PAGE}{made.secret}")
    try:
        sent = await api.mail.send(Invitation(made.invite.email, made.account.name, caller.name, link))
    except PostroomError as error:
        log.warning("an invitation was not sent", invite=made.invite.id, reason=str(error))
        return Sent(made.invite, link)
    return Sent(made.invite, "" if sent.leaves else link)
