"""`/console/password-resets`: a new password by a link in the mail, for who is not signed in."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks, Response
from pydantic import BaseModel, Field

from postroom.tenancy import password_resets
from postroom.types import refusals
from postroom.types.notices import PasswordChanged, PasswordReset
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, empty
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentCall, Who, open_to
from postroom.web.console.strangers import MailLimit, afterwards
from postroom.web.console.tell import tell


class ResetRequest(Input):
    email: str = Field(max_length=320)


class Token(Input):
    """What stands behind the # of the link."""

    token: str = Field(max_length=100)


class NewPassword(Token):
    password: str = Field(max_length=1024)


class ResetOut(BaseModel):
    """Whose password it is about."""

    email: str


def router(api: Api) -> APIRouter:
    resource = routes("Password resets")
    limit = MailLimit(api)

    @resource.post("/password-resets", status_code=202, summary="Ask for a link to reset the password")
    @open_to(Who.ANYBODY)
    async def request(body: ResetRequest, call: CurrentCall, tasks: BackgroundTasks) -> Response:
        """Always 202, known address or not, and at once: what there is to do is done after the answer (U10). An address
        gets three links an hour; 429 with retry-after when one network asks for too many."""
        limit.take(call)
        afterwards(tasks, _send_link, api, body.email, call.client)
        return empty(202)

    @resource.post("/password-resets/look", summary="What a link is about")
    @open_to(Who.ANYBODY)
    async def look(body: Token) -> Data[ResetOut]:
        """Changes nothing; a POST keeps the token out of logs. 410 for a link that is not valid any more."""
        email = await password_resets.look(api.database, body.token, now=api.clock.now_ms())
        if email is None:
            raise refused(Refused(refusals.LINK_INVALID))
        return Data(data=ResetOut(email=email))

    @resource.post("/password-resets/use", status_code=204, summary="Set a new password")
    @open_to(Who.ANYBODY)
    async def use(body: NewPassword, call: CurrentCall) -> Response:
        """All sessions of the person end; they sign in next, with their second step if they have one. 410 for a link that
        is not valid any more; after a 422 (the password is too easy) it still is."""
        changed = await password_resets.use(
            api.database, body.token, body.password, client=call.client, now=api.clock.now_ms()
        )
        if isinstance(changed, Refused):
            raise refused(changed, "password")
        api.persons.forget_user(changed.id)
        await tell(api, PasswordChanged(changed.email, call.client, api.mail.link(password_resets.START)))
        return empty(204)

    return resource


async def _send_link(api: Api, email: str, client: str) -> None:
    made = await password_resets.request(api.database, email, client=client, now=api.clock.now_ms())
    if made is not None:
        link = api.mail.link(f"{password_resets.PAGE}{made.secret}")
        await tell(api, PasswordReset(made.user.email, link))
