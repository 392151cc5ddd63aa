"""`/console/sign-up`: an account for who is not signed in, where the operator lets people make some (`server.sign_up`).

An address, a link in the mail, then name and password. The new account can be looked around in at once, and sends when an
operator has approved it.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, BackgroundTasks, Response
from pydantic import BaseModel, Field

from postroom.tenancy import sign_up
from postroom.types import refusals
from postroom.types.notices import SignUpConfirmation, SignUpKnown
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, empty
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentCall, Who, open_to
from postroom.web.console.invites import Joined
from postroom.web.console.password_resets import Token
from postroom.web.console.strangers import MailLimit, afterwards
from postroom.web.console.tell import tell

SIGN_IN_PAGE = "/sign-in"


class SignUpOut(BaseModel):
    """`closed`: only operators make accounts, so show no way to sign up."""

    mode: Literal["closed", "approval"]


class SignUpRequest(Input):
    email: str = Field(max_length=320)


class ConfirmationOut(BaseModel):
    """The address that the link confirms."""

    email: str


class NewUser(Token):
    """`account` is the name of the new account: the company's, say."""

    name: str = Field(max_length=191)
    last_name: str = Field("", max_length=191)
    account: str = Field(max_length=191)
    password: str = Field(max_length=1024)


def router(api: Api) -> APIRouter:
    resource = routes("Sign-up")
    limit = MailLimit(api)

    @resource.get("/sign-up", summary="Whether people may sign up")
    @open_to(Who.ANYBODY)
    async def show() -> Data[SignUpOut]:
        return Data(data=SignUpOut(mode=api.config.server.sign_up))

    @resource.post("/sign-up", status_code=202, summary="Ask for an account")
    @open_to(Who.ANYBODY)
    async def request(body: SignUpRequest, call: CurrentCall, tasks: BackgroundTasks) -> Response:
        """Always 202 and at once, also for an address that has a user: that one gets another mail (U10). An address gets
        three mails a day; 429 with retry-after when one network asks for too many. 403 where sign-up is closed."""
        must_be_open(api)
        limit.take(call)
        afterwards(tasks, _send_link, api, body.email, call.client)
        return empty(202)

    @resource.post("/sign-up/look", summary="What a link is about")
    @open_to(Who.ANYBODY)
    async def look(body: Token) -> Data[ConfirmationOut]:
        """Changes nothing; a POST keeps the token out of logs. 410 for a link that is not valid any more."""
        email = await sign_up.look(api.database, body.token, now=api.clock.now_ms())
        if email is None:
            raise refused(Refused(refusals.LINK_INVALID))
        return Data(data=ConfirmationOut(email=email))

    @resource.post("/sign-up/confirm", status_code=201, summary="Make the account")
    @open_to(Who.ANYBODY)
    async def confirm(body: NewUser, call: CurrentCall) -> Data[Joined]:
        """A user who is the Admin of a new account, and signs in next. 410 for a link that is not valid any more; after a
        422 it still is."""
        must_be_open(api)
        made = await sign_up.confirm(
            api.database,
            body.token,
            name=body.name,
            last_name=body.last_name,
            account=body.account,
            password=body.password,
            client=call.client,
            now=api.clock.now_ms(),
        )
        if isinstance(made, Refused):
            raise refused(made, "password")
        shown = Joined(account_id=made.membership.account_id, user_id=made.user.id, email=made.user.email)
        return Data(data=shown)

    return resource


def must_be_open(api: Api) -> None:
    """Raises ApiError (403)."""
    if api.config.server.sign_up == "closed":
        raise refused(Refused(refusals.SIGN_UP_CLOSED))


async def _send_link(api: Api, email: str, client: str) -> None:
    asked = await sign_up.request(api.database, email, client=client, now=api.clock.now_ms())
    if asked is None:
        return
    if asked.secret is None:
        await tell(api, SignUpKnown(asked.email, api.mail.link(SIGN_IN_PAGE)))
    else:
        link = api.mail.link(f"{sign_up.PAGE}{asked.secret}")
        await tell(api, SignUpConfirmation(asked.email, link))
