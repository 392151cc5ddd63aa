"""`/console/session`: signing in and out, who is signed in, and the account they work in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from postroom.accept.submission.limits import FailedLogins
from postroom.store import accounts, memberships, users
from postroom.tenancy import sessions
from postroom.tenancy.grants import Grant
from postroom.tenancy.sessions import Browser
from postroom.types import refusals
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Call
from postroom.web.api.errors import ApiError, refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.persons import Headers, csrf_token, secret_of
from postroom.web.api.route import routes
from postroom.web.console import cookies
from postroom.web.console.access import CurrentActor, CurrentCall, CurrentPerson, Who, open_to


class SignIn(Input):
    email: str = Field(max_length=320)
    password: str = Field(max_length=1024)


class Switch(Input):
    account_id: str = Field(max_length=16)


class UserOut(BaseModel):
    id: str
    email: str
    name: str
    last_name: str
    operator: bool


class AccountOut(BaseModel):
    id: str
    name: str
    state: str
    role: str


class SessionOut(BaseModel):
    """`account_id` is the account the person works in, null without one. What they may do there: `domains` and
    `templates` null are all of them. `csrf_token` goes into the header X-CSRF-Token of what changes something."""

    user: UserOut
    accounts: list[AccountOut]
    account_id: str | None
    role: Role | None
    permissions: list[Permission]
    domains: list[str] | None
    templates: list[str] | None
    csrf_token: str
    expires_at: Timestamp


class SignIns:
    """Signing in: whoever guesses has to wait, whoever knows the password does not (U10)."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._logins = FailedLogins(api.config.submission.failed_logins, api.clock.monotonic)

    async def sign_in(self, body: SignIn, call: Call, headers: Headers, user_agent: str) -> str:
        """The secret of a new session. Raises ApiError."""
        api, client = self._api, call.client
        waits = self._logins.wait(client, body.email)
        if waits is not None:
            raise self._refuse(waits, call, retry_after=int(waits.facts["seconds"]))
        await api.clock.sleep(self._logins.delay(client, body.email))
        made = await sessions.sign_in(
            api.database,
            body.email,
            body.password,
            Browser(client, user_agent),
            now=api.clock.now_ms(),
            lifetime=api.config.sessions.lifetime,
            instead_of=secret_of(call, headers),
        )
        if made is None:
            self._logins.failed(client, body.email)
            raise self._refuse(Refused(refusals.SIGN_IN_FAILED), call)
        self._logins.succeeded(client, body.email)
        return made.secret

    def _refuse(self, why: Refused, call: Call, *, retry_after: int | None = None) -> ApiError:
        self._api.refusals.add(why, client=call.client)
        return refused(why, retry_after=retry_after)


def router(api: Api) -> APIRouter:
    resource = routes("Session")
    sign_ins = SignIns(api)

    @resource.post("/session", status_code=201, summary="Sign in")
    @open_to(Who.ANYBODY)
    async def sign_in(body: SignIn, call: CurrentCall, request: Request) -> Data[SessionOut]:
        """An unknown address and a wrong password look the same, and take the same time."""
        user_agent = request.headers.get("user-agent", "")
        secret = await sign_ins.sign_in(body, call, request.scope["headers"], user_agent)
        cookies.keep(call, secret, api.config.sessions.lifetime)
        return await _shown(api, secret)

    @resource.get("/session", summary="Who is signed in")
    @open_to(Who.PERSON)
    async def show(call: CurrentCall, request: Request) -> Data[SessionOut]:
        return await _shown(api, _secret(call, request.scope["headers"]))

    @resource.post("/session/account", summary="Work in another account")
    @open_to(Who.PERSON)
    async def switch(
        body: Switch, person: CurrentPerson, by: CurrentActor, call: CurrentCall, request: Request
    ) -> Data[SessionOut]:
        await sessions.switch(api.database, person.session_id, person.user_id, body.account_id, by=by)
        api.persons.forget(person.session_id)
        return await _shown(api, _secret(call, request.scope["headers"]))

    @resource.delete("/session", status_code=204, summary="Sign out")
    @open_to(Who.PERSON)
    async def sign_out(person: CurrentPerson, by: CurrentActor, call: CurrentCall) -> Response:
        await sessions.revoke(api.database, person.session_id, person.user_id, by=by)
        api.persons.forget(person.session_id)
        cookies.drop(call)
        return empty(204)

    return resource


async def _shown(api: Api, secret: str) -> Data[SessionOut]:
    found = await _session_out(api, secret)
    if found is None:
        raise refused(Refused(refusals.SESSION_INVALID))
    return Data(data=found)


def _secret(call: Call, headers: Headers) -> str:
    secret = secret_of(call, headers)
    assert secret is not None, "the gate let somebody in who is not signed in"
    return secret


async def _session_out(api: Api, secret: str) -> SessionOut | None:
    """Everything the dashboard wants to know first; None when the session has just ended."""
    person = await api.persons.read(secret)
    if person is None:
        return None
    async with api.database.read() as connection:
        user = await users.get(connection, person.user_id)
        joined = await memberships.of_user(connection, person.user_id)
        owned = {one.id: one for one in await accounts.load(connection, [m.account_id for m in joined])}
    if user is None:
        return None
    grant = person.grant
    templates = grant.visible_templates
    return SessionOut(
        user=UserOut(
            id=user.id, email=user.email, name=user.name, last_name=user.last_name, operator=user.operator
        ),
        accounts=[
            AccountOut(id=one.account_id, name=account.name, state=account.state, role=Grant.of(one).role)
            for one in joined
            if (account := owned.get(one.account_id)) is not None
        ],
        account_id=person.account_id or None,
        role=grant.role if person.account_id else None,
        permissions=[permission for permission in Permission if permission in grant.permissions],
        domains=None if grant.domains is None else sorted(grant.domains),
        templates=None if templates is None else sorted(templates),
        csrf_token=csrf_token(secret),
        expires_at=person.expires_at,
    )
