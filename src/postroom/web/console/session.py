"""`/console/session`: signing in and out, who is signed in, and the account they work in.

Signing in takes one step or two. The first is a password or a link: 201 with the session when that is all, 202 when a
code is missing. Then the browser holds a cookie that is good for `POST /console/session/second-step` only, and for five
minutes; the step makes another one. A code is one of the app (six digits) or a recovery code.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from postroom.tenancy import sessions
from postroom.tenancy.sessions import SECOND_STEP_LASTS, NewSession
from postroom.web.api.api import Api
from postroom.web.api.call import Call
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, empty
from postroom.web.api.persons import secret_of
from postroom.web.api.route import routes
from postroom.web.console import cookies
from postroom.web.console.access import CurrentActor, CurrentCall, CurrentPerson, Who, open_to
from postroom.web.console.session_out import SecondStepOut, SessionOut, entered, session_of
from postroom.web.console.sign_ins import SignIns


class SignIn(Input):
    email: str = Field(max_length=320)
    password: str = Field(max_length=1024)


class Link(Input):
    """`link` is what stands behind `#link=` in the URL that `postroom user sign-in-link` prints."""

    link: str = Field(max_length=100)


class Code(Input):
    """Of the app, or a recovery code; blanks and dashes do not matter."""

    code: str = Field(max_length=40)


class Switch(Input):
    account_id: str = Field(max_length=16)


def router(api: Api) -> APIRouter:
    resource = routes("Session")
    _add_steps(resource, api, SignIns(api))

    @resource.get("/session", summary="Who is signed in")
    @open_to(Who.PERSON)
    async def show(call: CurrentCall, request: Request) -> Data[SessionOut]:
        return await session_of(api, _secret(call, request))

    @resource.post("/session/account", summary="Work in another account")
    @open_to(Who.PERSON)
    async def switch(
        body: Switch, person: CurrentPerson, by: CurrentActor, call: CurrentCall, request: Request
    ) -> Data[SessionOut]:
        await sessions.switch(api.database, person.session_id, person.user_id, body.account_id, by=by)
        api.persons.forget(person.session_id)
        return await session_of(api, _secret(call, request))

    @resource.delete("/session", status_code=204, summary="Sign out")
    @open_to(Who.PERSON)
    async def sign_out(person: CurrentPerson, by: CurrentActor, call: CurrentCall) -> Response:
        await sessions.revoke(api.database, person.session_id, person.user_id, by=by)
        api.persons.forget(person.session_id)
        cookies.drop(call)
        return empty(204)

    return resource


def _add_steps(resource: APIRouter, api: Api, sign_ins: SignIns) -> None:
    """Of signing in."""

    @resource.post("/session", status_code=201, summary="Sign in")
    @open_to(Who.ANYBODY)
    async def sign_in(
        body: SignIn, call: CurrentCall, request: Request, response: Response
    ) -> Data[SessionOut] | Data[SecondStepOut]:
        """201 and the session, or 202 when a second step is missing. An unknown address and a wrong password look the
        same (401), and take the same time. 429 with retry-after for who has guessed too often."""
        made = await sign_ins.by_password(body.email, body.password, call, request)
        return await _first_step(api, call, response, made)

    @resource.post("/session/link", status_code=201, summary="Sign in by a link")
    @open_to(Who.ANYBODY)
    async def by_link(
        body: Link, call: CurrentCall, request: Request, response: Response
    ) -> Data[SessionOut] | Data[SecondStepOut]:
        """201 or 202, as with a password. 410 for a link that was used or is older than 15 minutes."""
        made = await sign_ins.by_link(body.link, call, request)
        return await _first_step(api, call, response, made)

    @resource.post("/session/second-step", status_code=201, summary="Sign in, the second step")
    @open_to(Who.ANYBODY)
    async def second_step(body: Code, call: CurrentCall, request: Request) -> Data[SessionOut]:
        """401: sign in again, there is nothing to go on with. 422 for a wrong code. 429 with retry-after: five wrong
        codes in a row have locked the step, and the password is asked for again."""
        made = await sign_ins.second_step(body.code, call, request)
        return await entered(api, call, made)


async def _first_step(
    api: Api, call: Call, response: Response, made: NewSession
) -> Data[SessionOut] | Data[SecondStepOut]:
    if made.complete:
        return await entered(api, call, made)
    cookies.keep(call, made.secret, SECOND_STEP_LASTS)
    response.status_code = 202
    return Data(data=SecondStepOut(second_step=True, expires_at=made.session.expires_at))


def _secret(call: Call, request: Request) -> str:
    secret = secret_of(call, request.scope["headers"])
    assert secret is not None, "the gate let somebody in who is not signed in"
    return secret
