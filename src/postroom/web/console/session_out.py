"""Who is signed in, as the dashboard wants to know it first."""

from __future__ import annotations

import json
from typing import Any, Literal

from fastapi import Request
from pydantic import BaseModel

from postroom.store import accounts, memberships, second_factors, users
from postroom.store.accounts import Account
from postroom.store.users import User
from postroom.tenancy.grants import Grant
from postroom.tenancy.persons import Person
from postroom.tenancy.sessions import Browser, NewSession, Renewal
from postroom.types import refusals
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Call
from postroom.web.api.errors import refused
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.persons import csrf_token
from postroom.web.console import cookies


class UserOut(BaseModel):
    """`has_password` False: they came by a link, and may choose a password without an old one. `two_factor`: signing in
    takes a second step. `time_zone` is an IANA name, or empty: the browser's. `preferences` are the dashboard's own."""

    id: str
    email: str
    name: str
    last_name: str
    operator: bool
    has_password: bool
    two_factor: bool
    time_zone: str
    preferences: dict[str, Any]


class AccountOut(BaseModel):
    id: str
    name: str
    state: str
    role: str


class SessionOut(BaseModel):
    """`account_id` is the account the person works in, null without one. What they may do there: `domains` and
    `templates` null are all of them. `csrf_token` goes into the header X-CSRF-Token of what changes something; it
    belongs to the session, so every answer of this shape brings the one that holds from now on."""

    user: UserOut
    accounts: list[AccountOut]
    account_id: str | None
    role: Role | None
    permissions: list[Permission]
    domains: list[str] | None
    templates: list[str] | None
    csrf_token: str
    expires_at: Timestamp


class SecondStepOut(BaseModel):
    """Signing in is not over: `POST /console/session/second-step` with a code, before `expires_at`."""

    second_step: Literal[True]
    expires_at: Timestamp


def browser_of(call: Call, request: Request) -> Browser:
    return Browser(call.client, request.headers.get("user-agent", ""))


def renewal_of(api: Api, call: Call, person: Person, request: Request) -> Renewal:
    """How this browser goes on after a change of how the person signs in."""
    browser = browser_of(call, request)
    return Renewal(browser, person.account_id, api.clock.now_ms(), api.config.sessions.lifetime)


async def entered(api: Api, call: Call, made: NewSession) -> Data[SessionOut]:
    """The browser keeps the cookie of a new session, and is told everything."""
    cookies.keep(call, made.secret, api.config.sessions.lifetime)
    return await session_of(api, made.secret)


async def replaced(api: Api, call: Call, made: NewSession) -> Data[SessionOut]:
    """`entered`, with a session that has taken the place of all others of the person."""
    api.persons.forget_user(made.user.id)
    return await entered(api, call, made)


async def session_of(api: Api, secret: str) -> Data[SessionOut]:
    """Raises ApiError (401) when the session has just ended."""
    person = await api.persons.read(secret)
    if person is None:
        raise refused(Refused(refusals.SESSION_INVALID))
    async with api.database.read() as connection:
        user = await users.get(connection, person.user_id)
        factor = await second_factors.get(connection, person.user_id)
        joined = await memberships.of_user(connection, person.user_id)
        owned = {one.id: one for one in await accounts.load(connection, [m.account_id for m in joined])}
    if user is None:
        raise refused(Refused(refusals.SESSION_INVALID))
    shown = [
        account_out(owned[one.account_id], Grant.of(one).role) for one in joined if one.account_id in owned
    ]
    two_factor = factor is not None and factor.confirmed_at is not None
    return Data(data=_session_out(person, user_out(user, two_factor=two_factor), shown, csrf_token(secret)))


def _session_out(person: Person, user: UserOut, owned: list[AccountOut], token: str) -> SessionOut:
    grant = person.grant
    templates = grant.visible_templates
    return SessionOut(
        user=user,
        accounts=owned,
        account_id=person.account_id or None,
        role=grant.role if person.account_id else None,
        permissions=[permission for permission in Permission if permission in grant.permissions],
        domains=None if grant.domains is None else sorted(grant.domains),
        templates=None if templates is None else sorted(templates),
        csrf_token=token,
        expires_at=person.expires_at,
    )


def account_out(account: Account, role: Role) -> AccountOut:
    return AccountOut(id=account.id, name=account.name, state=account.state, role=role)


def user_out(user: User, *, two_factor: bool) -> UserOut:
    return UserOut(
        id=user.id,
        email=user.email,
        name=user.name,
        last_name=user.last_name,
        operator=user.operator,
        has_password=bool(user.password_hash),
        two_factor=two_factor,
        time_zone=user.time_zone,
        preferences=json.loads(user.preferences),
    )
