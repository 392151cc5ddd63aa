"""`/console/second-factor`: codes of an authenticator app as the second step of signing in.

Switching it on: POST with the password shows a secret (the browser draws the QR code of `url`), then a code confirms it
and the recovery codes are shown, once. Every change ends the person's other sessions, and answers with the session that
this browser has from now on: its `csrf_token` is another one.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from postroom.tenancy import enrolment, second_factor
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentActor, CurrentCall, CurrentPerson, Who, open_to
from postroom.web.console.session import Code
from postroom.web.console.session_out import SessionOut, renewal_of, replaced
from postroom.web.console.step_up import StepUp


class Password(Input):
    """The present one. Who has none yet (`has_password` of the session) leaves it out."""

    password: str | None = Field(None, max_length=1024)


class StateOut(BaseModel):
    """`since` null: signing in takes one step."""

    enabled: bool
    since: Timestamp | None
    recovery_codes_left: int


class EnrolmentOut(BaseModel):
    """`url` is what the QR code says (otpauth://), `secret` is for typing it into an app. Neither is shown again."""

    secret: str
    url: str


class CodesOut(BaseModel):
    """Each is good once. They are not shown again."""

    recovery_codes: list[str]


class ConfirmedOut(CodesOut):
    session: SessionOut


def router(api: Api) -> APIRouter:
    resource = routes("Second factor")
    step_up = StepUp(api)

    @resource.get("/second-factor", summary="Whether signing in takes a second step")
    @open_to(Who.PERSON)
    async def show(person: CurrentPerson) -> Data[StateOut]:
        found = await second_factor.state(api.database, person.user_id)
        shown = StateOut(
            enabled=found.since is not None, since=found.since, recovery_codes_left=found.recovery_codes_left
        )
        return Data(data=shown)

    @resource.post("/second-factor", status_code=201, summary="Begin to switch it on")
    @open_to(Who.PERSON)
    async def enrol(body: Password, person: CurrentPerson, by: CurrentActor) -> Data[EnrolmentOut]:
        """Nothing changes until a code confirms it. 409 when it is on already."""
        await step_up.check(person, body.password)
        made = await enrolment.enrol(api.database, api.secrets, person.user_id, now=api.clock.now_ms(), by=by)
        if isinstance(made, Refused):
            raise refused(made)
        return Data(data=EnrolmentOut(secret=made.secret, url=made.url))

    @resource.post("/second-factor/confirm", summary="Switch it on")
    @open_to(Who.PERSON)
    async def confirm(
        body: Code, person: CurrentPerson, by: CurrentActor, call: CurrentCall, request: Request
    ) -> Data[ConfirmedOut]:
        """With a code of the app. 422 for a wrong one, 409 when there is nothing to confirm."""
        step_up.take(person)
        renewal = renewal_of(api, call, person, request)
        made = await enrolment.confirm(
            api.database, api.secrets, person.user_id, body.code, renewal=renewal, by=by
        )
        if isinstance(made, Refused):
            raise refused(made, "code")
        shown = await replaced(api, call, made.session)
        return Data(data=ConfirmedOut(recovery_codes=made.codes, session=shown.data))

    _add_changing(resource, api, step_up)
    return resource


def _add_changing(resource: APIRouter, api: Api, step_up: StepUp) -> None:
    """What is done while it is on."""

    @resource.post("/second-factor/recovery-codes", summary="Make new recovery codes")
    @open_to(Who.PERSON)
    async def renew(body: Password, person: CurrentPerson, by: CurrentActor) -> Data[CodesOut]:
        """Those before are good for nothing."""
        await step_up.check(person, body.password)
        codes = await enrolment.renew_recovery_codes(api.database, api.secrets, person.user_id, by=by)
        if isinstance(codes, Refused):
            raise refused(codes)
        return Data(data=CodesOut(recovery_codes=codes))

    @resource.delete("/second-factor", summary="Switch it off")
    @open_to(Who.PERSON)
    async def disable(
        body: Password, person: CurrentPerson, by: CurrentActor, call: CurrentCall, request: Request
    ) -> Data[SessionOut]:
        """409 when it is off already."""
        await step_up.check(person, body.password)
        renewal = renewal_of(api, call, person, request)
        made = await enrolment.disable(api.database, person.user_id, renewal=renewal, by=by)
        if isinstance(made, Refused):
            raise refused(made)
        return await replaced(api, call, made)
