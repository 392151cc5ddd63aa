"""`/console/email-changes`: another address to sign in with.

Who is signed in asks with their password, and a code if they have a second step; a link in the mail to the new address
makes the change. The address of before is told both times.
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, field_validator

from postroom.tenancy import email_changes, password_resets, second_factor, users
from postroom.tenancy.email_changes import Requested
from postroom.tenancy.persons import Person
from postroom.tenancy.second_factor import WrongCode
from postroom.types import refusals
from postroom.types.notices import (
    EmailChangeAsked,
    EmailChangeConfirmation,
    EmailChanged,
    EmailChangeKnown,
    SecondStepLocked,
)
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Call
from postroom.web.api.errors import ApiError, invalid, refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, empty
from postroom.web.api.route import routes
from postroom.web.api.user_input import address
from postroom.web.api.words import REQUIRED
from postroom.web.console.access import CurrentActor, CurrentCall, CurrentPerson, Who, open_to
from postroom.web.console.password_resets import Token
from postroom.web.console.sign_up import SIGN_IN_PAGE
from postroom.web.console.step_up import StepUp
from postroom.web.console.tell import tell

SAME = "The email is your address already."


class NewEmail(Input):
    """`password` is the present one; who has none yet leaves it out. `code`: of the app or a recovery code, from who has a
    second step."""

    email: str = Field(max_length=320)
    password: str | None = Field(None, max_length=1024)
    code: str | None = Field(None, max_length=40)

    _is_address = field_validator("email")(address)


class RequestedOut(BaseModel):
    """`leaves` False: mail of Postroom itself cannot leave this installation yet. Then an operator is given the `link`, and
    others ask one: it is in the sandbox inbox."""

    email: str
    leaves: bool
    link: str | None


class WantedOut(BaseModel):
    """What the link changes."""

    before: str
    after: str


def router(api: Api) -> APIRouter:
    resource = routes("Email changes")
    step_up = StepUp(api)

    @resource.post("/email-changes", status_code=202, summary="Ask for another address")
    @open_to(Who.PERSON)
    async def request(
        body: NewEmail, person: CurrentPerson, by: CurrentActor, call: CurrentCall
    ) -> Data[RequestedOut]:
        """Nothing changes until the link in the mail is used, which is good for a day. The answer is the same for an address
        that has a user: that one gets another mail (U10). 422 with the field that is wrong, 429 with retry-after."""
        if users.folded(body.email) == person.email:
            raise invalid({"email": [SAME]})
        await step_up.check(person, body.password)
        if body.code is None and (await second_factor.state(api.database, person.user_id)).since is not None:
            raise invalid({"code": [REQUIRED.replace("{field}", "code")]})
        asked = await email_changes.request(
            api.database,
            api.secrets,
            person.user_id,
            body.email,
            body.code or "",
            now=api.clock.now_ms(),
            by=by,
        )
        if isinstance(asked, WrongCode):
            raise await _wrong(api, asked, call)
        if isinstance(asked, Refused):
            raise refused(asked, retry_after=email_changes.HOUR // 1000)
        return await _mailed(api, asked, person, call)

    @resource.post("/email-changes/look", summary="What a link is about")
    @open_to(Who.ANYBODY)
    async def look(body: Token) -> Data[WantedOut]:
        """Changes nothing; a POST keeps the token out of logs. 410 for a link that is not valid any more."""
        wanted = await email_changes.look(api.database, body.token, now=api.clock.now_ms())
        if wanted is None:
            raise refused(Refused(refusals.LINK_INVALID))
        return Data(data=WantedOut(before=wanted.before, after=wanted.after))

    @resource.post("/email-changes/confirm", status_code=204, summary="Change the address")
    @open_to(Who.ANYBODY)
    async def confirm(body: Token, call: CurrentCall) -> Response:
        """They sign in with it from now on, and stay signed in where they are. 410 for a link that is not valid any more."""
        changed = await email_changes.confirm(
            api.database, body.token, client=call.client, now=api.clock.now_ms()
        )
        if isinstance(changed, Refused):
            raise refused(changed)
        api.persons.forget_user(changed.user_id)
        await tell(api, EmailChanged(changed.before, changed.after, call.client))
        return empty(204)

    return resource


async def _mailed(api: Api, asked: Requested, person: Person, call: Call) -> Data[RequestedOut]:
    link = None if asked.secret is None else api.mail.link(f"{email_changes.PAGE}{asked.secret}")
    if link is None:
        sent = await tell(api, EmailChangeKnown(asked.email, api.mail.link(SIGN_IN_PAGE)))
    else:
        sent = await tell(api, EmailChangeConfirmation(asked.email, link))
    reset = api.mail.link(password_resets.START)
    await tell(api, EmailChangeAsked(person.email, asked.email, call.client, reset))
    leaves = sent is not None and sent.leaves
    shown = link if person.operator and not leaves else None
    return Data(data=RequestedOut(email=asked.email, leaves=leaves, link=shown))


async def _wrong(api: Api, wrong: WrongCode, call: Call) -> ApiError:
    """Whoever guesses at codes is locked out, and the owner told, as when they sign in."""
    if wrong.locks is not None:
        await tell(
            api, SecondStepLocked(wrong.locks.email, call.client, api.mail.link(password_resets.START))
        )
    return refused(wrong.why, "code", retry_after=wrong.seconds)
